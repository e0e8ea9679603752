"""What attribution should say: the definitions again, row by row in plain Python, as an independent check.

It shares no code and no idea with the models: no increments, no windows, no revisions. It takes a
whole history, keeps what was committed before a moment, and works it out from the beginning.
"""

import json
from collections import defaultdict
from collections.abc import Callable
from datetime import date, datetime, timedelta, timezone
from decimal import ROUND_HALF_UP, Decimal, localcontext
from fractions import Fraction
from itertools import groupby
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from pipelines.settings.attribution import Attribution
from pipelines.settings.client import Client
from tests.builders.lake_writer import Load, row_key
from tests.oracles.browser_oracle import Browsers

DIGITS = {"EUR": 2, "USD": 2, "JPY": 0, "KWD": 3}
CHANNELS = {
    (None, None): "Direct",
    ("(direct)", "(none)"): "Direct",
    ("google", "cpc"): "Paid Search",
    ("newsletter", "email"): "Email",
}
CONDITIONS = {  # what a `where:` of these tests means
    "plan = 'pro' AND value > 10": lambda own: (
        own["plan"] == "pro" and own["value"] in ("10.01", "100")
    ),
}


class Touch(NamedTuple):
    """One touchpoint, as last known."""

    touched_at: datetime
    touchpoint_id: str
    visitor_id: str | None
    customer_id: str | None
    channel: str
    campaign: str
    gclid: str | None = None
    ad_id: str | None = None

    @property
    def is_direct(self) -> bool:
        return self.channel.lower() == "direct"


class Conversion(NamedTuple):
    """One conversion, as last known."""

    conversion_id: str
    conversion_type: str
    customer_id: str | None
    converted_at: datetime
    revenue: Decimal


class Credit(NamedTuple):
    """What one touchpoint earned; or, without a touchpoint, what nobody did."""

    conversion: Conversion
    touch: Touch | None
    position: int
    path_length: int
    credit: Fraction
    attributed_revenue: Decimal


def credits(history: list[Load], client: Client, until: datetime) -> list[Credit]:
    """Return every touchpoint's share of its conversion, by what was committed before a moment."""
    return [
        credit
        for conversion, path in paths(history, client, until).items()
        for credit in _shared(conversion, path, client)
    ]


def paths(history: list[Load], client: Client, until: datetime) -> dict[Conversion, list[Touch]]:
    """Return the touchpoints that may earn credit for each conversion, in their order."""
    touches = sorted(_touches(history, client, until))
    browsers = Browsers(touches, client.attribution.identity)
    found = {}
    for conversion in _conversions(history, client, until):
        own = client.conversions.get(conversion.conversion_type)
        lookback = timedelta(days=(own and own.lookback_days) or client.attribution.lookback_days)
        path = [
            touch
            for touch in touches
            if conversion.customer_id is not None
            and conversion.converted_at - lookback <= touch.touched_at <= conversion.converted_at
            and browsers.owner(touch, conversion.converted_at) == conversion.customer_id
        ]
        eligible = _eligible(path, client.attribution.direct_touches)
        found[conversion] = shortened(
            eligible,
            client.attribution,
            lambda touch: touch.channel,
            lambda touch: touch.campaign,
        )
    return found


def shortened(
    path: list,
    attribution: Attribution,
    channel: Callable[[Any], str],
    campaign: Callable[[Any], str],
) -> list:
    """Return what the steps of a client's settings leave of a path."""
    for step in attribution.path:
        if step.name == "exposure":
            path = [next(run) for _, run in groupby(path, channel)]
        if step.name == "first":
            seen = [channel(touch) for touch in path]
            path = [touch for i, touch in enumerate(path) if seen[i] not in seen[:i]]
        if step.name == "once_per_campaign":
            seen = [(channel(touch), campaign(touch)) for touch in path]
            path = [touch for i, touch in enumerate(path) if seen[i] not in seen[:i]]
        for target in map(str.lower, step.channels):
            others = [i for i, touch in enumerate(path) if channel(touch).lower() != target]
            if step.name == "remove_if_not_all" and others:
                path = [path[i] for i in others]
            if step.name == "remove_if_last_and_not_all" and others:
                path = path[: others[-1] + 1]
    return path


def campaigns(history: list[Load], client: Client, until: datetime) -> dict[tuple, dict]:
    """Return by date, channel and campaign what was spent, and what the touchpoints of the day earned."""
    rows: dict[tuple, dict] = defaultdict(
        lambda: {
            "cost": Decimal(0),
            "clicks": 0,
            "impressions": 0,
            "conversions": Fraction(0),
            "revenue": Decimal(0),
        }
    )
    channels = {"google_ads": "Paid Search", "facebook_ads": "Social"}
    for source, channel in channels.items():
        for row in _newest(history, source, "spend", until):
            day = datetime.fromisoformat(row["spend_date"]).date()
            spent = rows[day, channel, _campaign(row, source, client)]
            spent["cost"] += Decimal(row["cost"])
            spent["clicks"] += int(row["clicks"] or 0)
            spent["impressions"] += int(row["impressions"] or 0)
    for credit in credits(history, client, until):
        if not is_counted(credit.conversion.conversion_type, client):
            continue
        touch = credit.touch
        at = touch.touched_at if touch else credit.conversion.converted_at
        day = _day(at, client)
        channel, campaign = (
            (touch.channel, touch.campaign) if touch else ("unattributed", "(not set)")
        )
        rows[day, channel, campaign]["conversions"] += credit.credit
        rows[day, channel, campaign]["revenue"] += credit.attributed_revenue
    for row in rows.values():
        row["cpa"] = Fraction(row["cost"]) / row["conversions"] if row["conversions"] else None
        row["roas"] = Fraction(row["revenue"]) / Fraction(row["cost"]) if row["cost"] else None
    return rows


def is_counted(conversion_type: str, client: Client) -> bool:
    """Return whether a type of conversions is in campaigns and totals."""
    own = client.conversions.get(conversion_type)
    if own and own.counts is not None:
        return own.counts
    return conversion_type in ("deal", "purchase")


def largest_remainder(shares: list[Fraction], total: int) -> list[int]:
    """Round each share of the total down, and give what is left to those that lost most, in order."""
    exact = [share * total for share in shares]
    units = [value.__floor__() for value in exact]
    by_loss = sorted(range(len(exact)), key=lambda i: (-(exact[i] - units[i]).__round__(6), i))
    for i in by_loss[: total - sum(units)]:
        units[i] += 1
    return units


def weights(path: list[Touch], converted_at: datetime, attribution: Attribution) -> list[Fraction]:
    """Return what each touchpoint of a path weighs."""
    n, last = len(path), len(path) - 1
    match attribution.model:
        case "first_touch":
            return [Fraction(i == 0) for i in range(n)]
        case "last_touch":
            return [Fraction(i == last) for i in range(n)]
        case "last_non_direct":
            winner = max((i for i in range(n) if not path[i].is_direct), default=last)
            return [Fraction(i == winner) for i in range(n)]
        case "linear":
            return [Fraction(1)] * n
        case "position_based":
            ends = attribution.position_based
            return _ends(n, Fraction(str(ends.first)), Fraction(str(ends.last)))
        case "j_shaped":
            return _ends(n, Fraction(1, 5), Fraction(3, 5))
        case "inverse_j":
            return _ends(n, Fraction(3, 5), Fraction(1, 5))
        case "time_decay":
            half_life = Decimal(str(attribution.time_decay.half_life_days)) * 86400
            with localcontext(prec=60):
                ages = [
                    Decimal((converted_at - touch.touched_at) // timedelta(seconds=1))
                    for touch in path
                ]
                return [Fraction(Decimal(2) ** (-age / half_life)) for age in ages]
    raise ValueError(f"{attribution.model}: add a case to weights() in tests/oracles/oracle.py")


def _ends(n: int, start: Fraction, end: Fraction) -> list[Fraction]:
    if n <= 2:
        return [Fraction(1)] if n == 1 else [start, end]
    return [start, *[(1 - start - end) / (n - 2)] * (n - 2), end]


def _shared(conversion: Conversion, path: list[Touch], client: Client) -> list[Credit]:
    if not path:
        return [Credit(conversion, None, 1, 0, Fraction(1), conversion.revenue)]
    own = client.conversions.get(conversion.conversion_type)
    model = (own and own.model) or client.attribution.model
    attribution = client.attribution.model_copy(update={"model": model})
    weighed = weights(path, conversion.converted_at, attribution)
    shares = [weight / sum(weighed) for weight in weighed]
    minor = Decimal(1).scaleb(-DIGITS[client.currency])
    sign = -1 if conversion.revenue < 0 else 1
    money = largest_remainder(shares, int(abs(conversion.revenue) / minor))
    return [
        Credit(conversion, touch, i, len(path), share, sign * units * minor)
        for i, (touch, share, units) in enumerate(zip(path, shares, money), 1)
    ]


def _eligible(path: list[Touch], direct_touches: str) -> list[Touch]:
    led_here = [touch for touch in path if not touch.is_direct]
    if direct_touches == "include" or (direct_touches == "fallback" and not led_here):
        return path
    return led_here


def _touches(history: list[Load], client: Client, until: datetime) -> list[Touch]:
    sessions = [
        Touch(
            _utc(row["started_at"], client),
            row["session_id"],
            row["visitor_id"],
            row["customer_id"],
            _channel(row),
            _reported(row["campaign"], _source(row), client) or "(not set)",
            row["gclid"],
            row["ad_id"],
        )
        for row in _newest(history, "web", "sessions", until)
        if row["consent"] != "false" and not _is_left_out(row, client)
    ]
    views = [
        Touch(
            _utc(row["event_time"], client),
            f"event:{row['event_id']}" if row["event_id"] else row_key("web", "events", row),
            None,
            row["client_id"],
            row["channel"] or "direct",
            _reported(row["campaign_id"], row["utm_source"], client) or "(not set)",
        )
        for row in _newest(history, "web", "events", until)
        if row["event_type"] == "page_view" and not _is_left_out(row, client)
    ]
    return sessions + views


def _conversions(history: list[Load], client: Client, until: datetime) -> list[Conversion]:
    refunds = _newest(history, "web", "refunds", until)
    deals = [
        Conversion(
            row["opportunity_id"],
            "deal",
            row["customer_id"],
            _utc_by(row["closed_at"], client),
            _money(_net(row["opportunity_id"], row, refunds, client), client),
        )
        for row in _newest(history, "salesforce", "opportunities", until)
        if row["is_won"] == "true" and not _is_left_out(row, client)
    ]
    rates = _newest(history, "rates", "rates", until)
    events = [
        Conversion(
            row_key("web", "events", row),
            kind,
            row["client_id"],
            _utc_by(row["event_time"], client),
            _money(_priced(row, refunds, rates, client), client),
        )
        for row in _newest(history, "web", "events", until)
        for kind in [_type_of(row, client)]
        if kind and not _is_left_out(row, client)
    ]
    found = [
        conversion
        for conversion in sorted(deals + events, key=lambda each: (each.converted_at, each[0]))
        if conversion.customer_id
        not in _excluded(client, "customer_id") | _excluded(client, "email")
    ]
    return [
        conversion
        for place, conversion in enumerate(found)
        if not _counts_first(conversion.conversion_type, client)
        or conversion.customer_id is None
        or conversion[1:3] not in [earlier[1:3] for earlier in found[:place]]
    ]


def _type_of(event: dict, client: Client) -> str | None:
    """Return the first type of conversion that an event is."""
    for name, own in client.conversions.items():
        is_meant = not own.where or CONDITIONS[own.where](json.loads(event["properties"]))
        if (own.event or name) == event["event_type"] and is_meant:
            return name
    return "purchase" if event["event_type"] == "purchase" else None


def _counts_first(conversion_type: str, client: Client) -> bool:
    own = client.conversions.get(conversion_type)
    return own is not None and own.counting == "first"


def _is_left_out(row: dict, client: Client) -> bool:
    """Return whether a rule leaves out a row by its values; those on customers are not about rows."""
    values = row | json.loads(row.get("properties") or "{}")
    return any(
        (values.get(column) or "").lower() in _excluded(client, column)
        for column in client.exclude
        if column not in ("customer_id", "client_id", "email")
    )


def _excluded(client: Client, column: str) -> set[str]:
    return {value.lower() for value in client.exclude.get(column, [])}


def _newest(history: list[Load], source: str, table: str, until: datetime) -> list[dict]:
    """Return the last version of each row, without those that were deleted."""
    newest = {}
    for load in sorted(history, key=lambda load: load.at):
        if load.source == source and load.at < until:
            for row in load.tables.get(table, []):
                newest[row_key(source, table, row)] = row
    return [row for row in newest.values() if not row["is_deleted"]]


def _channel(row: dict) -> str:
    if row["channel"]:
        return row["channel"]
    if row["gclid"]:
        return "Paid Search"
    if row["fbclid"]:
        return "Paid Social"
    return CHANNELS[row["source"], row["medium"]]


def sessions_without_consent(history: list[Load], until: datetime) -> int:
    """Return how many sessions enter no path because of their visitor's wish."""
    rows = _newest(history, "web", "sessions", until)
    return sum(row["consent"] == "false" for row in rows)


def _campaign(row: dict, source: str, client: Client) -> str:
    names = getattr(client.sources, source).campaigns
    known = [names.get(row["campaign_id"]), names.get(row["campaign"])]
    name = next(name for name in [*known, row["campaign"], row["campaign_id"]] if name)
    is_scoped = isinstance(client.sources.web.aliases.get(name), dict)
    return _reported(name, source, client) if is_scoped else name


def _source(row: dict) -> str | None:
    """Return the platform whose ad was clicked, or else the source of a session."""
    if row["gclid"]:
        return "google_ads"
    return "facebook_ads" if row["fbclid"] else row["source"]


def _reported(campaign: str | None, source: str | None, client: Client) -> str | None:
    """Return the name of a campaign: its alias, or that of one source alone."""
    name = client.sources.web.aliases.get(campaign, campaign)
    return name if isinstance(name, str | None) else name.get(source, campaign)


def _utc(text: str, client: Client) -> datetime:
    moment = datetime.fromisoformat(text.replace("Z", "+00:00"))
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=ZoneInfo(client.timezone))
    return moment.astimezone(timezone.utc).replace(tzinfo=None, microsecond=0)


def _utc_by(text: str, client: Client) -> datetime:
    """Return the latest moment that a text stands for: of a day without an hour, its last second."""
    return _utc(text if ":" in text else f"{text} 23:59:59", client)


def _net(conversion_id: str, row: dict, refunds: list[dict], client: Client) -> Decimal:
    """Return a conversion's amount less its refunds, which all have to be in its currency."""
    amount = Decimal(row.get("amount") or row.get("revenue") or "0")
    mine = [refund for refund in refunds if refund["conversion_id"] == conversion_id]
    currency = row["currency"] or client.currency
    if any((refund["currency"] or currency) != currency for refund in mine):
        return amount
    if any(refund["amount"] is None for refund in mine):
        return Decimal(0)
    known = {
        refund["refund_id"]
        or (
            _utc_by(refund["refunded_at"], client) if refund["refunded_at"] else None,
            abs(Decimal(refund["amount"])),
        ): abs(Decimal(refund["amount"]))
        for refund in mine
    }
    return amount - sum(known.values())


def _priced(event: dict, refunds: list[dict], rates: list[dict], client: Client) -> Decimal:
    """Return an event's revenue, less refunds, at the newest rate of its day, or of the seven before."""
    revenue = _net(row_key("web", "events", event), event, refunds, client)
    currency = event["currency"] or client.currency
    if currency == client.currency or not revenue:
        return revenue
    day = _day(_utc_by(event["event_time"], client), client)
    known = {
        held: rate["rate"]
        for rate in rates
        if rate["currency"] == currency
        for held in [day - date.fromisoformat(rate["rate_date"])]
        if timedelta(0) <= held <= timedelta(days=7)
    }
    return revenue * Decimal(known[min(known)])


def _day(at: datetime, client: Client) -> date:
    return at.replace(tzinfo=timezone.utc).astimezone(ZoneInfo(client.timezone)).date()


def _money(amount: str | Decimal, client: Client) -> Decimal:
    return Decimal(amount).quantize(Decimal(1).scaleb(-DIGITS[client.currency]), ROUND_HALF_UP)
