"""Say as what a condition compares a column of texts: as a number, a time, a flag, or as the text it is."""

import re
from typing import Literal

from sqlglot import exp

Kind = Literal["number", "time", "flag"]

_ORDERED = (exp.GT, exp.GTE, exp.LT, exp.LTE, exp.Between)
_COMPARED = (*_ORDERED, exp.EQ, exp.NEQ, exp.In)
_RECKONED = (
    *(exp.Neg, exp.Add, exp.Sub, exp.Mul, exp.Div, exp.IntDiv, exp.Mod, exp.Abs, exp.Ceil),
    *(exp.Floor, exp.Round, exp.Sign, exp.Sqrt, exp.Exp, exp.Ln, exp.Pow),
)
_CHOSEN = (exp.Coalesce, exp.Greatest, exp.Least, exp.Nullif)  # one of their values comes out

# What is nothing for one of its values is nothing, or is decided by the others, as in AND and OR.
_OPEN = (exp.And, exp.Or, exp.Not, exp.Paren, exp.Cast, exp.Neg, *_COMPARED, *_RECKONED)

_NUMBER = re.compile(r"\s*[+-]?\d+([.]\d*)?\s*")
_DAY = re.compile(r"\s*\d{4}[-/]\d{1,2}[-/]\d{1,2}([T ].*)?\s*")


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
    if isinstance(within, _RECKONED):
        return "number"
    if isinstance(within, _CHOSEN):
        return _by_constants(within, is_ordered=False) or (
            None if _constants(within) else kind_of(within)
        )
    if isinstance(within, _COMPARED):
        return _compared(within)
    return None


def is_open_to_nothing(value: exp.Expr) -> bool:
    """Return whether a condition is nothing, not true or false, if this value is and decides it."""
    within = value.parent
    while within is not None:
        if not isinstance(within, _OPEN):
            return False
        within = within.parent
    return True


def _compared(within: exp.Expr) -> Kind | None:
    is_ordered = isinstance(within, _ORDERED)
    if found := _by_constants(within, is_ordered):
        return found
    if not is_ordered or _constants(within):
        return None
    for cast in within.find_all(exp.Cast):
        return kind_of_cast(cast)
    if any(within.find_all(*_RECKONED)):
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
    return "time" if is_ordered and all(map(_DAY.fullmatch, texts)) else None


def _constants(within: exp.Expr) -> list[exp.Expr]:
    return list(within.find_all(exp.Literal, exp.Boolean))
