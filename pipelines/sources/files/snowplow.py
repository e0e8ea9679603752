"""Read Snowplow's enriched events: the facts that each tells of its session."""

from pipelines.sources.batches import Rows
from pipelines.sources.files.urls import parameter
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

# The enriched format has no header; these are its columns, in their order.
COLUMNS = [
    "app_id",
    "platform",
    "etl_tstamp",
    "collector_tstamp",
    "dvce_created_tstamp",
    "event",
    "event_id",
    "txn_id",
    "name_tracker",
    "v_tracker",
    "v_collector",
    "v_etl",
    "user_id",
    "user_ipaddress",
    "user_fingerprint",
    "domain_userid",
    "domain_sessionidx",
    "network_userid",
    "geo_country",
    "geo_region",
    "geo_city",
    "geo_zipcode",
    "geo_latitude",
    "geo_longitude",
    "geo_region_name",
    "ip_isp",
    "ip_organization",
    "ip_domain",
    "ip_netspeed",
    "page_url",
    "page_title",
    "page_referrer",
    "page_urlscheme",
    "page_urlhost",
    "page_urlport",
    "page_urlpath",
    "page_urlquery",
    "page_urlfragment",
    "refr_urlscheme",
    "refr_urlhost",
    "refr_urlport",
    "refr_urlpath",
    "refr_urlquery",
    "refr_urlfragment",
    "refr_medium",
    "refr_source",
    "refr_term",
    "mkt_medium",
    "mkt_source",
    "mkt_term",
    "mkt_content",
    "mkt_campaign",
    "contexts",
    "se_category",
    "se_action",
    "se_label",
    "se_property",
    "se_value",
    "unstruct_event",
    "tr_orderid",
    "tr_affiliation",
    "tr_total",
    "tr_tax",
    "tr_shipping",
    "tr_city",
    "tr_state",
    "tr_country",
    "ti_orderid",
    "ti_sku",
    "ti_name",
    "ti_category",
    "ti_price",
    "ti_quantity",
    "pp_xoffset_min",
    "pp_xoffset_max",
    "pp_yoffset_min",
    "pp_yoffset_max",
    "useragent",
    "br_name",
    "br_family",
    "br_version",
    "br_type",
    "br_renderengine",
    "br_lang",
    "br_features_pdf",
    "br_features_flash",
    "br_features_java",
    "br_features_director",
    "br_features_quicktime",
    "br_features_realplayer",
    "br_features_windowsmedia",
    "br_features_gears",
    "br_features_silverlight",
    "br_cookies",
    "br_colordepth",
    "br_viewwidth",
    "br_viewheight",
    "os_name",
    "os_family",
    "os_manufacturer",
    "os_timezone",
    "dvce_type",
    "dvce_ismobile",
    "dvce_screenwidth",
    "dvce_screenheight",
    "doc_charset",
    "doc_width",
    "doc_height",
    "tr_currency",
    "tr_total_base",
    "tr_tax_base",
    "tr_shipping_base",
    "ti_currency",
    "ti_price_base",
    "base_currency",
    "geo_timezone",
    "mkt_clickid",
    "mkt_network",
    "etl_tags",
    "dvce_sent_tstamp",
    "refr_domain_userid",
    "refr_device_tstamp",
    "derived_contexts",
    "domain_sessionid",
    "derived_tstamp",
    "event_vendor",
    "event_name",
    "event_format",
    "event_version",
    "event_fingerprint",
    "true_tstamp",
]

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
}


def events() -> dict[str, str]:
    """Return the facts that an event tells of its session, in SQL."""
    return {
        "session_id": "domain_sessionid",
        "visitor_id": "domain_userid",
        "customer_id": "user_id",
        "started_at": "COALESCE(derived_tstamp, collector_tstamp)",
        "source": f"COALESCE(mkt_source, IF({_NO_CAMPAIGN} AND {_MEDIUM} IS NOT NULL, refr_source, NULL))",
        "medium": f"COALESCE(mkt_medium, IF({_NO_CAMPAIGN}, {_MEDIUM}, NULL))",
        "campaign": "mkt_campaign",
        "referrer": _REFERRER,
        **{name: _click(name) for name in _NETWORKS},
        **{name: parameter("page_urlquery", name) for name in ("gbraid", "wbraid", "ttclid")},
    }


def _click(name: str) -> str:
    of_network = " OR ".join(f"mkt_network ILIKE '{network}%'" for network in _NETWORKS[name])
    return f"IF({of_network}, mkt_clickid, {parameter('page_urlquery', name)})"


def column(name: str) -> str:
    """Return the column that a name under `columns:` is read from."""
    return name


def overridden(_: str, name: str) -> str:
    """Return SQL for what stands under a name."""
    return identifier(name)


def parsed(rows: Rows) -> str:
    """Return SQL for the events, as text; '' is nothing."""
    absent = {name: "NULL" for name in USED}
    columns = ", ".join(
        f"NULLIF({value}::TEXT, '') AS {identifier(name)}"
        for name, value in (absent | rows.columns).items()
    )
    return f"(SELECT {columns} FROM {rows.relation})"
