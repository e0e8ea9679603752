"""Know the marks of currencies that exports write beside an amount, or in a column of currencies: `€`, `US$`, `kr`."""

from pipelines.settings.currencies import minor_digits
from pipelines.sql import literal

DOLLARS = {"USD", "CAD", "AUD", "NZD", "SGD", "HKD", "TWD", "MXN", "BRL", "CLP", "COP", "ARS"}

# By a mark in capitals, the currencies that it may stand for. `$` is no certain one.
MARKS: dict[str, set[str]] = {
    "$": DOLLARS,
    **{"US$": {"USD"}, "$US": {"USD"}, "U$S": {"USD"}, "USD$": {"USD"}},
    **{"CA$": {"CAD"}, "C$": {"CAD"}, "CAD$": {"CAD"}, "CDN$": {"CAD"}},
    **{"A$": {"AUD"}, "AU$": {"AUD"}, "AUD$": {"AUD"}, "NZ$": {"NZD"}, "S$": {"SGD"}},
    **{"HK$": {"HKD"}, "NT$": {"TWD"}, "MX$": {"MXN"}, "MEX$": {"MXN"}, "R$": {"BRL"}},
    **{"€": {"EUR"}, "EURO": {"EUR"}, "EUROS": {"EUR"}, "£": {"GBP"}, "₤": {"GBP"}},
    **{"FR.": {"CHF"}, "SFR": {"CHF"}, "SFR.": {"CHF"}, "¥": {"JPY", "CNY"}, "￥": {"JPY", "CNY"}},
    **{"CN¥": {"CNY"}, "JP¥": {"JPY"}, "RMB": {"CNY"}, "円": {"JPY"}, "元": {"CNY"}},
    **{sign: {"SEK", "NOK", "DKK", "ISK"} for sign in ("KR", "KR.")},
    **{"SKR": {"SEK"}, "NKR": {"NOK"}, "DKR": {"DKK"}, "DKR.": {"DKK"}},
    **{"ZŁ": {"PLN"}, "KČ": {"CZK"}, "FT": {"HUF"}, "LEI": {"RON"}, "ЛВ": {"BGN"}, "ЛВ.": {"BGN"}},
    **{"₹": {"INR"}, "RS": {"INR"}, "RS.": {"INR"}, "₩": {"KRW"}, "₪": {"ILS"}, "₺": {"TRY"}},
    **{"TL": {"TRY"}, "₽": {"RUB"}, "РУБ.": {"RUB"}, "₴": {"UAH"}, "R": {"ZAR"}, "฿": {"THB"}},
    **{"₫": {"VND"}, "RP": {"IDR"}, "RM": {"MYR"}, "₱": {"PHP"}, "₦": {"NGN"}},
}


def is_mark(mark: str) -> str:
    """Return SQL for whether a text in capitals is the mark of a currency: its code, or its sign."""
    return f"{mark} IN ({_listed([*minor_digits(), *MARKS])})"


def currencies_of_mark(mark: str) -> list[str]:
    """Return the currencies that a mark in capitals may stand for, the dollar of the US first."""
    known = MARKS.get(mark, {mark} & minor_digits().keys())
    return sorted(known, key=lambda code: (code != "USD", code))


def agrees(mark: str, currency: str) -> str:
    """Return SQL for whether a mark in capitals stands for a currency; to a dollar of any country, `$` does."""
    pairs = [f"{sign} {code}" for sign, codes in MARKS.items() for code in sorted(codes)]
    return f"({mark} = {currency} OR CONCAT({mark}, ' ', {currency}) IN ({_listed(pairs)}))"


def code_of(text: str, own: str) -> str:
    """Return SQL for the code that a column of currencies says: of `eur` and `€`, EUR; what is unknown stays.

    `$` is the dollar of a client whose `own` currency is one, and nobody's else.
    """
    signs: dict[str, list[str]] = {}
    for sign, codes in MARKS.items():
        if len(codes) == 1 or own in codes:
            signs.setdefault(own if own in codes else min(codes), []).append(sign)
    branches = " ".join(
        f"WHEN UPPER({text}) IN ({_listed(known)}) THEN {literal(code)}"
        for code, known in sorted(signs.items())
    )
    return (
        f"CASE WHEN LENGTH({text}) = 3 AND NOT ({text} LIKE '%$%' OR {text} LIKE '%.')"
        f" THEN UPPER({text}) {branches} ELSE {text} END"
    )


def _listed(texts: list[str]) -> str:
    return ", ".join(map(literal, texts))
