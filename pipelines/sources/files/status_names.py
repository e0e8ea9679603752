"""Say which of an export's columns may tell, by their names, that a row does not count as it stands."""

import re

_STATUS = {"status", "state", "zustand", "outcome", "result", "livemode", "stage", "stagename"}
_STATUS |= {"statut", "estado", "stato", "etat", "\u00e9tat"}
_COMPOUND = re.compile("(?!versand|liefer|paket|sendung|steuer|mahn).*status")  # Zahlungsstatus
_PAST = {
    *(
        "test",
        "voided",
        "void",
        "cancelled",
        "canceled",
        "refunded",
        "failed",
        "declined",
        "deleted",
    ),
    *("storniert", "reversed", "rejected", "draft", "expired", "trashed", "disputed", "chargeback"),
}
_PAID = {"paid", "captured", "livemode", "successful", "succeeded", "completed", "bezahlt"}
_OTHER = {  # of a parcel, an address, an amount, and why
    *("fulfillment", "fulfilment", "shipping", "shipment", "delivery", "tracking", "email", "tax"),
    *("billing", "province", "country", "subscription", "marketing", "review", "payout", "amount"),
    *(
        "total",
        "sum",
        "value",
        "price",
        "fee",
        "currency",
        "reason",
        "by",
        "count",
        "quantity",
        "id",
    ),
}

_REFUND = "refund(?!ab).*|erstatt.*|r(\u00fc|ue)ckerstatt.*|charge?back.*|returned|returns|disputed|reversed"
_NO_REFUND = {  # of rules, and of what is beside the money
    *("policy", "reason", "method", "allowed", "eligible", "window", "deadline", "until", "fee"),
    *("fees", "currency", "email", "by"),
}


def words(name: str) -> list[str]:
    """Return the words of a name, in small letters: of `financialStatus`, financial and status."""
    split = re.sub("(?<=[a-z])(?=[A-Z])", " ", name).lower()
    return re.findall(r"[^\W\d_]+", split)


def says_status(name: str) -> bool:
    """Return whether a column is called after a status, as `Financial Status` is."""
    found = set(words(name))
    is_status = found & _STATUS or any(map(_COMPOUND.fullmatch, found))
    return bool(is_status) and not found & _OTHER


def says_undone(name: str) -> bool:
    """Return whether a column is called after what makes a row void: `Cancelled at`, `is_test`."""
    found = set(words(name))
    return bool(found & _PAST) and not found & (_OTHER | _STATUS)


def says_deleted(name: str) -> bool:
    """Return whether a column is called after whether a row is gone: `_fivetran_deleted`, `deleted_at`."""
    found = set(words(name))
    return "deleted" in found and not found & (_OTHER | _STATUS)


def says_done(name: str) -> bool:
    """Return whether a column is called after what makes a row count: `Captured`, `livemode`."""
    found = set(words(name))
    return bool(found & _PAID) and not found & _OTHER


def says_refund(name: str) -> bool:
    """Return whether a column is called after money given back: `Refunded Amount`, `refund_id`."""
    found = words(name)
    is_other = {*found} & (_NO_REFUND | _STATUS)
    return any(re.fullmatch(_REFUND, word) for word in found) and not is_other


def says_currency(name: str) -> bool:
    """Return whether a column is called after a currency: `Currency Code`, `CurrencyIsoCode`."""
    return any(re.fullmatch("currency.*|w(\u00e4|ae)hrung.*", word) for word in words(name))


def may_say(name: str) -> bool:
    """Return whether a column may say that a row does not count, not in full, or not as it stands."""
    kinds = says_status, says_undone, says_done, says_refund, says_currency
    return any(says(name) for says in kinds)
