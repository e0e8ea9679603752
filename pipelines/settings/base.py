"""Say how every part of a client's file is checked."""

from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict


class Settings(BaseModel):
    """A part of a client's file: no unknown keys, no silent conversions of words to numbers.

    Each field has a `description`: docs/clients.md is generated from it.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, allow_inf_nan=False)


def secure(url: str) -> str:
    """Return an address without a slash at its end. Raise ValueError if it is not encrypted."""
    parts = urlsplit(url)
    if parts.scheme != "https" and parts.hostname not in ("127.0.0.1", "localhost"):
        raise ValueError(f"'{url}' is not encrypted; write an address that begins with https://")
    return url.rstrip("/")
