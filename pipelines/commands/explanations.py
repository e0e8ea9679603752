"""The commands that say why numbers are as they are: explain."""

from typing import Annotated

import typer

from pipelines.commands import answers
from pipelines.commands.chosen_clients import Chosen, one, stop


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
