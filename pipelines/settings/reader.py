"""Read and check the files in `clients/`; nobody else reads them."""

import re
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import NamedTuple

from pydantic import ValidationError

from pipelines.files import write_atomically
from pipelines.home import clients_folder, lake_folder
from pipelines.settings.bounded_yaml import TooLarge, content_of, load
from pipelines.settings.client import Client
from pipelines.settings.control_characters import control_characters
from pipelines.settings.problems import EXAMPLE, cut, explain
from pipelines.settings.replaced import forget_all_replaced, in_force_again


class Problem(NamedTuple):
    """A client file that cannot be used, and why; `fallback` says what runs instead."""

    client: str
    message: str
    fallback: str

    def __str__(self) -> str:
        return f"{self.client}: {self.message}\n  {self.fallback}"


class ClientError(Exception):
    """A client's settings are wrong; the text names file, key and remedy."""


def parse(path: Path) -> Client:
    """Return the settings in one file. Raise ClientError if they are wrong."""
    try:
        return _checked(path.stem, content_of(path))
    except TooLarge as error:
        raise ClientError(f"clients/{path.name}: {error}") from None
    except OSError as error:
        raise ClientError(
            f"clients/{path.name}: cannot be read: {error.strerror}; correct that"
        ) from None


def checked(client: str, text: str) -> Client:
    """Return the settings that a client's file would have with a text. Raise ClientError if they are wrong."""
    return _checked(client, text.encode())


def _checked(client: str, content: bytes) -> Client:
    shown = f"clients/{client}.yaml"
    if not re.fullmatch(r"[a-z][a-z0-9]*", client):
        raise ClientError(f"{shown}: a client's name is one word of a-z and 0-9; rename the file")
    try:
        settings = load(content.decode())
    except UnicodeDecodeError as error:
        raise ClientError(f"{shown}: cannot be read as text: {error}; save it as UTF-8") from None
    except TooLarge as error:
        raise ClientError(f"{shown}: {error}") from None
    except Exception as error:  # a value like 2026-13-45 raises what it likes, not a YAMLError
        why = cut(str(error).replace("<unicode string>", shown))
        raise ClientError(f"{shown}: not readable as YAML: {why}; correct it") from None
    if not isinstance(settings, dict):
        raise ClientError(f"{shown}: no settings; start from a copy of {EXAMPLE}")
    if "id" in settings:
        raise ClientError(f"{shown}: id: the file's name is the id; remove it")
    if problems := control_characters(settings):
        raise ClientError(f"{shown}: {problems}")
    try:
        return Client.model_validate(settings | {"id": client})
    except Exception as error:
        raise ClientError(f"{shown}: {_said(error)}") from None


def _said(error: Exception) -> str:
    """Return what is wrong with settings; a check that fails itself is that file's problem alone, too."""
    try:
        if isinstance(error, ValidationError):
            return explain(error, Client)
    except Exception as unforeseen:
        error = unforeseen
    why = f"{type(error).__name__}: {cut(str(error))}"
    return f"cannot be checked: {why}; undo what was changed last, and report it"


_as_promoted: set[str] = set()


@contextmanager
def read_as_promoted(client: str) -> Iterator[Client | None]:
    """Read a client's settings meanwhile as they are promoted, whatever its file says; yield these.

    None, and the file, where it never was promoted. Raise ClientError if what was promoted is no longer
    valid.
    """
    kept = _promoted(client)
    settings = parse(kept) if kept.exists() else None
    before = set(_as_promoted)
    _as_promoted.update({client} if settings else ())
    try:
        yield settings
    finally:
        _as_promoted.intersection_update(before)


def read(shard: str | None = None, as_filed: bool = False) -> tuple[list[Client], list[Problem]]:
    """Return every client, and the problems met; a broken file yields what was promoted last.

    One that is rolled back has the settings that are in force again, whatever its file says; what
    compares the file with them, or promotes it, asks for clients `as_filed`.
    """
    clients, problems = [], _misnamed()
    for path in (path for path in _files() if path.suffix == ".yaml"):
        try:
            filed = parse(_promoted(path.stem) if path.stem in _as_promoted else path)
            clients.append(filed if as_filed else _in_force(filed))
        except ClientError as error:
            kept, fallback = _last_good(path.stem)
            clients += kept
            problems.append(Problem(path.stem, str(error), fallback))
    return [client for client in clients if shard in (None, client.shard)], problems


def named_by_files() -> set[str]:
    """Return the clients that have a file in `clients/`, whether or not it can be used."""
    return {path.stem.lower() for path in _files()}


def files_of(client: str) -> list[Path]:
    """Return the files in `clients/` that are meant as a client's settings."""
    return [path for path in _files() if path.stem.lower() == client]


def _files() -> list[Path]:
    found = sorted(clients_folder().glob("*"))
    return [path for path in found if path.suffix.lower() in (".yaml", ".yml")]


def _misnamed() -> list[Problem]:
    """Return a problem for each file that has the wrong ending, such as acme.yml."""
    problems = []
    for path in _files():
        right = path.with_name(f"{path.stem.lower()}.yaml")
        if path.suffix != ".yaml":
            remedy = "remove it, or" if right.exists() else "rename it to"
            message = f"clients/{path.name}: only files that end in .yaml are read; "
            message += f"{remedy} clients/{right.name}"
            fallback = "the file is left out until then; what is published stays"
            problems.append(Problem(right.stem, message, fallback))
    return problems


def keep(client: Client) -> None:
    """Keep a copy of a client's good settings, to run on if the file breaks before it is promoted."""
    if _copy(client, _kept(client.id)):
        _retired(client.id).unlink(missing_ok=True)


def keep_promoted(client: Client) -> None:
    """Keep a copy of the settings that a client is published by, to run on if the file breaks.

    What a rollback put in force again is kept as it is.
    """
    if not in_force_again(client.id):
        _copy(client, _promoted(client.id))


def _in_force(filed: Client) -> Client:
    """Return a client's settings as they are in force; raise ClientError if they are no longer valid."""
    if not (again := in_force_again(filed.id)):
        return filed
    try:
        return parse(again.file)
    except ClientError as error:
        raise ClientError(
            f"rolled back to what was promoted before {again.at:%Y-%m-%d %H:%M} UTC, and this release cannot"
            f" use that: {error}; make promote CLIENT={filed.id} ends the rollback"
        ) from None


def promoted_text(client: str) -> bytes | None:
    """Return the file that a client is published by, as it was promoted; None if it never was."""
    try:
        return _promoted(client).read_bytes()
    except OSError:
        return None


def _copy(client: Client, kept: Path) -> bool:
    """Copy a client's file if it is not kept yet, and still says what was read; return whether."""
    with suppress(ClientError, OSError, TooLarge):  # it was broken or removed since it was read
        content = content_of(clients_folder() / kept.name)
        is_kept = kept.exists() and kept.read_bytes() == content
        if not is_kept and _checked(client.id, content) == client:
            write_atomically(kept, content)
            return True
    return False


def set_aside(client: str) -> None:
    """Set a retired client's last settings aside: its lake stays, and nobody asks for its file."""
    if not (lake_folder() / client).exists():
        return
    _retired(client).parent.mkdir(exist_ok=True)
    if _kept(client).exists():
        _kept(client).replace(_retired(client))
    (_settings(client) / "promoted" / f"{client}.yaml").unlink(missing_ok=True)
    forget_all_replaced(client)
    _retired(client).touch()


def is_retired(client: str) -> bool:
    """Return whether a client was retired, and has not come back since."""
    return _retired(client).exists()


def last_settings(client: str) -> Client | None:
    """Return a client's settings as its file has them, or as they were when they were last good."""
    again = in_force_again(client)
    kept = (clients_folder() / f"{client}.yaml", _kept(client), _retired(client))
    for path in [again.file] if again else kept:
        with suppress(ClientError):
            return parse(path)
    return None


def promoted_settings(client: str) -> Client | None:
    """Return the settings by which a client was published last; None if it never was."""
    with suppress(ClientError):
        return parse(_promoted(client)) if _promoted(client).exists() else None
    return None


def _last_good(client: str) -> tuple[list[Client], str]:
    """Return what a client with a broken file runs on, and which settings these are.

    An edit that was good but never promoted is not among them once something was promoted.
    """
    for kept, which in ((_promoted(client), "what was promoted"), (_kept(client), _NEVER)):
        if kept.exists():
            try:
                return [parse(kept)], f"{which} stays in force"
            except ClientError:
                return [], f"the client is skipped: {which} is no longer valid either"
    return [], "the client is skipped until its file is corrected"


_NEVER = "nothing was promoted yet, so what its file said before"


def _kept(client: str) -> Path:
    return _settings(client) / f"{client}.yaml"


def _promoted(client: str) -> Path:
    """Return the file with the settings that a client is published by: after a rollback, an older one."""
    again = in_force_again(client)
    return again.file if again else _settings(client) / "promoted" / f"{client}.yaml"


def _retired(client: str) -> Path:
    return _settings(client) / "retired.yaml"


def _settings(client: str) -> Path:
    return lake_folder() / client / "_settings"
