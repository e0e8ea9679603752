"""Look up each client's own credentials, and keep what is secret out of every text."""

import os
from collections.abc import Iterable

from dlt.common.configuration.providers import EnvironProvider
from dlt.common.configuration.providers.provider import ConfigProvider
from dlt.common.configuration.providers.toml import SecretsTomlProvider

from pipelines.home import home
from pipelines.sources.errors import PlatformError
from pipelines.sources.known_secrets import Finder, everybodys

_secrets: set[str] = set()


def credentials(client: str, source: str, *keys: str) -> dict[str, str]:
    """Return a client's credentials for a source, by key.

    They are in the environment, as `CLIENTS__ACME__GOOGLE_ADS__REFRESH_TOKEN`, or in
    `.dlt/secrets.toml` under `[clients.acme.google_ads]`. There is no default for one that is
    missing. Raise PlatformError, which names client and keys.
    """
    found = known_credentials(client, source, *keys)
    if missing := [key for key in keys if key not in found]:
        variables = [
            EnvironProvider.get_key_name(key, "clients", client, source) for key in missing
        ]
        raise PlatformError(
            "credentials_missing",
            f"{client} has no {', '.join(missing)} for {source}; set {', '.join(variables)},"
            f" or [clients.{client}.{source}] in .dlt/secrets.toml",
        )
    return found


def known_credentials(client: str, source: str, *keys: str) -> dict[str, str]:
    """Return those of a client's credentials for a source that there are, by key.

    Raise PlatformError if the file that may hold them is not readable.
    """
    found = {}
    for key in keys:
        for provider in _providers():
            value, _ = provider.get_value(key, str, None, "clients", client, source)
            if value:
                found[key] = keep_secret(value if isinstance(value, str) else str(value))
                break
    return found


def on_call_addresses() -> dict[str, str]:
    """Return the addresses at which the on-call is told, by the channel's name.

    They are in the environment, as `ON_CALL__MAIL`, or in `.dlt/secrets.toml` under `[on_call]`. Raise
    PlatformError if that file is not readable.
    """
    _, file = _providers()
    kept = file.get_value("on_call", dict, None)[0] or {}
    named = {
        name.removeprefix("ON_CALL__").lower(): value
        for name, value in os.environ.items()
        if name.startswith("ON_CALL__")
    }
    return {name: keep_secret(str(value)) for name, value in {**kept, **named}.items() if value}


def _providers() -> tuple[ConfigProvider, ConfigProvider]:
    """Return where credentials are looked up, in this order."""
    try:
        return EnvironProvider(), SecretsTomlProvider(str(home() / ".dlt"))
    except Exception:  # its text may quote the file
        raise PlatformError(
            "credentials_missing", ".dlt/secrets.toml is not readable as TOML; correct it"
        ) from None


def keep_secret(value: str) -> str:
    """Return a value that no text may hold from now on."""
    _secrets.add(value)
    return value


def conceal(text: str) -> str:
    """Return a text in which every secret that this process has met, or can know, is `***`."""
    for secret in sorted(_secrets | everybodys(), key=len, reverse=True):
        text = text.replace(secret, "***")
    return text


def holds_secret(pieces: Iterable[bytes]) -> bool:
    """Return whether one of them is in what is read piece by piece."""
    return Finder(_secrets | everybodys()).is_in(pieces)
