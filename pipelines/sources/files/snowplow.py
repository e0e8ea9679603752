"""Read Snowplow's enriched events: the facts about its session that each holds."""

from pipelines.contracts.people import CLICK_IDS
from pipelines.sources.batches import Rows
from pipelines.sources.files.url_values import AD_IDS, value_in
from pipelines.sql import identifier

NEEDED = {"domain_sessionid", "domain_userid", "collector_tstamp"}

USED = NEEDED | {
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


def events() -> dict[str, str]:
    """Return the facts about its session that an event holds, in SQL."""
    return {
        "session_id": "domain_sessionid",
        "visitor_id": "domain_userid",
        "customer_id": "user_id",
        "started_at": "COALESCE(derived_tstamp, collector_tstamp)",
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


def column(name: str) -> str:
    """Return the column that a name under `columns:` is read from."""
    return name


def overridden(_: str, name: str) -> str:
    """Return SQL for the value under a name."""
    return identifier(name)


def parsed(rows: Rows) -> str:
    """Return SQL for the events, as text; '' is nothing."""
    absent = {name: "NULL" for name in USED}
    columns = ", ".join(
        f"NULLIF({value}::TEXT, '') AS {identifier(name)}"
        for name, value in (absent | rows.columns).items()
    )
    return f"(SELECT {columns} FROM {rows.relation})"
