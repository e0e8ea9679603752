"""Read a client's own weight: an SQL expression over one touchpoint of a path, and nothing else."""

import difflib
import re
from collections.abc import Iterable, Mapping
from typing import NamedTuple

import sqlglot
from sqlglot import exp
from sqlglot.dialects.duckdb import DuckDB
from sqlglot.errors import SqlglotError
from sqlglot.tokens import TokenType

from pipelines.settings.trials import try_out

# What `paths` says of a touchpoint; models/journeys/paths.sql says what each one is.
COLUMNS = (
    *("position", "path_length", "channel", "campaign", "is_direct", "path_is_direct"),
    *("non_direct_after", "age_seconds", "newest_age_seconds", "touched_at", "converted_at"),
    "revenue",
)
FUNCTIONS = {
    "ABS": exp.Abs,
    "CEIL": exp.Ceil,
    "COALESCE": exp.Coalesce,
    "EXP": exp.Exp,
    "FLOOR": exp.Floor,
    "GREATEST": exp.Greatest,
    "IF": exp.If,
    "LEAST": exp.Least,
    "LN": exp.Ln,
    "LOWER": exp.Lower,
    "NULLIF": exp.Nullif,
    "POWER": exp.Pow,
    "ROUND": exp.Round,
    "SIGN": exp.Sign,
    "SQRT": exp.Sqrt,
    "UPPER": exp.Upper,
}
TYPES = ("DOUBLE", "INT", "BIGINT", "DATE", "TIMESTAMP")
SYNTAX = (
    *(exp.Column, exp.Identifier, exp.Literal, exp.Boolean, exp.Null, exp.Paren),
    *(exp.Neg, exp.Add, exp.Sub, exp.Mul, exp.Div, exp.IntDiv, exp.Mod),
    *(exp.EQ, exp.NEQ, exp.GT, exp.GTE, exp.LT, exp.LTE, exp.NullSafeEQ, exp.NullSafeNEQ),
    *(exp.And, exp.Or, exp.Not, exp.Case, exp.In, exp.Between, exp.Like, exp.ILike, exp.Is),
    *(exp.Cast, exp.DataType),
)
LENGTH, DEPTH, WILDCARDS = 2000, 20, 20


class Allowed(NamedTuple):
    """What an expression may be made of, of any columns where `columns` are not known yet; `asked` is what
    is to be written."""

    columns: tuple[str, ...] | None
    functions: Mapping[str, type[exp.Expr]]
    syntax: tuple[type[exp.Expr], ...]
    asked: str

    @property
    def of_columns(self) -> str:
        """Return in words which columns there are."""
        known = self.columns
        return f"the columns are {', '.join(known)}" if known else 'as in "Financial Status"'

    @property
    def said(self) -> str:
        """Return in words all that is allowed."""
        columns = f"the columns {', '.join(self.columns)}" if self.columns else "its columns"
        joined = " ||" if exp.DPipe in self.syntax else ""
        return (
            f"allowed are {columns}; numbers, 'texts', TRUE, FALSE, NULL; + - * / // %{joined},"
            " comparisons, AND, OR, NOT, CASE, IN (...), BETWEEN, LIKE, ILIKE, IS NULL; casts to"
            f" {', '.join(TYPES)}; and {', '.join(self.functions)}"
        )


OF_WEIGHTS = Allowed(COLUMNS, FUNCTIONS, SYNTAX, "write the weight of a touchpoint")

# Over an export's own columns, which hold texts.
TEXT_FUNCTIONS = {
    "CONCAT": exp.Concat,
    "CONCAT_WS": exp.ConcatWs,
    "LEFT": exp.Left,
    "LENGTH": exp.Length,
    "REPLACE": exp.Replace,
    "RIGHT": exp.Right,
    "SPLIT_PART": exp.SplitPart,
    "SUBSTRING": exp.Substring,
    "TRIM": exp.Trim,
}
OF_CONDITIONS = Allowed(
    None,
    dict(sorted({**FUNCTIONS, **TEXT_FUNCTIONS}.items())),
    (*SYNTAX, exp.DPipe),
    "write which rows count",
)
OF_VALUES = OF_CONDITIONS._replace(asked="write what the column is made of")


class Weights(DuckDB):
    """DuckDB's SQL, written by a generator of its own.

    A generator that has written once keeps what it can write: SQLMesh, which extends DuckDB's when
    it is imported, would come too late.
    """

    class Generator(DuckDB.Generator):  # type: ignore[misc, valid-type]
        """DuckDB's generator."""


TOO_DEEP = "it is nested too deeply; simplify it"


def read_weight(text: str) -> str:
    """Return a weight as it is written into a model: checked, its columns qualified by `paths`.

    Raise ValueError that quotes the text, points at what is not allowed, and says what is.
    """
    tree = checked(text)
    for column in tree.find_all(exp.Column):
        column.replace(exp.column(column.name.lower(), table="paths"))
    weight = tree.this.sql(Weights)
    constants = [constant.sql(Weights) for constant in _constants(tree)]
    try_out(weight, constants, [part.expression.sql(Weights) for part in tree.find_all(exp.Div)])
    return weight


def checked(text: str, allowed: Allowed = OF_WEIGHTS) -> exp.Expr:
    """Return an expression in which all is allowed.

    Over an export's columns, `properties.plan` is one name: of a column, or of what lies within one.
    """
    tree = _parsed(text, allowed)
    for node in tree.walk():
        if complaint := _complaint(node, text, allowed):
            raise _pointed(text, *_span(node, text), *complaint)
    for column in list(tree.find_all(exp.Column)) if allowed.columns is None else ():
        if column.table:
            name = ".".join(part.name for part in column.parts)
            column.replace(exp.column(name, quoted=True))
    for like in list(tree.find_all(exp.Like, exp.ILike)):
        like.replace(_in_one_pass(like))
    return tree


def _parsed(text: str, allowed: Allowed) -> exp.Expr:
    """Return the one expression in a text."""
    if len(text) > LENGTH:
        raise ValueError(f"it has {len(text)} characters; {LENGTH} is the most")
    try:
        _refuse_tokens(text, sqlglot.tokenize(text, read="duckdb"), allowed)
        (tree,) = sqlglot.parse(text, read="duckdb")
        if not tree:
            raise ValueError(f"there is no expression in it; {allowed.said}")
        return exp.Paren(this=tree)  # around it, for its parts to be replaced
    except SqlglotError as error:
        found = (getattr(error, "errors", None) or [{}])[0]
        if not (mark := found.get("highlight")):
            why = str(error).splitlines()[0]
            raise ValueError(f"it is not readable as SQL: {why}; {allowed.said}") from None
        end = _offset(text, found["line"], found["col"])
        why = found["description"].partition(" for <class")[0]
        raise _pointed(text, end - len(mark), end, why, allowed.said) from None
    except RecursionError:
        raise ValueError(TOO_DEEP) from None


def _refuse_tokens(text: str, tokens: list, allowed: Allowed) -> None:
    """Refuse what the parser would drop, or take for something else than DuckDB does."""
    if not tokens:
        raise ValueError(f"there is nothing in it; {allowed.asked}; {allowed.said}")
    for token in tokens:
        if token.comments:
            raise _pointed(
                text, token.start, token.end + 1, "a comment is not allowed", allowed.said
            )
        is_text = token.token_type == TokenType.STRING  # ';' may part the values of a list
        if (token.text in (";", "!") and not is_text) or "@" in token.text:
            why = "; ! and @ are not allowed"
            raise _pointed(text, token.start, token.end + 1, why, allowed.said)


def _complaint(node: exp.Expr, text: str, allowed: Allowed) -> tuple[str, str] | None:
    """Return what is wrong with one part of a text, its own parts aside, and what is right."""
    known, functions = allowed.columns, allowed.functions
    match node:
        case exp.Column() if known is None:
            return None
        case exp.Column() if node.table:
            return "a column's name stands alone", allowed.of_columns
        case exp.Column() if known and node.name.lower() not in known:
            quoted = "; texts stand in single quotes" if node.this.args.get("quoted") else ""
            why = f"there is no column {node.name}{quoted or _nearest(node.name, known)}"
            return why, allowed.of_columns
        case exp.Cast() if type(node) is not exp.Cast or not node.to.is_type(*TYPES):
            return "no such cast", f"casts are to {', '.join(TYPES)}"
        case exp.Like() | exp.ILike() if not node.expression.is_string:
            return "LIKE takes a text", "as in campaign LIKE '%brand%'"
        case exp.Like() | exp.ILike() if len(re.findall("[%_]", node.expression.name)) > WILDCARDS:
            return "there are too many % and _ in it", f"{WILDCARDS} are the most"
        case exp.In() if not node.expressions:
            return "IN takes a list", "as in channel IN ('Email', 'Referral')"
        case exp.Func() if not isinstance(node, (*functions.values(), *allowed.syntax)):
            is_known = not isinstance(node, exp.Anonymous)  # to DuckDB: it is no slip of the pen
            name = _typed(node, text) or (node.sql_name() if is_known else node.name)
            why = f"there is no function {name}{'' if is_known else _nearest(name, functions)}"
            return why, f"the functions are {', '.join(functions)}"
        case _ if not isinstance(node, (*functions.values(), *allowed.syntax)):
            return f"{type(node).__name__.upper()} is not allowed", allowed.said
    return (TOO_DEEP, f"{DEPTH} levels are the most") if _depth(node) > DEPTH else None


def _in_one_pass(like: exp.Binary) -> exp.Expr:
    """Return a LIKE that reads each value once, however long it is.

    DuckDB finds texts between % one after the other, but goes back to every % there was where _ or
    ILIKE come in: '%a_%a_%b' takes the length of the value to the third. RE2 never goes back.
    """
    pattern, is_ilike = like.expression.name, isinstance(like, exp.ILike)
    if "%" not in pattern or ("_" not in pattern and not (is_ilike and pattern.count("%") > 2)):
        return like
    parts = [
        {"%": ".*", "_": "."}.get(each, re.escape(each)) for each in re.sub("%+", "%", pattern)
    ]
    words = [exp.Literal.string("".join(parts)), exp.Literal.string("si" if is_ilike else "s")]
    match = exp.Anonymous(this="REGEXP_FULL_MATCH", expressions=[like.this, *words])
    return exp.Not(this=match) if like.args.get("negate") else match


def _depth(node: exp.Expr) -> int:
    """Return how many parts a part is within; a chain of + or AND is one."""
    above, parent = 0, node.parent
    while parent:
        above += isinstance(parent, exp.Pow) or not isinstance(parent, exp.Binary)
        parent = parent.parent
    return above


def _constants(node: exp.Expr) -> list[exp.Expr]:
    """Return what the expression may come to and is the same for every touchpoint."""
    if isinstance(node, exp.Paren):
        return _constants(node.this)
    if isinstance(node, exp.Case):
        branches = [branch.args["true"] for branch in node.args["ifs"]]
        results = [*branches, node.args.get("default")]
        return [found for result in results if result for found in _constants(result)]
    return [] if node.find(exp.Column) else [node]


def _nearest(name: str, known: Iterable[str]) -> str:
    lowered = {word.lower(): word for word in known}
    found = difflib.get_close_matches(name.lower(), lowered, 1)
    return f"; did you mean {lowered[found[0]]}?" if found else ""


def _span(node: exp.Expr, text: str) -> tuple[int, int]:
    """Return where a part begins and ends, as far as the parser says."""
    places = [part.meta for part in node.walk() if "start" in part.meta]
    if not places:
        return 0, len(text)
    first = min(places, key=lambda place: place["start"])
    return first["start"], first["end"] + 1


def _typed(node: exp.Func, text: str) -> str:
    """Return a function's name as it is written, as far as the parser says."""
    place = node.meta
    return text[place["start"] : place["end"] + 1] if "start" in place else ""


def _offset(text: str, line: int, column: int) -> int:
    return sum(len(above) for above in text.splitlines(keepends=True)[: line - 1]) + column


def _pointed(text: str, start: int, end: int, why: str, allowed: str) -> ValueError:
    """Return an error that quotes the line of the text and marks the part that it is about."""
    before, line = text[:start].rpartition("\n")[2], text[start:].partition("\n")[0]
    marks = " " * len(before) + "^" * max(1, min(end - start, len(line)))
    return ValueError(f"{why}\n    {before}{line}\n    {marks}\n  {allowed}")
