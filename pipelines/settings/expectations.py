"""Say in words what a setting may hold: for error messages and for docs/clients.md.

`expected(float, [Ge(0), Le(1)])` is "a number from 0 to 1". A text in an annotation goes before what
follows from the type: `Annotated[str, "a regular expression"]`.
"""

from collections.abc import Iterable
from datetime import date
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from annotated_types import Ge, Gt, Le, Lt, MinLen
from pydantic import BaseModel
from pydantic.fields import FieldInfo

PATTERNS = {  # what a pattern of the settings asks for
    r"^[A-Z]{3}$": "three capital letters, as EUR",
    r"^[a-z][a-z0-9_]*$": "lower-case letters, digits and _, the first one a letter",
    r"^[a-z][a-z0-9]*$": "lower-case letters and digits, the first one a letter",
    r"^([01][0-9]|2[0-3]):[0-5][0-9]$": "a time like '08:00', quoted",
    r"^v[0-9]+([.][0-9]+)?$": "a version like v26 or v27.0",
    r"^[0-9]+$": "digits only, quoted, as '1234567890'",
    r"^[A-Za-z]\w*([.][A-Za-z]\w*)*$": "the name of a field, as Web_User_Id__c",
    r"^[^.]+([.][^.]+)?$": "a table, or schema.table",
    r"^(never|1 day|[1-9][0-9]{0,2} days)$": "a number of days like 1 day or 7 days, or never",
}
PLAIN = {
    str: "text",
    bool: "true or false",
    int: "a whole number",
    float: "a number",
    date: "a date like 2026-09-01, unquoted",
}


def of_field(field: FieldInfo) -> str:
    """Return what a field of the settings may hold."""
    return expected(field.annotation, field.metadata)


def expected(annotation: Any, metadata: Iterable = ()) -> str:
    """Return what a value of a type may be, with its bounds or its pattern."""
    origin, parts = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        return expected(parts[0], [*metadata, *_flat(parts[1:])])
    if words := [each for each in metadata if isinstance(each, str)]:
        return words[0]
    if origin is Literal:
        return " or ".join(filter(None, [", ".join(parts[:-1]), parts[-1]]))
    if origin in (Union, UnionType):
        return ", or ".join(expected(part, metadata) for part in parts)
    if origin in (list, tuple):
        return f"a list of {expected(parts[0])}"
    if origin is dict:
        return f"a mapping from {expected(parts[0])} to {expected(parts[1])}"
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return f"a mapping with the keys {', '.join(annotation.model_fields)}"
    if annotation is NoneType:
        return "null"
    return _pattern(metadata) or PLAIN.get(annotation, "text") + _bounds(metadata)


def _pattern(metadata: Iterable) -> str | None:
    patterns = [pattern for each in metadata if (pattern := getattr(each, "pattern", None))]
    return PATTERNS.get(patterns[0], f"text like {patterns[0]}") if patterns else None


def _bounds(metadata: Iterable) -> str:
    """Return the bounds of a number in words: " from 0 to 1", " above 0"."""
    words = {Ge: "from {0.ge}", Gt: "above {0.gt}", Le: "to {0.le}", Lt: "below {0.lt}"}
    bounds = "".join(
        f" {words[type(each)].format(each)}" for each in metadata if type(each) in words
    )
    return bounds or " that is not empty" * any(isinstance(each, MinLen) for each in metadata)


def _flat(metadata: Iterable) -> list:
    """Return constraints, and those inside a `Field(...)` of an annotation."""
    return [
        part
        for each in metadata
        for part in (each.metadata if isinstance(each, FieldInfo) else [each])
    ]
