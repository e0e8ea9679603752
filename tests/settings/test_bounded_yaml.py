"""A client's file that unfolds to gigabytes, or never ends, is that client's error alone."""

import os
from pathlib import Path

import pytest

from pipelines.settings.reader import read
from tests.conftest import House


def nested_anchors(levels: int) -> str:
    """Return YAML in which each level repeats the one before it nine times."""
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x]"]
    for level in range(1, levels):
        items = ", ".join([f"*a{level - 1}"] * 9)
        lines.append(f"a{level}: &a{level} [{items}]")
    return "\n".join(lines)


def merged_mappings(levels: int) -> str:
    """Return YAML in which each level merges the one before it twice."""
    lines = ["m0: &m0 {k: 1}"]
    lines += [
        f"m{each}: &m{each} {{<<: [*m{each - 1}, *m{each - 1}]}}" for each in range(1, levels)
    ]
    return "\n".join(lines)


BOMBS = {
    "nested anchors": (nested_anchors(10), "more than 20,000 values; write fewer"),
    "merges": (merged_mappings(40), "values; write fewer"),
    "an anchor in itself": ("name: &a [*a]", "the alias is within its own anchor; write it out"),
    "brackets": ("name: " + "[" * 900_000, "line 1: more than 20 values within one another"),
    "braces": ("name: " + "{a: " * 200_000, "line 1: more than 20 values within one another"),
    "dashes": ("name:\n" + "- " * 400_000, "line 2: more than 20 values within one another"),
    "many keys": ("\n".join(f"k{n}: 1" for n in range(80_000)), "more than 20,000 values"),
    "as many unknown keys as may be": (
        "\n".join(f"currenc{n}: 1" for n in range(9_000)),
        "problems more",
    ),
    "a long key": (f'? "{"k" * 900_000}"\n: 1', "line 1: a key of 900,000 letters"),
    "a long number": (f"currency: {'9' * 900_000}", "line 1: a number of 900,000 digits"),
    "a number in sixties": (f"currency: 1{':59' * 200_000}", "a number of 600,001 digits"),
    "a long value": (f"currency: {'E' * 900_000}", "(it is 'EEE"),
    "a deep value": ("currency: " + "[" * 15 + "x" * 900_000 + "]" * 15, "write three capital"),
    "a file too large": ("# much\n" * 200_000, "it is larger than 1,000,000 bytes; write less"),
}


@pytest.mark.parametrize("bomb", BOMBS)
def test_a_bomb_is_an_error_of_its_client_alone(house: House, bomb: str) -> None:
    text, said = BOMBS[bomb]
    (house.home / "clients/bomb.yaml").write_text(text)

    clients, problems = read()

    assert {client.id for client in clients} == {"acme", "borealis", "cobalt", "shop"}
    (problem,) = problems
    assert problem.message.startswith("clients/bomb.yaml: ") and said in problem.message
    assert len(problem.message) < 10_000


def test_a_value_that_is_quoted_is_cut(house: House) -> None:
    (house.home / "clients/bomb.yaml").write_text(f"currency: {'E' * 5_000}\n")

    (problem,) = read()[1]

    assert len(problem.message) < 500


def test_a_few_aliases_are_read(house: House) -> None:
    house.edit("acme", "currency: EUR", "currency: &money EUR")
    text = (house.home / "clients/acme.yaml").read_text()
    (house.home / "clients/acme.yaml").write_text(text + "name: *money\n" * ("name:" not in text))

    assert house.client("acme").currency == "EUR"


def test_a_pipe_instead_of_a_file_stops_nobody(house: House) -> None:
    pipe = Path(house.home / "clients/pipe.yaml")
    os.mkfifo(pipe)

    clients, (problem,) = read()

    assert len(clients) == 4
    assert problem.message == (
        "clients/pipe.yaml: it is no file, but a folder or the like; write a file"
    )
