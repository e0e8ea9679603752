"""Clients whose models are rendered once for all tests of the fast path."""

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.builders.prepared_clients import Prepared, prepare
from tests.conftest import House


@pytest.fixture(scope="package")
def home_of_clients(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the home of these clients."""
    return tmp_path_factory.mktemp("fast_path")


@pytest.fixture(scope="package")
def clients(home_of_clients: Path) -> dict[str, Prepared]:
    """Return the clients."""
    return prepare(home_of_clients)


@pytest.fixture
def fresh(clients: dict[str, Prepared], home_of_clients: Path) -> Callable[[str], Prepared]:
    """Return a function that begins a client anew: nothing loaded, nothing published."""
    House(home_of_clients).enter()
    return lambda name: clients[name].begin()
