"""Variables that models are made of: each has a type and a description, and becomes text for SQLMesh."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict

from pipelines.sql import literal

Sql = Annotated[str, "SQL"]  # a piece of SQL, put into a query by `@SQL(@name)`
Value = str | bool | int | float


class Variables(BaseModel):
    """Variables that belong together, as the same models read them."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    def variables(self) -> dict[str, Value]:
        """Return each variable by its name."""
        return dict(self)

    @classmethod
    def descriptions(cls) -> dict[str, str]:
        """Return the description of each variable."""
        return {name: field.description or "" for name, field in cls.model_fields.items()}

    @classmethod
    def sql(cls) -> list[str]:
        """Return the names of the variables that are pieces of SQL."""
        return [name for name, field in cls.model_fields.items() if "SQL" in field.metadata]


def assignment(name: str, value: Value) -> str:
    """Return a variable as SQLMesh reads it: `currency := 'EUR'`, `by_account := true`."""
    return f"{name} := {literal(value) if isinstance(value, str) else str(value).lower()}"
