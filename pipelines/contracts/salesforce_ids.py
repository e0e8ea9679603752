"""Bring Salesforce's ids into one form: reports have 15 characters, APIs and Data Loader 18.

The last three of 18 are signs that say which of the 15 are capitals, five in each, the first one
counting 1, the fifth 16: `001A0000006Vm9r` is `001A0000006Vm9rIAC`. So an id that a spreadsheet
wrote in capitals alone, or in small letters alone, gets its letters back: `001A0000006VM9RIAC` is
the same. Where signs and letters contradict each other, the text is left as it is: it may be
anybody's.
"""

# Account, contact, user, opportunity, role, lead, campaign's member, case, campaign.
_KINDS = "001|003|005|006|00K|00Q|00v|500|701"
_SIGNS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ012345"
_CAPITALS = " ".join(f"{number:05b}"[::-1] for number in range(32))  # of each sign, in its place


def whole_id(value: str) -> str:
    """Return SQL for a text, or where it is the id of one of Salesforce's records for all 18 characters.

    One without a letter after its kind is no such id, but a number. One of 15 in capitals alone is
    taken as it is: nothing in it says whether they were delivered so.
    """
    short = f"'^({_KINDS})[0-9]*[A-Za-z][0-9A-Za-z]*$'"
    long = f"'^(?i:{_KINDS})[0-9]*([a-z][0-9a-z]*|[A-Z][0-9A-Z]*)[A-Za-z0-5]{{3}}$'"
    restored = f"REGEXP_EXTRACT({_restored(value)}, '^({_KINDS}).{{15}}$')"
    return (
        f"CASE WHEN LENGTH({value}) = 15 AND REGEXP_MATCHES({value}, {short})"
        f" THEN CONCAT({value}, {_signs(value)})"
        f" WHEN LENGTH({value}) = 18 AND REGEXP_MATCHES({value}, {long})"
        f" THEN COALESCE(NULLIF({restored}, ''), {value}) ELSE {value} END"
    )


def staged_id(value: str) -> str:
    """Return SQL for an id as staging has it: whole, and a number without decimals that say nothing."""
    is_decimal = f"{value} LIKE '%0' AND REGEXP_MATCHES({value}, '^[0-9]+[.,]0+$')"
    return f"CASE WHEN {is_decimal} THEN REGEXP_REPLACE({value}, '[.,]0+$', '') ELSE {whole_id(value)} END"


def _signs(value: str) -> str:
    """Return SQL for the signs of an id of 15 characters."""
    capitals = f"REGEXP_REPLACE(REGEXP_REPLACE({value}, '[^A-Z]', '0', 'g'), '[A-Z]', '1', 'g')"
    number = f"(STRPOS('{_CAPITALS}', SUBSTRING({capitals}, first, 5)) + 5) / 6"
    return _each("[1, 6, 11]", "first", f"SUBSTRING('{_SIGNS}', CAST({number} AS INT), 1)")


def _restored(value: str) -> str:
    """Return SQL for an id of 18 characters, in the letters that its signs tell.

    It is shorter where they call a digit a capital letter: then they are no signs.
    """
    letter = f"SUBSTRING(UPPER({value}), place, 1)"
    sign = f"SUBSTRING(UPPER({value}), 16 + CAST(FLOOR((place - 1) / 5) AS INT), 1)"
    capital = f"SUBSTRING('{_CAPITALS}', STRPOS('{_SIGNS}', {sign}) * 6 - 5 + (place - 1) % 5, 1)"
    chosen = f"CASE WHEN {capital} = '0' THEN LOWER({letter}) WHEN {letter} > '9' THEN {letter} END"
    letters = _each("RANGE(1, 16)", "place", chosen)
    return f"CONCAT({letters}, UPPER(SUBSTRING({value}, 16, 3)))"


def _each(values: str, name: str, made: str) -> str:
    """Return SQL for the text that is made of each of some values, one after the other."""
    return f"ARRAY_TO_STRING(LIST_TRANSFORM({values}, lambda {name}: {made}), '')"
