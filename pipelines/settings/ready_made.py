"""Know what downloads of the platforms' own pages are like: their names of our columns, by language.

A format is a file in `formats/`: data, no code. What it says that holds whatever a header is, such as a unit or
which rows count, stands in `settings` and is taken for the client's own; a client's line goes before it.
Which columns a file has is told by its header: see `pipelines/sources/files/ready_made_columns.py`.
"""

import re
from functools import cache
from pathlib import Path
from typing import Annotated, Any, Literal

import yaml
from pydantic import BeforeValidator, Field

from pipelines.contracts.catalog import CONTRACTS
from pipelines.contracts.contract import Contract
from pipelines.settings.base import Settings
from pipelines.settings.currencies import minor_digits

_FOLDER = Path(__file__).parent / "formats"
_CODE = "{currency}"  # in a name: a currency's code


def _listed(written: Any) -> Any:
    return (written,) if isinstance(written, str) else tuple(written)


Language = Literal["en", "de"]
Names = Annotated[tuple[str, ...], BeforeValidator(_listed)]
ByLanguage = dict[Language, Names]


class ReadyMade(Settings):
    """What the exports of one page of a platform are like."""

    tables: dict[str, dict[str, list[ByLanguage]]] = Field(
        description="By table that is read from them, as `google_ads.spend`, and by column of ours: its names, or SQL over"
        " them. The first of several readings that a header has counts."
    )
    seen: Names = Field(description="Where the names were seen, for whoever mends them.")
    download: dict[Language, str] = Field(description="What to download, and with which columns.")
    needs: Names = Field(
        (), description="Columns of ours that must be there, beside those of every row."
    )
    parts: ByLanguage = Field(
        {}, description="Columns by which a report is finer, and adds up all the same."
    )
    never: ByLanguage = Field({}, description="Columns by which a report does not add up.")
    days: dict[Language, Annotated[list[Names], Field(min_length=2, max_length=2)]] = Field(
        {},
        description="Where a row's period begins and ends: one that is read by its beginning must be a day.",
    )
    stages: ByLanguage = Field({}, description="Stages of deals that are neither won nor lost.")
    sheet: str = Field(
        "", description="Sheet of a workbook that is read where several have the columns."
    )
    settings: dict[str, Any] = Field(
        {}, description="What holds of an export, as the client's file writes it."
    )

    def names(self) -> set[str]:
        """Return all names that matter, whatever the language."""
        found = {name for names in (*self.parts.values(), *self.never.values()) for name in names}
        found |= {name for pair in self.days.values() for names in pair for name in names}
        found = {each for name in found for each in _with_codes(name)}
        readings = [each for columns in self.tables.values() for each in columns.values()]
        return found.union(*map(names_of, readings))

    def columns(self, contract: Contract) -> dict[str, list[ByLanguage]]:
        """Return the names of the columns of one table."""
        for place, columns in self.tables.items():
            source, _, table = place.partition(".")
            if CONTRACTS[source][table].staged_by == contract.staged_by:
                return columns
        return {}


def names_of(readings: list[ByLanguage]) -> set[str]:
    """Return all names of a column of ours, whatever the language."""
    found = {name for each in readings for names in each.values() for name in names}
    return {each for name in found for part in names_in(name) for each in _with_codes(part)}


def names_in(written: str) -> list[str]:
    """Return the columns that are read by a name, or by SQL, which has them in double quotes."""
    return re.findall('"([^"]+)"', written) or [written]


def currency_in(written: str, name: str) -> str:
    """Return the currency that a header's name has in the place of `{currency}`; nothing if there is none."""
    before, found, after = written.partition(_CODE)
    code = name[len(before) : len(name) - len(after)] if found else ""
    return code.upper() if code.upper() in minor_digits() else ""


def _with_codes(name: str) -> list[str]:
    """Return a name with each currency in its place: `Cost (EUR)`, `Cost (USD)`, … of `Cost ({currency})`."""
    return [name.replace(_CODE, code) for code in minor_digits()] if _CODE in name else [name]


def check_format(name: str, source: str, table: str, place: str) -> None:
    """Raise ValueError if a format is of another table; the text names those that are of this one."""
    if f"{source}.{table}" in formats()[name].tables:
        return
    others = [each for each, form in formats().items() if f"{source}.{table}" in form.tables]
    known = f"use one of {', '.join(others)}, or leave it out" if others else "leave it out"
    raise ValueError(
        f"{place}.format: {name} is of {' and '.join(formats()[name].tables)}; {known}, and name its columns under `columns:`"
    )


@cache
def formats() -> dict[str, ReadyMade]:
    """Return each ready-made format by its name."""
    return {file.stem: _read(file) for file in sorted(_FOLDER.glob("*.yaml"))}


def _read(file: Path) -> ReadyMade:
    return ReadyMade.model_validate(yaml.safe_load(file.read_text(encoding="utf-8")))
