"""Say where an export is: files, a bucket, or a table in Postgres."""

import os
import re
from pathlib import Path
from typing import Literal

from pydantic import Field, field_validator

from pipelines.settings.base import Settings, secure


class Bucket(Settings):
    """How a bucket is reached."""

    region: str = Field("us-east-1", min_length=1, description="Region of the bucket.")
    endpoint: str | None = Field(
        None, description="Address of a store that is not the cloud's own, as MinIO."
    )
    access: Literal["keys", "ambient", "anonymous"] = Field(
        "keys", description="The client's own secrets, this machine's own access, or none."
    )

    @field_validator("endpoint")
    @classmethod
    def _is_an_address(cls, url: str | None) -> str | None:
        return url and secure(url)


class Postgres(Settings):
    """A table or a view in Postgres; its address is the secret `url` of the source."""

    table: str = Field(
        pattern=r"^[^.]+([.][^.]+)?$",
        description="Table or view, with its schema: `public.customers`.",
    )
    cursor: str | None = Field(
        None,
        min_length=1,
        description="Time column by which new and changed rows are found; left out, every row is read.",
    )
    overlap_minutes: int = Field(
        60, ge=0, description="Minutes before the newest row that are read again, for late commits."
    )


def checked_glob(pattern: str) -> str:
    """Return a glob of files or objects. Raise ValueError if it is none."""
    if "://" in pattern:
        return _bucket_glob(pattern)
    try:
        any(Path(os.devnull).glob(pattern.lstrip("/")))
    except (NotImplementedError, ValueError) as error:
        remedy = "write a glob from the project's root"
        raise ValueError(f"'{pattern}': {error}; {remedy}") from None
    return pattern


def _bucket_glob(pattern: str) -> str:
    scheme, _, path = pattern.partition("://")
    if scheme not in ("s3", "gs", "abfss"):
        raise ValueError(f"'{pattern}': write s3://, gs:// or abfss://, or a glob in the project")
    bucket, _, name = path.partition("/")
    if not bucket or not name or set(bucket) & set("*?[]"):
        raise ValueError(
            f"'{pattern}': write {scheme}://bucket/name, without a pattern in the bucket"
        )
    if scheme == "abfss" and not re.fullmatch("[^@]+@[^@.]+[.][^@]+", bucket):
        raise ValueError(f"'{pattern}': write abfss://container@account.dfs.core.windows.net/name")
    if "**" in name:
        raise ValueError(f"'{pattern}': ** does not work in buckets; write * for each folder")
    return pattern
