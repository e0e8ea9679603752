"""The contracts are the one list of sources and tables: all that is kept beside them agrees."""

import re
from types import NoneType
from typing import get_args

import duckdb
import pytest

from pipelines.contracts.catalog import CONTRACTS, sources_of, tables
from pipelines.contracts.contract import SQL_TYPES
from pipelines.contracts.types import MADE, sql_type
from pipelines.settings.apis import SalesforceTable
from pipelines.settings.base import Settings
from pipelines.settings.exports import Export
from pipelines.settings.sources import Ads, Sources
from pipelines.sources.deliveries import PLATFORMS
from tests.builders.checkout import PROJECT

STAGING = {file.stem: file.read_text() for file in (PROJECT / "models/staging").glob("*.sql")}


def settings_of(source: str) -> type[Settings]:
    """Return the class of a source's settings."""
    return next(one for one in get_args(Sources.model_fields[source].annotation) if one != NoneType)


def test_every_source_has_settings_and_every_setting_a_source() -> None:
    assert sorted(Sources.model_fields) == sorted([*CONTRACTS, "ads"])


@pytest.mark.parametrize("source", CONTRACTS)
def test_every_table_can_be_exported_and_every_export_is_a_table(source: str) -> None:
    exported = [
        name
        for name, field in settings_of(source).model_fields.items()
        if Export in (field.annotation, *get_args(field.annotation))
    ]
    assert sorted(exported) == sorted(CONTRACTS[source])


@pytest.mark.parametrize("source", CONTRACTS)
def test_a_source_with_an_api_has_a_module_that_asks_it(source: str) -> None:
    assert ("api" in settings_of(source).model_fields) == (source in PLATFORMS)
    if source in PLATFORMS:
        assert PLATFORMS[source].DELIVERY in ("increment", "days", "full")
        assert callable(PLATFORMS[source].fetch) and callable(PLATFORMS[source].missing)


def test_an_org_can_be_asked_for_every_table() -> None:
    assert sorted(get_args(SalesforceTable)) == sorted(CONTRACTS["salesforce"])


def test_every_source_with_settings_of_ads_is_staged_as_spend() -> None:
    ads = [source for source in CONTRACTS if issubclass(settings_of(source), Ads)]
    assert ads == sources_of("stg_ad_spend")


def test_every_table_has_a_staging_model_and_every_model_a_table() -> None:
    taken = {contract.staged_by for _, _, contract in tables()}
    assert taken == STAGING.keys() - {"stg_load_counts"}


@pytest.mark.parametrize(("source", "table", "contract"), tables())
def test_an_optional_model_is_enabled_by_its_flag(source: str, table: str, contract) -> None:
    enabled = re.findall(r"^  enabled @(\w+),$", STAGING[contract.staged_by], re.MULTILINE)
    assert enabled == [contract.flag] * contract.is_optional


def test_a_column_has_one_type_by_its_name() -> None:
    types = [
        (name, column.type)
        for *_, contract in tables()
        for name, column in contract.columns.items()
    ]
    assert len(set(types) | set(MADE.items())) == len(dict(types) | MADE)


@pytest.mark.parametrize("name", SQL_TYPES.values())
def test_a_type_is_one_of_duckdb(name: str) -> None:
    assert duckdb.sql(f"SELECT NULL::{name} AS value").types[0] == duckdb.type(name)


def test_a_column_without_a_type_is_named() -> None:
    assert sql_type("revenue") == "DECIMAL(18, 6)"
    with pytest.raises(ValueError, match="the type of the column shoe_size is not known; add it"):
        sql_type("shoe_size")
