"""Find the currency that the name of a column of money says: `Cost (USD)`, `Spend $`, `kUSD`, `Price in pounds`."""

import re
from functools import cache

from pipelines.settings.currencies import minor_digits
from pipelines.sources.currency_marks import DOLLARS

_SIGNS = {
    **{"\u20ac": "EUR", "\u00a3": "GBP", "\u20b9": "INR", "\u20a9": "KRW", "\u20aa": "ILS"},
    **{"z\u0142": "PLN", "R$": "BRL", "K\u010d": "CZK", "\u20ba": "TRY", "\u20bd": "RUB"},
}
_CODES = {*DOLLARS, "EUR", "GBP", "INR", "KRW", "ILS", "CHF", "JPY", "CNY", "SEK", "NOK", "DKK"}
_CODES |= {"PLN", "CZK", "HUF", "RON", "BGN", "ZAR", "AED", "SAR", "THB", "IDR", "MYR", "PHP"}
_NO_MONEY = {"ALL", "TOP"}  # words in capitals: `Cost (ALL)` is no cost in lek
_WORDS = {
    "dollars?": DOLLARS,
    "euros?": {"EUR"},
    "pounds?|sterling|pfund": {"GBP"},
    "yen": {"JPY"},
    "yuan|rmb|renminbi": {"CNY"},
    "rupees?": {"INR"},
    "francs?|franken|sfr": {"CHF"},
    "zloty(s|ch)?|z\u0142oty(ch)?": {"PLN"},
    "kr|krone[rn]?|kron(or|a)": {"SEK", "NOK", "DKK"},
}
_THOUSANDS = re.compile(r"(?:[KTM]|MIO|MN)?([A-Z]{3})(?:K|M|MN|MIO)?")


def currencies_of(name: str) -> set[str]:
    """Return the currencies that a name may tell: of `Cost ($)`, all dollars."""
    split = re.sub("(?<=[a-z])(?=[A-Z])", " ", name)
    told = {code for word in re.findall("[A-Z]+", split.upper()) for code in _code(word)}
    told |= {code for code in _in_capitals(split) if code in minor_digits()}
    told |= {code for sign, code in _SIGNS.items() if sign in name}
    if told:
        return told
    for word in re.findall(r"[^\W\d_]+", split.lower()):
        for form, codes in _WORDS.items():
            if re.fullmatch(form, word):
                return codes
    return DOLLARS if "$" in name else {"JPY", "CNY"} if "\u00a5" in name else set()


@cache
def _code(word: str) -> set[str]:
    """Return the code that a word is: of USD, KUSD and EURK."""
    if word in _CODES:
        return {word}
    found = _THOUSANDS.fullmatch(word)
    return {found[1]} if found and found[1] in _CODES else set()


def _in_capitals(name: str) -> set[str]:
    """Return the words that may be any code: in capitals, in brackets or at the end."""
    found = re.findall(r"[(\[](?:\w+ )?([A-Z]{3})[)\]]|[ _]([A-Z]{3})$", name)
    return {code for pair in found for code in pair if code} - _NO_MONEY
