"""Say what each source must deliver: its tables, their columns, types and keys.

An export may name its columns as it likes; `columns:` in the client's file maps them to these.
Raw keeps every value as the text that was delivered; staging casts it, by the same types.
"""

from pipelines.contracts.contract import Column, Contract

TEXT, INTEGER = Column("text"), Column("integer")
EXTRA = Column("text", optional=True)
FLAG = Column("boolean", optional=True)
DELETED = Column("boolean", optional=True)  # the source itself says so
KEY, MOMENT, DAY = Column("text", True), Column("timestamp", True), Column("date", True)

_SPEND = Contract(
    {
        "spend_date": DAY,
        "account_id": EXTRA,
        "campaign_id": KEY,
        "campaign": TEXT,
        "ad_group_id": EXTRA,
        "ad_group": EXTRA,
        "ad_id": EXTRA,
        "ad": EXTRA,
        "cost": Column("money", True),
        "currency": EXTRA,
        "clicks": INTEGER,
        "impressions": INTEGER,
        "conversions": Column("money", optional=True),
    },
    key=("spend_date", "account_id", "campaign_id", "ad_group_id", "ad_id"),
)

_EVENT = {  # an event has no id of its own: this is what tells it from another
    "client_id": KEY,
    "event_type": KEY,
    "event_time": MOMENT,
    "session_id": TEXT,
    "channel": TEXT,
    "campaign_id": TEXT,
    "utm_source": TEXT,
    "utm_medium": TEXT,
    "page_url": TEXT,
    "referrer_url": TEXT,
    "revenue": Column("money"),
    "product_id": TEXT,
    "product_category": TEXT,
}

CONTRACTS: dict[str, dict[str, Contract]] = {
    "rates": {  # before what they price
        "rates": Contract(
            {
                "rate_date": DAY,
                "currency": KEY,
                "rate": Column("rate", True),  # units of the client's currency for one of this
            },
            key=("rate_date", "currency"),
            bad_if={"the rate is not above 0": "TRY_CAST(rate AS DECIMAL(18, 9)) <= 0"},
        ),
    },
    "web": {
        "sessions": Contract(
            {
                "session_id": KEY,
                "visitor_id": TEXT,
                "customer_id": TEXT,
                "started_at": MOMENT,
                "channel": EXTRA,
                "source": TEXT,
                "medium": TEXT,
                "campaign": TEXT,
                "referrer": EXTRA,
                "gclid": EXTRA,
                "gbraid": EXTRA,
                "wbraid": EXTRA,
                "dclid": EXTRA,
                "msclkid": EXTRA,
                "fbclid": EXTRA,
                "ttclid": EXTRA,
                "consent": Column("boolean", optional=True),
                "holder_engagement": FLAG,
                "closer_engagement": FLAG,
            },
            key=("session_id",),
        ),
        "events": Contract(
            _EVENT | {"currency": EXTRA},
            key=tuple(_EVENT),
            bad_if={
                "a purchase has no revenue": "event_type = 'purchase' AND revenue IS NULL",
            },
        ),
        "clients": Contract(
            {
                "client_id": KEY,
                "registration_date": Column("date"),
                "cohort": TEXT,
                "customer_segment": TEXT,
            },
            key=("client_id",),
        ),
        "conversions": Contract(
            {
                "conversion_id": KEY,
                "customer_id": TEXT,
                "converted_at": MOMENT,
                "revenue": Column("money", True),
                "currency": EXTRA,
            },
            key=("conversion_id",),
        ),
        "session_costs": Contract(
            {
                "session_id": KEY,
                "cost": Column("money"),
                "currency": EXTRA,
            },
            key=("session_id",),
        ),
    },
    "salesforce": {
        "opportunities": Contract(
            {
                "opportunity_id": KEY,
                "customer_id": TEXT,
                "stage": TEXT,
                "is_won": Column("boolean", True),
                "closed_at": Column("timestamp"),
                "amount": Column("money"),
                "currency": EXTRA,
                "account_id": EXTRA,
                "opened_at": Column("timestamp", optional=True),
                "milestone_1": Column("timestamp", optional=True),  # a date of the client's own
                "milestone_2": Column("timestamp", optional=True),
                "milestone_3": Column("timestamp", optional=True),
                "is_deleted": DELETED,
            },
            key=("opportunity_id",),
            bad_if={
                "a won opportunity has no closed_at": (
                    "TRY_CAST(is_won AS BOOLEAN) AND closed_at IS NULL"
                ),
            },
        ),
        "contacts": Contract(
            {
                "contact_id": KEY,
                "account_id": TEXT,
                "email": TEXT,
                "name": TEXT,
                "created_at": Column("timestamp"),
                "is_deleted": DELETED,
            },
            key=("contact_id",),
        ),
        "contact_roles": Contract(
            {
                "contact_role_id": KEY,
                "opportunity_id": TEXT,
                "contact_id": TEXT,
                "role": TEXT,
                "is_primary": Column("boolean"),
                "is_deleted": DELETED,
            },
            key=("contact_role_id",),
        ),
        "leads": Contract(
            {
                "lead_id": KEY,
                "created_at": MOMENT,
                "email": TEXT,
                "company": TEXT,
                "converted_date": Column("date"),
                "converted_account_id": TEXT,
                "converted_contact_id": TEXT,
                "converted_opportunity_id": TEXT,
                "is_deleted": DELETED,
            },
            key=("lead_id",),
        ),
        "campaign_members": Contract(
            {
                "campaign_member_id": KEY,
                "campaign_id": TEXT,
                "campaign": TEXT,
                "campaign_type": TEXT,
                "lead_id": TEXT,
                "contact_id": TEXT,
                "status": TEXT,
                "has_responded": Column("boolean"),
                "first_responded_date": Column("date"),
                "created_at": MOMENT,
                "is_deleted": DELETED,
            },
            key=("campaign_member_id",),
        ),
    },
    "google_ads": {"spend": _SPEND},
    "facebook_ads": {"spend": _SPEND},
}
