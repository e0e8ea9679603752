"""Do what a refusal says: paste the lines that it names into the client's file, where it says."""

import re
from pathlib import Path

import yaml


def paste(settings: Path, problem: str, choice: int = 0) -> None:
    """Write into a client's file what a problem tells to write; of several readings, one."""
    said = problem.partition(f"write in clients/{settings.name} ")[2]
    assert said, f"no line to paste: {problem}"
    written = yaml.safe_load(settings.read_text())
    for part in said.split("; and "):
        place, _, lines = part.partition(": ")
        found = re.findall("`(.+?)`", lines)
        chosen = [found[choice]] if ", or `" in lines else found
        below = written
        if place != "as a line of its own":
            for key in place.removeprefix("under ").split("."):
                below = below.setdefault(key, {})
        for line in chosen:
            below.update(yaml.safe_load(line))
    settings.write_text(yaml.safe_dump(written))
