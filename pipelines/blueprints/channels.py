"""Turn a client's channel rules and campaign names into SQL."""

from collections.abc import Iterable

from pipelines.settings.path_rules import FACTS, ChannelRule
from pipelines.sql import literal


def channel_rules(rules: Iterable[ChannelRule]) -> str:
    """Return the client's own rules as branches of a CASE, on one line; the first match wins.

    A click id stands in for a missing source and medium: `google` and `cpc`.
    """
    columns = {
        "source": "COALESCE(source, ad_network)",
        "medium": "COALESCE(medium, IF(ad_network IS NULL, NULL, 'cpc'))",
    }
    return " ".join(
        "WHEN "
        + " AND ".join(
            f"REGEXP_FULL_MATCH({columns.get(fact, fact)}, {literal(pattern)}, 'i')"
            for fact in FACTS
            if (pattern := getattr(rule, fact))
        )
        + f" THEN {literal(rule.channel)}"
        for rule in rules
    )


def renamed(names: dict[str, str], *columns: str) -> str:
    """Return SQL for the new name of a value of one of the columns; NULL for values without one.

    `renamed({"7": "spring"}, "campaign_id", "campaign")` is `CASE WHEN campaign_id = '7' THEN 'spring'
    WHEN campaign = '7' THEN 'spring' END`: columns count in the order given.
    """
    branches = " ".join(
        f"WHEN {column} = {literal(old)} THEN {literal(new)}"
        for column in columns
        for old, new in names.items()
    )
    return f"CASE {branches} END" if branches else "NULL::TEXT"
