"""Bring Salesforce's ids into one form: reports have 15 characters, APIs and Data Loader 18.

The last three of 18 say which of the 15 are capitals, five in each, the first one counting 1, the
fifth 16: `001A0000006Vm9r` is `001A0000006Vm9rIAC`. So a program that mixes up capitals and small
letters still tells ids apart.
"""

# Account, contact, user, opportunity, role, lead, campaign's member, case, campaign.
_KINDS = "001|003|005|006|00K|00Q|00v|500|701"
_ID = f"^({_KINDS})[0-9A-Za-z]{{12}}([A-Z0-5]{{3}})?$"
_SIGNS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ012345"
_CAPITALS = " ".join(f"{number:05b}"[::-1] for number in range(32))


def whole_id(value: str) -> str:
    """Return SQL for a text, or where it is the id of one of Salesforce's records for all 18 characters.

    One without a letter after its kind is no such id, but a number; nor is one in small letters
    that ends in three of them: its capitals are lost.
    """
    first, signs = f"SUBSTRING({value}, 1, 15)", []
    capitals = f"REGEXP_REPLACE(REGEXP_REPLACE({first}, '[^A-Z]', '0', 'g'), '[A-Z]', '1', 'g')"
    for start in (1, 6, 11):
        place = f"STRPOS('{_CAPITALS}', SUBSTRING({capitals}, {start}, 5))"
        signs.append(f"SUBSTRING('{_SIGNS}', CAST(({place} + 5) / 6 AS INT), 1)")
    is_one = (
        f"LENGTH({value}) IN (15, 18) AND REGEXP_MATCHES({value}, '{_ID}')"
        f" AND REGEXP_MATCHES(SUBSTRING({value}, 4, 12), '[A-Za-z]')"
    )
    return f"CASE WHEN {is_one} THEN CONCAT({first}, {', '.join(signs)}) ELSE {value} END"
