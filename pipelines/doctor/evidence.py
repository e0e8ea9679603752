"""Tell a client's currency and time zone by what its exports show; what they do not show is asked."""

import re
from collections import Counter
from collections.abc import Iterable
from datetime import datetime
from zoneinfo import ZoneInfo

from pipelines.contracts.catalog import CONTRACTS
from pipelines.doctor.healing import Ask, put_or_ask
from pipelines.doctor.proposal import Choice, Proposal, Question
from pipelines.doctor.reports import Report
from pipelines.settings.currencies import minor_digits
from pipelines.settings.time_zones import time_zones
from pipelines.sources.files.name_currencies import currencies_of

_USUAL_CURRENCIES = ("EUR", "USD", "GBP")
_USUAL_ZONES = (
    *("Europe/Berlin", "Europe/London", "America/New_York", "America/Chicago", "America/Denver"),
    *("America/Los_Angeles", "America/Sao_Paulo", "Asia/Kolkata", "Asia/Singapore", "Asia/Tokyo"),
    *("Australia/Sydney", "UTC"),
)
_OFFSET = re.compile(r"[T ]\d{1,2}:\d{2}(?::\d{2}(?:[.,]\d+)?)? ?([+-]\d{2}):?(\d{2})$")


def add_currency(proposal: Proposal, reports: Iterable[Report], ask: Ask) -> None:
    """Write the client's currency if all exports show one; else ask, the most frequent first."""
    found: dict[str, list[str]] = {}
    for report in reports:
        for code, where in _currencies(report):
            found.setdefault(code, []).append(where)
    codes = [
        code for code, _ in Counter({code: len(its) for code, its in found.items()}).most_common()
    ]
    if len(codes) == 1:
        proposal.put(("currency",), codes[0], f"as {found[codes[0]][0]}")
        return
    choices = [
        Choice(("currency",), code, f"as {found[code][0]}; others need sources.rates")
        for code in codes
    ] or [Choice(("currency",), code, f"if amounts are in {code}") for code in _USUAL_CURRENCIES]
    text = "the currency that is published: " + (
        "the exports have several" if codes else "no export says which it is"
    )
    put_or_ask(proposal, Question(text, choices, frozenset(minor_digits())), ask)


def _currencies(report: Report) -> Iterable[tuple[str, str]]:
    """Yield the currencies that a report shows, and where."""
    kind, head = report.kinds[0], report.head
    if name := kind.columns.get("currency"):
        codes = {value.upper() for value in head.values.get(name, ())}
        yield from (
            (code, f"{name} says in {head.path.name}")
            for code in sorted(codes)
            if code in minor_digits()
        )
        return
    contract = CONTRACTS[kind.source][kind.table]
    for column, name in kind.columns.items():
        if column in contract.columns and contract.columns[column].is_money:
            told = currencies_of(name)
            yield from (
                (code, f"{name} says in {head.path.name}") for code in told if len(told) == 1
            )


def add_zone(proposal: Proposal, reports: Iterable[Report], ask: Ask) -> None:
    """Write the client's time zone if times have the offsets of one; else ask."""
    offsets = {
        moment: report.head.path.name
        for report in reports
        for values in report.head.values.values()
        for value in values
        if (moment := _offset(value))
    }
    fitting = [
        zone for zone in _USUAL_ZONES if offsets and all(_fits(zone, *each) for each in offsets)
    ]
    if len(fitting) == 1:
        example = next(iter(offsets.values()))
        said = f"the times in {example} have its offsets; write another if you are not there"
        proposal.put(("timezone",), fitting[0], said)
        return
    zones = [*fitting, *(zone for zone in _USUAL_ZONES if zone not in fitting)]
    text = (
        "the time zone whose days are published, and in which times without an offset are; UTC, if left out."
        " Any name of IANA's will do"
    )
    choices = [Choice(("timezone",), zone, "its days and times") for zone in zones[:4]]
    put_or_ask(proposal, Question(text, choices, frozenset(time_zones())), ask)


def _offset(value: str) -> tuple[str, int] | None:
    """Return the day of a time that has an offset from UTC, and the offset in minutes."""
    found = _OFFSET.search(value)
    if not found or value[:1] not in "12" or len(value) < 16:
        return None
    hours, minutes = int(found[1]), int(found[2])
    total = hours * 60 + (-minutes if found[1][0] == "-" else minutes)
    return (value[:10], total) if total else None


def _fits(zone: str, day: str, minutes: int) -> bool:
    try:
        noon = datetime.strptime(f"{day} 12", "%Y-%m-%d %H").replace(tzinfo=ZoneInfo(zone))
    except ValueError:
        return False
    offset = noon.utcoffset()
    return offset is not None and offset.total_seconds() == minutes * 60
