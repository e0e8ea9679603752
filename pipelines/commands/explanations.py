"""The commands that say why numbers are as they are, and why they moved: explain, changes, replay."""

from datetime import datetime
from enum import StrEnum
from typing import Annotated

import typer

from pipelines.commands import answers, replayed_numbers, screen
from pipelines.commands.chosen_clients import Chosen, one, stop
from pipelines.commands.model_progress import watched
from pipelines.settings.client import Client


def explain(
    client: Chosen,
    conversion: Annotated[
        str, typer.Option(help="The conversion, by its `conversion_id` in attribution_v1.")
    ],
) -> None:
    """Show what is behind one conversion's numbers: touches, weights, credit, model, loads, version.

    It says, too, why a conversion has no credit: not won or taken back, left out by `exclude:`, of a type
    that is not counted, or with touchpoints outside the lookback only; whose row is in quarantine, or came
    after the version that is shown. It reads the published files and the lake, and waits for nobody. The
    exit status is 1 if nobody knows the conversion; ids that are like it are named.
    Such as: `python -m pipelines explain acme --conversion deal-000003`.
    """
    from pipelines.explaining.conversion import ExplainError
    from pipelines.explaining.conversion import explain as explained
    from pipelines.published.version_folders import PublishedFileError

    chosen = one(client)
    try:
        answers.show_explanation(explained(chosen, conversion))
    except ExplainError as error:
        raise stop(str(error)) from None
    except PublishedFileError as error:
        raise stop(f"{client}: {error}") from None


Moment = ["%Y-%m-%d", "%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S", "%Y-%m-%dT%H:%M:%S.%f"]


def changes(
    client: Chosen,
    since: Annotated[
        datetime, typer.Option(formats=Moment, help="UTC: what was shown then is compared.")
    ],
    campaigns: Annotated[
        bool, typer.Option("--campaigns", help="Show each campaign, not only channels.")
    ] = False,
) -> None:
    """Tell why published numbers moved since then: by cause, by channel, in total, to the cent.

    Causes are new, won, reopened, deleted and revised conversions, exchange rates, late, revised and
    deleted touches, identities, training, promotions, and new, restated and deleted spend. The sums of
    the causes are exactly what the numbers moved by. It compares the versions that were kept, which
    `published_files.keep_days` limits, and waits for nobody. A day means its beginning.
    Such as: `python -m pipelines changes acme --since 2026-11-26`, or `--since 2026-11-26T08:00`.
    """
    from pipelines.explaining.number_changes import changes as told
    from pipelines.explaining.steps import GoneVersion
    from pipelines.published.version_folders import PublishedFileError

    chosen = one(client)
    try:
        answers.show_changes(told(chosen, since, campaigns), since)
    except GoneVersion as error:
        raise stop(str(error)) from None
    except PublishedFileError as error:
        raise stop(f"{client}: {error}") from None


class Model(StrEnum):
    """By which settings a replay goes."""

    THEN = "then"
    NOW = "now"


def replay(
    client: Chosen,
    as_of: Annotated[
        datetime, typer.Option(formats=Moment, help="UTC: what was shown then is shown again.")
    ],
    campaigns: Annotated[
        bool, typer.Option("--campaigns", help="Show each campaign, not only channels.")
    ] = False,
    model: Annotated[
        Model, typer.Option(help="By the settings of then, or the loads of then by today's: now.")
    ] = Model.THEN,
    computed: Annotated[
        bool, typer.Option("--computed", help="Compute them, although files were kept.")
    ] = False,
) -> None:
    """Show the numbers that were published then: from the files that were kept, or computed again.

    Files are kept as long as `published_files:` in the client's file says. Where they are gone, the numbers
    are computed from the loads that were read then, by the settings and learnt versions of then, which the
    ledger of runs notes with each published version. With `--model now`, today's settings and what is learnt
    by now give credit for the loads of then. It says what it shows, and what of then could not be had.

    It computes in a private folder under `.cache/`, with 2 GB of memory for DuckDB at most: what outsiders
    read and the warehouse stay as they are, and nobody waits. A day means its beginning.
    Such as: `python -m pipelines replay acme --as-of 2026-11-26T08:00 --model now`.
    """
    from pipelines.explaining.replay import replay as replayed
    from pipelines.explaining.steps import GoneVersion
    from pipelines.published.version_folders import PublishedFileError

    chosen = one(client)
    if computed or model == Model.NOW:
        _compute(chosen, as_of, model, campaigns)
        return
    try:
        found = replayed(chosen, as_of)
    except GoneVersion as error:
        screen.tell(f"{error}: computing it")
        _compute(chosen, as_of, model, campaigns)
    except PublishedFileError as error:
        raise stop(f"{client}: {error}; --computed computes it") from None
    else:
        replayed_numbers.show_kept(chosen, as_of, found, campaigns)


def _compute(client: Client, as_of: datetime, model: Model, campaigns: bool) -> None:
    from pipelines.explaining.steps import GoneVersion
    from pipelines.serving.replaying import ReplayError, recompute

    try:
        with watched(client.id) as watch:
            found = recompute(client, as_of, model == Model.NOW, watch)
    except (GoneVersion, ReplayError) as error:
        raise stop(str(error)) from None
    replayed_numbers.show_recomputed(found, as_of, model == Model.NOW, campaigns)
