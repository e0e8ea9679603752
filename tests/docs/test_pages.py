"""Every command of the pages runs, in the order of the pages, and shows what the page says.

`PAGES=write pytest -n 0 tests/docs/test_pages.py` writes what the commands show into the pages.
"""

import os
import re
import subprocess
from pathlib import Path

import pytest
import yaml

from pipelines.settings.client import Client
from tests.builders.checkout import PROJECT, copy_checkout
from tests.docs.pages import YAML, Command, commands, shown_part, steady, with_outputs

# In this order, in one clone: a page goes on where the one before ended.
IN_ORDER = (
    *("README.md", "docs/explaining.md", "docs/alerts.md", "docs/tutorial.md", "docs/clients.md"),
    *("docs/operations.md", "docs/platforms.md", "docs/doctor.md"),
)
ALL = sorted(path.relative_to(PROJECT).as_posix() for path in PROJECT.glob("docs/*.md"))
LINK = re.compile(r"\]\((?!https?:)([^)#]+)")
LEFT_OUT = ("make test\n",)  # this test is a part of it


class Clone:
    """A fresh copy of the project in which the pages are read, with the environment of this one."""

    def __init__(self, folder: Path) -> None:
        self.folder = copy_checkout(folder)
        (folder / ".venv").symlink_to(Path(os.environ.get("VIRTUAL_ENV") or PROJECT / ".venv"))
        self._read: list[str] = []

    def read(self, page: str, run_all_before: bool = True) -> list[tuple[Command, str]]:
        """Run the commands of a page, after those of the pages before it; return each output."""
        for earlier in IN_ORDER[: IN_ORDER.index(page)] if run_all_before else ():
            if earlier not in self._read:
                self.read(earlier, run_all_before=False)
        self._read.append(page)
        wanted = commands((PROJECT / page).read_text())
        return [(each, self.run(each)) for each in wanted if each.text not in LEFT_OUT]

    def run(self, command: Command) -> str:
        """Run a command as a reader would type it; one that shows no output must end well."""
        done = subprocess.run(
            ["bash", "-ec", command.text],
            cwd=self.folder,
            env={key: os.environ[key] for key in ("PATH", "HOME")} | {"LC_ALL": "C.UTF-8"},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        if command.output is None:
            assert done.returncode == 0, f"{command.text}\n{done.stdout}"
        return steady(done.stdout)


@pytest.fixture(scope="module")
def clone(tmp_path_factory: pytest.TempPathFactory) -> Clone:
    """Return the clone that all pages share."""
    return Clone(tmp_path_factory.mktemp("clone") / "project")


@pytest.mark.slow
@pytest.mark.xdist_group("pages")
@pytest.mark.parametrize("page", IN_ORDER)
def test_a_page_shows_what_its_commands_print(clone: Clone, page: str) -> None:
    done = clone.read(page)
    if os.environ.get("PAGES") == "write":
        outputs = iter(
            shown_part(printed, each.output) for each, printed in done if each.output is not None
        )
        path = PROJECT / page
        path.write_text(with_outputs(path.read_text(), lambda _: next(outputs)))
        return
    for each, printed in done:
        if each.output is not None:
            assert shown_part(printed, each.output) == each.output, f"$ {each.text}"


def test_outputs_are_written_beside_their_commands() -> None:
    page = "```console\n$ a\nold\n$ b\n```\nText\n```sh\nc\n```\n"
    written = "```console\n$ a\nA\n$ b\nB\n```\nText\n```sh\nc\n```\n"
    assert with_outputs(page, lambda each: f"{each.text.upper()}\n") == written
    assert list(commands(written)) == [
        Command("a", "A\n"),
        Command("b", "B\n"),
        Command("c\n", None),
    ]


def test_a_long_output_may_show_its_last_table_alone() -> None:
    output = "┏━┓\n│1│\n└─┘\n┏━┓\n│2│\n└─┘\nacme: held\n"
    assert shown_part(output, "…\nold") == "…\n┏━┓\n│2│\n└─┘\nacme: held\n"
    assert shown_part(output, "old") == output


def test_pages_with_commands_are_run() -> None:
    with_commands = {page for page in ALL if any(commands((PROJECT / page).read_text()))}
    assert with_commands == set(IN_ORDER) - {"README.md"}


@pytest.mark.parametrize("page", ["README.md", *ALL])
def test_settings_in_a_page_are_valid(page: str) -> None:
    for text in YAML.findall((PROJECT / page).read_text()):
        least = {"id": "page", "name": "Page", "currency": "EUR", "sources": {}}
        assert Client.model_validate(least | yaml.safe_load(text))


def test_every_page_is_reached_from_the_readme() -> None:
    readme = (PROJECT / "README.md").read_text()
    assert all(f"]({page})" in readme for page in ALL)


@pytest.mark.parametrize(
    "page", ["README.md", "CONTRIBUTING.md", "SECURITY.md", "CHANGELOG.md", *ALL]
)
def test_a_link_leads_somewhere(page: str) -> None:
    for target in LINK.findall((PROJECT / page).read_text()):
        assert (PROJECT / page).parent.joinpath(target).exists(), target


def test_the_readme_stays_short() -> None:
    assert len((PROJECT / "README.md").read_text().splitlines()) <= 150
