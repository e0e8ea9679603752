"""Do what a refusal says: paste the lines that it names into the client's file, as text, where it says."""

import re
from pathlib import Path

import yaml


def lines_in(settings: Path, problem: str, choice: int = 0) -> list[tuple[list[str], str]]:
    """Return the lines that a problem tells to write, each with the keys it goes under.

    Of several that have a meaning, `… if it is that`, one is chosen.
    """
    said = problem.partition(f"write in clients/{settings.name} ")[2]
    assert said, f"no line to paste: {problem}"
    lines = []
    for part in said.split("; and "):
        place, _, text = part.partition(": ")
        assert place == "as a line of its own" or place.startswith("under "), part
        keys = place.removeprefix("under ").split(".") if place.startswith("under ") else []
        found = re.findall("`([^`]+)`( if )?", text)
        choices = [line for line, is_choice in found if is_choice]
        plain = [line for line, is_choice in found if not is_choice]
        lines += [(keys, line) for line in plain + (choices and [choices[choice]])]
    return lines


def paste(settings: Path, problem: str, choice: int = 0) -> None:
    """Write into a client's file what a problem tells to write; of several readings, one."""
    for keys, line in lines_in(settings, problem, choice):
        settings.write_text(pasted(settings.read_text(), keys, line))


def pasted(text: str, keys: list[str], line: str) -> str:
    """Return YAML with a line under some keys, in the place of the one that has its key."""
    within, left = yaml.compose(text), list(keys)
    while left and (found := _value(within, left[0])) is not None:
        within = found[1]
        left.pop(0)
    for key in reversed(left):
        line = (
            f"{key}: {{{line}}}"
            if within.flow_style
            else f"{key}:\n  " + line.replace("\n", "\n  ")
        )
    key = line.partition(":")[0]
    if found := _value(within, key):
        start, end = found[0].start_mark.index, found[1].end_mark.index
        return text[:start] + line + text[start + len(text[start:end].rstrip()) :]
    start = within.start_mark.index
    if within.flow_style:
        return f"{text[: start + 1]}{line}{', ' if within.value else ''}{text[start + 1 :]}"
    indent = " " * within.start_mark.column
    return text[:start] + line.replace("\n", f"\n{indent}") + f"\n{indent}" + text[start:]


def _value(mapping: yaml.Node, key: str) -> tuple[yaml.Node, yaml.Node] | None:
    assert isinstance(mapping, yaml.MappingNode), mapping
    return next(((name, value) for name, value in mapping.value if name.value == key), None)
