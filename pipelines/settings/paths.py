"""Say what enters a path, and what it is called."""

from typing import Annotated, Literal

import duckdb
from pydantic import AfterValidator, Field, model_validator

from pipelines.settings.base import Settings

FACTS = ("source", "medium", "campaign", "referrer")


def _expression(pattern: str) -> str:
    """Return a regular expression that DuckDB's RE2 knows. Raise ValueError otherwise."""
    try:
        duckdb.execute("SELECT REGEXP_FULL_MATCH('', ?, 'i')", [pattern]).fetchall()
    except duckdb.Error as error:
        why = str(error).splitlines()[0]
        raise ValueError(
            f"'{pattern}' is no regular expression ({why}); write one as RE2 knows it"
        ) from None
    return pattern


Pattern = Annotated[str, Field(min_length=1), AfterValidator(_expression)]


def _own(channel: str) -> str:
    if channel.lower() == "unattributed":
        raise ValueError("unattributed is what no touchpoint earned; choose another name")
    return channel


ChannelName = Annotated[str, Field(min_length=1), AfterValidator(_own)]
CampaignNames = dict[
    Annotated[str, Field(min_length=1)],
    Annotated[str, Field(min_length=1)],
]


class ChannelRule(Settings):
    """A channel, and the whole values that lead to it, as regular expressions without regard to case."""

    channel: ChannelName
    source: Pattern | None = None
    medium: Pattern | None = None
    campaign: Pattern | None = None
    referrer: Pattern | None = None

    @model_validator(mode="after")
    def _asks_for_something(self) -> "ChannelRule":
        if not any(getattr(self, fact) for fact in FACTS):
            raise ValueError(f"a rule for {self.channel} needs one of {', '.join(FACTS)}")
        return self


Transform = Literal[
    "exposure", "first", "unique", "remove_if_last_and_not_all", "remove_if_not_all"
]


class PathTransform(Settings):
    """A step that makes a path shorter, as `exposure`, or as `remove_if_not_all: [Direct]`.

    Names and meaning are those of Snowplow's attribution package (`snowplow__path_transforms`).
    """

    name: Transform
    channels: list[Annotated[str, Field(min_length=1)]] = []

    @model_validator(mode="before")
    @classmethod
    def _has_a_short_form(cls, written: object) -> object:
        if isinstance(written, str):
            return {"name": written}
        if isinstance(written, dict) and len(written) == 1:
            ((name, channels),) = written.items()
            return {"name": name, "channels": channels}
        raise ValueError(
            "write a name, as `exposure`, or a name and channels, as in clients/acme.yaml"
        )

    @model_validator(mode="after")
    def _has_channels_where_needed(self) -> "PathTransform":
        if self.name.startswith("remove") != bool(self.channels):
            remedy = (
                "takes the channels to remove" if self.name.startswith("remove") else "takes none"
            )
            raise ValueError(f"{self.name} {remedy}; write it as in clients/acme.yaml")
        return self
