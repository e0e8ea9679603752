"""Find the unit that the name of a column says: `cost_micros`, `Amount (cents)`, `Revenue (k EUR)`, `Tsd. EUR`.

A letter alone is one where it stands at the end, in brackets, or beside a currency: `Spend (M)`, `T€`.
"""

import re

from pipelines.settings.currencies import minor_digits

_UNITS = {  # by how a word of a name is written, also without a mark before it, as in costcents
    "micro(?!soft).*|.*micros|.*\u00b5|.*\u03bc|1?e6|millionths?": "micros",
    "cent|cts?|(.*(?<!per))cents|minor|pence|penny|pennies|rappen|groszy?|centavos?|centimes?"
    "|c(\u00e9|e)ntimos?|paise|subunits?|hundredths?|x100": "cents",
    "thousands?|tsd|tausend|0{3}s?|x?1000s?|milliers|tys|1?e3": "thousands",
    "millions?|mio|mln|mill?|millionen|mn|mm|0{6}s?|x?1000000s?": "millions",
    "billions?|bn|mrd|milliarden?|lakhs?|lacs?|crores?|nanos?|milli|bps|percent|pct": "",
}
_LETTERS = {"k": "thousands", "t": "thousands", "m": "millions"}
_CENTS_IN_BRACKETS = re.compile(r"[(\[]\s*[pc]\s*[)\]]|\u00a2")
_BRACKETS = re.compile(r"[(\[]([^)\]]*)[)\]]")
_SIGNS = "\u20ac$\u00a3\u00a5"


def unit_of(name: str) -> str | None:
    """Return the unit that a name says: of `cost_micros`, micros; '' if no setting reads it; None if it says none."""
    words = _words(name)
    for word in words:
        for form, unit in _UNITS.items():
            if re.fullmatch(form, word):
                return unit
    if _CENTS_IN_BRACKETS.search(name.lower()):
        return "cents"
    if re.search(r"(?<![\d ])%|^%|[^\d ] +%", name):  # not of `incl. 19 % VAT`
        return ""
    letters = [word for word in _beside_a_currency(name) if word in _LETTERS]
    return _LETTERS[letters[0]] if letters else None


def _words(name: str) -> list[str]:
    """Return the words of a name in small letters: of `costMicros`, cost and micros."""
    return re.findall(r"[^\W_]+", re.sub("(?<=[a-z])(?=[A-Z])", "_", name).lower())


def _beside_a_currency(name: str) -> list[str]:
    """Return the letters that may be a unit: at the end, in brackets, or beside a currency."""
    words = _words(name)
    found = words[-1:] if len(words) > 1 else []
    for part in _BRACKETS.findall(name):
        found += _words(part)
    for sign in _SIGNS:
        found += re.findall(rf"\b([ktm]) ?{re.escape(sign)}", name.lower())
    codes = {code.lower() for code in minor_digits()}
    for before, word, after in zip(["", *words], words, [*words[1:], ""]):
        if word in codes:
            found += [before, after]
        elif word[:1] in _LETTERS and word[1:] in codes:
            found.append(word[0])
        elif word[-1:] in _LETTERS and word[:-1] in codes:
            found.append(word[-1])
    return found
