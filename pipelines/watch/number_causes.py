"""Judge what is published: numbers far off their weekday's usual, channels that vanish, broken tracking."""

from collections.abc import Callable, Iterator
from datetime import date, timedelta

from pipelines.settings.alerts import Cause
from pipelines.watch.daily_numbers import DailyNumbers, Days
from pipelines.watch.facts import Facts
from pipelines.watch.findings import Finding
from pipelines.watch.usual import (
    Usual,
    compare,
    counted,
    of_money,
    of_sales,
    summed,
    total,
    weekday,
)

OLD = timedelta(days=7)  # behind the others: such an export has ended, and its last day is no news
COLLAPSED = 0.3  # of the usual sessions
MOST_SHARE = 0.2  # by which the unattributed share may be above its usual
ENOUGH = 20  # conversions that tell something
MONTH = 28  # days, whole weeks
CLAIMS_MORE = 5  # times what its campaigns earned, which no view of a platform explains


def odd_numbers(facts: Facts) -> Iterator[Finding]:
    """Find spend, sessions, conversions and revenue far off what the same weekday usually has.

    Sessions that collapse are found as broken tracking; spend that lacks a platform is known to be low.
    """
    if not (numbers := facts.numbers):
        return
    currency = f" {numbers.currency}"
    sessions = _judged(numbers, summed(numbers.sessions.values()), counted)
    spend = _judged(numbers, summed(numbers.spend.values()), of_money)
    sales = _judged(numbers, numbers.conversions, counted)
    revenue = _judged(numbers, numbers.revenue, of_sales(sales[1].usual if sales else 0))
    judged: list[tuple[Cause, str, str, tuple[date, Usual] | None, dict[str, Days]]] = [
        ("odd_spend", "spend", currency, spend, numbers.spend),
        ("odd_sessions", "sessions", "", sessions, numbers.sessions),
        ("odd_conversions", "conversions", "", sales, {}),
        ("odd_revenue", "revenue", currency, revenue, {}),
    ]
    for cause, what, unit, found, channels in judged:
        if not found or not found[1].is_far:
            continue
        day, usual = found
        is_known = cause == "odd_spend" and str(day) in numbers.partial
        if not is_known and not (cause == "odd_sessions" and _has_collapsed(usual)):
            said = f"{what} on {day}: {_said(usual, unit)}{_mostly(channels, day, unit)}"
            yield Finding(cause, said, _look(facts, cause, day))


def tracking_broken(facts: Facts) -> Iterator[Finding]:
    """Find sessions that collapse, and a share of conversions without a touchpoint that leaps up."""
    if not (numbers := facts.numbers):
        return
    said, day = [], date.min
    found = _judged(numbers, summed(numbers.sessions.values()), counted)
    if found and found[1].is_far and _has_collapsed(found[1]):
        day = found[0]
        said.append(f"sessions on {day}: {_said(found[1])}{_mostly(numbers.sessions, day, '')}")
    for length in (1, 7):
        if share := _unattributed(numbers, length):
            day, text = share
            said.append(text)
            break
    if said:
        remedy = f"check the site's tag and its consent banner, then {_look(facts, 'tracking_broken', day)}"
        yield Finding("tracking_broken", "; ".join(said), remedy)


def channel_vanished(facts: Facts) -> Iterator[Finding]:
    """Find channels that had sessions, or spend, on each of these weekdays and have none.

    Where all sessions have collapsed, tracking is what is broken.
    """
    if not (numbers := facts.numbers):
        return
    collapsed = _judged(numbers, summed(numbers.sessions.values()), counted)
    is_broken = bool(collapsed and collapsed[1].is_far and _has_collapsed(collapsed[1]))
    gone: dict[str, list[str]] = {}
    for what, channels, chance, unit in (
        ("sessions", {} if is_broken else numbers.sessions, counted, ""),
        ("spend", numbers.spend, of_money, f" {numbers.currency}"),
    ):
        if not (newest := _newest(numbers, summed(channels.values()))):
            continue
        for channel, days in channels.items():
            is_known = what == "spend" and str(newest) in numbers.partial
            usual = weekday(days, newest, _first(summed(channels.values())), chance)
            if (
                not is_known
                and usual
                and usual.now == 0
                and usual.is_far
                and _was_there(days, newest)
            ):
                said = f"no {what} on {newest}, usually {_number(usual.usual)}{unit}"
                gone.setdefault(channel, []).append(said)
    for channel, texts in gone.items():
        yield Finding(
            "channel_vanished",
            f"{channel} has {' and '.join(texts)}",
            "check its campaigns, their utm tags, and the client's `channels:` and `aliases:`",
            channel,
        )


def claims_far(facts: Facts) -> Iterator[Finding]:
    """Find ad platforms that claim far more conversions, or far fewer, than their campaigns earned here.

    Four weeks are compared: what a platform claims, and what is credited to a click, comes days later.
    Platforms see only themselves, so twice as many are no wonder; five times as many are. Where the
    weeks before say what is usual, twice or half of it is far, too.
    """
    if not (numbers := facts.numbers):
        return
    for source, claims in numbers.claims.items():
        ours = numbers.ours.get(source, {})
        if not (day := _newest(numbers, claims)) or not ours:
            continue
        claimed, earned = total(claims, day, MONTH), total(ours, day, MONTH)
        times = claimed / max(earned, 1)
        usual = _usual_times(claims, ours, day)
        is_far = not 1 / CLAIMS_MORE <= times <= CLAIMS_MORE or bool(usual and usual.is_far)
        if max(claimed, earned) >= ENOUGH and is_far:
            said = f", last week {usual.now:.1f} times, usually {usual.usual:.1f}" if usual else ""
            yield Finding(
                "claims_far",
                f"in the {MONTH} days up to {day} {source} claims {_number(claimed)} conversions, its"
                f" campaigns earned {_number(earned)} here: {times:.1f} times{said}",
                "compare which conversions the platform counts, and its window, with `conversions:` and"
                " `attribution:` of the client's file",
                source,
            )


def _usual_times(claims: Days, ours: Days, day: date) -> Usual | None:
    """Return how many times what is ours a platform claimed last week, beside what is usual."""
    ends = [day - timedelta(weeks=week) for week in range(9)]
    weeks = [
        (total(claims, end, 7), total(ours, end, 7))
        for end in ends
        if end - timedelta(days=7) >= _first(claims)
    ]
    if not weeks or max(weeks[0]) < ENOUGH:
        return None
    now, *before = [claimed / max(earned, 1) for claimed, earned in weeks if claimed or earned]
    return compare(now, before, of_money)


def _judged(
    numbers: DailyNumbers, days: Days, chance: Callable[[float], float]
) -> tuple[date, Usual] | None:
    """Return the newest whole day of some numbers, compared with its weekday."""
    if not (day := _newest(numbers, days)):
        return None
    usual = weekday(days, day, _first(days), chance)
    return (day, usual) if usual and usual.usual > 0 else None


def _newest(numbers: DailyNumbers, days: Days) -> date | None:
    """Return the newest day that has something; None if others go on and it was long ago."""
    if not days:
        return None
    newest, of_all = (date.fromisoformat(max(each)) for each in (days, numbers.days))
    return newest if newest >= of_all - OLD else None


def _first(days: Days) -> date:
    """Return the first day that has something: it may have begun in the middle of it, so it tells nothing."""
    return date.fromisoformat(min(days))


def _was_there(days: Days, day: date) -> bool:
    """Return whether each of the same weekdays of the last four weeks has something."""
    return all(total(days, day - timedelta(weeks=week)) for week in range(1, 5))


def _has_collapsed(sessions: Usual) -> bool:
    return sessions.now <= COLLAPSED * sessions.usual


def _unattributed(numbers: DailyNumbers, length: int) -> tuple[date, str] | None:
    """Return what is said of the share of conversions that nothing earned, if it has leapt up."""
    if not (day := _newest(numbers, numbers.conversions)):
        return None
    count = total(numbers.conversions, day, length)
    weeks = [day - timedelta(weeks=week) for week in range(1, 9)]
    first = _first(numbers.conversions) + timedelta(days=length)
    before = [
        total(numbers.unattributed, end, length) / total(numbers.conversions, end, length)
        for end in weeks
        if end >= first and total(numbers.conversions, end, length)
    ]
    share = total(numbers.unattributed, day, length) / count if count else 0
    usual = compare(share, before, lambda usual: (max(usual * (1 - usual), 0.01) / count) ** 0.5)
    if count < ENOUGH or not usual or not usual.is_far or share < usual.usual + MOST_SHARE:
        return None
    since = f"{day}" if length == 1 else f"the {length} days up to {day}"
    return day, (
        f"{_number(share * count)} of {_number(count)} conversions of {since} have no touchpoint:"
        f" {share:.0%}, usually {usual.usual:.0%}"
    )


def _said(usual: Usual, unit: str = "") -> str:
    """Return a number beside its usual: `12, usually 240 (median of 8 weeks)`."""
    return f"{_number(usual.now)}{unit}, usually {_number(usual.usual)}{unit} on this weekday (median of {usual.weeks})"


def _mostly(channels: dict[str, Days], day: date, unit: str) -> str:
    """Return which channel is furthest from its usual; nothing where none is known."""
    since = _first(summed(channels.values())) if channels else day
    found = {
        channel: usual
        for channel, days in channels.items()
        if (usual := weekday(days, day, since, counted))
    }
    if not found:
        return ""
    channel = max(found, key=lambda name: abs(found[name].now - found[name].usual))
    usual = found[channel]
    return f"; furthest off is {channel}: {_number(usual.now)}{unit}, usually {_number(usual.usual)}{unit}"


def _number(number: float) -> str:
    """Return a number as people write it: counts without decimals, others with two."""
    return f"{number:,.0f}" if float(number).is_integer() else f"{number:,.2f}"


def _look(facts: Facts, cause: Cause, day: date) -> str:
    """Return the command that shows the rows."""
    of_days = f"campaigns_v1 SINCE={day} UNTIL={day}"  # attribution_v1 has no column of days
    table = of_days if cause in ("odd_spend", "odd_sessions") else "attribution_v1"
    return f"`make export CLIENT={facts.client.id} TABLE={table}` shows the rows"
