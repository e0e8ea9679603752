"""Restate models, as an operator does with `sqlmesh plan <environment> --restate-model`."""

from datetime import date

from sqlmesh import Context

from pipelines.home import project_folder


def restate(environment: str, models: str, start: date | None = None) -> None:
    """Compute models and what is downstream of them anew, from a day on or from their start."""
    context = Context(paths=str(project_folder()))
    context.plan(
        environment,
        start=start,
        restate_models=[models],
        skip_tests=True,
        auto_apply=True,
        no_prompts=True,
    )
    context.close()
