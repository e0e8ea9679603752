"""Say what is wrong in a client's file, in words of the file: key and remedy."""

import difflib
from collections.abc import Iterator
from typing import Any, get_args

from pydantic import BaseModel, ValidationError

PATTERNS = {  # what a pattern of the settings asks for
    r"^[A-Z]{3}$": "write three capital letters, as EUR",
    r"^[a-z][a-z0-9_]*$": "a name is lower-case letters, digits and _, and begins with a letter",
    r"^[a-z][a-z0-9]*$": "a name is lower-case letters and digits, and begins with a letter",
}
REFERENCE = "clients/acme.yaml"


def explain(error: ValidationError, settings: type[BaseModel]) -> str:
    """Return every problem of settings in one text: where it is, what it is, how it is mended."""
    return "; ".join(f"{_place(item)}: {_said(item, settings)}" for item in error.errors())


def _place(item: dict) -> str:
    return ".".join(str(part) for part in item["loc"] if part != "[key]") or "settings"


def _said(item: dict, settings: type[BaseModel]) -> str:
    """Return what is wrong with one key, and the remedy."""
    is_it = f" (it is {item['input']!r})"
    message = item["msg"].removeprefix("Value error, ")
    match item["type"]:
        case "extra_forbidden":
            meant = _nearest(item["loc"], settings)
            return (
                f"there is no such key; {meant}remove it, or see {REFERENCE} for every key there is"
            )
        case "missing":
            return f"{message}; add it as in {REFERENCE}"
        case _ if item["loc"] == ("deadline",):
            return f"write it like '08:00', quoted{is_it}"
        case "date_type":
            return f"{message}; write it like 2026-09-01, unquoted{is_it}"
        case "string_pattern_mismatch":
            return PATTERNS.get(item["ctx"]["pattern"], message) + is_it
        case "value_error":
            return message
    return message + is_it


def _nearest(place: tuple, settings: type[BaseModel]) -> str:
    """Return a question for the key that an unknown one may stand for."""
    *above, key = place
    known = [name for model in _models_at(above, settings) for name in model.model_fields]
    found = difflib.get_close_matches(str(key), known, 1)
    return f"did you mean {found[0]}? If not, " if found else ""


def _models_at(place: list, settings: type[BaseModel]) -> list[type[BaseModel]]:
    """Return the models of the settings at a place; an item of a list or dict is at its own."""
    models = [settings]
    for part in place:
        fields = [model.model_fields[part] for model in models if part in model.model_fields]
        if fields:
            models = [found for field in fields for found in _models_in(field.annotation)]
    return models


def _models_in(annotation: Any) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for part in get_args(annotation):
        yield from _models_in(part)
