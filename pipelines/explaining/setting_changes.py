"""Compare two versions of a client's settings, key by key."""

from typing import Any, NamedTuple

import yaml

from pipelines.settings.client import Client


class SettingChange(NamedTuple):
    """A setting that differs, such as `attribution.model`, with both values as YAML has them."""

    key: str
    before: str
    after: str

    def __str__(self) -> str:
        return f"{self.key}: {self.before} → {self.after}"


def setting_changes(before: Client, after: Client) -> list[SettingChange]:
    """Return the settings that differ, in the order of the settings; defaults are values like others."""
    then, now = (_flat(each.model_dump(mode="json", by_alias=True)) for each in (before, after))
    return [
        SettingChange(key, _said(then, key), _said(now, key))
        for key in {**then, **now}
        if then.get(key, _ABSENT) != now.get(key, _ABSENT)
    ]


_ABSENT = object()


def _flat(settings: dict[str, Any], above: str = "") -> dict[str, Any]:
    """Return settings by their whole keys; a list is one value, and so is an empty group."""
    flat: dict[str, Any] = {}
    for key, value in settings.items():
        flat |= _flat(value, f"{above}{key}.") if isinstance(value, dict) and value else {}
        flat |= {} if isinstance(value, dict) and value else {f"{above}{key}": value}
    return flat


def _said(settings: dict[str, Any], key: str) -> str:
    """Return a value on one line; what is not there is `not set`."""
    if settings.get(key) is None:
        return "not set"
    text = yaml.safe_dump(settings[key], default_flow_style=True, width=10**6, allow_unicode=True)
    return " ".join(text.removesuffix("...\n").split())
