"""The commands that change by which models a client's credit is given: train, preview, promote."""

from contextlib import suppress
from datetime import timedelta
from typing import Annotated

import typer

from pipelines.commands import change_tables, results, screen
from pipelines.commands.chosen_clients import Chosen, end, one, stop, turn_or_stop, usable
from pipelines.commands.warnings import tell_of_rereads
from pipelines.explaining.compared_campaigns import compared_versions
from pipelines.explaining.setting_changes import SettingChange, setting_changes
from pipelines.published.version_folders import PublishedFileError, current
from pipelines.settings.client import Client
from pipelines.settings.reader import keep, named_by_files, promoted_settings, read
from pipelines.settings.replaced import replaced


def train(client: Chosen) -> None:
    """Train a client's models that learn on its published paths, and show what they have learnt.

    Credit given so far stays as it is; what is revised from now on goes by the new versions.
    """
    from pipelines.attribution.learned_models import LEARNED_MODELS
    from pipelines.learning import training
    from pipelines.learning.learners import learners
    from pipelines.learning.published import published

    chosen = one(client)
    if not learners(chosen):
        raise stop(
            f"{client} asks for no model that learns; in clients/{client}.yaml, set"
            f" attribution.model or attribution.compare to one of {', '.join(LEARNED_MODELS)}"
        )
    try:
        with published(chosen) as connection:
            if not connection:
                raise stop(f"{client} has no published paths to learn from yet; run make daily")
            lessons = training.train(connection, chosen, training.utc_now())
    except training.TrainingError as error:
        raise stop(str(error)) from None
    for lesson in lessons:
        results.show_lesson(client, lesson)


Whole = Annotated[
    bool, typer.Option("--campaigns", help="Show all campaigns that move, not only the first ten.")
]


def preview(client: Chosen, campaigns: Whole = False) -> None:
    """Build a client's change in `dev`, and print which settings changed and what that does.

    Shown are spend, credit, revenue, CPA and ROAS by channel, in total, and by each campaign that moves,
    in `prod`, in `dev`, and the differences. Nothing that is published changes. Edit clients/CLIENT.yaml,
    preview, then promote.
    """
    from sqlmesh.utils.errors import PlanError

    from pipelines.learning.training import TrainingError
    from pipelines.serving import promotion

    (chosen,), problems = usable([client], as_filed=True)
    if problems:
        raise stop(f"{client}: not previewed, `prod` keeps what it has; correct its file first")
    try:
        with turn_or_stop("make preview"):
            shifts = promotion.preview(chosen)
    except promotion.LoadsWait as error:
        raise stop(f"{client}: not previewed: {error}") from None
    except PlanError as error:
        raise stop(f"{client}: the change does not pass\n{error}") from None
    except TrainingError as error:
        raise stop(str(error)) from None
    if shifts is None:
        screen.say(client, "not in `prod` yet; the next make daily publishes it if it passes")
    elif not shifts:
        screen.say(client, "nothing to compare, the models in `prod` are as its file says")
    else:
        change_tables.show_setting_changes(client, _changed_settings(chosen))
        results.show_learnt(promotion.learnt(chosen))
        results.show_excluded(client, promotion.excluded(chosen))
        names = ("prod", "dev")
        change_tables.show_comparison(client, shifts, chosen.currency, names, campaigns)
        screen.say(client, f"promote it with `make promote CLIENT={client}`")
    tell_of_rereads(chosen)


def _changed_settings(client: Client) -> list[SettingChange]:
    """Return what a client's file says otherwise than what is promoted; nothing if nothing is."""
    promoted = promoted_settings(client.id)
    return setting_changes(promoted, client) if promoted else []


def promote(
    clients: Annotated[
        list[str] | None, typer.Argument(help="The clients; all that have a file, if left out.")
    ] = None,
    campaigns: Whole = False,
) -> None:
    """Bring each client's change into `daily` and `prod`, if its audits pass; retire one without a file.

    Of each that changes it prints which settings did, and what that does to channels and campaigns. A
    retired client's views go, its lake stays. The exit status is 1 if a client does not pass: it
    keeps what it had, the others are promoted.
    """
    found, problems = read(as_filed=True)
    results.show_problems(problems)
    for client in found:
        keep(client)
    settings = {client.id: client for client in found}
    for problem in problems:
        settings.pop(problem.client, None)
    chosen = clients or [client.id for client in found]
    gone = [client for client in chosen if client not in named_by_files()]
    with turn_or_stop("make promote"):
        passed = [
            _promote(each, settings.get(each), campaigns) for each in chosen if each not in gone
        ]
        end(not all([*passed, not gone or _retire(gone)]))


def _promote(client: str, settings: Client | None, is_whole: bool) -> bool:
    """Promote a client that has a file; return whether it passed, and show why not."""
    from sqlmesh.utils.errors import PlanError

    from pipelines.learning.training import TrainingError
    from pipelines.serving import promotion
    from pipelines.warehouse_files import WarehouseError

    if not settings:
        screen.warn(client, "not promoted, `prod` keeps what it has; correct its file first")
        return False
    before, new_settings = _shown(client), _changed_settings(settings)
    try:
        changed = promotion.promote(settings)
    except promotion.FilesNotWritten as error:
        screen.warn(client, f"promoted, but {error}")
        return False
    except (PlanError, TrainingError, WarehouseError) as error:
        screen.warn(client, f"not promoted, it keeps what it had\n{error}")
        return False
    if changed and before:
        _show_promoted(settings, before, new_settings, is_whole)
        _show_way_back(settings)
    screen.say(client, "promoted" if changed else "already as its file says")
    tell_of_rereads(settings)
    return True


def _shown(client: str) -> str | None:
    """Return the version that is shown of a client, if there is one that can be read."""
    with suppress(PublishedFileError):
        return shown.version if (shown := current(client)) else None
    return None


def _show_promoted(
    client: Client, before: str, changed: list[SettingChange], is_whole: bool
) -> None:
    """Show which settings a promotion brought, and what the version it wrote does to campaigns."""
    change_tables.show_setting_changes(client.id, changed)
    with suppress(PublishedFileError):  # the version before was pruned as this one was written
        after = _shown(client.id) or before
        campaigns = compared_versions(client.id, before, after)
        names = ("before", "after")
        change_tables.show_comparison(client.id, campaigns, client.currency, names, is_whole)


def _show_way_back(client: Client) -> None:
    """Show until when what a promotion replaced is kept."""
    if kept := replaced(client.id):
        until = kept[-1].at + timedelta(days=client.published_files.keep_days)
        screen.say(
            client.id,
            f"make rollback CLIENT={client.id} takes it back, until {until:%Y-%m-%d %H:%M} UTC",
        )


def _retire(clients: list[str]) -> bool:
    """Retire clients without a file; return whether they are, and show why not."""
    from sqlmesh.utils.errors import PlanError

    from pipelines.serving.retirement import RetirementError, retire

    try:
        retire(clients)
    except (PlanError, RetirementError) as error:
        screen.fail(str(error))
        return False
    for client in clients:
        screen.say(client, "retired; its lake stays")
    return True
