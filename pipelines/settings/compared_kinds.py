"""Say as what a condition compares a column of texts: as a number, a time, a flag, or as the text it is."""

import re
from typing import Literal

from sqlglot import exp

Kind = Literal["number", "time", "flag", "nothing"]  # nothing: of numbers, one is empty

_ORDERED = (exp.GT, exp.GTE, exp.LT, exp.LTE, exp.Between)
_COMPARED = (*_ORDERED, exp.EQ, exp.NEQ, exp.In)
RECKONED_WITH = (exp.Add, exp.Sub, exp.Mul, exp.Div, exp.IntDiv, exp.Mod)
RECKONED = (
    *(exp.Neg, *RECKONED_WITH, exp.Abs, exp.Ceil),
    *(exp.Floor, exp.Round, exp.Sign, exp.Sqrt, exp.Exp, exp.Ln, exp.Pow),
)
CHOSEN = (exp.Coalesce, exp.Greatest, exp.Least, exp.Nullif)  # one of their values comes out

# What is nothing for one of its values is nothing, or is decided by the others, as in AND and OR.
_OPEN = (exp.And, exp.Or, exp.Not, exp.Paren, exp.Cast, exp.Neg, *_COMPARED, *RECKONED)

_NUMBER = re.compile(r"\s*[+-]?\d+([.]\d*)?\s*")
_DAY = re.compile(r"\s*\d{4}[-/]\d{1,2}[-/]\d{1,2}([T ].*)?\s*")
_GERMAN_DAY = re.compile(r"\s*(\d{1,2})[.](\d{1,2})[.](\d{4})( .*)?\s*")
_FIGURES = re.compile(r"[-+0-9.,'/: ]*\d[-+0-9.,'/: ]*")


def kind_of_cast(cast: exp.Cast) -> Kind:
    """Return what a text is read as where a condition casts it."""
    return "time" if cast.to.is_type("DATE", "TIMESTAMP") else "number"


def kind_of(value: exp.Expr) -> Kind | None:
    """Return what a column's text is read as by what is done with it; None if it stays a text.

    Larger and smaller are said of numbers and times: of texts, '99' would be more than '100'. Raise
    ValueError if nothing tells which of them two columns are.
    """
    within = value.parent
    while isinstance(within, exp.Paren) and within.parent:
        value, within = within, within.parent
    if within is None or isinstance(within, (exp.And, exp.Or, exp.Not, exp.Paren)):
        return "flag"
    if isinstance(within, exp.If) and value.arg_key == "this":
        return "flag"
    if isinstance(within, RECKONED):
        return "number"
    if isinstance(within, CHOSEN):
        return _by_constants(within, is_ordered=False) or (
            None if _constants(within) else kind_of(within)
        )
    if isinstance(within, _COMPARED):
        return _compared(within)
    return None


def is_open_to_nothing(value: exp.Expr) -> bool:
    """Return whether an expression is nothing if this value is and decides it: true or false, or a number."""
    while (within := value.parent) is not None:
        is_branch = isinstance(within, exp.If) and value.arg_key in ("true", "false")
        is_chosen = isinstance(within, exp.Case) and value.arg_key in ("ifs", "default")
        if not (isinstance(within, _OPEN) or is_branch or is_chosen):
            return False
        value = within
    return True


def with_days(tree: exp.Expr) -> exp.Expr:
    """Return a condition with its days as SQL writes them: '1.11.2026', in quotes, is '2026-11-01'."""
    for text in [each for each in tree.find_all(exp.Literal) if each.is_string]:
        within = text.parent
        if isinstance(within, _COMPARED) and (found := _GERMAN_DAY.fullmatch(text.name)):
            day, month, year, rest = found.groups()
            text.replace(exp.Literal.string(f"{year}-{month:0>2}-{day:0>2}{rest or ''}"))
    return tree


def _compared(within: exp.Expr) -> Kind | None:
    is_ordered = isinstance(within, _ORDERED)
    if found := _by_constants(within, is_ordered):
        return found
    figures = [each.name for each in _constants(within) if _FIGURES.fullmatch(each.name)]
    if is_ordered and figures:
        raise ValueError(
            f"{within.sql()} compares texts, of which '99' is more than '100': write '{figures[0]}' as"
            " 1000.50, without quotes, if it is a number, or as '2026-11-30' if it is a day"
        )
    if not is_ordered or _constants(within):
        return None
    for cast in within.find_all(exp.Cast):
        return kind_of_cast(cast)
    if any(within.find_all(*RECKONED)):
        return "number"
    raise ValueError(
        f"{within.sql()} compares texts, of which '99' is more than '100'; say what they are, as in"
        f" {within.this.sql()}::DOUBLE, or ::TIMESTAMP"
    )


def _by_constants(within: exp.Expr, is_ordered: bool) -> Kind | None:
    """Return what a comparison is of by the constants in it; None if they are texts, or there are none."""
    constants = _constants(within)
    if not constants:
        return None
    if all(isinstance(each, exp.Boolean) for each in constants):
        return "flag"
    texts = [each.name for each in constants if getattr(each, "is_string", False)]
    if not texts:
        return "number"
    if is_ordered and all(map(_NUMBER.fullmatch, texts)):
        return "number"
    return "time" if all(map(_DAY.fullmatch, texts)) else None


def _constants(within: exp.Expr) -> list[exp.Expr]:
    return list(within.find_all(exp.Literal, exp.Boolean))
