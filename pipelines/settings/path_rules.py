"""Say what enters a path, and what it is called."""

from typing import Annotated, Literal

import duckdb
from pydantic import AfterValidator, Field, model_validator

from pipelines.settings.base import Settings

REMOVAL = "remove_if_not_all: [Direct]"
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


Pattern = Annotated[str, Field(min_length=1), AfterValidator(_expression), "a regular expression"]


def _own(channel: str) -> str:
    if channel.lower() == "unattributed":
        raise ValueError(
            "unattributed is the name of what no touchpoint earned; choose another name"
        )
    return channel


ChannelName = Annotated[str, Field(min_length=1), AfterValidator(_own)]
CampaignNames = dict[
    Annotated[str, Field(min_length=1)],
    Annotated[str, Field(min_length=1)],
]


class ChannelRule(Settings):
    """A channel, and which values lead to it: regular expressions (RE2) of whole values, case ignored."""

    channel: ChannelName = Field(description="Name of the channel.")
    source: Pattern | None = Field(
        None, description="Matches utm_source; left out, any value does."
    )
    medium: Pattern | None = Field(
        None, description="Matches utm_medium; left out, any value does."
    )
    campaign: Pattern | None = Field(
        None, description="Matches utm_campaign; left out, any value does."
    )
    referrer: Pattern | None = Field(
        None, description="Matches the referrer's address; left out, any value does."
    )

    @model_validator(mode="after")
    def _asks_for_something(self) -> "ChannelRule":
        if not any(getattr(self, fact) for fact in FACTS):
            raise ValueError(f"a rule for {self.channel} needs one of {', '.join(FACTS)}")
        return self


Transform = Literal[
    "exposure",
    "first",
    "once_per_campaign",
    "unique",
    "remove_if_last_and_not_all",
    "remove_if_not_all",
]


class PathTransform(Settings):
    """A step that makes a path shorter, as `exposure`, or as `remove_if_not_all: [Direct]`.

    Names and meaning are those of Snowplow's attribution package (`snowplow__path_transforms`), which
    has no `once_per_campaign`.
    """

    name: Transform = Field(description="Name of the step.")
    channels: list[Annotated[str, Field(min_length=1)]] = Field(
        [], description="Channels that a `remove_…` step removes."
    )

    @model_validator(mode="before")
    @classmethod
    def _has_a_short_form(cls, written: object) -> object:
        if isinstance(written, str):
            return {"name": written}
        if isinstance(written, dict) and len(written) == 1:
            ((name, channels),) = written.items()
            return {"name": name, "channels": channels}
        raise ValueError(f"write {STEPS}")

    @model_validator(mode="after")
    def _has_channels_where_needed(self) -> "PathTransform":
        if self.name.startswith("remove") != bool(self.channels):
            if self.channels:
                raise ValueError(f"{self.name} takes no channels; write `{self.name}`")
            raise ValueError(f"{self.name} lacks the channels to remove; write it like `{REMOVAL}`")
        return self


STEPS = (
    "exposure, first, once_per_campaign, unique, remove_if_not_all: [Direct]"
    " or remove_if_last_and_not_all: [Direct]"
)
PathStep = Annotated[PathTransform, STEPS]
