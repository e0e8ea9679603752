"""Ask a platform day by day: what is missing first, then what it may have restated."""

from collections.abc import Callable, Iterable, Iterator
from datetime import date, timedelta
from typing import NamedTuple
from zoneinfo import ZoneInfo

from pipelines.settings.apis import AdsApi
from pipelines.sources.batches import Batch, Coverage, FetchRequest
from pipelines.sources.errors import PlatformError
from pipelines.sources.platforms.responses import written

DAY = timedelta(days=1)


class Span(NamedTuple):
    """Days in a row, first and last included."""

    first: date
    last: date

    @property
    def days(self) -> list[date]:
        """Return the days."""
        return [self.first + DAY * number for number in range((self.last - self.first).days + 1)]


def by_days(
    request: FetchRequest,
    api: AdsApi,
    source: str,
    accounts: Iterable[str],
    ask: Callable[[str, Span], Iterator[list[dict]]],
    columns: dict[str, str],
) -> Iterator[Batch]:
    """Yield a batch for every span of days that each account is asked for.

    An account that fails by itself leaves the others alone: its PlatformError is raised at the
    end. Any other is raised at once.
    """
    errors: dict[str, PlatformError] = {}
    for account, span in _turns(request, api, accounts):
        if account in errors:
            continue
        try:
            covers = Coverage(account, *map(str, span))
            yield written(request.folder, source, "spend", covers, ask(account, span), columns)
        except PlatformError as error:
            if not error.account:
                raise
            errors[account] = error
    if errors:
        raise _summed(errors)


def _turns(request: FetchRequest, api: AdsApi, accounts: Iterable[str]) -> list[tuple[str, Span]]:
    """Return who is asked for what: no account's missing days wait for another's restated ones."""
    turns = []
    for account in dict.fromkeys(accounts):
        lacking = set(missing(request, api, account))
        for turn, span in enumerate(spans(request, api, account)):
            turns.append((lacking.isdisjoint(span.days), turn, account, span))
    return [(account, span) for _, _, account, span in sorted(turns, key=lambda turn: turn[:2])]


def _summed(errors: dict[str, PlatformError]) -> PlatformError:
    """Return the accounts' errors as one: the first, with the reasons of all."""
    first = next(iter(errors.values()))
    reasons = "; ".join(f"account {account}: {error}" for account, error in errors.items())
    return PlatformError(first.code, reasons, retry_after=first.retry_after, account=True)


def spans(request: FetchRequest, api: AdsApi, account: str) -> list[Span]:
    """Return what an account is asked for, in that order: spans of missing days, then the rest.

    Every day up to yesterday is wanted, in the client's time zone: from the first that the lake has,
    or from as far back as the platform restates. The newest days, as many as the platform
    restates, are asked for again. A backfill wants the days since, the newest first.
    """
    yesterday = _yesterday(request)
    restated = yesterday - DAY * (api.restate_days - 1)
    lacking = set(missing(request, api, account))
    if request.since:
        return _spans(sorted(lacking), api.days_per_request)[::-1]
    wanted = _spans(sorted(lacking | set(Span(restated, yesterday).days)), api.days_per_request)
    return sorted(wanted, key=lambda span: (lacking.isdisjoint(span.days), span))


def missing(request: FetchRequest, api: AdsApi, account: str) -> list[date]:
    """Return the days of an account that the lake lacks, or that are to be asked for again."""
    yesterday = _yesterday(request)
    covered = {
        day
        for covers in request.coverage.get("spend", [])
        if covers.account == account
        for day in Span(date.fromisoformat(covers.first), date.fromisoformat(covers.last)).days
    }
    first = min([yesterday - DAY * (api.restate_days - 1), *covered])
    if request.since:
        first = date.fromisoformat(request.since)
    again = {each.first for each in request.again.get("spend", []) if each.account == account}
    return [day for day in Span(first, yesterday).days if day not in covered or str(day) in again]


def _yesterday(request: FetchRequest) -> date:
    return request.now.astimezone(ZoneInfo(request.client.timezone)).date() - DAY


def _spans(days: list[date], at_most: int) -> list[Span]:
    """Return days, in order, as spans: none longer than `at_most`, the oldest the shortest."""
    found: list[Span] = []
    for day in reversed(days):
        if found and found[-1].first - DAY == day and len(found[-1].days) < at_most:
            found[-1] = Span(day, found[-1].last)
        else:
            found.append(Span(day, day))
    return found[::-1]
