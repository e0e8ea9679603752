"""Write the demo exports: `python -m demo`."""

from datetime import timedelta
from pathlib import Path
from typing import Annotated

import typer
import yaml
from rich.console import Console
from rich.progress import track

from demo.write import CLIENTS, DAY_0, write_exports
from pipelines.home import home

MODELS = ("first_touch", "last_touch", "last_non_direct", "linear", "position_based", "time_decay")


def main(
    folder: Annotated[
        Path, typer.Option(help="Where the exports go, one folder a client; from the data's home.")
    ] = Path("exports"),
    day: Annotated[
        int,
        typer.Option(
            min=0,
            help="The last day delivered. 0 is 2026-10-31 with a month of history; each day more"
            " adds files, restates costs and changes opportunities.",
        ),
    ] = 0,
    sessions: Annotated[
        int, typer.Option(min=30, help="Sessions a client has by day 0; everything scales with it.")
    ] = 400,
    client: Annotated[
        list[str] | None,
        typer.Option(
            help=f"Only this client; repeat for more. One of {', '.join(CLIENTS)}. If left out, all"
            " that have a file in clients/."
        ),
    ] = None,
    copies: Annotated[
        int,
        typer.Option(
            min=0,
            help="Instead, make this many clients like acme, bench001 and on, with their settings.",
        ),
    ] = 0,
    per_shard: Annotated[int, typer.Option(min=1, help="Copies that share a warehouse file.")] = 10,
    clients_folder: Annotated[
        Path, typer.Option(help="Where the copies' settings go; from the data's home.")
    ] = Path("clients"),
) -> None:
    """Write what the demo clients export: sessions, opportunities and ad spend, with their dirt.

    The same arguments give the same bytes, on every day and machine.

    To see the next morning: `python -m demo --day 1`.
    """
    for name in client or []:
        if name not in CLIENTS:
            raise typer.BadParameter(f"no demo client '{name}'; use one of {', '.join(CLIENTS)}")
    target = home() / folder
    copied = [f"bench{number:03d}" for number in range(1, copies + 1)]
    names = [*(client or ([] if copies else _with_a_file())), *copied]
    if copies and not target.resolve().is_relative_to(home().resolve()):
        raise typer.BadParameter(f"the copies' settings need a --folder inside {home()}")

    target.mkdir(parents=True, exist_ok=True)
    console = Console(stderr=True)
    files = 0
    for name in track(names, "Writing exports", console=console, transient=True):
        files += len(write_exports(target, day, sessions, [name]))
    for number, name in enumerate(copied):
        settings = _settings(number, name, target, shard=f"s{number // per_shard + 1:02d}")
        _write_settings(home() / clients_folder, name, settings)
    as_of = DAY_0 + timedelta(day)
    console.print(f"{files} files of {len(names)} clients in {folder}, as of {as_of}")


def _with_a_file() -> list[str]:
    """Return the demo's clients that are still there: who took the demo out gets no exports of it."""
    return [name for name in CLIENTS if (home() / "clients" / f"{name}.yaml").exists()]


def _settings(number: int, name: str, folder: Path, shard: str) -> dict:
    """Return acme's sources with another name, shard and model."""
    acme = yaml.safe_load((Path(__file__).parents[1] / "clients" / "acme.yaml").read_text("utf-8"))
    own = (folder.resolve() / name).relative_to(home().resolve()).as_posix()
    for source in acme["sources"].values():
        for export in source.values():
            if isinstance(export, dict) and "files" in export:
                export["files"] = export["files"].replace("exports/acme", own)
    return {
        "name": f"Benchmark {number + 1}",
        "timezone": acme["timezone"],
        "currency": acme["currency"],
        "start": acme["start"],
        "shard": shard,
        "folders": [] if own == f"exports/{name}" else [own],
        "attribution": {"model": MODELS[number % len(MODELS)]},
        "sources": acme["sources"],
    }


def _write_settings(folder: Path, name: str, settings: dict) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    head = "# A client for benchmarks, made by `python -m demo --copies`.\n\n"
    path = folder / f"{name}.yaml"
    path.write_text(head + yaml.safe_dump(settings, sort_keys=False), "utf-8")


if __name__ == "__main__":
    typer.run(main)
