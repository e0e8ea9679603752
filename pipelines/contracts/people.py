"""Say which columns name a person, which name a row of theirs, and which tell of them beside.

Two columns of one kind name the same thing: `customer_id` of a session and `client_id` of an event are
both a `customer`. Of two kinds they do not, so customer 7 and order 7 have nothing to do with each other.
"""

CUSTOMER, VISITOR, CONTACT, LEAD, EMAIL = "customer", "visitor", "contact", "lead", "email"
PEOPLE = (CUSTOMER, VISITOR, CONTACT, LEAD, EMAIL)
TOUCHPOINT, CONVERSION, ROLE, REFUND = "touchpoint", "conversion", "role", "refund"

# By source and table of the log. What identifies a row comes first; an event may be either, or both.
NAMING: dict[tuple[str, str], dict[str, tuple[str, ...]]] = {
    ("web", "sessions"): {
        "session_id": (TOUCHPOINT,),
        "visitor_id": (VISITOR,),
        "customer_id": (CUSTOMER,),
    },
    ("web", "events"): {
        "event_id": (TOUCHPOINT, CONVERSION),
        "client_id": (CUSTOMER,),
        "session_id": (TOUCHPOINT,),
    },
    ("web", "clients"): {"client_id": (CUSTOMER,)},
    ("web", "conversions"): {"conversion_id": (CONVERSION,), "customer_id": (CUSTOMER,)},
    ("web", "refunds"): {"refund_id": (REFUND,), "conversion_id": (CONVERSION,)},
    ("web", "session_costs"): {"session_id": (TOUCHPOINT,)},
    ("salesforce", "opportunities"): {
        "opportunity_id": (CONVERSION,),
        "customer_id": (CUSTOMER,),
    },
    ("salesforce", "contacts"): {"contact_id": (CONTACT,), "email": (EMAIL,)},
    ("salesforce", "contact_roles"): {
        "contact_role_id": (ROLE,),
        "opportunity_id": (CONVERSION,),
        "contact_id": (CONTACT,),
    },
    ("salesforce", "leads"): {
        "lead_id": (LEAD,),
        "email": (EMAIL,),
        "converted_contact_id": (CONTACT,),
        "converted_opportunity_id": (CONVERSION,),
    },
    ("salesforce", "campaign_members"): {
        "campaign_member_id": (TOUCHPOINT,),
        "lead_id": (LEAD,),
        "contact_id": (CONTACT,),
    },
}

# By column, in the tables that models make of them.
MODELLED: dict[str, tuple[str, ...]] = {
    column: kinds for columns in NAMING.values() for column, kinds in columns.items()
} | {
    "touchpoint_id": (TOUCHPOINT,),
    "conversion_id": (CONVERSION,),
    "conv_id": (CONVERSION,),
    "same_as": (REFUND,),
    "next_customer_id": (CUSTOMER,),
    "person_id": (CUSTOMER,),
    "first_of": (CUSTOMER,),
    "account_id": (CUSTOMER,),  # of a deal without an account it is the customer
    "id": (CUSTOMER, VISITOR),  # of who owns more than their share
}

# What else a row tells of the person. A click was paid for if there is an id; whose click it was, is not told.
CLICK_IDS = (
    "gclid",
    "gbraid",
    "wbraid",
    "dclid",
    "msclkid",
    "fbclid",
    "ttclid",
    "li_fat_id",
    "twclid",
)
ADDRESSES = (
    "referrer",
    "referrer_url",
    "page_url",
    "landing_page",
)  # their parameters may hold anything
UNREAD = ("name", "company", "content_key")  # kept in the lake, and read by no model


def is_event(columns: dict[str, tuple[str, ...]]) -> bool:
    """Return whether rows are events of people, as sessions, orders and refunds, and no people."""
    own = next(iter(columns.values()), ())
    is_of_people = own == (REFUND,) or any(kinds[0] in PEOPLE for kinds in columns.values())
    return is_of_people and not set(own) & set(PEOPLE)
