"""Rename in what the IHC service was asked and answered, so that no answer is asked and paid for again.

A journey is known by a digest of the very text that is sent, and that text names the conversion and its
sessions. So the text is renamed as the models' tables are, and the digest is that of the new text.
"""

import hashlib
import json
import re
import secrets
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from pipelines.contracts.people import CONVERSION, TOUCHPOINT
from pipelines.erasing.found_places import Place
from pipelines.erasing.plan import Plan
from pipelines.files import replacing, sync_folder
from pipelines.ihc.request_log import log_folder
from pipelines.lake.tombstones import mark, salt_of
from pipelines.settings.client import Client

_NAMED = re.compile(r'("(conversion_id|session_id)"\s*:\s*")((?:[^"\\]|\\.)*)"')
_JOURNEY = re.compile(r"\{[^{}]*\}")
_LAST = ("answers", "requests")  # what is written last tells again what the digests become
_KINDS = {"conversion_id": CONVERSION, "session_id": TOUCHPOINT}


def in_ihc_log(client: Client, plan: Plan, is_done: bool) -> Iterator[Place]:
    """Yield how many requests and answers name somebody; with `is_done`, once they do not any more."""
    names = _Names(client, plan)
    found = {kind: sorted((log_folder(client.id) / kind).glob("*.parquet")) for kind in _LAST}
    read = {file: pq.read_table(file) for files in found.values() for file in files}
    rows = {file: table.to_pylist()[0] for file, table in read.items()}
    for file in found["requests"]:
        names.learn(rows[file])
    for kind in _LAST:
        files = {file: names.renamed(rows[file]) for file in found[kind]}
        files = {file: row for file, row in files.items() if row != rows[file]}
        if files:
            yield Place(f"lake/{client.id}/_ihc", kind, len(files), len(files))
        for file, row in files.items() if is_done else ():
            _write(file, row, read[file].schema)


class _Names:
    """What a plan calls conversions and sessions, and the digests of the journeys that it renames."""

    def __init__(self, client: Client, plan: Plan) -> None:
        self._plan, self._salt = plan, salt_of(client.id)
        settings = client.attribution.ihc
        asked = settings.model_dump(include={"base_url", "conv_type_id", "redistribution"})
        self._asked = json.dumps(asked, sort_keys=True)
        self._digests: dict[str, str] = {}
        self._names: dict[str, str] = {}

    def learn(self, request: dict[str, Any]) -> None:
        """Learn from a request, as long as it is as it was, what its journeys' digests become."""
        for _, column, value in _NAMED.findall(request["body"]):
            name = json.loads(f'"{value}"', strict=False)
            if (new := self._new(column, name)) != name:
                self._names[name] = new
        for journey in request["journeys"]:
            parts = _JOURNEY.findall(request["body"])
            text = ", ".join(part for part in parts if _of(part) == journey["conversion_id"])
            if (new := self._text(text)) != text:
                is_asked_so = self._digest(text) == journey["digest"]
                new = self._digest(new if is_asked_so else secrets.token_hex())
                self._digests[journey["digest"]] = new

    def renamed(self, row: dict[str, Any]) -> dict[str, Any]:
        """Return a request or an answer as the plan has it."""
        journeys = [
            journey
            | {
                "conversion_id": self._new("conversion_id", journey["conversion_id"]),
                "digest": self._digests.get(journey["digest"], journey["digest"]),
            }
            for journey in row["journeys"]
        ]
        texts = {name: self._text(row[name]) for name in ("body", "answer") if name in row}
        if "answer" in row:
            texts["answer"] = self._errors(texts["answer"])
        return row | texts | {"journeys": journeys}

    def _digest(self, body: str) -> str:
        return hashlib.sha256(f"{self._asked}\n{body}".encode()).hexdigest()

    def _text(self, text: str) -> str:
        return _NAMED.sub(lambda said: f'{said[1]}{self._escaped(said[2], said[3])}"', text)

    def _escaped(self, column: str, value: str) -> str:
        """Return what a name becomes as JSON has it: a service may write `ü` as `\\u00fc`."""
        name = json.loads(f'"{value}"', strict=False)
        new = self._new(column, name)
        return value if new == name else json.dumps(new, ensure_ascii=False)[1:-1]

    def _errors(self, text: str) -> str:
        """Return an answer without the names that stand in what it says beside its values, as errors."""
        if not self._names:
            return text
        names = "|".join(map(re.escape, sorted(self._names, key=len, reverse=True)))
        named = re.compile(rf"(?<![A-Za-z0-9_-])({names})(?![A-Za-z0-9_-])")

        def without(said: Any) -> Any:
            if isinstance(said, dict):
                return {name: without(each) for name, each in said.items()}
            if isinstance(said, list):
                return [without(each) for each in said]
            is_text = isinstance(said, str)
            return named.sub(lambda found: self._names[found[1]], said) if is_text else said

        try:
            answer = json.loads(text)
        except ValueError:  # a page of HTML, or torn
            return without(text)
        if not isinstance(answer, dict):
            return text
        beside = {name: each for name, each in answer.items() if name != "value"}
        return text if without(beside) == beside else json.dumps(answer | without(beside))

    def _new(self, column: str, value: str) -> str:
        bare = value.removeprefix("event:")
        known = mark(self._salt, _KINDS[column], bare.strip().lower())
        new = self._plan.renames.get(known)
        return value if new is None else value.replace(bare, new)


def _of(part: str) -> str:
    """Return the conversion of a session in a request; nothing of what is none."""
    try:
        return str(json.loads(part).get("conversion_id", ""))
    except ValueError:
        return ""


def _write(file: Path, row: dict[str, Any], schema: pa.Schema) -> None:
    with replacing(file, sync=True) as unfinished:
        pq.write_table(pa.Table.from_pylist([row], schema=schema), unfinished, compression="zstd")
    sync_folder(file.parent)
