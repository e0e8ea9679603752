"""The list of clients, for `blueprints @clients()`: one model per client and file."""

from sqlmesh import macro

from pipelines.blueprints.loading import load_by_client, rebuild_what_reads_a_change


@macro()
def clients(evaluator):
    """Return the settings of each client of the shard in use, as blueprint variables.

    `(client := acme, currency := 'EUR', …)`. A model's version holds only those that it uses,
    so an edit of one setting rebuilds the models of one client that read it, and no other.
    """
    from pipelines.blueprints.loading import wanted  # here, or every model would carry its source

    return wanted(evaluator._path)


load_by_client()
rebuild_what_reads_a_change()
