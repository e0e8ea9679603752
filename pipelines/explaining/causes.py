"""Name why published numbers move, in the order in which the causes are told."""

from enum import StrEnum


class Cause(StrEnum):
    """Why credit, revenue or spend is another one than it was."""

    NEW = "new conversions"
    WON = "deals won since"
    REOPENED = "reopened deals"
    DELETED = "deleted conversions"
    REVISED = "revised conversions"
    RATES = "exchange rates"
    LATE = "late touches"
    TOUCH_REVISED = "revised touches"
    TOUCH_DELETED = "deleted touches"
    IDENTITIES = "identities"
    TRAINING = "training"
    ANSWERS = "answers of IHC"
    PROMOTION = "promotion"
    ROLLBACK = "rollback"
    PROVISIONAL = "provisional credit"
    NEW_SPEND = "new spend"
    RESTATED_SPEND = "restated spend"
    DELETED_SPEND = "deleted spend"
    SESSION_COSTS = "costs of sessions"
    OTHER = "not told by the rows"

    @property
    def meaning(self) -> str:
        """Return what the cause says, in a line."""
        return _MEANINGS[self]


_MEANINGS = {
    Cause.NEW: "rows that no load had brought before",
    Cause.WON: "known before, and no conversion then",
    Cause.REOPENED: "won before, and not now",
    Cause.DELETED: "taken back by their source, or left out by a full export",
    Cause.REVISED: "another amount, customer, time or milestone in the source",
    Cause.RATES: "the same amount in its own currency",
    Cause.LATE: "touchpoints that a load brought to a conversion that was there",
    Cause.TOUCH_REVISED: "touchpoints that their source says otherwise",
    Cause.TOUCH_DELETED: "touchpoints taken back, or without consent",
    Cause.IDENTITIES: "touchpoints that were there and have another owner now, or people the CRM names otherwise",
    Cause.TRAINING: "the same path, by another version of what the model has learnt",
    Cause.ANSWERS: "the same path, by other scores",
    Cause.PROMOTION: "the same rows, by other settings or code",
    Cause.ROLLBACK: "an earlier version is shown again",
    Cause.PROVISIONAL: "deals of loads that no run has settled; the next make daily tells their causes",
    Cause.NEW_SPEND: "rows of spend that no load had brought before",
    Cause.RESTATED_SPEND: "rows of spend that their platform says otherwise",
    Cause.DELETED_SPEND: "rows of spend that their platform took back",
    Cause.SESSION_COSTS: "what sessions cost",
    Cause.OTHER: "the files have no row that tells it",
}
