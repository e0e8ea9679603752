"""Know the world's money: which currencies there are, and how many decimals each has."""

from functools import cache

from iso4217 import Currency


@cache
def minor_digits() -> dict[str, int]:
    """Return the decimals of every currency of ISO 4217: 2 for EUR, 0 for JPY, 3 for KWD.

    Codes without a minor unit, as gold or the one for tests, are no money that anybody pays in.
    """
    return {each.code: each.exponent for each in Currency if each.exponent is not None}


def known(code: str) -> str:
    """Return a currency's code. Raise ValueError if ISO 4217 has none of that name today."""
    if code not in minor_digits():
        raise ValueError(
            f"ISO 4217 lists no currency '{code}' today; write the code of the money that is"
            " published, such as EUR, USD or GBP"
        )
    return code
