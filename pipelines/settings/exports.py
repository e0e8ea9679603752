"""Say what an export is read from: files, a bucket, or Postgres."""

import codecs
import re
from typing import Annotated, Any, Literal, get_args

from pydantic import Field, PrivateAttr, field_validator, model_validator

from pipelines.settings.base import Settings
from pipelines.settings.column_names import Names, column_names
from pipelines.settings.conditions import read_condition
from pipelines.settings.currencies import known
from pipelines.settings.expected_every import EVERY, MEANING
from pipelines.settings.export_places import Bucket, Postgres, checked_glob
from pipelines.settings.ordered_by import Order
from pipelines.settings.ready_made import formats
from pipelines.settings.time_zones import Zone
from pipelines.settings.written_numbers import Numbers

PropertyName = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$"), "a name in lower case"]


EventFormat = Literal["ga4", "snowplow", "segment", "posthog", "matomo"]
ReadyMadeFormat = Literal[
    "google_ads_report",
    "google_ads_transfer",
    "meta_ads_report",
    "microsoft_ads_report",
    "linkedin_ads_report",
    "tiktok_ads_report",
    "salesforce_report",
    "salesforce_data_loader",
    "shopify_orders",
    "stripe_payments",
    "hubspot_deals",
]


class Export(Settings):
    """What one table is read from, and how it is delivered: `files:` or `postgres:`."""

    files: str | None = Field(
        None,
        min_length=1,
        description="Glob from the project's root or ATTRIBUTION_HOME (`.csv`, `.jsonl`, `.json`, `.xlsx`, `.parquet`, `.sqlite`; `.gz`, `.zst`, `.zip`),"
        " below `exports/<client>/` or one of `folders`; or in a bucket: `s3://`, `gs://`, `abfss://`.",
    )
    bucket: Bucket | None = None
    postgres: Postgres | None = None
    delivery: Literal["increment", "full"] = Field(
        "increment",
        description="Whether a delivery holds rows that are new or changed, or all rows; then a missing one is deleted.",
    )
    parts: bool | None = Field(
        None,
        description="With `delivery: full`: whether all files that match are parts of one delivery. If not, each is a"
        " whole delivery, and the newest is what there is.",
    )
    ordered_by: Order | None = Field(
        None,
        description="What tells which file is newer. Left out, the time in their names does, else the number there,"
        " else when they were written.",
    )
    grain: Literal["sum", "newest", "refunds"] | None = Field(
        None,
        description="What several rows of one key in one file are: parts of a finer report, to be added up (`sum`,"
        " for costs and counts only), or versions, oldest first (`newest`), or an order and what was given back of it, as"
        " rows of an amount below 0 (`refunds`, for `web.conversions`). Left out, rows that differ are refused.",
    )
    format: EventFormat | ReadyMadeFormat | None = Field(
        None,
        description="What the export is: events, of which `web.sessions`, `web.conversions` and `web.refunds` are made (`ga4`,"
        " `snowplow`, `segment`, `posthog`, `matomo`); or a download of a platform's own page, whose columns are known by name, in English and German, and need no"
        " lines under `columns:`.",
    )
    event: str | None = Field(
        None,
        min_length=1,
        description="With events as `format:` of conversions or refunds, the name of the event that is one; left out, the"
        " format's own, as `purchase` and `refund`.",
    )
    has_guests: bool | None = Field(
        None,
        description="With events as `format:` of sessions: whether a purchase that names nobody is its browser's, and so is"
        " its session. Left out, it is so where `conversions:` has the same format.",
    )
    table: str | None = Field(
        None,
        description="Table of a SQLite file, or sheet of a workbook, that is read. Of sheets it is the one with the"
        " columns that are read, if left out.",
    )
    encoding: str | None = Field(
        None,
        description="Encoding of texts that are not UTF-8 and have no byte order mark, such as `cp1252`; lines that are"
        " UTF-8 nevertheless are read as such.",
    )
    row_lines: int | None = Field(
        None,
        ge=1,
        description="Lines that a row of a CSV file may span, where a text in quotes has line breaks. Left out, it may"
        " span 1,000, unless lines of it look like rows that a quote has swallowed. Where one is a row by its values,"
        " too, the record goes to quarantine in any case.",
    )
    quotes: Literal["doubled", "backslash"] = Field(
        "doubled",
        description="How a CSV file writes a quote within quotes: doubled, or behind a backslash, as MySQL and Redshift"
        " write it; then `\\N` alone is nothing, and a mark or a line break behind a backslash belongs to its value.",
    )
    skip: list[Annotated[str, Field(pattern=r"[^\s\"]")]] = Field(
        [],
        description="How lines of a CSV file or a sheet begin that are no data, such as `[Nova Ltd, Report of]`, capitals"
        " and quotes aside. Titles above the header, totals and most footers are skipped without it.",
    )
    columns: dict[str, Names] = Field(
        {},
        description="By column of ours, the export's: a name, a list that is joined by a blank, or null for one that"
        " it lacks; or SQL over its columns, such as `Stage = 'Closed Won'`. Columns of the same name need no line."
        " Names are equal but for capitals, blanks and underscores.",
    )
    properties: dict[PropertyName, Annotated[str, Field(min_length=1)]] = Field(
        {},
        description="Further columns of `web.events` that are kept, for `where:` of `conversions:` and for `exclude:`:"
        " by name, the export's column, as `{plan: Plan Name}`; or a list of columns, as `[plan, country]`.",
    )
    where: str | None = Field(
        None,
        description="Which rows count, as SQL over the export's own columns, such as `Status = 'Paid'`; others are"
        " left out, and one that no longer counts is deleted; one of which a number, a time or a flag that decides cannot"
        " be read is bad. `true` says that all count.",
    )
    numbers: Numbers | None = None
    unit: dict[str, Literal["micros", "cents", "units", "thousands", "millions"]] = Field(
        {},
        description="By column of ours that holds money, what the export counts: millionths (`micros`), hundredths"
        " (`cents`), `thousands`, `millions`, or whole `units`, which is needed only where the export's name of it says"
        " otherwise. Of one that counts: `thousands`, `millions` or `units`.",
    )
    in_currency: str | None = Field(
        None,
        description="Currency of the money in it whose currency no column says, such as `USD`, where it is not the"
        " client's; rows in another need `sources.rates`.",
    )
    date_format: str | None = Field(
        None,
        description="How days are written that can be read in two ways, such as 1/11/2026: `%d/%m/%Y` or `%m/%d/%Y`, in"
        " the letters of `strptime`; an hour that follows needs none. `excel` for days counted by Excel. Others,"
        " as 1.11.2026, Nov 1, 2026, 20261101, or seconds since 1970, are read without it.",
    )
    zones: dict[str, Zone] = Field(
        {},
        description="By column of ours that holds times, the zone of those without an offset: `Europe/Berlin`, `UTC+2`,"
        " or `client`, the client's own. Left out, it is the zone that the export's name of it says, as `Created (UTC)`,"
        " else the client's.",
    )

    expected_every: str | None = Field(None, pattern=EVERY, description=MEANING)

    _apart: str | None = PrivateAttr(None)

    @field_validator("files")
    @classmethod
    def _is_a_glob(cls, pattern: str | None) -> str | None:
        return pattern and checked_glob(pattern)

    @field_validator("in_currency")
    @classmethod
    def _is_a_currency(cls, code: str | None) -> str | None:
        return code and known(code)

    @field_validator("encoding")
    @classmethod
    def _is_known(cls, encoding: str | None) -> str | None:
        if encoding is None:
            return None
        try:
            return _encoding(encoding)
        except (LookupError, UnicodeError):
            raise ValueError(
                f"'{encoding}' is no encoding that is known; write such as cp1252, latin-1, utf-16-le"
            ) from None

    @field_validator("date_format")
    @classmethod
    def _is_a_day(cls, pattern: str | None) -> str | None:
        if pattern in (None, "excel"):
            return pattern
        letters = re.findall("%(.?)", pattern)
        if sorted(letter.lower().replace("b", "m") for letter in letters) != ["d", "m", "y"]:
            raise ValueError(
                f"'{pattern}': write one each of %d, %m (or %b for its name), and %Y (or %y), such as"
                " %d/%m/%Y; an hour that follows needs no letters"
            )
        return pattern

    @model_validator(mode="before")
    @classmethod
    def _has_what_its_format_says(cls, written: Any) -> Any:
        """Take what a ready-made format says for the client's own, where that says nothing."""
        if not isinstance(written, dict) or written.get("format") not in get_args(ReadyMadeFormat):
            return written
        form = formats()[written["format"]]
        merged = {**form.settings, **written}
        for name, said in form.settings.items():
            if isinstance(said, dict) and isinstance(own := written.get(name), dict):
                merged[name] = {**said, **own}
        return merged

    @field_validator("columns", mode="before")
    @classmethod
    def _are_names(cls, columns: Any) -> Any:
        if not isinstance(columns, dict):
            return columns
        return {column: column_names(column, written) for column, written in columns.items()}

    @field_validator("properties", mode="before")
    @classmethod
    def _are_named(cls, written: Any) -> Any:
        """Take a list of columns for names that the export has, too."""
        is_list = isinstance(written, list) and all(isinstance(each, str) for each in written)
        return {name: name for name in written} if is_list else written

    @field_validator("where", mode="before")
    @classmethod
    def _is_a_condition(cls, written: Any) -> Any:
        if isinstance(written, bool):
            written = str(written).lower()
        if isinstance(written, str):
            read_condition(written)
        return written

    @model_validator(mode="after")
    def _has_one_way_in(self) -> "Export":
        if bool(self.files) == bool(self.postgres):
            raise ValueError("write either `files:` or `postgres:`")
        if self.postgres:
            self._has_no_files()
        if self.bucket and not self.in_bucket:
            raise ValueError(
                "`bucket:` goes with `files:` that begin with s3://, gs:// or abfss://"
            )
        if self.postgres and self.is_ready_made:
            raise ValueError("a ready-made `format:` goes with `files:`; leave out one of them")
        if self.is_of_events and any(len(names) != 1 for names in self.columns.values()):
            raise ValueError(
                "with `format:` each of `columns:` is one name; leave out lists and null"
            )
        if not self.is_of_events and (self.event or self.has_guests is not None):
            name = "event" if self.event else "has_guests"
            raise ValueError(f"`{name}:` goes with events as `format:`, such as ga4; leave it out")
        if self.parts is not None and self.delivery != "full":
            raise ValueError(
                "`parts:` goes with `delivery: full`; leave it out, or write that (it is"
                f" `delivery: {self.delivery}`)"
            )
        if self.is_of_events and self.grain:
            raise ValueError("with `format:` events are merged; leave out `grain:`")
        if self.is_of_events and self.where:
            raise ValueError("with `format:` every event is read; leave out `where:`")
        if self.is_of_events and self.zones:
            raise ValueError("with `format:` times are UTC; leave out `zones:`")
        if self.postgres and self.postgres.cursor and self.delivery == "full":
            raise ValueError(
                "`cursor:` reads what changed, `delivery: full` needs all rows; leave out one"
            )
        return self

    def _has_no_files(self) -> None:
        """Raise ValueError for a setting of files beside a table in Postgres."""
        for name in ("bucket", "parts", "ordered_by"):
            if getattr(self, name) is not None:
                raise ValueError(
                    f"`{name}:` goes with `files:`, and this is `postgres:`; leave out one of them"
                )

    @property
    def is_ready_made(self) -> bool:
        """Return whether its columns are those of a platform's own page."""
        return self.format in get_args(ReadyMadeFormat)

    @property
    def is_of_events(self) -> bool:
        """Return whether it has events, of which sessions, conversions and refunds are made."""
        return bool(self.format) and not self.is_ready_made

    @property
    def apart(self) -> str | None:
        """Return the condition for rows that are another table's, and none of this one."""
        return self._apart

    def without(self, condition: str) -> "Export":
        """Return the export without the rows that are another table's."""
        other = self.model_copy()
        other._apart = condition
        return other

    @property
    def pattern(self) -> str:
        """Return the glob of its files or objects; nothing where it is a table in Postgres."""
        return self.files or ""

    @property
    def in_bucket(self) -> bool:
        """Return whether the files are objects in a bucket."""
        return "://" in self.pattern

    def names(self, column: str) -> tuple[str, ...]:
        """Return what the export calls one of our columns, or its parts; nothing if it has none."""
        return self.columns.get(column, (column,))


def _encoding(name: str) -> str:
    """Return an encoding's usual name. Raise LookupError if it is none of texts."""
    b"".decode(name)  # raises for what is none of texts, such as base64
    return codecs.lookup(name).name
