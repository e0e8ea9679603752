"""Know the words for true and false that exports write in a column of flags: `ja` and `nein`, `WAHR` and `FALSCH`, `x`.

A column is read by the words of one list alone. In no two lists does a word mean both true and false.
"""

from collections.abc import Iterable

from pipelines.sql import literal

CHECKED = "x"  # the list by which what is empty is false

# Flags of which an empty one says something else than false: nobody was asked.
TOLD_BY_NOTHING = {"consent", "holder_engagement", "closer_engagement"}

# By list, its words for true and for false, in small letters.
LISTS: dict[str, tuple[set[str], set[str]]] = {
    "English": ({"true", "t", "yes", "y", "1", "on"}, {"false", "f", "no", "n", "0", "off"}),
    "decimals": ({"1.0", "1"}, {"0.0", "0"}),
    "German": ({"wahr", "w", "ja", "j", "1"}, {"falsch", "f", "nein", "n", "0"}),
    "French": ({"vrai", "v", "oui", "o", "1"}, {"faux", "f", "non", "n", "0"}),
    "Spanish": ({"verdadero", "v", "sí", "si", "s", "1"}, {"falso", "f", "no", "n", "0"}),
    "Italian": ({"vero", "v", "sì", "si", "s", "1"}, {"falso", "f", "no", "n", "0"}),
    "Portuguese": ({"verdadeiro", "v", "sim", "s", "1"}, {"falso", "f", "não", "nao", "n", "0"}),
    "Dutch": ({"waar", "w", "ja", "j", "1"}, {"onwaar", "nee", "n", "0"}),
    "Swedish": ({"sant", "s", "ja", "j", "1"}, {"falskt", "f", "nej", "n", "0"}),
    "Danish": ({"sand", "sandt", "s", "ja", "j", "1"}, {"falsk", "f", "nej", "n", "0"}),
    "Norwegian": ({"sann", "sant", "s", "ja", "j", "1"}, {"usann", "usant", "u", "nei", "n", "0"}),
    "Finnish": ({"tosi", "kyllä", "1"}, {"epätosi", "ei", "0"}),
    "Polish": ({"prawda", "p", "tak", "t", "1"}, {"fałsz", "falsz", "f", "nie", "n", "0"}),
    "Czech": ({"pravda", "p", "ano", "a", "1"}, {"nepravda", "ne", "n", "0"}),
    "Turkish": ({"doğru", "evet", "1"}, {"yanl\u0131ş", "hay\u0131r", "hayir", "0"}),
    CHECKED: ({"x", "✓", "✔", "☑", "checked"}, {"☐", "unchecked"}),
}


def as_flag(text: str, words: str) -> str:
    """Return SQL for a flag that is written in the words of a list; NULL of another word.

    In the list of marks, what is empty is false.
    """
    plain = ({"true"}, {"false"})  # as it is once it was read
    true, false = (
        f"LOWER({text}) IN ({_listed(each | own)})" for each, own in zip(LISTS[words], plain)
    )
    empty = f" WHEN {text} IS NULL THEN 'false'" * (words == CHECKED)
    return f"CASE WHEN {true} THEN 'true' WHEN {false} THEN 'false'{empty} END"


def _listed(words: Iterable[str]) -> str:
    return ", ".join(map(literal, sorted(words)))
