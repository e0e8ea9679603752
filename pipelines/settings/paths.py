"""Say what enters a path, and what it is called."""

from typing import Annotated

import duckdb
from pydantic import AfterValidator, Field, model_validator

from pipelines.settings.base import Settings

FACTS = ("source", "medium", "campaign", "referrer")


def _expression(pattern: str) -> str:
    """Return a regular expression that DuckDB's RE2 knows. Raise ValueError otherwise."""
    try:
        duckdb.execute("SELECT REGEXP_FULL_MATCH('', ?, 'i')", [pattern]).fetchall()
    except duckdb.Error as error:
        why = str(error).splitlines()[0]
        raise ValueError(
            f"'{pattern}' is no regular expression ({why}); write one as RE2 knows it"
        ) from None
    return pattern


Pattern = Annotated[str, Field(min_length=1), AfterValidator(_expression)]


def _own(channel: str) -> str:
    if channel.lower() == "unattributed":
        raise ValueError("unattributed is what no touchpoint earned; choose another name")
    return channel


ChannelName = Annotated[str, Field(min_length=1), AfterValidator(_own)]
CampaignNames = dict[
    Annotated[str, Field(min_length=1)],
    Annotated[str, Field(min_length=1)],
]


class ChannelRule(Settings):
    """A channel, and the whole values that lead to it, as regular expressions without regard to case."""

    channel: ChannelName
    source: Pattern | None = None
    medium: Pattern | None = None
    campaign: Pattern | None = None
    referrer: Pattern | None = None

    @model_validator(mode="after")
    def _asks_for_something(self) -> "ChannelRule":
        if not any(getattr(self, fact) for fact in FACTS):
            raise ValueError(f"a rule for {self.channel} needs one of {', '.join(FACTS)}")
        return self
