"""Read Matomo's visits, as `Live.getLastVisitsDetails` answers: a session each, and the orders in it."""

from collections.abc import Sequence

from pipelines.contracts.people import CLICK_IDS
from pipelines.sources.batches import Rows
from pipelines.sources.files.event_facts import (
    Facts,
    among,
    first,
    from_page,
    named,
    since_1970,
)
from pipelines.sources.files.url_values import AD_IDS, value_in

NEEDED = {"idVisit", "actionDetails"}

_OF_ALL = NEEDED | {"visitorId", "userId"}
USED = {
    "sessions": _OF_ALL
    | {
        "firstActionTimestamp",
        "serverTimestamp",
        "actionDetails[0].timestamp",
        "actionDetails[0].url",
    }
    | {"referrerType", "referrerName", "referrerUrl"}
    | {"campaignSource", "campaignMedium", "campaignName"},
    "conversions": _OF_ALL | {"siteCurrency"},
}
EVENTS = {"conversions": ("ecommerceOrder",)}

_PAGE = '"actionDetails[0].url"'
_KIND = 'LOWER("referrerType")'


def facts(table: str, rows: Rows, events: Sequence[str]) -> Facts:
    """Return the facts that visits hold of a table."""
    if table == "sessions":
        relation = named(rows, USED[table])
        buys = " OR ".join(
            f"LIST_CONTAINS(json_extract_string(\"actionDetails\", '$[*].type'), '{event}')"
            for event in events
        )
        return Facts(relation, _of_session(), f'IF({buys}, "visitorId", NULL)')
    actions = "TRY(json_extract(\"actionDetails\", '$[*]'))"
    every = f"UNNEST(IF(COALESCE(LEN({actions}), 0) = 0, [NULL], {actions}))"
    place = f"GENERATE_SUBSCRIPTS(IF(COALESCE(LEN({actions}), 0) = 0, [NULL], {actions}), 1)"
    relation = f"(SELECT *, {every} AS action, {place} AS place FROM {named(rows, USED[table])})"
    order = _of_action("orderId")
    columns = {
        "conversion_id": f"COALESCE({order}, CONCAT_WS('.', \"idVisit\", {_of_action('timestamp')}))",
        "customer_id": first("userId", "visitorId"),
        "converted_at": moment(_of_action("timestamp")),
        "revenue": _of_action("revenue"),
        "currency": '"siteCurrency"',
    }
    counts = among(_of_action("type"), events)
    return Facts(relation, columns, counts=counts, order=order, is_part="place > 1")


def _of_action(name: str) -> str:
    return f"json_extract_string(action, '$.{name}')"


def _of_session() -> dict[str, str]:
    medium = f"CASE {_KIND} WHEN 'search' THEN 'organic' WHEN 'social' THEN 'social' END"
    is_known = f"{_KIND} IN ('search', 'social')"
    is_campaign = f"{_KIND} = 'campaign'"
    utm = {
        "source": f'"campaignSource", IF({is_known}, LOWER("referrerName"), NULL)',
        "medium": f'"campaignMedium", {medium}',
        "campaign": f'"campaignName", IF({is_campaign}, "referrerName", NULL)',
    }
    times = first("firstActionTimestamp", "actionDetails[0].timestamp", "serverTimestamp")
    return {
        "session_id": '"idVisit"',
        "visitor_id": '"visitorId"',
        "customer_id": '"userId"',
        "started_at": moment(times),
        **{name: from_page(f"COALESCE({own})", _PAGE, f"utm_{name}") for name, own in utm.items()},
        "referrer": f"IF({_KIND} = 'direct', NULL, \"referrerUrl\")",
        **{name: value_in(_PAGE, name) for name in (*CLICK_IDS, *AD_IDS)},
    }


def moment(value: str) -> str:
    """Return SQL for a time: seconds since 1970, or as it is written."""
    return since_1970(value)
