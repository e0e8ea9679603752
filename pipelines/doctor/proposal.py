"""Write a client's file line by line, each with its reason, and what is to be chosen beside it."""

import textwrap
from collections.abc import Iterator
from typing import Any, NamedTuple

import yaml

Place = tuple[str, ...]

_WIDTH = 100
_INDENT = "  "


class Choice(NamedTuple):
    """A line that may be chosen: where it goes, what it says, and what it means."""

    place: Place
    value: Any
    meaning: str

    @property
    def line(self) -> str:
        """Return the line as the file has it, from its source's key on."""
        return f"{self.place[-1]}: {written(self.value)}"


class Question(NamedTuple):
    """What only a person can say: in plain words, with the lines to choose from.

    Any of `others` may be said instead of the values of the first line, such as another time zone.
    """

    text: str
    choices: list[Choice]
    others: frozenset[str] = frozenset()


class Proposal:
    """A client's file in the making: its lines by their place, and the questions that are open."""

    def __init__(self) -> None:
        self.lines: dict[Place, tuple[Any, str]] = {}
        self.heads: dict[Place, list[str]] = {}
        self.remarks: list[str] = []
        self.questions: list[Question] = []

    def put(self, place: Place, value: Any, why: str = "") -> None:
        """Write a line, over the one that is there."""
        self.lines[place] = (value, why)

    @classmethod
    def of(cls, settings: dict[str, Any]) -> "Proposal":
        """Return what a client's file says, as lines without reasons."""
        found = cls()
        found.lines = {place: (value, "") for place, value in _flat(settings, ())}
        return found

    def add(self, other: "Proposal") -> None:
        """Take over the lines, heads and questions of another."""
        self.lines |= other.lines
        self.heads |= other.heads
        self.remarks += other.remarks
        self.questions += other.questions

    def without(self, other: "Proposal") -> "Proposal":
        """Return what is not in another, or is other there."""
        rest = Proposal()
        rest.lines = {k: v for k, v in self.lines.items() if other.lines.get(k) != v}
        rest.heads = {k: v for k, v in self.heads.items() if k not in other.heads}
        rest.questions = [each for each in self.questions if each not in other.questions]
        return rest

    def settings(self, assumed: bool = False) -> dict[str, Any]:
        """Return what the file says; as if the first line of each open question were chosen, if `assumed`."""
        lines = {place: value for place, (value, _) in self.lines.items()}
        if assumed:
            lines |= {each.choices[0].place: each.choices[0].value for each in self.questions}
        return _nested(lines)

    def text(self, assumed: bool = False) -> str:
        """Return the file's text: reasons are comments, and so are the lines of open questions."""
        if assumed:
            return yaml.safe_dump(self.settings(assumed), allow_unicode=True, sort_keys=False)
        tree = self.settings()
        for place in [choice.place for each in self.questions for choice in each.choices]:
            if place[0] == "sources" and place[2:]:  # so that the line has its source's key
                within = tree.setdefault("sources", {})
                for key in place[1:-1]:
                    within = within.setdefault(key, {})
        tree |= {"sources": tree.pop("sources")} if "sources" in tree else {}  # at the end
        remarks = _commented("", *self.remarks)
        lines = [*remarks, *[""] * bool(remarks), *self._written(tree, (), self._asked(tree))]
        return "\n".join(lines) + "\n"

    def _asked(self, tree: dict[str, Any]) -> dict[Place, list[str]]:
        """Return the lines of open questions, by the key that is there and that they go under."""
        found: dict[Place, list[str]] = {}
        for number, question in enumerate(self.questions, 1):
            for place, choices in _by_key(tree, question.choices).items():
                indent = _INDENT * len(place)
                lines = found.setdefault(place, [])
                lines += _commented(indent, f"{number}. choose one: {question.text}")
                lines += [f"{indent}# {line}    # {meaning}" for line, meaning in choices]
        return found

    def _written(
        self, tree: dict[str, Any], above: Place, asked: dict[Place, list[str]]
    ) -> list[str]:
        indent = _INDENT * len(above)
        lines = [*asked.get(above, ())]
        for key, below in tree.items():
            place = (*above, key)
            if place in self.heads:
                lines += ["", *_commented(indent, *self.heads[place])]
            if place in self.lines:
                value, why = self.lines[place]
                comment = f"    # {' '.join(why.split())}" if why else ""
                lines.append(f"{indent}{key}: {written(value)}{comment}")
            else:
                lines += [f"{indent}{key}:", *self._written(below, place, asked)]
        return lines


def _by_key(tree: dict[str, Any], choices: list[Choice]) -> dict[Place, list[tuple[str, str]]]:
    """Return lines to choose from by the nearest key above them that is there, with their meanings."""
    found: dict[Place, list[tuple[str, str]]] = {}
    for choice in choices:
        within, depth = tree, 0
        while depth < len(choice.place) - 1 and isinstance(within.get(choice.place[depth]), dict):
            within, depth = within[choice.place[depth]], depth + 1
        value = choice.value
        for key in reversed(choice.place[depth + 1 :]):
            value = {key: value}
        line = f"{choice.place[depth]}: {written(value)}"
        found.setdefault(choice.place[:depth], []).append((line, choice.meaning))
    return found


def written(value: Any) -> str:
    """Return a value as YAML has it, in one line."""
    flow = yaml.safe_dump(
        value, default_flow_style=True, width=10**6, allow_unicode=True, sort_keys=False
    )
    return flow.removesuffix("\n").removesuffix("\n...")


def _flat(settings: dict[str, Any], above: Place) -> Iterator[tuple[Place, Any]]:
    for key, value in settings.items():
        if isinstance(value, dict) and value:
            yield from _flat(value, (*above, key))
        else:
            yield (*above, key), value


def _nested(lines: dict[Place, Any]) -> dict[str, Any]:
    tree: dict[str, Any] = {}
    for place, value in lines.items():
        within = tree
        for key in place[:-1]:
            within = within.setdefault(key, {})
        within[place[-1]] = value
    return tree


def _commented(indent: str, *texts: str) -> list[str]:
    """Return texts as comments, each folded to the width of a page."""
    room = _WIDTH - len(indent) - 2
    return [
        f"{indent}# {line}"
        for text in texts
        for line in textwrap.wrap(" ".join(text.split()), room)
    ]
