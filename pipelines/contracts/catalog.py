"""Say what each source must deliver: its tables, their columns, types and keys.

An export may name its columns as it likes; `columns:` in the client's file maps them to these.
Raw keeps every value as the text that was delivered, numbers as the client's file says they are
read; staging casts it, by the same types.
"""

from functools import partial

from pipelines.contracts.ad_platforms import PLATFORMS, is_ad_platform
from pipelines.contracts.contract import Column, Contract

text, money, date = partial(Column, "text"), partial(Column, "money"), partial(Column, "date")
timestamp, boolean = partial(Column, "timestamp"), partial(Column, "boolean")
count, somebody = partial(Column, "integer"), partial(Column, "text", is_somebody=True)
address = partial(Column, "text", is_address=True)

_DELETED = boolean("True once the CRM itself has deleted the row", optional=True)


def _currency(of: str) -> Column:
    return text(
        f"ISO 4217 code of the {of}; the client's currency where it is empty", optional=True
    )


_SPEND = Contract(
    {
        "spend_date": date("Day of the spend, in the ad account's time zone", required=True),
        "account_id": text("The platform's id of the ad account", optional=True),
        "campaign_id": text("The platform's id of the campaign", required=True),
        "campaign": text("Name of the campaign; the id stands in where it is empty"),
        "ad_group_id": text("The platform's id of the ad group or ad set", optional=True),
        "ad_group": text("Name of the ad group or ad set", optional=True),
        "ad_id": text("The platform's id of the ad", optional=True),
        "ad": text("Name of the ad", optional=True),
        "cost": money("What the platform charged, in `currency`", required=True),
        "currency": _currency("cost"),
        "clicks": count("Clicks, as the platform counts"),
        "impressions": count("Impressions, as the platform counts"),
        "conversions": money(
            "Conversions that the platform claims for itself; they enter no credit",
            optional=True,
            own_unit="count, with fractions",
        ),
    },
    staged_by="stg_ad_spend",
    key=("spend_date", "account_id", "campaign_id", "ad_group_id", "ad_id"),
    adds=("cost", "clicks", "impressions", "conversions"),
    dated_by=("spend_date",),
    is_daily=True,
    compared_by=("campaign_id",),
)

_EVENT = {  # these columns identify an event that has no id of its own
    "client_id": somebody("Customer of the shop", required=True),
    "event_type": text(
        "`page_view` (a touchpoint), `purchase` (a conversion), or a type that `conversions:` names",
        required=True,
    ),
    "event_time": timestamp(
        "When it happened; a day without an hour counts from its beginning for a `page_view`, to its"
        " end for all else",
        required=True,
    ),
    "session_id": text("The shop's id of the session"),
    "channel": text("Channel, where the shop itself names it"),
    "campaign_id": text("Campaign; empty where the channel has none"),
    "utm_source": text("utm_source of the page's address"),
    "utm_medium": text("utm_medium of the page's address"),
    "page_url": address("Path of the page on the shop's site"),
    "referrer_url": address("Address of the page that led here"),
    "revenue": money("Revenue of a purchase, in `currency`; a purchase without it is bad"),
    "product_id": text("Product of a purchase"),
    "product_category": text("Category of that product"),
}


class Catalog(dict[str, dict[str, Contract]]):
    """The contracts of each source, by table; an ad platform that it does not list has those of any."""

    def __missing__(self, source: str) -> dict[str, Contract]:
        if is_ad_platform(source):
            return {"spend": _SPEND}
        raise KeyError(source)


_SOURCES: dict[str, dict[str, Contract]] = {
    "rates": {  # before what they price
        "rates": Contract(
            {
                "rate_date": date("First day on which the rate holds", required=True),
                "currency": text("ISO 4217 code of the currency that is priced", required=True),
                "rate": Column(
                    "rate",
                    "Units of the client's currency for one unit of `currency`, above 0",
                    required=True,
                ),
            },
            staged_by="stg_rates",
            staged_for="delivering",
            key=("rate_date", "currency"),
            dated_by=("rate_date",),
            expected_every="7 days",  # as long as a rate holds
            compared_by=("currency",),
            bad_if={"the rate is not above 0": "TRY_CAST(rate AS DECIMAL(18, 9)) <= 0"},
        ),
    },
    "web": {
        "sessions": Contract(
            {
                "session_id": text("The site's id of the session", required=True),
                "visitor_id": somebody(
                    "The browser, by its cookie; empty where cookies are refused"
                ),
                "customer_id": somebody(
                    "Who it was, where the session says so; empty while anonymous"
                ),
                "started_at": timestamp("Beginning of the session", required=True),
                "channel": text("Channel, where the site itself names it", optional=True),
                "source": text("utm_source; empty when the address was typed"),
                "medium": text("utm_medium"),
                "campaign": text("utm_campaign"),
                "referrer": address("Address of the page that led here", optional=True),
                "gclid": text("Google's click id: the click was paid", optional=True),
                "gbraid": text("Google's click id on iOS, into an app", optional=True),
                "wbraid": text("Google's click id on iOS, from an app", optional=True),
                "dclid": text(
                    "Click id of Campaign Manager and Display & Video 360", optional=True
                ),
                "msclkid": text("Microsoft's click id", optional=True),
                "fbclid": text("Facebook's click id", optional=True),
                "ttclid": text("TikTok's click id", optional=True),
                "li_fat_id": text("LinkedIn's click id", optional=True),
                "twclid": text("X's click id", optional=True),
                "campaign_id": text(
                    "The platform's id of the campaign that led here", optional=True
                ),
                "ad_group_id": text(
                    "The platform's id of the ad group or ad set that led here", optional=True
                ),
                "ad_id": text("The platform's id of the ad that led here", optional=True),
                "landing_page": address(
                    "Address of the first page: ids that have no column are read from its query",
                    optional=True,
                ),
                "consent": boolean(
                    "False where the visitor refused or withdrew it: the session enters no path",
                    optional=True,
                ),
                "holder_engagement": boolean(
                    "Whether the session may hold a customer, for `ihc`; empty means it may",
                    optional=True,
                ),
                "closer_engagement": boolean(
                    "Whether the session may close a sale, for `ihc`; empty means it may",
                    optional=True,
                ),
            },
            staged_by="stg_sessions",
            key=("session_id",),
            dated_by=("started_at",),
            is_daily=True,
        ),
        "events": Contract(
            {
                "event_id": somebody(
                    "Id of the event, the same each time it is delivered: two with one content are"
                    " two; empty where the export has none",
                    optional=True,
                ),
                **_EVENT,
                "currency": _currency("revenue"),
                "properties": Column(
                    "text",
                    "Further columns that `properties:` names, for `where:` and `exclude:`; as JSON",
                    optional=True,
                    gathered=True,
                ),
            },
            staged_by="stg_events",
            converts="event_type = 'purchase'",
            key=tuple(_EVENT),
            own_id="event_id",
            dated_by=("event_time",),
            is_daily=True,
            bad_if={
                "a purchase has no revenue": "event_type = 'purchase' AND revenue IS NULL",
            },
        ),
        "clients": Contract(
            {
                "client_id": somebody("Customer of the shop", required=True),
                "registration_date": date("Day of the registration, in the shop's time zone"),
                "cohort": text("Quarter of the registration, as the shop groups it"),
                "customer_segment": text("Segment, as the shop groups it"),
            },
            staged_by="stg_clients",
            staged_for="delivering",
            key=("client_id",),
            expected_every="never",
        ),
        "conversions": Contract(
            {
                "conversion_id": text(
                    "The site's id of the conversion; never one of a Salesforce deal", required=True
                ),
                "customer_id": somebody("Who converted"),
                "converted_at": timestamp(
                    "When; a day without an hour counts to its end", required=True
                ),
                "revenue": money("Revenue, in `currency`; negative for a refund", required=True),
                "currency": _currency("revenue"),
            },
            staged_by="stg_conversions",
            converts="TRUE",
            staged_for="delivering",
            key=("conversion_id",),
            adds=("revenue",),
            dated_by=("converted_at",),
        ),
        "refunds": Contract(
            {
                "refund_id": text(
                    "The site's id of the refund, the same each time it is delivered; empty where the"
                    " export has none: then the order, the time and the amount are what it is known by",
                    optional=True,
                ),
                "conversion_id": text(
                    "The order of which money was given back, as `web.conversions`, an event or a deal"
                    " has it",
                    required=True,
                ),
                "refunded_at": timestamp(
                    "When; a day without an hour counts to its end", optional=True
                ),
                "amount": money(
                    "What was given back, with or without a minus; empty where it is the whole order"
                ),
                "currency": text(
                    "ISO 4217 code of the amount, which is that of the order; empty is the same",
                    optional=True,
                ),
            },
            staged_by="stg_refunds",
            staged_for="delivering",
            key=("conversion_id", "refunded_at", "amount"),
            own_id="refund_id",
            dated_by=("refunded_at",),
            expected_every="never",
        ),
        "session_costs": Contract(
            {
                "session_id": text("The site's id of the session", required=True),
                "cost": money("What the session cost, in `currency`; empty where it cost nothing"),
                "currency": _currency("cost"),
            },
            staged_by="stg_session_costs",
            staged_for="delivering",
            key=("session_id",),
            adds=("cost",),
        ),
    },
    "salesforce": {
        "opportunities": Contract(
            {
                "opportunity_id": text("The CRM's id of the deal", required=True),
                "customer_id": somebody("Who the deal is with, as sessions name the customer"),
                "stage": text("The CRM's name of the stage"),
                "is_won": boolean(
                    "True once the deal is won: it is a conversion; False again when it is reopened",
                    required=True,
                ),
                "closed_at": timestamp(
                    "When it was won or lost; a day without an hour counts to its end; a won deal without it is bad"
                ),
                "amount": money("Revenue of the deal, in `currency`"),
                "currency": _currency("amount"),
                "account_id": somebody(
                    "The CRM's account; `journeys: account` needs it", optional=True
                ),
                "opened_at": timestamp(
                    "When the deal was opened: the milestone `opportunity`", optional=True
                ),
                "milestone_1": timestamp(
                    "A date of the client's own, for the model `milestones`; a bare day counts to its end",
                    optional=True,
                ),
                "milestone_2": timestamp("Another date of the client's own", optional=True),
                "milestone_3": timestamp("Another date of the client's own", optional=True),
                "is_deleted": _DELETED,
            },
            staged_by="stg_opportunities",
            converts="TRY_CAST(is_won AS BOOLEAN)",
            key=("opportunity_id",),
            dated_by=("opened_at", "closed_at"),
            bad_if={
                "a won opportunity has no closed_at": (
                    "TRY_CAST(is_won AS BOOLEAN) AND closed_at IS NULL"
                ),
            },
        ),
        "contacts": Contract(
            {
                "contact_id": somebody("The CRM's id of the contact", required=True),
                "account_id": somebody("The account that the contact belongs to"),
                "email": text("E-mail address"),
                "name": text("Name; it is kept in the lake and read by nothing"),
                "created_at": timestamp("When the contact was created"),
                "is_deleted": _DELETED,
            },
            staged_by="stg_contacts",
            staged_for="asking",
            key=("contact_id",),
            dated_by=("created_at",),
            expected_every="never",
        ),
        "contact_roles": Contract(
            {
                "contact_role_id": text("The CRM's id of the role", required=True),
                "opportunity_id": text("The deal"),
                "contact_id": somebody("Who has the role on it"),
                "role": text("The role, as `Decision Maker`"),
                "is_primary": boolean("Whether it is the deal's primary contact"),
                "is_deleted": _DELETED,
            },
            staged_by="stg_contact_roles",
            staged_for="asking",
            key=("contact_role_id",),
            expected_every="never",
        ),
        "leads": Contract(
            {
                "lead_id": somebody("The CRM's id of the lead", required=True),
                "created_at": timestamp(
                    "When the lead was created: the milestone `lead`", required=True
                ),
                "email": text("E-mail address"),
                "company": text("Company; it is kept in the lake and read by nothing"),
                "converted_date": date("Day on which it was converted"),
                "converted_account_id": somebody("Account that it was converted to"),
                "converted_contact_id": somebody("Contact that it became"),
                "converted_opportunity_id": text("Deal that was made of it"),
                "is_deleted": _DELETED,
            },
            staged_by="stg_leads",
            staged_for="asking",
            key=("lead_id",),
            dated_by=("created_at",),
        ),
        "campaign_members": Contract(
            {
                "campaign_member_id": text("The CRM's id of the membership", required=True),
                "campaign_id": text("The CRM's id of the campaign"),
                "campaign": text("Name of the campaign"),
                "campaign_type": text(
                    "Type of the campaign, as `Webinar`: the touchpoint's channel"
                ),
                "lead_id": somebody("The lead in the campaign, if it is one"),
                "contact_id": somebody("The contact in the campaign, if it is one"),
                "status": text("Status of the membership"),
                "has_responded": boolean("Whether the member responded: a touchpoint from then on"),
                "first_responded_date": date(
                    "Day of the first response; where it is empty, `created_at` counts"
                ),
                "created_at": timestamp("When the member was added", required=True),
                "is_deleted": _DELETED,
            },
            staged_by="stg_campaign_members",
            staged_for="asking",
            key=("campaign_member_id",),
            dated_by=("first_responded_date", "created_at"),
        ),
    },
}

CONTRACTS = Catalog(_SOURCES | {platform: {"spend": _SPEND} for platform in PLATFORMS})


def tables() -> list[tuple[str, str, Contract]]:
    """Return (source, table, contract) of every table there is."""
    return [
        (source, table, contract)
        for source, contracts in CONTRACTS.items()
        for table, contract in contracts.items()
    ]


def sources_of(model: str) -> list[str]:
    """Return the sources whose rows a staging model takes: of `stg_ad_spend`, the ad platforms."""
    return [source for source, _, contract in tables() if contract.staged_by == model]
