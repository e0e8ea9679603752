"""Search everything below a home for texts: the bytes of each file, and what tables say."""

import hashlib
from collections.abc import Iterable
from pathlib import Path
from urllib.parse import quote

import duckdb


def traces(home: Path, names: Iterable[str]) -> list[tuple[str, str]]:
    """Return where names are found, in whatever form platforms and addresses write them; no exports."""
    forms = {form for name in names for form in _forms(name)}
    files = [each for each in sorted(home.rglob("*")) if each.is_file()]
    inside = [each for each in files if each.relative_to(home).parts[0] != "exports"]
    return [
        (str(file.relative_to(home)), form)
        for file in inside
        for said in [_said(file)]
        for form in sorted(forms)
        if form.encode() in said
    ]


def _forms(name: str) -> set[str]:
    digests = {
        way(text.encode()).hexdigest()
        for way in (hashlib.sha256, hashlib.sha1, hashlib.md5)
        for text in (name.lower(), name.upper())
    }
    return {name, name.lower(), name.upper(), name.title(), quote(name, safe=""), *digests}


def _said(file: Path) -> bytes:
    """Return the bytes of a file and its name, and of a table's also what its rows say."""
    said = str(file).encode() + file.read_bytes()
    with duckdb.connect() as connection:
        if file.suffix == ".parquet":
            rows = connection.execute("SELECT * FROM read_parquet(?)", [str(file)]).fetchall()
            said += repr(rows).encode()
        if file.suffix == ".duckdb" and file.parent.name == "warehouse":
            connection.execute(f"ATTACH '{file}' AS held (READ_ONLY)")
            tables = connection.execute(
                "SELECT schema_name, table_name FROM duckdb_tables() WHERE database_name = 'held'"
            ).fetchall()
            for schema, table in tables:
                rows = connection.execute(f'FROM held."{schema}"."{table}"').fetchall()
                said += repr(rows).encode()
    return said
