"""Word an alert and its recovery: client, cause, source, numbers, remedy, time left; nobody else's data."""

from datetime import datetime

from pipelines.watch.alert_state import Alert
from pipelines.watch.facts import Facts
from pipelines.watch.moments import on_the_clock, span


def subject(client: str, alert: Alert) -> str:
    """Return the line that says all in short: `acme: held (google_ads)`."""
    return f"{client}: {'' if alert.is_open else 'recovered: '}{alert.title}"


def text(facts: Facts, alert: Alert) -> str:
    """Return the text of an alert, or of its recovery, a line for each thing to know."""
    since = datetime.fromisoformat(alert.since)
    lines = {"client": f"{facts.client.id} ({facts.client.name})", "cause": alert.title}
    if alert.source:
        lines["source"] = alert.source
    if alert.is_open:
        lines |= {"what": alert.what, "remedy": alert.remedy, "time left": time_left(facts)}
    else:
        lines["recovered"] = f"after {span(facts.now - since)}; found at {since:%Y-%m-%d %H:%M} UTC"
        lines |= {"it was": alert.what, "published": _published(facts)}
    return _lines(lines)


def short_text(client: str, alert: Alert) -> str:
    """Return the text about a client of which nothing but its name is known."""
    return _lines(
        {"client": client, "cause": alert.title, "what": alert.what, "remedy": alert.remedy}
    )


def _lines(said: dict[str, str]) -> str:
    return "\n".join(f"{name}: {' '.join(each.split())}" for name, each in said.items())


def time_left(facts: Facts) -> str:
    """Return how long there is until the deadline that matters: the one missed, or the next one."""
    last, following = facts.last_deadline, facts.next_deadline
    if not facts.has_numbers_for(last) and facts.known_since <= last:
        passed = span(facts.now - last)
        return f"none: the deadline of {on_the_clock(facts.client, last)} passed {passed} ago"
    until = f"{span(following - facts.now)} until the deadline of {on_the_clock(facts.client, following)}"
    is_there = facts.has_numbers_for(following)
    return f"{until}; its numbers are published" if is_there else until


def _published(facts: Facts) -> str:
    if not facts.shown:
        return "nothing yet"
    return f"{facts.shown.written_at:%Y-%m-%d %H:%M} UTC, the newest numbers"
