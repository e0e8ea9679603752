"""A name of a file says its job, so no two modules and no two tables have the same."""

import subprocess
from collections import defaultdict
from pathlib import PurePath

import pytest

from tests.conftest import PROJECT

EVERY_PACKAGE_HAS = {"__init__.py", "__main__.py", "conftest.py"}


@pytest.mark.parametrize("ending", ["py", "sql"])
def test_no_two_files_have_one_name(ending: str) -> None:
    listing = ["git", "ls-files", "--cached", "--others", "--exclude-standard", f"*.{ending}"]
    files = subprocess.run(listing, cwd=PROJECT, stdout=subprocess.PIPE, text=True, check=True)
    places = defaultdict(list)
    for file in map(PurePath, files.stdout.splitlines()):
        if (PROJECT / file).exists():  # git also lists one that was moved and is not committed
            places[file.name].append(str(file))
    assert len(places) > 20
    same = {name: files for name, files in places.items() if len(files) > 1}
    assert same.keys() <= EVERY_PACKAGE_HAS, same
