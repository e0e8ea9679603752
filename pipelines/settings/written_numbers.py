"""Say how an export writes its numbers."""

from typing import Annotated, Literal

from pydantic import Field, model_validator

from pipelines.settings.base import Settings


class Numbers(Settings):
    """How an export writes its numbers: `1.234,56` is `{decimal: ",", thousands: "."}`."""

    decimal: Annotated[Literal[".", ","], "a point or a comma, in quotes"] = Field(
        ".", description="What stands before the decimals."
    )
    thousands: Annotated[
        Literal[".", ",", " ", "'"] | None,
        "a point, a comma, a blank or an apostrophe, in quotes, or null",
    ] = Field(None, description="What stands between groups of digits; left out, nothing may.")

    @model_validator(mode="after")
    def _differ(self) -> "Numbers":
        if self.decimal == self.thousands:
            other = "," if self.decimal == "." else "."
            raise ValueError(
                f"decimal and thousands are both '{self.decimal}'; write which is which, such as"
                f' {{decimal: "{other}", thousands: "{self.decimal}"}}'
            )
        return self
