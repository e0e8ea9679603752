"""Read a client's YAML within bounds: a small file may unfold to a large one, and none stops others."""

from copy import deepcopy
from functools import lru_cache
from pathlib import Path
from typing import Any

import yaml

_MOST_BYTES = 1_000_000
_MOST_VALUES = 20_000  # keys among them; what an alias repeats counts each time
_DEEPEST = 20  # values within values
_LONGEST_KEY = 1_000
_LONGEST_NUMBER = 100  # digits; dates and the like, too: only texts may be longer
_TEXT, _NULL = "tag:yaml.org,2002:str", "tag:yaml.org,2002:null"
_AS_WRITTEN = ("exclude",)  # keys of the file; what is in them is compared with texts of exports


class TooLarge(ValueError):
    """A file, or what it unfolds to, is beyond a bound; the text says which, and the remedy."""


def content_of(path: Path) -> bytes:
    """Return what a file holds. Raise TooLarge if that is too much, or has no end."""
    if path.exists() and not path.is_file():
        raise TooLarge("it is no file, but a folder or the like; write a file")
    with path.open("rb") as file:
        content = file.read(_MOST_BYTES + 1)
    if len(content) > _MOST_BYTES:
        raise TooLarge(f"it is larger than {_MOST_BYTES:,} bytes; write less")
    return content


def load(text: str) -> Any:
    """Return what YAML says. Raise TooLarge beyond a bound; other errors are as PyYAML raises them."""
    return deepcopy(_loaded(text))


@lru_cache(maxsize=100)  # the steps of a command read the same files, at 2 ms each
def _loaded(text: str) -> Any:
    return yaml.load(text, _Bounded)


class _Bounded(yaml.SafeLoader):
    """YAML within bounds, in which a key that is there twice is an error: the first would be lost."""

    def __init__(self, stream: str) -> None:
        super().__init__(stream)
        self._values = self._depth = 0
        self._sizes: dict[yaml.Node, int] = {}

    def compose_node(self, parent: yaml.Node | None, index: Any) -> yaml.Node | None:
        """Compose a value, and count it with all that is in it."""
        line, before = self.peek_event().start_mark.line + 1, self._values
        is_alias = self.check_event(yaml.AliasEvent)
        self._depth += 1
        if self._depth > _DEEPEST:
            raise TooLarge(
                f"line {line}: more than {_DEEPEST} values within one another; write fewer"
            )
        node = super().compose_node(parent, index)
        self._depth -= 1
        if node is None:
            return node
        if is_alias and node not in self._sizes:
            raise TooLarge(f"line {line}: the alias is within its own anchor; write it out")
        self._values += self._sizes[node] if is_alias else 1
        if self._values > _MOST_VALUES:
            raise TooLarge(f"line {line}: more than {_MOST_VALUES:,} values; write fewer")
        if not is_alias:
            self._sizes[node] = self._values - before
            _check_length(node, line, is_key=isinstance(parent, yaml.MappingNode) and index is None)
        return node

    def construct_document(self, node: yaml.Node) -> Any:
        """Construct the file's values; an id of 00123 or a flag of `yes` stays as written where that counts."""
        for key, value in node.value if isinstance(node, yaml.MappingNode) else ():
            if key.value in _AS_WRITTEN:
                _take_as_written(value)
        return super().construct_document(node)

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict:
        """Construct a mapping whose keys are there once."""
        seen = set()
        for key, _ in node.value:
            if key.value in seen:
                raise ValueError(f"line {key.start_mark.line + 1}: '{key.value}' is there twice")
            seen.add(key.value)
        return super().construct_mapping(node, deep)


def _take_as_written(node: yaml.Node) -> None:
    """Take the numbers, flags and dates in a value for texts."""
    if isinstance(node, yaml.ScalarNode):
        node.tag = node.tag if node.tag == _NULL else _TEXT
    elif isinstance(node, yaml.MappingNode):
        for _, value in node.value:
            _take_as_written(value)
    elif isinstance(node, yaml.SequenceNode):
        for each in node.value:
            _take_as_written(each)


def _check_length(node: yaml.Node, line: int, is_key: bool) -> None:
    if not isinstance(node, yaml.ScalarNode):
        return
    length = len(node.value)
    if is_key and length > _LONGEST_KEY:
        raise TooLarge(f"line {line}: a key of {length:,} letters; write one of {_LONGEST_KEY:,}")
    if node.tag != _TEXT and length > _LONGEST_NUMBER:
        raise TooLarge(f"line {line}: a number of {length:,} digits; write it in quotes, or less")
