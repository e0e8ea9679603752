"""Say what is wrong in a client's file, in words of the file: key, what it may hold, and remedy."""

import difflib
import reprlib
from collections.abc import Iterator
from typing import Annotated, Any, get_args, get_origin

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from pipelines.settings.expectations import PATTERNS, expected

_MOST_SAID = 20  # problems of one file
_LONGEST = 500  # letters of what is said of one
_QUOTED = 80  # letters of what a file holds
_short = reprlib.Repr()
_short.maxstring = _short.maxother = _short.maxlong = _QUOTED

EVERY_KEY, EXAMPLE = "docs/clients.md", "docs/reference.yaml"


def explain(error: ValidationError, settings: type[BaseModel]) -> str:
    """Return every problem of settings in one text: where it is, what it is, how it is corrected."""
    problems: dict[str, str] = {}
    errors = error.errors(include_url=False)
    for item in errors[:_MOST_SAID]:
        place, annotation = _found(item["loc"], settings)
        if item["type"] in ("extra_forbidden", "invalid_key"):
            place, annotation = item["loc"], _found(item["loc"][:-1], settings)[1]
        key = ".".join(cut(str(part), _QUOTED) for part in place)
        # a choice of two fails twice: what a check of ours says is nearer than what it may hold
        if key not in problems or item["type"] == "value_error":
            problems[key] = cut(_problem(item, annotation))
    said = [f"{key}: {problem}" if key else problem for key, problem in problems.items()]
    left_out = len(errors) - _MOST_SAID
    return "; ".join(said + ([f"and {left_out} problems more"] if left_out > 0 else []))


def cut(text: str, longest: int = _LONGEST) -> str:
    """Return a text, or its beginning: a file may hold a million letters where two are meant."""
    return text if len(text) <= longest else f"{text[: longest - 1]}…"


def _problem(item: ErrorDetails, annotation: Any) -> str:
    """Return what is wrong with one key, and the remedy."""
    it_is = f"(it is {cut(_short.repr(item['input']), _QUOTED)})"
    match item["type"]:
        case "extra_forbidden":
            question = _nearest(cut(str(item["loc"][-1]), _QUOTED), annotation)
            return f"there is no such key; {question}remove it, or see {EVERY_KEY} for every key"
        case "value_error":
            return item["msg"].removeprefix("Value error, ")
        case "missing":
            return f"it is required; add {expected(annotation)}, as in {EXAMPLE}"
        case "invalid_key":
            return f"keys are text; write this one in quotes, or remove it {it_is}"
        case "string_pattern_mismatch":
            return f"write {PATTERNS[item['ctx']['pattern']]} {it_is}"
    return f"write {expected(annotation)} {it_is}"


def _found(place: tuple, settings: Any) -> tuple[tuple, Any]:
    """Return as much of a place as the file has, and the annotation there.

    Pydantic ends a place with marks of its own: `[key]` for a key, `list[str]` for a choice.
    """
    if place and place[-1] == "[key]":
        found, above = _found(place[:-2], settings)
        keys = [get_args(each)[0] for each in _choices(above) if get_origin(each) is dict]
        return (place[:-1], keys[0]) if keys else (found, above)
    for depth, part in enumerate(place):
        below = _below(settings, part)
        if below is None:
            return place[:depth], settings
        settings = below
    return place, settings


def _below(annotation: Any, part: str | int) -> Any:
    """Return the annotation of a key, or of an item of a list; None if there is no such thing."""
    for choice in _choices(annotation):
        if _is_model(choice) and part in choice.model_fields:
            return choice.model_fields[part].rebuild_annotation()
        if get_origin(choice) in (list, tuple) and isinstance(part, int):
            return get_args(choice)[0]
        if get_origin(choice) is dict:
            return get_args(choice)[1]
    return None


def _choices(annotation: Any) -> Iterator[Any]:
    """Return the types that an annotation allows; none where a text says what is expected."""
    if get_origin(annotation) is Annotated:
        inner, *constraints = get_args(annotation)
        if not any(isinstance(each, str) for each in constraints):
            yield from _choices(inner)
    elif _is_model(annotation) or get_origin(annotation) in (list, tuple, dict):
        yield annotation
    else:
        for part in get_args(annotation):
            yield from _choices(part)


def _is_model(annotation: Any) -> bool:
    return isinstance(annotation, type) and issubclass(annotation, BaseModel)


def _nearest(key: str, annotation: Any) -> str:
    """Return a question for the key that an unknown one may stand for."""
    names = [name for each in _choices(annotation) if _is_model(each) for name in each.model_fields]
    found = difflib.get_close_matches(key, names, 1)
    return f"did you mean {found[0]}? If not, " if found else ""
