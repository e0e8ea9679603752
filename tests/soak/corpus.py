"""Make malformed exports of a good one: cut, doubled, renamed, in another form, at many places."""

import gzip
import io
import json
import random
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

import pyarrow as pa
import pyarrow.parquet as pq

HEADER = "spend_date,campaign_id,campaign,cost,clicks,impressions"
NAMES = ["Brand", "Größe \u2013 Büro", '"Sale, now"', '"Say ""hi"""', "x" * 200]

# The truth: a row for each day and campaign, with what it cost and how often it was clicked.
TRUTH = {
    (f"2026-10-{day:02}", f"c{number}"): (f"{1000 + 37 * day + number}.{day:02}", str(day * number))
    for day in range(1, 21)
    for number in range(1, 6)
}
LINES = [
    f"{day},{campaign},{NAMES[int(campaign[1]) - 1]},{cost},{clicks},{int(clicks) * 90}"
    for (day, campaign), (cost, clicks) in TRUTH.items()
]
GOOD = "\n".join([HEADER, *LINES]) + "\n"
NOTHING = "--"  # as Google Ads writes a number that it does not have


class Case(NamedTuple):
    """A malformed export: what was done to the good one, its file's name, and its content.

    `has_clicks` is false where every number of clicks was replaced by a mark for nothing.
    """

    fault: str
    name: str
    file: str
    content: bytes
    has_clicks: bool = True


def corpus() -> list[Case]:
    """Return every malformed export there is, always the same ones."""
    return [*_at_places(), *_whole(), *_packed(), *_json_lines(), *_binary()]


def _places(count: int, seed: int, content: bytes = GOOD.encode()) -> list[int]:
    return sorted(random.Random(seed).sample(range(len(HEADER) + 2, len(content)), count))


def _at_places() -> Iterator[Case]:
    """Disturb the good export at one place each."""
    good = GOOD.encode()
    inserted = {"quote": b'"', "NUL": b"\0", "line break": b"\n", "CR": b"\r", "two quotes": b'""'}
    for seed, (fault, mark) in enumerate(inserted.items()):
        for place in _places(24, seed):
            yield _csv(f"{fault} put in", place, good[:place] + mark + good[place:])
    for place in _places(40, 10):
        yield _csv("cut", place, good[:place])
    for place in _places(24, 11):
        yield _csv("bit flipped", place, _flipped(good, place))
    for place in _places(16, 12):
        yield _csv("quotes around many lines", place, _quoted(good, place, 700))
    ends = [place for place, byte in enumerate(good) if byte == 10][1:]
    for place in random.Random(13).sample(ends, 16):
        yield _csv("line break taken out", place, good[:place] + good[place + 1 :])
        yield _csv("CRLF in one line", place, good[:place] + b"\r\n" + good[place + 1 :])
        yield _csv("empty line", place, good[:place] + b"\n" + good[place:])
    for size in (3_000_000, 20_000_000, 40_000_000):
        yield _csv("very long line", size, good + b"2026-10-31,c1," + b"y" * size + b",1,1,1\n")
        yield _csv("very long line, unended", size, good + b"2026-10-31,c1," + b"y" * size)


def _whole() -> Iterator[Case]:
    """Write the same truth in another way, or with something before, after or between."""
    good = GOOD.encode()
    lines = LINES
    ways: dict[str, bytes] = {
        "CRLF": good.replace(b"\n", b"\r\n"),
        "CR alone": good.replace(b"\n", b"\r"),
        "UTF-16": GOOD.encode("utf-16"),
        "BOM": b"\xef\xbb\xbf" + good,
        "cp1252": GOOD.encode("cp1252"),
        "semicolons": good.replace(b",", b";"),
        "tabs": good.replace(b",", b"\t"),
        "title lines": b"Campaign report\n2026-10-01 to 2026-10-20\n" + good,
        "an empty line first": b"\n" + good,
        "sep=": b"sep=,\n" + good,
        "a footer": good + b"\nTotal,,,123456.00,999,9999\nCopyright (c) 2026\n",
        "no header": good.partition(b"\n")[2],
        "header twice": (HEADER + "\n").encode() + good,
        "header alone": (HEADER + "\n").encode(),
        "nothing": b"",
        "blanks": b" \n\n \n",
        "header in capitals": good.replace(HEADER.encode(), HEADER.upper().encode()),
        "a column is missing": good.replace(b",cost,", b",kosten,"),
        "a column is there twice": good.replace(b",clicks,", b",cost,"),
        "columns in another order": _reordered(),
        "one column more": "\n".join(f"{line},z" for line in GOOD.splitlines()).encode() + b"\n",
        "rows doubled": "\n".join([HEADER, *lines, *lines]).encode() + b"\n",
        "rows doubled, dearer": "\n".join([HEADER, *lines, *map(_dearer, lines)]).encode() + b"\n",
        "rows in reverse": "\n".join([HEADER, *reversed(lines)]).encode() + b"\n",
        "binary": random.Random(1).randbytes(9_000),
        "no break at the end": good.rstrip(b"\n"),
    }
    for name, content in ways.items():
        yield Case("another form", name, "spend.csv", content)
    for name, write in _COSTS.items():
        yield Case("costs written otherwise", name, "spend.csv", _rewritten(3, write))
    for name, write in _DAYS.items():
        yield Case("days written otherwise", name, "spend.csv", _rewritten(0, write))
    for name, write in _CLICKS.items():
        rewritten, has_clicks = _rewritten(4, write), write("7") != NOTHING
        yield Case("clicks written otherwise", name, "spend.csv", rewritten, has_clicks)


_COSTS: dict[str, Callable[[str], str]] = {
    "decimal comma": lambda cost: f'"{cost.replace(".", ",")}"',
    "thousands": lambda cost: f'"{float(cost):,.2f}"',
    "German": lambda cost: f'"{float(cost):,.2f}"'.translate(str.maketrans(",.", ".,")),
    "German thousands": lambda cost: f"{float(cost) / 1000:.3f}",
    "sign before": lambda cost: f"€{cost}",
    "sign behind": lambda cost: f"{cost} EUR",
    "brackets": lambda cost: f"({cost})",
    "dashes": lambda cost: NOTHING,
    "exponent": lambda cost: f"{float(cost):E}",
    "words": lambda cost: "much",
    "nothing": lambda cost: "",
    "huge": lambda cost: cost.replace(".", "0" * 30 + "."),
    "not a number": lambda cost: "NaN",
    "endless": lambda cost: "Infinity",
    "blanks around": lambda cost: f"  {cost} ",
    "Arabic digits": lambda cost: cost.translate(str.maketrans("0123456789", "٠١٢٣٤٥٦٧٨٩")),
}
_DAYS: dict[str, Callable[[str], str]] = {
    "German": lambda day: ".".join(reversed(day.split("-"))),
    "American": lambda day: f"{day[5:7]}/{day[8:]}/{day[:4]}",
    "without marks": lambda day: day.replace("-", ""),
    "Excel": lambda day: str(46295 + int(day[8:])),
    "epoch": lambda day: str(1790812800 + 86400 * int(day[8:])),
    "slashes": lambda day: day.replace("-", "/"),
    "no such day": lambda day: f"2026-02-{20 + int(day[8:]) % 9 + 3}",
    "far away": lambda day: day.replace("2026", "9026"),
    "with an hour": lambda day: f"{day} 00:00:00",
}
_CLICKS: dict[str, Callable[[str], str]] = {
    "thousands": lambda clicks: f"{int(clicks) + 1}.345",
    "decimals": lambda clicks: f"{clicks}.0",
    "half": lambda clicks: f"{clicks}.5",
    "dashes": lambda clicks: NOTHING,
    "words": lambda clicks: "some",
    "too large": lambda clicks: clicks + "0" * 25,
}


def _packed() -> Iterator[Case]:
    """Pack the good export, and spoil the package."""
    packed = gzip.compress(GOOD.encode(), mtime=0)
    yield Case("packed", "whole", "spend.csv.gz", packed)
    yield Case("packed", "not at all", "spend.csv.gz", GOOD.encode())
    yield Case("packed", "twice", "spend.csv.gz", gzip.compress(packed, mtime=0))
    yield Case("packed", "two members", "spend.csv.gz", packed + gzip.compress(b"", mtime=0))
    yield Case("packed", "rubbish behind", "spend.csv.gz", packed + b"rubbish")
    for place in _places(12, 20, packed):
        yield Case("package cut", str(place), "spend.csv.gz", packed[:place])
        yield Case("package flipped", str(place), "spend.csv.gz", _flipped(packed, place))
    for name in (
        "spend.txt",
        "spend.json",
        "spend.xlsx",
        "spend.csv.zip",
        "spend",
        "spend.parquet",
    ):
        yield Case("wrong name", name, name, GOOD.encode())


def _json_lines() -> Iterator[Case]:
    rows = [
        dict(zip(HEADER.split(","), (day, campaign, NAMES[0], cost, clicks, "9")))
        for (day, campaign), (cost, clicks) in TRUTH.items()
    ]
    good = "".join(json.dumps(row) + "\n" for row in rows).encode()
    yield Case("JSON lines", "whole", "spend.jsonl", good)
    yield Case("JSON lines", "an array", "spend.jsonl", json.dumps(rows).encode())
    yield Case(
        "JSON lines", "an array over lines", "spend.jsonl", json.dumps(rows, indent=1).encode()
    )
    yield Case("JSON lines", "numbers", "spend.jsonl", good.replace(b'"cost": "', b'"cost": "0'))
    for seed, mark in enumerate((b'"', b"\0", b"\n", b"{", b"}", b"\\")):
        for place in _places(6, 30 + seed, good):
            content = good[:place] + mark + good[place:]
            yield Case("JSON lines spoilt", f"{mark!r} at {place}", "spend.jsonl", content)
    for place in _places(10, 40, good):
        yield Case("JSON lines cut", str(place), "spend.jsonl", good[:place])


def _binary() -> Iterator[Case]:
    columns = list(zip(*((*key, "Brand", *values, "9") for key, values in TRUTH.items())))
    buffer = io.BytesIO()
    pq.write_table(pa.table(dict(zip(HEADER.split(","), map(list, columns)))), buffer)
    parquet, database = buffer.getvalue(), _database(columns)
    for name, content in (("spend.parquet", parquet), ("spend.sqlite", database)):
        yield Case("binary", "whole", name, content)
        for place in _places(10, 50, content):
            yield Case("binary cut", f"{name} at {place}", name, content[:place])
        yield Case("binary", f"{name}, other content", name, GOOD.encode())


def _database(columns: list[tuple]) -> bytes:
    with TemporaryDirectory() as folder:
        file = Path(folder, "spend.sqlite")
        with closing(sqlite3.connect(file)) as database, database:
            database.execute(f"CREATE TABLE spend ({HEADER})")
            database.executemany("INSERT INTO spend VALUES (?, ?, ?, ?, ?, ?)", zip(*columns))
        return file.read_bytes()


def _csv(fault: str, place: int, content: bytes) -> Case:
    return Case(fault, f"at {place}", "spend.csv", content)


def _flipped(content: bytes, place: int) -> bytes:
    return content[:place] + bytes([content[place] ^ 0x20]) + content[place + 1 :]


def _quoted(good: bytes, place: int, length: int) -> bytes:
    """Open a quote at the beginning of a value, and close one at the end of a later value."""
    begin = good.index(b",", place % (len(good) - 2 * length)) + 1
    end = good.index(b",", begin + length)
    return good[:begin] + b'"' + good[begin:end] + b'"' + good[end:]


def _dearer(line: str) -> str:
    """Return a line whose cost is another."""
    head, cost, *tail = line.rsplit(",", 3)
    return ",".join([head, f"9{cost}", *tail])


def _rewritten(column: int, write: Callable[[str], str]) -> bytes:
    """Return the good export with one column written in another way; names are plain."""
    rows = [
        [day, campaign, "Brand", cost, clicks, "9"]
        for (day, campaign), (cost, clicks) in TRUTH.items()
    ]
    for row in rows:
        row[column] = write(row[column])
    return "\n".join([HEADER, *(",".join(row) for row in rows)]).encode() + b"\n"


def _reordered() -> bytes:
    lines = [HEADER.split(",")]
    lines += [[day, campaign, "Brand", *values, "9"] for (day, campaign), values in TRUTH.items()]
    return "\n".join(",".join(reversed(line)) for line in lines).encode() + b"\n"
