"""Turn a client's channel rules into SQL."""

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
