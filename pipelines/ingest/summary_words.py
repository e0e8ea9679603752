"""Know the words that call a row a sum of others: `Total`, `Gesamt`, `Grand total`, `Total: Campaigns`.

A campaign may begin with such a word, as Total Wine does: only the whole of a text is one.
"""

from pipelines.sql import literal

_OF = (
    "accounts?|campaigns?|ads?|ad ?(groups?|sets?)|keywords?|rows?|results?|search|display|shopping|video"
    "|spend|cost|amount|revenue|sales|deals?|opportunit(y|ies)|orders?|records?|month|week|day|year|costs"
    "|konto|kampagnen?|anzeigen?(gruppen?)?|kosten|umsatz|summe|betrag|ergebnis|general|g(\u00e9|e)n(\u00e9|e)ral"
)
_SUM = (
    "totals?|sub ?-?totals?|grand ?-?totals?|overall( total)?|sum|summe|gesamt(summe|ergebnis|betrag|kosten|umsatz)?"
    "|zwischensumme|teilergebnis|insgesamt|totale|totaux|totaal|suma|soma|itogo|\u0438\u0442\u043e\u0433\u043e|\u5408\u8ba1"
    "|\u5408\u8a08|\u603b\u8ba1|summary|all campaigns|alle kampagnen|toutes les campagnes|account totals?"
)
_WHOLE = (
    f"({_SUM})( *[:(\u2013-] *.*)?"
    f"|({_SUM}) ((of|for|f\u00fcr|der|aller?|all) )*({_OF})( *[:(\u2013-].*)?"
    f"|({_OF}) (totals?|gesamt)"
    f"|(results|summary|sum|totals?|ergebnisse) (from|of|aus) [0-9]+ ({_OF})|[0-9]+ ({_OF}) total"
)
_AROUND = "[ *=\u03a3(\\[<\u2013-]*"
_PATTERN = f"(?i){_AROUND}({_WHOLE})[ *=:.)\\]>\u2013-]*"
_LONGEST = 60
_STEMS = [
    "tot",
    "sum",
    "soma",
    "gesamt",
    "ergebnis",
    "all",
    "itogo",
    "итого",
    "计",
    "計",
    "tout",
    "result",
]


def says_sum(name: str) -> str:
    """Return SQL for whether a text calls its row a sum; only one with a part of such a word is looked at closely."""
    stems = " OR ".join(f"CONTAINS(LOWER({name}), {literal(stem)})" for stem in _STEMS)
    is_sum = f"REGEXP_FULL_MATCH({name}, {literal(_PATTERN)})"
    return f"CASE WHEN STRLEN({name}) <= {_LONGEST} AND ({stems}) THEN {is_sum} ELSE FALSE END"
