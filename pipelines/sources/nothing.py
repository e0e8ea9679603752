"""Take for nothing what stands for nothing: a client's words for it, and ids that are zeros only."""

from pipelines.contracts.contract import Contract
from pipelines.sql import literal

_ZEROS = "[{}0.-]*0[{}0.-]*"


def something(value: str, name: str, contract: Contract) -> str:
    """Return SQL for a column's text, or NULL where that stands for nothing.

    Among a client's words, such as `n/a` or `NULL`, `0` stands for all ids of zeros only, such as
    00000000-0000-0000-0000-000000000000: they are nobody, but 0 is a number and a campaign.
    """
    column = contract.columns[name]
    words = {word.strip().lower() for word in contract.nothing}
    zeros = {word for word in words if word and not word.strip("{}0.-") and "0" in word}
    is_nothing = [_among(value, words - zeros)] if words - zeros else []
    if zeros and column.is_somebody:
        begins = f"({value} < '1' OR {value} >= '{{')"
        is_nothing.append(f"({begins} AND REGEXP_FULL_MATCH({value}, '{_ZEROS}'))")
    return (
        f"CASE WHEN {' OR '.join(is_nothing)} THEN NULL ELSE {value} END" if is_nothing else value
    )


def _among(value: str, words: set[str]) -> str:
    """Return SQL for whether a text is a word; few texts are so short, and length is cheap.

    DuckDB makes a join of `IN`, for all rows, and so looks up the long ones, too.
    """
    longest = max(len(word.encode()) for word in words)
    listed = ", ".join(map(literal, sorted(words)))
    return f"(STRLEN({value}) <= {longest} AND LIST_CONTAINS([{listed}], LOWER({value})))"
