"""Put the settings and models that were promoted before back in force, until the next promotion."""

from datetime import datetime
from typing import NamedTuple

from pipelines.lake.newest_loads import newest_loads
from pipelines.learning.in_force import learnt_versions
from pipelines.learning.later_versions import set_aside_later
from pipelines.ledger.recording import recorded
from pipelines.published import pending_tables
from pipelines.published.shown_again import show_again
from pipelines.published.version_folders import shown_again_by
from pipelines.serving import memory
from pipelines.serving.kept_environments import (
    Kept,
    kept,
    put_back,
    reads_merged_files,
    shown,
)
from pipelines.serving.merging_allowed import is_merged
from pipelines.serving.warehouse import Warehouse, opened
from pipelines.settings.client import Client
from pipelines.settings.reader import ClientError, parse
from pipelines.settings.replaced import (
    Replaced,
    in_force_again,
    put_in_force_again,
    replaced,
)
from pipelines.warehouse_files import WarehouseError


class NoRollback(Exception):
    """A client that cannot be rolled back; the text names it and why."""


class FilesNotWritten(WarehouseError):
    """Other models are in force, and their published files could not be written; the text says why."""


class RolledBack(NamedTuple):
    """What is in force again."""

    settings: Client
    until: datetime  # when the promotion came that took it out of force, UTC
    version: str  # of the published files, as it is shown
    possible_until: datetime | None  # a further rollback, UTC; None where nothing older is kept


def roll_back(client: Client) -> RolledBack:
    """Put what was promoted before back in force: of a client that is rolled back, what was before that.

    The settings are in force from one moment to the next; a command that is ended after it is finished
    by the next morning, or by the same command. Raise NoRollback if there is nothing to go back to,
    WarehouseError if the warehouse is not free, FilesNotWritten if all but the files was done.
    """
    with recorded(client.id, "rollback") as run, opened(client.shard) as warehouse:
        target, models = _target(warehouse, client)
        settings = _settings(client.id, target)
        _check_lake(warehouse, client.id, target)
        memory.doubt(client.id, client.shard)
        pending_tables.promote(client.id)  # if it is ended before the files are written
        put_in_force_again(client.id, target.name)
        settle(warehouse, client.id)
        run.loads, run.models = newest_loads(client.id), learnt_versions(settings)
        version = show_again(client.id, models.published)
        if problem := warehouse.write_files([settings]).get(client.id):
            raise FilesNotWritten(problem)
        memory.forget(client.id, client.shard)
        run.outcome, run.made = "rolled back", {"published": version} if version else {}
        if earlier := version and shown_again_by(client.id, version):
            run.made["shown again"] = earlier
        older = _older(warehouse, client.id)
        return RolledBack(settings, target.at, version, older[1].until if older else None)


def settle(warehouse: Warehouse, client: str) -> None:
    """Have `daily` and `prod` show what a rollback put in force, and models read what they had learnt then."""
    if not (again := in_force_again(client)):
        return
    set_aside_later(client, again.at)
    models = kept(warehouse.context, client, again.name)
    for environment in ("daily", "prod"):
        if models and shown(warehouse.context, client, environment) != models.models:
            put_back(warehouse.context, environment, client, again.name)


def _target(warehouse: Warehouse, client: Client) -> tuple[Replaced, Kept]:
    """Return what a rollback leads to: what it led to before, if it was ended before that was shown."""
    again = in_force_again(client.id)
    unfinished = again and kept(warehouse.context, client.id, again.name)
    if again and unfinished and unfinished.models != shown(warehouse.context, client.id):
        return again, unfinished
    if older := _older(warehouse, client.id):
        return older
    days = f"published_files.keep_days: {client.published_files.keep_days:g}"
    if again:
        raise NoRollback(
            f"{client.id}: what was promoted until {again.at:%Y-%m-%d %H:%M} UTC is in force already, and nothing"
            f" older is kept ({days}); make promote CLIENT={client.id} puts its file in force"
        )
    raise NoRollback(
        f"{client.id}: there is nothing to roll back to: no promotion has replaced what was published, or none"
        f" within the days that are kept ({days})"
    )


def _older(warehouse: Warehouse, client: str) -> tuple[Replaced, Kept] | None:
    """Return the newest that is kept from before what is in force."""
    again, now = in_force_again(client), shown(warehouse.context, client)
    for each in reversed(replaced(client)):
        models = kept(warehouse.context, client, each.name)
        if models and models.models != now and not (again and again.name <= each.name):
            return each, models
    return None


def _check_lake(warehouse: Warehouse, client: str, target: Replaced) -> None:
    """Raise NoRollback if the models would not see all of the lake."""
    if is_merged(client) and not reads_merged_files(warehouse.context, client, target.name):
        raise NoRollback(
            f"{client}: the models of before {target.at:%Y-%m-%d %H:%M} UTC are of a release before 0.13.0, and do"
            " not read what was merged in its lake since: nothing was changed. Write the settings of then into"
            f" clients/{client}.yaml, and make promote CLIENT={client}"
        )


def _settings(client: str, target: Replaced) -> Client:
    try:
        return parse(target.file)
    except ClientError as error:
        raise NoRollback(
            f"{client}: its settings of before {target.at:%Y-%m-%d %H:%M} UTC cannot be used by this release: {error}"
        ) from None
