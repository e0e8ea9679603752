"""The commands behind the Makefile: `python -m pipelines --help`.

What is heavy, as SQLMesh and dlt, is imported by the commands that need it.
"""

from collections.abc import Callable

import typer

from pipelines.commands import screen
from pipelines.commands.data_changes import accept, backfill, reread, withdraw
from pipelines.commands.erasing_persons import erase
from pipelines.commands.every_day import daily, ingest
from pipelines.commands.explanations import changes, explain, replay
from pipelines.commands.following import stream
from pipelines.commands.inspection import blueprint, export, status
from pipelines.commands.model_changes import preview, promote, train
from pipelines.commands.proposals import doctor
from pipelines.commands.rebuilt_client import rebuild
from pipelines.commands.shown_version import rollback
from pipelines.commands.watching import watch

app = typer.Typer(
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    help="Ingest what clients deliver, serve every client's morning, preview and promote changes.",
    epilog="A client is a file, clients/CLIENT.yaml; each command names what is wrong with one, and"
    " serves the others. `make` alone lists the same commands with what they need installed.",
)

_COMMANDS: dict[str, tuple[Callable[..., None], ...]] = {
    "Every day": (daily, ingest, stream, watch),
    "To read": (status, explain, changes, replay, blueprint, export),
    "When something changes": (
        doctor,
        backfill,
        accept,
        reread,
        withdraw,
        erase,
        train,
        preview,
        promote,
        rollback,
        rebuild,
    ),
}
for panel, commands in _COMMANDS.items():
    for command in commands:
        app.command(rich_help_panel=panel)(command)

_INTERRUPTED = 130  # the exit status of a command that Ctrl-C ended


def main() -> None:
    """Run the command; what the operator alone can mend is said in a line."""
    try:
        app(prog_name="python -m pipelines")
    except SystemExit as end:
        if end.code == _INTERRUPTED:
            screen.fail("interrupted: what was committed and published stays; run it again")
        raise
    except Exception as error:
        from pipelines.disk import disk_problem
        from pipelines.warehouse_files import WarehouseError

        if not (line := str(error) if isinstance(error, WarehouseError) else disk_problem(error)):
            raise
        screen.fail(line)
        raise SystemExit(1) from None


if __name__ == "__main__":
    main()
