"""Say how a CRM is followed between mornings: by its events, by questions, or not."""

from typing import Literal

from pydantic import Field

from pipelines.settings.base import Settings


class Stream(Settings):
    """How `make stream` hears of deals that change in Salesforce."""

    by: Literal["events", "polls", "never"] = Field(
        "events",
        description="Whether `make stream` follows the org's change events, asks for changes every `poll_minutes`, or"
        " leaves the client to the morning. An org whose event bus refuses it is asked instead.",
    )
    bus: str = Field(
        "api.pubsub.salesforce.com:7443",
        pattern=r"^[A-Za-z0-9.-]+:[0-9]+$",
        description="Address of the event bus, host and port.",
    )
    poll_minutes: float = Field(
        5, ge=1, le=1440, description="Minutes between two questions for changes."
    )
