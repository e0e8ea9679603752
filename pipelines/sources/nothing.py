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
    """Return SQL for whether a text is a word.

    Few texts are so short, or begin as one of the words does: both are cheaper to see than the word.
    """
    longest = max(len(word.encode()) for word in words)
    listed = ", ".join(map(literal, sorted(words)))
    begins = " OR ".join(
        f"{value} BETWEEN {literal(first)} AND {literal(chr(ord(last) + 1))}"
        for first, last in _ranges({word[0] for word in words})
    )
    return f"(STRLEN({value}) <= {longest} AND ({begins}) AND LOWER({value}) IN ({listed}))"


def _ranges(letters: set[str]) -> list[tuple[str, str]]:
    """Return the first and the last of letters that follow each other with none of the alphabet between."""
    both = sorted(
        {form for letter in letters for form in (letter, letter.upper()) if len(form) == 1}
    )
    ranges: list[tuple[str, str]] = []
    for letter in both:
        between = map(chr, range(ord(ranges[-1][1]), ord(letter))) if ranges else ()
        if ranges and letter < "\x7f" and not any(each.isalnum() for each in between):
            ranges[-1] = (ranges[-1][0], letter)
        else:
            ranges.append((letter, letter))
    return ranges
