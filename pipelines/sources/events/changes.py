"""Read change events: which records of an org changed, and how."""

import io
import re
from datetime import datetime, timezone
from typing import Any, NamedTuple

import fastavro

from pipelines.sources.events.subscription import Event

LOST = "GAP_OVERFLOW"  # more changed than the org writes events of
ID = re.compile(r"[A-Za-z0-9_-]+")
DELETED = ("DELETE", "GAP_DELETE")


class Undecodable(Exception):
    """An event whose content is not what its schema says."""


class Change(NamedTuple):
    """That records of an entity changed, as the bus tells it.

    What they are now is asked of the org: an update names changed fields only, formulas are in no
    event, and of a `GAP_` the bus knows no more than the ids.
    """

    replay_id: bytes
    entity: str
    ids: list[str]
    kind: str
    committed_at: datetime

    @property
    def is_lost(self) -> bool:
        """Return whether the ids are not all known: `006*` stands for every record of the object."""
        return self.kind == LOST or not self.ids or not all(map(ID.fullmatch, self.ids))

    @property
    def is_deletion(self) -> bool:
        """Return whether the records were deleted; some may be there again by now."""
        return self.kind in DELETED


def change(event: Event, schema: Any) -> Change:
    """Return what an event says. Raise Undecodable if it cannot be read by its schema."""
    try:
        content = io.BytesIO(event.payload)
        header = _header(fastavro.schemaless_reader(content, schema, None))
        if content.read(1):
            raise ValueError("it is longer than its schema says")
        return Change(
            event.replay_id,
            str(header["entityName"]),
            [str(one) for one in header["recordIds"]],
            str(header["changeType"]),
            datetime.fromtimestamp(header["commitTimestamp"] / 1000, timezone.utc),
        )
    except Exception as error:  # fastavro raises whatever bytes lead it to
        raise Undecodable(f"{type(error).__name__}: {error}"[:200]) from None


def _header(record: Any) -> dict[str, Any]:
    return record["ChangeEventHeader"]
