"""Say what an export is read from: files, a bucket, or Postgres."""

import os
import re
from pathlib import Path
from typing import Any, Literal

from pydantic import Field, field_validator, model_validator

from pipelines.settings.base import Settings, private


class Bucket(Settings):
    """How a bucket is reached: its region, its address where it is not the cloud's own, by what keys."""

    region: str = Field("us-east-1", min_length=1)
    endpoint: str | None = None
    access: Literal["keys", "ambient", "anonymous"] = "keys"

    @field_validator("endpoint")
    @classmethod
    def _is_an_address(cls, url: str | None) -> str | None:
        return url and private(url)


class Postgres(Settings):
    """A table or a view in Postgres, and the time by which its new and changed rows are found."""

    table: str = Field(pattern=r"^[^.]+([.][^.]+)?$")
    cursor: str | None = Field(None, min_length=1)
    overlap_minutes: int = Field(60, ge=0)


class Export(Settings):
    """What one table is read from, and how it is delivered.

    `columns` names the export's column for one of ours, several that make it together, or none.
    """

    files: str | None = Field(None, min_length=1)
    bucket: Bucket | None = None
    postgres: Postgres | None = None
    delivery: Literal["increment", "full"] = "increment"
    format: Literal["ga4", "snowplow"] | None = None
    table: str | None = None
    columns: dict[str, tuple[str, ...]] = {}

    @field_validator("files")
    @classmethod
    def _is_a_glob(cls, pattern: str) -> str:
        if "://" in pattern:
            return _bucket_glob(pattern)
        try:
            any(Path(os.devnull).glob(pattern))
        except (NotImplementedError, ValueError) as error:
            remedy = "write a glob from the project's root"
            raise ValueError(f"'{pattern}': {error}; {remedy}") from None
        return pattern

    @field_validator("columns", mode="before")
    @classmethod
    def _are_names(cls, columns: Any) -> Any:
        if not isinstance(columns, dict):
            return columns
        return {column: _names(column, said) for column, said in columns.items()}

    @model_validator(mode="after")
    def _has_one_way_in(self) -> "Export":
        if bool(self.files) == bool(self.postgres):
            raise ValueError("write either `files:` or `postgres:`")
        if self.bucket and not self.in_bucket:
            raise ValueError(
                "`bucket:` goes with `files:` that begin with s3://, gs:// or abfss://"
            )
        if self.format and any(len(names) != 1 for names in self.columns.values()):
            raise ValueError(
                "with `format:` each of `columns:` is one name; leave out lists and null"
            )
        if self.postgres and self.postgres.cursor and self.delivery == "full":
            raise ValueError(
                "a cursor reads what changed, `delivery: full` needs all rows; leave out one"
            )
        return self

    @property
    def in_bucket(self) -> bool:
        """Return whether the files are objects in a bucket."""
        return "://" in (self.files or "")

    def names(self, column: str) -> tuple[str, ...]:
        """Return what the export calls one of our columns, or its parts; nothing if it has none."""
        return self.columns.get(column, (column,))


def _names(column: str, said: Any) -> tuple[str, ...]:
    if said is None:
        return ()
    names = said if isinstance(said, list | tuple) else [said]
    if not names or not all(isinstance(name, str) and name for name in names):
        raise ValueError(
            f"{column}: {said!r} names no column; write a name, a list of names, or null if there is none"
        )
    return tuple(names)


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
        raise ValueError(f"'{pattern}': ** is not known in buckets; write * for each folder")
    return pattern
