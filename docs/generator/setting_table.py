"""Make the table of every setting from the settings' own descriptions, bounds and defaults."""

from collections.abc import Iterator
from typing import Annotated, Any, get_args, get_origin

import yaml
from pydantic import BaseModel
from pydantic.fields import FieldInfo

from docs.generator.markdown import table
from pipelines.settings.client import Client
from pipelines.settings.expectations import of_field
from pipelines.settings.exports import Export

BY_NAME = {"conversions": "type", "channel_weights": "channel", "redistribution": "phase"}


def keys() -> list[str]:
    """Return the keys that hold a value, or an export; not those that only have keys below them."""
    return [
        key.strip("`")
        for key, holds, *_ in _rows(Client, "", {}, None)
        if key != "`id`" and "the keys below" not in holds
    ]


def settings() -> str:
    """Return every key that a client's file may have; the id is the file's own name."""
    rows = (row for row in _rows(Client, "", {}, None) if row[0] != "`id`")
    return table(("key", "what it may hold", "default", "meaning"), rows)


def _rows(
    model: type[BaseModel], prefix: str, seen: dict[type, str], group_default: object
) -> Iterator[tuple[str, str, str, str]]:
    """Return a row for each field of a group and of those in it; a group met before is referred to."""
    for name, field in model.model_fields.items():
        group, suffix = _group(field.annotation, name)
        key, default = f"{prefix}{name}", _default(field)
        if isinstance(group_default, model):  # the group above has defaults of its own
            default = _shown(getattr(group_default, name))
        if not group:
            yield f"`{key}`", of_field(field), default, field.description or ""
            continue
        sentence = (group.__doc__ or "").partition("\n")[0]
        if group in seen:
            table_name = key.removeprefix("sources.")
            meaning = (
                f"An export of the [columns of `{table_name}`](#{table_name.replace('.', '')})."
            )
            yield (
                f"`{key}`",
                f"{'by name, ' * suffix.startswith('.')}the keys of `{seen[group]}`",
                default,
                field.description or (meaning if group is Export else sentence),
            )
            continue
        seen[group] = f"{key}{suffix}"
        what = {"": "the keys below", "[]": "a list of the keys below"}
        yield (
            f"`{key}`",
            what.get(suffix, "by name, the keys below"),
            default,
            field.description or sentence,
        )
        yield from _rows(group, f"{key}{suffix}.", seen, field.default)


def _group(annotation: Any, name: str) -> tuple[type[BaseModel] | None, str]:
    """Return the settings that a field holds, and how their place is written: `[]`, `.<type>`."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation, ""
    origin, parts = get_origin(annotation), get_args(annotation)
    if origin is Annotated and any(isinstance(part, str) for part in parts[1:]):
        return None, ""  # a text says what is expected: nobody writes its keys
    groups = [found for part in parts if (found := _group(part, name)[0])]
    suffix = {list: "[]", dict: f".<{BY_NAME.get(name, 'name')}>"}.get(origin, "")
    return (groups[0], suffix) if groups else (None, "")


def group_of(annotation: Any) -> type[BaseModel] | None:
    """Return the group of settings that a field holds, alone, in a list or by name; None if none."""
    return _group(annotation, "")[0]


def _default(field: FieldInfo) -> str:
    """Return a default as YAML; nothing for a group, whose keys have their own."""
    if field.is_required():
        return "required"
    return _shown(field.get_default(call_default_factory=True))


def _shown(value: object) -> str:
    if isinstance(value, BaseModel):
        return ""
    if isinstance(value, str):
        return f"`{value}`"
    written = yaml.safe_dump(value, default_flow_style=True).removesuffix("...\n").strip()
    return f"`{written}`"
