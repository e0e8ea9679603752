"""Read Snowplow's enriched events: the facts that each holds of its session, a purchase, or a refund."""

from collections.abc import Sequence

from pipelines.contracts.people import CLICK_IDS
from pipelines.sources.batches import Rows
from pipelines.sources.files.event_facts import Facts, among, named
from pipelines.sources.files.url_values import AD_IDS, value_in

NEEDED = {"domain_sessionid", "domain_userid", "collector_tstamp"}

_OF_SESSIONS = {
    "user_id",
    "derived_tstamp",
    "mkt_source",
    "mkt_medium",
    "mkt_campaign",
    "mkt_clickid",
    "mkt_network",
    "refr_medium",
    "refr_source",
    "refr_urlscheme",
    "refr_urlhost",
    "refr_urlpath",
    "page_referrer",
    "page_urlquery",
}

_ACTION = "unstruct_event_com_snowplowanalytics_snowplow_ecommerce_snowplow_ecommerce_action_1"
_CONTEXT = "contexts_com_snowplowanalytics_snowplow_ecommerce_{}_1"
_OF_ALL = (
    NEEDED
    | {"user_id", "derived_tstamp", "event", "event_name", "event_id"}
    | {"unstruct_event", "contexts", _ACTION}
)
USED = {
    "sessions": _OF_ALL | _OF_SESSIONS,
    "conversions": _OF_ALL
    | {"tr_orderid", "tr_total", "tr_currency", _CONTEXT.format("transaction")},
    "refunds": _OF_ALL | {_CONTEXT.format("refund")},
}

# An old transaction is an event of its own; an action of the e-commerce plugin says which one it is.
EVENTS = {"conversions": ("transaction",), "refunds": ("refund",)}

# The medium by the referrer alone, where no campaign names one.
_MEDIUM = """CASE refr_medium
WHEN 'search' THEN 'organic' WHEN 'social' THEN 'social' WHEN 'email' THEN 'email'
WHEN 'paid' THEN 'cpc' END"""
_NO_CAMPAIGN = "COALESCE(mkt_source, mkt_medium, mkt_campaign, mkt_clickid) IS NULL"

_REFERRER = """CASE WHEN refr_medium IS DISTINCT FROM 'internal' THEN
COALESCE(page_referrer, refr_urlscheme || '://' || refr_urlhost || COALESCE(refr_urlpath, '')) END"""


# Whose click id is in mkt_clickid.
_NETWORKS = {
    "gclid": ["google"],
    "dclid": ["doubleclick"],
    "msclkid": ["microsoft"],
    "fbclid": ["facebook", "meta"],
    "ttclid": ["tiktok"],
    "li_fat_id": ["linkedin"],
    "twclid": ["twitter"],
}


def facts(table: str, rows: Rows, events: Sequence[str]) -> Facts:
    """Return the facts that events hold of a table."""
    relation = named(rows, USED[table])
    counts = (
        f"({among('event', events)} OR {among(_TYPE, events)} OR {among('event_name', events)})"
    )
    if table == "sessions":
        return Facts(relation, _of_session(), f"IF({counts}, domain_userid, NULL)")
    if table == "refunds":
        return Facts(relation, _of_refund(), counts=counts)
    sale = _of_conversion()
    return Facts(
        relation,
        sale,
        counts=counts,
        order=_first(["tr_orderid", _entity("transaction", "transaction_id")]),
    )


def _of_session() -> dict[str, str]:
    return {
        "session_id": "domain_sessionid",
        "visitor_id": "domain_userid",
        "customer_id": "user_id",
        "started_at": _AT,
        "consent": _CONSENT,
        "source": f"COALESCE(mkt_source, IF({_NO_CAMPAIGN} AND {_MEDIUM} IS NOT NULL, refr_source, NULL))",
        "medium": f"COALESCE(mkt_medium, IF({_NO_CAMPAIGN}, {_MEDIUM}, NULL))",
        "campaign": "mkt_campaign",
        "referrer": _REFERRER,
        **{name: value_in("page_urlquery", name) for name in (*CLICK_IDS, *AD_IDS)},
        **{name: _click(name) for name in _NETWORKS},
    }


def _click(name: str) -> str:
    of_network = " OR ".join(f"mkt_network ILIKE '{network}%'" for network in _NETWORKS[name])
    return f"IF({of_network}, mkt_clickid, {value_in('page_urlquery', name)})"


_AT = "COALESCE(derived_tstamp, collector_tstamp)"
_TYPE = (
    f"COALESCE(json_extract_string({_ACTION}, '$.type'),"
    " json_extract_string(unstruct_event, '$.data.data.type'))"
)
# What a visitor chose in a banner: by the event of that, whichever version of it.
_CONSENT = """CASE event_name WHEN 'consent_granted' THEN 'true' WHEN 'consent_withdrawn' THEN 'false'
WHEN 'consent_preferences' THEN CASE json_extract_string(unstruct_event, '$.data.data.eventType')
  WHEN 'allow_all' THEN 'true' WHEN 'deny_all' THEN 'false' WHEN 'withdrawn' THEN 'false' END
END"""


def _entity(kind: str, name: str) -> str:
    """Return SQL for a value of an entity that comes with an event, in a column of its own or among others."""
    schema = f"json_extract_string(entity, '$.schema') LIKE '%.ecommerce/{kind}/%'"
    among_others = f"LIST_FILTER(json_extract(contexts, '$.data[*]'), lambda entity: {schema})[1]"
    own = f"json_extract_string({_CONTEXT.format(kind)}, '$[0].{name}')"
    return f"COALESCE({own}, json_extract_string({among_others}, '$.data.{name}'))"


def _first(values: list[str]) -> str:
    return f"COALESCE({', '.join(values)})"


def _of_conversion() -> dict[str, str]:
    return {
        "conversion_id": _first(
            ["tr_orderid", _entity("transaction", "transaction_id"), "event_id"]
        ),
        "customer_id": "COALESCE(user_id, domain_userid)",
        "converted_at": _AT,
        "revenue": _first(["tr_total", _entity("transaction", "revenue")]),
        "currency": _first(["tr_currency", _entity("transaction", "currency")]),
    }


def _of_refund() -> dict[str, str]:
    return {
        "refund_id": "event_id",
        "conversion_id": _entity("refund", "transaction_id"),
        "refunded_at": _AT,
        "amount": _entity("refund", "refund_amount"),
        "currency": _entity("refund", "currency"),
    }


def moment(value: str) -> str:
    """Return SQL for a time, as it is written."""
    return value
