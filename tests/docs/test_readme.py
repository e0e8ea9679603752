"""Every command in the README runs, in the order of the page, and shows what the page says.

`README=write pytest tests/test_readme.py` writes what the commands show into the page.
"""

import os
import re
import subprocess
from pathlib import Path

import pytest

from tests.builders.checkout import copy_checkout
from tests.conftest import PROJECT

BLOCK = re.compile(r"^```(console|sh)\n(.*?)^```$", re.DOTALL | re.MULTILINE)


def blocks(text: str) -> list[tuple[str, list[tuple[str, str]]]]:
    """Return each block's kind and its (command, output) pairs; `sh` blocks show no output."""
    found = []
    for kind, body in BLOCK.findall(text):
        if kind == "sh":
            found.append((kind, [(body, "")]))
        else:
            parts = re.split(r"^\$ (.*)\n", body, flags=re.MULTILINE)[1:]
            found.append((kind, list(zip(parts[::2], parts[1::2]))))
    return found


def steady(output: str) -> str:
    """Return an output without what differs from day to day and from machine to machine."""
    output = re.sub(r"\x1b\[[0-9;]*m", "", output)
    output = re.sub(r"\d{4}-\d\d-\d\d \d\d:\d\d\b", "2026-11-01 06:00", output)
    lines = [line.rstrip() for line in output.splitlines() if not line.startswith(".venv/bin/")]
    return "\n".join(line for line in lines if line) + "\n" if any(lines) else ""


@pytest.fixture(scope="module")
def clone(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a fresh copy of the project, with the environment of this one."""
    folder = copy_checkout(tmp_path_factory.mktemp("clone") / "project")
    (folder / ".venv").symlink_to(Path(os.environ.get("VIRTUAL_ENV") or PROJECT / ".venv"))
    return folder


@pytest.mark.slow
def test_the_readme_tells_the_truth(clone: Path) -> None:
    page = PROJECT / "README.md"
    text = page.read_text()
    shown = {}
    for kind, commands in blocks(text):
        for command, said in commands:
            if command == "make test\n":
                continue  # this test is a part of it
            done = subprocess.run(
                ["bash", "-ec", command],
                cwd=clone,
                env={key: os.environ[key] for key in ("PATH", "HOME")} | {"LC_ALL": "C.UTF-8"},
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
            )
            output = steady(done.stdout)
            if kind == "sh":
                assert done.returncode == 0, f"{command}\n{done.stdout}"
            elif os.environ.get("README") == "write":
                shown[len(shown)] = f"$ {command}\n{output}"
            else:
                assert output == steady(said), f"$ {command}\n{done.stdout}"
    if shown:
        outputs = iter(shown.values())
        page.write_text(
            BLOCK.sub(
                lambda block: (
                    block[0]
                    if block[1] == "sh"
                    else "```console\n"
                    + "".join(next(outputs) for _ in re.findall(r"^\$ ", block[2], re.MULTILINE))
                    + "```"
                ),
                text,
            )
        )


def test_every_table_has_its_question() -> None:
    text = (PROJECT / "README.md").read_text()
    for model in (PROJECT / "models/publish").glob("*.sql"):
        assert f"_publish.{model.stem}`" in text
