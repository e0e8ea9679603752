"""Models of a client's own: what may be written, what is refused and how, what it is worth."""

import subprocess
import sys
from datetime import datetime, timedelta
from pathlib import Path

import duckdb
import pytest
from hypothesis import given, strategies
from hypothesis import settings as hypothesis_settings

from pipelines.blueprints.model_choice import weight
from pipelines.settings.attribution import Attribution
from pipelines.settings.expressions import COLUMNS, FUNCTIONS, read_weight
from pipelines.settings.reader import ClientError, parse
from pipelines.settings.trials import TOUCHPOINTS
from tests.builders.checkout import PROJECT
from tests.builders.lake_writer import settings
from tests.conftest import House
from tests.rendered import Models, render

pytestmark = pytest.mark.xdist_group("custom_models")  # its models are rendered once

NOW = datetime(2026, 9, 1)

READ = {
    "1": "1",
    "POSITION": "paths.position",
    "CASE WHEN channel = 'Email' THEN 2 ELSE 1 END * POWER(0.9, path_length - position)": (
        "CASE WHEN paths.channel = 'Email' THEN 2 ELSE 1 END"
        " * POWER(0.9, paths.path_length - paths.position)"
    ),
    "IF(channel IN ('Email', 'Referral') OR campaign ILIKE '%brand%', 3, 0)": (
        "CASE WHEN paths.channel IN ('Email', 'Referral') OR paths.campaign ILIKE '%brand%'"
        " THEN 3 ELSE 0 END"
    ),
    "IF(campaign LIKE '%a_%.b%%' OR campaign ILIKE 'x%y%z%', 1, 0)": (
        "CASE WHEN REGEXP_FULL_MATCH(paths.campaign, '.*a..*\\.b.*', 's')"
        " OR REGEXP_FULL_MATCH(paths.campaign, 'x.*y.*z.*', 'si') THEN 1 ELSE 0 END"
    ),
    "GREATEST(0, 1 - age_seconds / 2592000)": "GREATEST(0, 1 - paths.age_seconds / 2592000)",
    "CASE WHEN touched_at >= DATE '2026-09-01' THEN 2 END": (
        "CASE WHEN paths.touched_at >= CAST('2026-09-01' AS DATE) THEN 2 END"
    ),
    "EXP(-(age_seconds - newest_age_seconds) / 86400.0)": (
        "EXP(-(paths.age_seconds - paths.newest_age_seconds) / 86400.0)"
    ),
}


@pytest.mark.parametrize("text", READ)
def test_a_weight_is_read_with_its_columns_qualified(text: str) -> None:
    assert read_weight(text) == READ[text]


REFUSED = {
    "CASE WHEN chanel = 'Email' THEN 2 END": ("chanel", "there is no column chanel; did you mean"),
    "model_version": ("model_version", "the columns are position, path_length, channel"),
    "paths.position": ("paths", "a column's name stands alone"),
    "1 + POWR(2, 3)": ("POWR", "there is no function POWR; did you mean POWER?"),
    "IF(campaign LIKE channel, 1, 2)": ("campaign", "LIKE takes a text"),
    f"IF(campaign LIKE '{'%a_' * 11}', 1, 2)": ("campaign", "20 are the most"),
    "random()": ("random", "there is no function random\n"),
    "1 + Rand()": ("Rand", "there is no function Rand\n"),
    'IF(channel = "Email", 2, 1)': ('"Email"', "no column Email; texts stand in single quotes\n"),
    "COUNT(*)": ("COUNT", "there is no function COUNT"),
    "SUM(1) OVER ()": ("SUM", "WINDOW is not allowed"),
    "1 + (SELECT 2)": ("2", "SUBQUERY is not allowed"),
    "IF(channel IN (SELECT 1), 1, 2)": ("channel", "IN takes a list"),
    "1 + @weight": ("@", "; ! and @ are not allowed"),
    "IF(channel = '@x', 1, 2)": ("'@x'", "; ! and @ are not allowed"),
    "1; DROP TABLE x": (";", "; ! and @ are not allowed"),
    "1 -- note": ("1", "a comment is not allowed"),
    "1 + /* note */ 2": ("+", "a comment is not allowed"),
    "age_seconds::VARCHAR": ("age_seconds", "casts are to DOUBLE, INT"),
    "TRY_CAST(channel AS INT)": ("channel", "no such cast"),
    "1 2": ("2", "Unexpected token"),
    "channel || 'x'": ("channel", "DPIPE is not allowed"),
    "position AS p": ("position", "ALIAS is not allowed"),
    "DROP TABLE paths": ("paths", "DROP is not allowed"),
}


@pytest.mark.parametrize("text", REFUSED)
def test_what_is_not_allowed_is_quoted_and_marked(text: str) -> None:
    marked, words = REFUSED[text]

    with pytest.raises(ValueError) as refusal:
        read_weight(text)

    _, quoted, marks, _ = str(refusal.value).split("\n")
    assert words in str(refusal.value)
    assert quoted == f"    {text}"
    assert quoted[marks.index("^") : marks.rindex("^") + 1] == marked


FAILING = {
    "": "there is nothing in it",
    "'abc": "not readable as SQL",
    "channel = 'Email'": "it is BOOLEAN, not a number; write CASE WHEN",
    "touched_at": "it is TIMESTAMP, not a number",
    "1 / age_seconds": (
        "it divides by zero where position = 1, path_length = 1, age_seconds = 0, revenue = 0.00;"
        " divide by GREATEST(..., 1)?"
    ),
    "0 / age_seconds": "it divides by zero where position = 1, path_length = 1, age_seconds = 0",
    "EXP(age_seconds / 60)": "it is not below 10^15 where position = 1, path_length = 2",
    "1e20 * position / path_length": "it is not below 10^15 where position = 1, path_length = 1",
    "1 / (age_seconds - newest_age_seconds)": "it divides by zero where position = 1",
    "LN(age_seconds)": "DuckDB says: Out of Range Error: cannot take logarithm of zero",
    "ABS(channel)": "DuckDB says: Binder Error: No function matches",
    "IF(channel = 5, 2, 1)": "DuckDB says: Conversion Error",
    "-1": "-1 is negative; the least that a touchpoint weighs is 0",
    "CASE WHEN is_direct THEN (-0.5) ELSE 1 END": "-0.5 is negative",
    "(" * 30 + "1" + ")" * 30: "nested too deeply",
    "NOT " * 400 + "TRUE": "nested too deeply",
    "1 + " * 600 + "1": "it has 2401 characters; 2000 is the most",
}


@pytest.mark.parametrize("text", FAILING)
def test_what_would_fail_on_paths_is_refused(text: str) -> None:
    with pytest.raises(ValueError) as refusal:
        read_weight(text)

    assert FAILING[text] in str(refusal.value)


CLIENT = """
name: One
currency: EUR
attribution:
  model: {model}
  compare: {compare}
  custom:
    {name}: {weight}
sources: {{}}
"""


@pytest.mark.parametrize(
    ("chosen", "words"),
    [
        ({"weight": "chanel"}, "attribution.custom.mine: there is no column chanel"),
        ({"model": "min"}, "attribution.model: there is no model 'min'; did you mean 'mine'?"),
        ({"compare": "[linaer]"}, "attribution.compare: there is no model 'linaer'; did you mean"),
        ({"name": "linear"}, "attribution.custom: there is a model 'linear' in the library"),
        (
            {"name": "My Model"},
            "attribution.custom.My Model: write lower-case letters, digits and _",
        ),
        ({"weight": "2"}, "attribution.custom.mine: write an SQL expression (it is 2)"),
    ],
)
def test_an_error_names_file_and_key(tmp_path: Path, chosen: dict, words: str) -> None:
    written = {"model": "linear", "compare": "[]", "name": "mine", "weight": "position"} | chosen
    (tmp_path / "one.yaml").write_text(CLIENT.format(**written))

    with pytest.raises(ClientError) as refusal:
        parse(tmp_path / "one.yaml")

    assert str(refusal.value).startswith(f"clients/one.yaml: {words}")


WORDS = [
    *COLUMNS,
    *(f"{name}(" for name in FUNCTIONS),
    *["0", "1", "2.5", "1e30", "-1", "NULL", "TRUE", "'Email'", "'7'", "'2026-09-01'"],
    *[
        "(",
        ")",
        ",",
        "+",
        "-",
        "*",
        "/",
        "//",
        "%",
        "**",
        "=",
        "<>",
        "<",
        ">=",
        "!",
        ";",
        "--",
        "/*",
        "*/",
        "@",
        "::",
        ".",
        "[",
        "]",
        "{",
        "}",
        "$",
        "?",
        "'",
        '"',
        "\n",
        "x",
    ],
    *[
        "AND",
        "OR",
        "NOT",
        "CASE",
        "WHEN",
        "THEN",
        "ELSE",
        "END",
        "IN",
        "BETWEEN",
        "LIKE",
        "IS",
        "DISTINCT",
        "FROM",
        "SELECT",
        "OVER",
        "CAST",
        "AS",
    ],
    *[
        "INT",
        "DOUBLE",
        "DATE",
        "INTERVAL",
        "DAY",
        "EXTRACT(",
        "COUNT(*)",
        "CURRENT_DATE",
        "TRY(",
        "LAMBDA",
        "paths",
        "model",
    ],
]
LEAVES = strategies.sampled_from(
    ["1", "0", "2.5", "NULL", "'7'", "'Email'", "1e9", "DATE '2026-09-01'", *COLUMNS]
)
TEXTS = strategies.one_of(
    strategies.lists(strategies.sampled_from(WORDS), max_size=12).map(" ".join),
    strategies.text(max_size=20),
    strategies.recursive(
        LEAVES,
        lambda parts: strategies.one_of(
            strategies.tuples(
                parts,
                strategies.sampled_from(
                    ["+", "-", "*", "/", "//", "%", "**", "=", "<", "AND", "OR"]
                ),
                parts,
            ).map(" ".join),
            strategies.tuples(parts, parts, parts).map(
                lambda three: "CASE WHEN ({}) THEN ({}) ELSE ({}) END".format(*three)
            ),
            strategies.tuples(strategies.sampled_from(sorted(FUNCTIONS)), parts).map(
                lambda call: "{}({})".format(*call)
            ),
            strategies.tuples(parts, parts).map(lambda two: "GREATEST({}, {})".format(*two)),
            parts.map("-({})".format),
            parts.map("({})::DOUBLE".format),
        ),
        max_leaves=8,
    ),
)


@given(text=TEXTS)
@hypothesis_settings(max_examples=150, deadline=None, derandomize=True, database=None)
def test_any_text_is_refused_or_gives_numbers(text: str) -> None:
    try:
        custom = {"mine": text}
        formula = weight(Attribution.model_validate({"model": "mine", "custom": custom}))
    except ValueError:
        return
    with duckdb.connect() as connection:
        connection.execute(TOUCHPOINTS)
        connection.execute("UPDATE paths SET age_seconds = age_seconds + 1, revenue = revenue - 1")
        rows = connection.execute(f"SELECT ({formula})::DOUBLE FROM paths").fetchall()
    assert all(0 <= value <= 10**15 for (value,) in rows)


@given(
    pattern=strategies.text("ab%_.*É\n\\ ", max_size=8),
    value=strategies.text("abAB.*éÉ\n\\ x", max_size=12),
    operator=strategies.sampled_from(["LIKE", "ILIKE", "NOT LIKE"]),
)
@hypothesis_settings(max_examples=200, deadline=None, derandomize=True, database=None)
def test_a_like_means_what_it_means_to_the_database(
    pattern: str, value: str, operator: str
) -> None:
    text = f"IF(campaign {operator} '{pattern}', 1, 0)"
    with duckdb.connect() as connection:
        connection.execute("CREATE TABLE paths AS SELECT ? AS campaign", [value])
        expected, found = connection.execute(
            f"SELECT {text}, {read_weight(text)} FROM paths"
        ).fetchone()
    assert found == expected, read_weight(text)


@pytest.mark.parametrize("pattern", ["%a_" * 10, "%a" * 19 + "%"])
@pytest.mark.parametrize("operator", ["LIKE", "ILIKE"])
def test_a_like_ends_on_a_value_of_any_length(pattern: str, operator: str) -> None:
    weight = read_weight(f"IF(campaign {operator} '{pattern}b', 1, 0)")
    with duckdb.connect() as connection:
        connection.execute("CREATE TABLE paths AS SELECT REPEAT('aA', 10000) AS campaign")
        assert connection.execute(f"SELECT {weight} FROM paths").fetchone() == (0,)


CUSTOM = """
attribution:
  model: sometimes
  custom:
    sometimes: >-
      CASE channel WHEN 'Email' THEN 3 WHEN 'Direct' THEN position - 9 WHEN 'Failing' THEN LN(age_seconds)
      WHEN 'Endless' THEN 1 / age_seconds WHEN 'NULL' THEN NULL WHEN 'Tiny' THEN 3e-30
      WHEN 'Tinier' THEN 1e-30 ELSE 1 END
    odd: CASE WHEN channel = 'it''s {{ odd }} %s "ü" \\ $1' THEN 2 ELSE 1 END
    brand: CASE WHEN campaign LIKE '%a_%b' THEN 4 ELSE 1 END
  lookback_days"""
# In `typed`, purchases are credited by the client's own model, whose LIKE is rewritten as it is read.
CHOSEN = {
    "one": {"compare": "[linear, odd, brand]"},
    "typed": {"compare": "[linear, odd]", "conversions": "{purchase: {model: brand}}"},
}
PATHS = {
    "weighed": ("Email", "Paid Search", "Email"),
    "negative": ("Direct", "Email"),
    "nothing": ("Direct", "NULL", "Failing", "Endless"),
    "not all": ("Failing", "Paid Search", "Endless", "NULL"),
    "tiny": ("Tiny", "Tinier"),
    "odd": ('it\'s {{ odd }} %s "ü" \\ $1', "Email"),
    "nobody": (),
}


@pytest.fixture(scope="module")
def rendered(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Models]:
    """Return the rendered models of clients with models of their own."""
    home: Path = tmp_path_factory.mktemp("custom")
    (home / "clients").mkdir()
    for name, chosen in CHOSEN.items():
        text = settings(name, **chosen).replace(
            "attribution:\n  model: linear\n  lookback_days", CUSTOM.strip()
        )
        (home / f"clients/{name}.yaml").write_text(text)
        parse(home / f"clients/{name}.yaml")  # raises what is wrong with it
    House(home).enter()
    return render(*CHOSEN)


@pytest.fixture
def models(rendered: dict[str, Models]) -> Models:
    return rendered["one"]


def credited(models: Models, conversion_type: str, paths: dict[str, list[tuple]]) -> list[tuple]:
    """Return model, whether it is active, conversion, credit and revenue, of paths of channel and campaign."""
    warehouse = models.empty()
    rows = [
        (name, f"{name}-{position}", channel, campaign, position, len(path))
        for name, path in paths.items()
        for position, (channel, campaign) in enumerate(path or [(None, None)], 1)
    ]
    warehouse.execute(
        f"""CREATE TABLE {models.client}_journeys.paths AS
        SELECT conversion_id, '{conversion_type}' AS conversion_type, touchpoint_id, 'customer' AS customer_id, '{NOW}'::TIMESTAMP AS converted_at,
          100::DECIMAL(18, 2) AS revenue, '{NOW}'::TIMESTAMP AS touched_at, channel, campaign,
          channel = 'Direct' AS is_direct, FALSE AS path_is_direct, position::BIGINT AS position,
          path_length::BIGINT AS path_length, path_length - position AS non_direct_after,
          0::BIGINT AS age_seconds, 0::BIGINT AS newest_age_seconds, '{NOW}'::TIMESTAMP AS revised_at
        FROM (VALUES {", ".join("(?, ?, ?, ?, ?, ?)" for _ in rows)})
          AS t(conversion_id, touchpoint_id, channel, campaign, position, path_length)""",
        [value for row in rows for value in row],
    )
    models.run(warehouse, NOW, NOW + timedelta(days=1), ["attribution.credit"])
    return warehouse.execute(
        f"""SELECT model, is_active, conversion_id, LIST(credit ORDER BY position), SUM(attributed_revenue)
        FROM {models.client}_attribution.credit GROUP BY ALL ORDER BY ALL"""
    ).fetchall()


def test_a_custom_model_shares_by_its_weights_and_equally_where_nothing_weighs(
    models: Models,
) -> None:
    paths = {name: [(channel, "spring") for channel in path] for name, path in PATHS.items()}
    found = credited(models, "deal", paths)

    credits = {(model, conversion): credit for model, _, conversion, credit, _ in found}
    assert credits["sometimes", "weighed"] == pytest.approx([3 / 7, 1 / 7, 3 / 7])
    assert credits["sometimes", "negative"] == [0, 1]
    assert credits["sometimes", "tiny"] == pytest.approx([3 / 4, 1 / 4])
    assert credits["sometimes", "nothing"] == [1 / 4] * 4
    assert credits["sometimes", "not all"] == [0, 1, 0, 0]
    assert credits["odd", "odd"] == pytest.approx([2 / 3, 1 / 3])
    assert {credits[model, "nobody"][0] for model in ("sometimes", "odd", "linear")} == {1}
    assert {revenue for *_, revenue in found} == {100}


def test_a_type_of_conversions_may_have_a_model_of_the_clients_own(
    rendered: dict[str, Models],
) -> None:
    paths = {"bought": [("Email", "axb"), ("Email", "ab"), ("Social", "maxi club")]}
    plain, typed = (credited(rendered[name], "purchase", paths) for name in CHOSEN)

    assert [(model, *rest) for model, _, *rest in plain] == [
        (model, *rest) for model, _, *rest in typed
    ]
    assert {model: credit for model, _, _, credit, _ in typed}["brand"] == pytest.approx(
        [4 / 9, 1 / 9, 4 / 9]
    )
    assert {model for model, is_active, *_ in plain if is_active} == {"sometimes"}
    assert {model for model, is_active, *_ in typed if is_active} == {"brand"}


def test_the_columns_are_those_of_paths(models: Models) -> None:
    warehouse = models.empty()
    models.run(warehouse, NOW, NOW + timedelta(days=1))
    paths = warehouse.execute("DESCRIBE one_journeys.paths").fetchall()
    warehouse.execute("CREATE SCHEMA trial; USE home.trial;" + TOUCHPOINTS)
    tried = warehouse.execute("DESCRIBE home.trial.paths").fetchall()

    assert {row[:2] for row in tried} == {row[:2] for row in paths if row[0] in COLUMNS}
    assert len(tried) == len(COLUMNS)


def test_sqlmesh_may_be_imported_after_a_weight_was_read() -> None:
    """Every command reads the clients' files first, and loads SQLMesh only if there is work for it."""
    code = (
        "from pipelines.settings.expressions import read_weight; read_weight('position');"
        "from sqlmesh.core.dialect import parse; parse('MODEL (name a.b)')[0].sql('duckdb')"
    )
    subprocess.run([sys.executable, "-c", code], cwd=PROJECT, check=True)
