"""Keep a receipt of each erasure: `lake/<client>/_erasures/receipts.jsonl`, which only grows.

It says what was removed where and when, and has no identifier: of whom is a mark, which whoever has the
identifier and the salt can compare.
"""

import json
from typing import NamedTuple

from pipelines.erasing.found_places import Place
from pipelines.erasing.plan import Plan
from pipelines.lake.tombstones import erasures_folder, write_private


class Receipt(NamedTuple):
    """What one erasure did."""

    receipt: str
    person: str
    begun_at: str
    places: list[Place]
    delivered: list[str]


def sign(plan: Plan, places: list[Place], delivered: list[str]) -> Receipt:
    """Append the receipt of a plan that is carried out, once."""
    made = Receipt(plan.receipt, plan.person, plan.begun_at, places, delivered)
    kept = receipts(plan.client)
    if plan.receipt not in {each.receipt for each in kept}:
        lines = [
            json.dumps(each._asdict() | {"places": list(map(list, each.places))})
            for each in (*kept, made)
        ]
        write_private(erasures_folder(plan.client) / "receipts.jsonl", "\n".join(lines) + "\n")
    return made


def receipts(client: str) -> list[Receipt]:
    """Return the receipts of a client, the oldest first."""
    file = erasures_folder(client) / "receipts.jsonl"
    if not file.exists():
        return []
    lines = map(json.loads, file.read_text(encoding="utf-8").splitlines())
    return [
        Receipt(**line | {"places": [Place(*each) for each in line["places"]]}) for line in lines
    ]
