"""Say how long earlier versions of a client's published files stay."""

from pydantic import Field

from pipelines.settings.base import Settings


class PublishedFiles(Settings):
    """How long a version of the published files stays once another one is shown."""

    keep_days: float = Field(
        7,
        ge=0,
        le=3650,
        description="Days that it stays for who has it open, and for a rollback.",
    )
    keep_versions: int = Field(
        2,
        ge=2,
        le=1000,
        description="Versions that stay however old they are, the newest among them.",
    )
