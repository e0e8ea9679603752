"""Say how many days what piles up beside the numbers stays, until a morning removes it."""

from pydantic import Field

from pipelines.settings.base import Settings


class KeptDays(Settings):
    """How many days what piles up stays; `make daily` removes what is older, and says so once."""

    refused: float = Field(
        90,
        ge=1,
        le=36500,
        description="Days that the copy of a refused file stays, and its reason, since it was last refused.",
    )
    quarantine: float = Field(
        400,
        ge=1,
        le=36500,
        description="Days that the content of a bad row stays; its file, line and reason stay for good.",
    )
    ledger: float = Field(
        750,
        ge=1,
        le=36500,
        description="Days that the ledger of runs goes back. All clients share it: the longest of theirs counts.",
    )
    torn_warehouse: float = Field(
        30,
        ge=1,
        le=36500,
        description="Days that a torn warehouse file stays which a morning has set aside. The clients of a warehouse"
        " share it: the longest of theirs counts.",
    )
