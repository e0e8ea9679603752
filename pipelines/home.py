"""Say where data lives: clients, exports, lake and warehouse share one home."""

import os
from pathlib import Path


def home() -> Path:
    """Return the folder that holds the data: ATTRIBUTION_HOME, or where the command runs.

    config.yaml says the same. Macros take this function into the models that they make, so it uses
    nothing but the standard library.
    """
    return Path(os.environ.get("ATTRIBUTION_HOME") or os.getcwd())


def clients_folder() -> Path:
    """Return the folder of client settings."""
    return home() / "clients"


def lake_folder() -> Path:
    """Return the folder of the raw log."""
    return home() / "lake"


def warehouse_folder() -> Path:
    """Return the folder of the warehouse files, one a shard."""
    return home() / "warehouse"


def published_folder() -> Path:
    """Return the folder of the published files, which outsiders read."""
    return home() / "published"


def settled_folder() -> Path:
    """Return the folder of what published files were made of, for the product's user alone."""
    return home() / "settled"


def runs_folder() -> Path:
    """Return the folder of the ledger of runs, a file a day."""
    return home() / "runs"


def stream_folder() -> Path:
    """Return the folder that says of each client how its CRM is followed between mornings."""
    return home() / "stream"


def project_folder() -> Path:
    """Return the folder of the code: the checkout with `models/` and `config.yaml`."""
    return Path(__file__).parent.parent
