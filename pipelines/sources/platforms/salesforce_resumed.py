"""Read the records of a query to its end, though Salesforce forgets it, or ends the session, on the way."""

from collections.abc import Callable, Iterator
from datetime import datetime, timezone

from pipelines.sources.errors import PlatformError
from pipelines.sources.platforms.salesforce_errors import Forgotten
from pipelines.sources.platforms.salesforce_rest import malformed


def resumed(
    ask: Callable[[str], Iterator[list[dict]]],
    further: Callable[[str, list[str]], str],
    reached: str,
) -> Iterator[tuple[list[dict], str]]:
    """Yield pages, and the moment that each leads to.

    A query that is forgotten half-way is asked again from that moment on, like one whose session
    has ended: a new one may not read on.
    """
    while True:
        start = reached
        try:
            for page in ask(reached):
                reached = further(reached, moments(page))
                yield page, reached
            return
        except PlatformError as error:
            if reached == start or not (error.renew or isinstance(error, Forgotten)):
                raise


def moments(page: list[dict]) -> list[str]:
    """Return when each record of a page was changed last, as queries write it."""
    try:
        return [iso(datetime.fromisoformat(record["SystemModstamp"])) for record in page]
    except (LookupError, TypeError, ValueError):
        raise malformed("a record without SystemModstamp") from None


def iso(at: datetime) -> str:
    """Return a moment as queries and load counts write it, UTC: texts that sort by time."""
    return at.astimezone(timezone.utc).isoformat(timespec="milliseconds").replace("+00:00", "Z")
