"""Read GA4's BigQuery export: what each event says of its session.

The facts are those that the event itself collected. `traffic_source` is the user's first visit, and
`session_traffic_source_last_click` the last visit that was not direct: both would credit an old
campaign with a visit it did not bring. The latter only names the campaign of a click on a Google ad.
"""

from pipelines.sources.pieces import Rows
from pipelines.sources.urls import host, parameter
from pipelines.sql import identifier, literal

NEEDED = {"event_timestamp", "event_params"}

USED = NEEDED | {
    "user_pseudo_id",
    "user_id",
    "user_properties",
    "collected_traffic_source",
    "session_traffic_source_last_click",
}

_LISTS = ("event_params", "user_properties")
_KINDS = ("string_value", "int_value", "float_value", "double_value")
_ENTRY = ", ".join(f'"{kind}": "VARCHAR"' for kind in _KINDS)
_ENTRIES = f'[{{"key": "VARCHAR", "value": {{{_ENTRY}}}}}]'

_UNKNOWN = "('(not set)', '(direct)', '(organic)', '(referral)', '(none)')"


def events(_: dict[str, str]) -> dict[str, str]:
    """Return what an event says of its session, in SQL."""
    url, referrer = _value("event_params.page_location"), _value("event_params.page_referrer")
    gclid = (
        f"COALESCE({_value('collected_traffic_source.gclid')}, {_value('event_params.gclid')},"
        f" {parameter(url, 'gclid')})"
    )
    clicked = "session_traffic_source_last_click.google_ads_campaign.campaign_name"

    def collected(name: str, parameter: str, of_ad: str) -> str:
        manual = _known(_value(f"collected_traffic_source.{name}"))
        return f"COALESCE({manual}, {_known(_value(f'event_params.{parameter}'))}, IF({gclid} IS NULL, NULL, {of_ad}))"

    return {
        "session_id": f"user_pseudo_id || '.' || {_value('event_params.ga_session_id')}",
        "visitor_id": "user_pseudo_id",
        "customer_id": "user_id",
        "started_at": _moment("event_timestamp"),
        "source": collected("manual_source", "source", "'google'"),
        "medium": collected("manual_medium", "medium", "'cpc'"),
        "campaign": collected("manual_campaign_name", "campaign", _known(_value(clicked))),
        "referrer": f"IF({host(referrer)} = {host(url)}, NULL, {referrer})",
        "gclid": gclid,
        "fbclid": parameter(url, "fbclid"),
    }


def column(name: str) -> str:
    """Return the column that a name under `columns:`, as `user_properties.crm_id`, is read from."""
    return name.partition(".")[0]


def overridden(column: str, name: str) -> str:
    """Return SQL for what stands under a name."""
    return _moment(_value(name)) if column == "started_at" else _value(name)


def parsed(rows: Rows) -> str:
    """Return SQL for the events: what is nested as JSON, parameters by their keys."""
    columns = {name: "NULL" for name in USED} | rows.columns
    texts = ", ".join(
        f"from_json({value}::TEXT, {literal(_ENTRIES)}) AS {name}"
        if name in _LISTS
        else f"NULLIF({value}::TEXT, '') AS {identifier(name)}"
        for name, value in columns.items()
    )
    return f"(SELECT {texts} FROM {rows.relation})"


def _value(name: str) -> str:
    """Return SQL for what stands under a name: a column, a part of it, or a parameter by its key."""
    column, _, rest = name.partition(".")
    if column in _LISTS:
        found = f"LIST_FILTER({column}, lambda entry: entry.key = {literal(rest)})[1].value"
        return f"COALESCE({', '.join(f'{found}.{kind}' for kind in _KINDS)})"
    if rest:
        return f"json_extract_string({identifier(column)}, {literal('/' + rest.replace('.', '/'))})"
    return identifier(column)


def _known(value: str) -> str:
    return f"IF({value} IN {_UNKNOWN}, NULL, {value})"


def _moment(value: str) -> str:
    """Return SQL for a time: microseconds since 1970, or as it is written."""
    return f"COALESCE(make_timestamp(TRY_CAST({value} AS BIGINT))::TEXT, {value})"
