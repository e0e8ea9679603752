"""Say what tells which delivery of an export is newer."""

import re
from typing import Literal

from pydantic import Field, field_validator, model_validator

from pipelines.settings.base import Settings


class DeliveryOrder(Settings):
    """Where the time of a delivery is found: in its name, by a pattern, or in a column of it."""

    pattern: str | None = Field(
        None,
        min_length=1,
        description="How names write the time: `%d-%m-%Y` for 01-11-2026, in the letters of `strptime`.",
    )
    column: str | None = Field(
        None,
        min_length=1,
        description="Column of the export whose largest value is the time of a delivery.",
    )

    @field_validator("pattern")
    @classmethod
    def _has_known_letters(cls, pattern: str | None) -> str | None:
        if pattern is None:
            return None
        letters = set(re.findall("%(.?)", pattern))
        if not letters or letters - set("YymdHMSjbB"):
            raise ValueError(f"'{pattern}': write a pattern of %Y %y %m %d %b %B %j %H %M %S")
        if lacks := _missing_from(letters):
            raise ValueError(
                f"'{pattern}': without {lacks} it does not tell which is newer; add it"
            )
        return pattern

    @model_validator(mode="after")
    def _is_one_of_them(self) -> "DeliveryOrder":
        if bool(self.pattern) == bool(self.column):
            raise ValueError("write either `pattern:` or `column:`")
        return self


def _missing_from(letters: set[str]) -> str:
    """Return which part of a time is not in a pattern, though times of one order need it.

    Without its year, the 2nd of January would come before the 31st of December of the year before.
    """
    if not letters & set("Yy"):
        return "the year, %Y,"
    if letters & set("dHMS") and not letters & set("mbBj"):
        return "the month, %m,"
    if letters & set("HMS") and not letters & set("dj"):
        return "the day, %d,"
    return "the hour, %H," if letters & set("MS") and "H" not in letters else ""


Order = Literal["name", "file time"] | DeliveryOrder
