"""Turn the clients' settings into the variables that SQL models are made of."""

import os
from typing import NamedTuple

from pipelines.blueprints.credit import Credit, credit
from pipelines.blueprints.deals import Deals, deals
from pipelines.blueprints.general import General, general
from pipelines.blueprints.ihc_variables import Ihc, ihc
from pipelines.blueprints.journey_variables import Journeys, journeys
from pipelines.blueprints.learning_variables import Learning, learning_variables
from pipelines.blueprints.reporting import Reporting, reporting
from pipelines.blueprints.staging import Staging, staging
from pipelines.blueprints.variables import assignment
from pipelines.home import clients_folder
from pipelines.settings.client import Client
from pipelines.settings.conversions import rules, with_every_model
from pipelines.settings.reader import read
from pipelines.sql import identifier


class Blueprint(NamedTuple):
    """One client's variables, by who reads them; `make blueprint CLIENT=acme` prints them."""

    general: General
    staging: Staging
    journeys: Journeys
    deals: Deals
    credit: Credit
    learning: Learning
    ihc: Ihc
    reporting: Reporting


def blueprints() -> dict[str, str]:
    """Return the variables of every client of the shard in use, as SQLMesh reads them, by client.

    A broken client file is named and runs on what was promoted; one that is rolled back is read all the
    same, as it waits to be previewed and promoted. Raise ValueError without any
    usable client: SQLMesh would take that for a project without models, and drop every view.
    """
    from sqlmesh.core.console import get_console  # here: it loads all of SQLMesh

    chosen, problems = read(os.environ.get("SHARD", "home"), as_filed=True)
    for problem in problems:
        get_console().log_warning(str(problem))
    if not chosen:
        raise ValueError(
            f"no usable client in {clients_folder()}; start from a copy of docs/reference.yaml"
        )
    return {client.id: blueprint(client) for client in chosen}


def blueprint(client: Client) -> str:
    """Return one client's blueprint variables, as SQLMesh reads them.

    The name is quoted: a client may be called `select` or `null`.
    """
    variables = {
        name: value for group in groups(client) for name, value in group.variables().items()
    }
    assignments = [assignment(name, value) for name, value in variables.items()]
    return f"(client := {identifier(client.id)}, {', '.join(assignments)})"


def groups(client: Client) -> Blueprint:
    """Return one client's blueprint variables.

    Every type of conversions is credited by every model that any type asks for.
    """
    types = rules(client.conversions, client.attribution)
    attribution = with_every_model(client.conversions, client.attribution)
    return Blueprint(
        general=general(client),
        staging=staging(client, attribution),
        journeys=journeys(client, types),
        deals=deals(attribution),
        credit=credit(attribution, types),
        learning=learning_variables(client.id, attribution),
        ihc=ihc(client.id, attribution),
        reporting=reporting(client, types),
    )
