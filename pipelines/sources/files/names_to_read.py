"""Say by which names an export's columns are read: those of the client's file, of a format, and our own."""

from collections.abc import Iterable

from pipelines.contracts.contract import Contract
from pipelines.settings.column_expressions import names_in
from pipelines.settings.conditions import columns_of
from pipelines.settings.exports import Export
from pipelines.settings.ready_made import formats, names_of
from pipelines.sources.files import event_formats
from pipelines.sources.files.url_values import url_column
from pipelines.sources.files.wanted_names import Wanted


def wanted(export: Export, contract: Contract) -> Wanted:
    """Return the names of the columns that are worth reading."""
    if export.is_ready_made:
        return _of_ready_made(export, contract)
    if export.is_of_events:
        return event_formats.wanted(export, contract)
    compared = columns_of(export.where) if export.where else set()
    compared |= columns_of(export.apart) if export.apart else set()
    named = {*export.properties.values()} | compared
    named = named.union(*map(_parts, export.columns.values()))
    asked = {name: _parts(export.names(name)) for name in delivered(contract)}
    needed = {
        name
        for column, names in asked.items()
        if not contract.columns[column].optional
        for name in names
    }
    money = {
        name
        for column, names in asked.items()
        if contract.columns[column].is_money
        for name in names
    }
    names = named.union(*asked.values())
    return Wanted(
        _with_addresses(names),
        _with_addresses(named),
        {name for name in needed | named if "?" not in name},  # it may be what a query says
        _with_addresses(needed | money | compared),
    )


def _of_ready_made(export: Export, contract: Contract) -> Wanted:
    """Return the names of a ready-made format: of each column that must be there, one of its names."""
    form = formats()[str(export.format)]
    own = {name for names in export.columns.values() for name in names}
    needed = [name for name, each in contract.columns.items() if each.required]
    called = {
        column: names_of(readings)
        for column, readings in form.columns(contract).items()
        if column not in export.columns
    }
    choices = [called[name] for name in dict.fromkeys((*needed, *form.needs)) if name in called]
    return Wanted(form.names() | own, own, own, own.union(*called.values()), tuple(choices))


def _parts(names: Iterable[str]) -> set[str]:
    """Return the names of an export's columns that are read where these stand under `columns:`."""
    return set[str]().union(*map(names_in, names))


def _with_addresses(names: set[str]) -> set[str]:
    """Return names with the columns of the addresses in which some are looked for."""
    return names | set(map(url_column, names))


def delivered(contract: Contract) -> list[str]:
    """Return the columns that an export delivers as such."""
    return [name for name, column in contract.columns.items() if not column.gathered]
