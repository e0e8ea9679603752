"""Keep beside a version's settled tables the settings that it was published by, to explain it later."""

from pathlib import Path

from pipelines.files import replacing
from pipelines.published.version_folders import PublishedFileError, base_of, settled_of
from pipelines.settings.client import Client
from pipelines.settings.reader import ClientError, parse, promoted_text


def settings_of(client: str, version: str) -> Client | None:
    """Return the settings by which a version was published.

    None where they were not kept, as of versions of older releases, or are no longer valid.
    """
    try:
        return parse(_file(settled_of(client) / base_of(client, version), client))
    except (ClientError, PublishedFileError):
        return None


def keep_settings(folder: Path, client: str) -> None:
    """Write the settings that a client is published by into a version's folder, for its owner alone."""
    text, file = promoted_text(client), _file(folder, client)
    if text is not None and not (file.exists() and file.read_bytes() == text):
        with replacing(file, sync=True) as unfinished:
            unfinished.touch(mode=0o600)
            unfinished.write_bytes(text)


def _file(folder: Path, client: str) -> Path:
    """Return the file in a version's folder; it has the client's name, as in `clients/`."""
    return folder / f"{client}.yaml"
