"""Say which sources a client may have something of in the lake."""

from pipelines.contracts.ad_platforms import found_in
from pipelines.contracts.catalog import CONTRACTS
from pipelines.home import lake_folder


def client_sources(client: str) -> list[str]:
    """Return every source of the contracts, and the client's own ad platforms, also those that it left."""
    return list(dict.fromkeys([*CONTRACTS, *found_in(lake_folder() / client)]))
