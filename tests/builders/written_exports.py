"""Write exports as platforms, spreadsheets and databases do: in an encoding, packed, as a workbook or Parquet."""

import gzip
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import duckdb
import openpyxl
import pyarrow as pa

from pipelines.sql import file_literal


def write(path: Path, content: str | dict[str, Any]) -> None:
    """Write a file: a text is UTF-8; else it is said how.

    `{encoding, text}`, `{packed: gzip | zstd, text}`, `{joined: [...]}` of such parts one after the other,
    `{workbook: rows}`, `{archive: files}`, `{parquet: query}`; `{long: n, text}` puts n letters in place of @LONG@.
    """
    if isinstance(content, dict) and "workbook" in content:
        book = openpyxl.Workbook()
        for row in content["workbook"]:
            book.worksheets[0].append(row)
        book.save(path)
    elif isinstance(content, dict) and "archive" in content:
        with zipfile.ZipFile(path, "w") as archive:
            for name, member in content["archive"].items():
                archive.writestr(name, member)
    elif isinstance(content, dict) and "parquet" in content:
        duckdb.sql(f"COPY ({content['parquet']}) TO {file_literal(path)} (FORMAT parquet)")
    else:
        path.write_bytes(_bytes(content))


def _bytes(content: str | dict[str, Any]) -> bytes:
    if isinstance(content, str):
        return content.encode()
    if "joined" in content:
        return b"".join(map(_bytes, content["joined"]))
    text = content["text"].replace("@LONG@", "x" * content.get("long", 0))
    return _PACKED[content.get("packed")](text.encode(content.get("encoding", "utf-8")))


_PACKED: dict[str | None, Callable[[bytes], bytes]] = {
    None: bytes,
    "gzip": gzip.compress,
    "zstd": lambda text: pa.Codec("zstd").compress(text, asbytes=True),
}
