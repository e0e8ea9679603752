"""The list of clients, for `blueprints @clients()`: one model per client and file."""

import hashlib
import os
import time

from sqlmesh import macro

from pipelines.home import clients_folder, home, lake_folder


@macro()
def clients(evaluator):
    """Return the settings of each client of the shard in use, as blueprint variables.

    `(client := acme, currency := 'EUR', …)`. A model's version holds only those that it uses,
    so an edit of one setting rebuilds the models of one client that read it, and no other.
    """
    from pipelines.blueprints.blueprint import (
        blueprints,  # here, or every model would carry its source
    )

    return blueprints()


def _tell_the_cache() -> None:
    """Make SQLMesh see an edit, an addition and a removal in `clients/`, and a model's first version.

    It keeps loaded models until a file it watches is newer, and watches macros, not settings: so
    this file is as old as the settings of this home are known, whoever loaded others meanwhile.
    """
    cache = home() / ".cache"
    digest = hashlib.sha256()
    for file in sorted(clients_folder().glob("*.yaml")):
        digest.update(file.name.encode() + b"\0" + file.read_bytes() + b"\0")
    for learnt in sorted(lake_folder().glob("*/_models/*")):
        first = min((file.name for file in learnt.glob("*.parquet")), default="")
        digest.update(f"{learnt.parts[-3:]} {first}".encode())
    seen = cache / "clients.sha256"
    known, _, since = seen.read_text().partition(" ") if seen.exists() else ("", "", "")
    if known != digest.hexdigest() or not since:
        since = str(time.time_ns())
        cache.mkdir(exist_ok=True)
        seen.write_text(f"{digest.hexdigest()} {since}")
    os.utime(__file__, ns=(int(since), int(since)))


_tell_the_cache()
