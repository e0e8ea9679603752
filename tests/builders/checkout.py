"""Copy the project's code, without what runs have left in it."""

import shutil
import subprocess
from pathlib import Path

PROJECT = Path(__file__).parents[2]


def copy_checkout(target: Path, tests: bool = False) -> Path:
    """Copy the code to a folder that does not exist yet, as git would check it out; return it."""
    listed = ["git", "-C", str(PROJECT), "ls-files", "-z", "-co", "--exclude-standard"]
    names = subprocess.run(listed, stdout=subprocess.PIPE, check=True, text=True).stdout
    for name in filter(None, names.split("\0")):
        if (PROJECT / name).is_file() and (tests or not name.startswith("tests/")):
            (target / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(PROJECT / name, target / name)
    return target
