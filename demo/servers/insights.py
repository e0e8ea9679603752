"""Report on an ad account as Meta Insights does: by level, by day or whole, in strings."""

import json
from datetime import date
from decimal import Decimal

LEVELS = ("campaign", "adset", "ad")
SUMS = ("clicks", "impressions")
LISTS = ("actions", "action_values")
FIELDS = {"account_id", "account_currency", "spend", "date_start", "date_stop", *SUMS, *LISTS}
FIELDS |= {f"{level}_{part}" for level in LEVELS for part in ("id", "name")}
MONTHS = 37
TOO_OLD = "The start date of the time range cannot be beyond 37 months from the current date"


class Rejected(Exception):
    """Say which error code the platform would report."""

    def __init__(self, code: int, message: str) -> None:
        super().__init__(message)
        self.code = code


def report(rows: list[dict], facts: dict, asked: dict[str, str], today: date) -> list[dict]:
    """Return the rows of a report; `facts` hold the account, `asked` the parameters."""
    since, until = _range(asked, today)
    names = fields(asked) or ["impressions", "spend"]
    for name in names:
        if name not in FIELDS:
            raise Rejected(100, f"{name} is not valid for fields param.")
    daily = asked.get("time_increment") == "1"
    level = asked.get("level", "account")
    depth = LEVELS.index(level) + 1 if level in LEVELS else 0
    groups: dict[tuple, list[dict]] = {}
    for row in rows:
        if since <= row["date"] <= until:
            ids = tuple(row.get(f"{name}_id") for name in LEVELS[:depth])
            groups.setdefault((row["date"] if daily else "", *ids), []).append(row)
    return [
        _shape(group, names, depth, facts, (key[0] or since, key[0] or until))
        for key, group in groups.items()
    ]


def fields(asked: dict[str, str]) -> list[str]:
    """Return the fields a request asks for."""
    return [name.strip() for name in asked.get("fields", "").split(",") if name.strip()]


def _range(asked: dict[str, str], today: date) -> tuple[str, str]:
    try:
        time_range = json.loads(asked["time_range"])
        since = date.fromisoformat(time_range["since"])
        until = date.fromisoformat(time_range["until"])
    except (KeyError, TypeError, ValueError):
        raise Rejected(100, "param time_range must hold since and until, as dates.") from None
    months = today.year * 12 + today.month - since.year * 12 - since.month
    if (months, today.day) > (MONTHS, since.day):
        raise Rejected(3018, TOO_OLD)
    return since.isoformat(), until.isoformat()


def _shape(
    rows: list[dict], names: list[str], depth: int, facts: dict, dates: tuple[str, str]
) -> dict:
    values = dict(facts)
    for level in LEVELS[:depth]:
        values |= {f"{level}_id": rows[0].get(f"{level}_id"), f"{level}_name": rows[0].get(level)}
    values["spend"] = str(sum((Decimal(str(row.get("spend", "0"))) for row in rows), Decimal(0)))
    values |= {name: str(sum(int(row.get(name, 0)) for row in rows)) for name in SUMS}
    values |= {name: _actions([a for row in rows for a in row.get(name, [])]) for name in LISTS}
    asked = {name: values[name] for name in names if values.get(name)}
    return {**asked, "date_start": dates[0], "date_stop": dates[1]}


def _actions(actions: list[dict]) -> list[dict]:
    sums: dict[str, Decimal] = {}
    for action in actions:
        kind = action["action_type"]
        sums[kind] = sums.get(kind, Decimal(0)) + Decimal(str(action["value"]))
    return [{"action_type": kind, "value": str(value)} for kind, value in sums.items()]
