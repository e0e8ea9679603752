"""The variables that models of every layer read: time, money, and who the client is."""

from pydantic import Field

from pipelines.blueprints.variables import Variables
from pipelines.settings.client import Client
from pipelines.settings.currencies import minor_digits


class General(Variables):
    """What models of every layer read."""

    client_name: str = Field(description="The client, as text; `@client` is the same as a name.")
    start: str = Field(description="The first day that is computed.")
    timezone: str = Field(description="The client's own time zone, which dates are in.")
    currency: str = Field(description="The currency of all money.")
    minor_digits: int = Field(description="Decimals of the currency: 2 for EUR, 0 for JPY.")
    may_be_empty: bool = Field(
        description="Whether all published tables may be empty although rows were loaded."
    )
    dominant_id_share: float = Field(
        description="Share of touchpoints, or of conversions, above which an id owns too many."
    )
    dominant_id_rows: int = Field(description="How many it must own at least, to own too many.")
    dominant_id_holds: bool = Field(description="Whether such an id holds the client.")
    minor_units: int = Field(description="How many of its smallest unit make one: 100 for EUR.")


def general(client: Client) -> General:
    """Return what models of every layer read."""
    digits = minor_digits()[client.currency]
    return General(
        client_name=client.id,
        start=str(client.start),
        timezone=client.timezone,
        currency=client.currency,
        may_be_empty=client.quality.may_be_empty,
        dominant_id_share=client.quality.dominant_id_share,
        dominant_id_rows=client.quality.dominant_id_rows,
        dominant_id_holds=client.quality.dominant_id == "holds",
        minor_digits=digits,
        minor_units=10**digits,
    )
