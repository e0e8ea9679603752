"""Any two documented settings in one file: read, rendered and run; or refused by a message that names both."""

import re
from datetime import timedelta
from itertools import combinations
from pathlib import Path
from random import Random

import duckdb
import pytest
import yaml

from docs.generator.setting_table import keys
from pipelines.contracts.catalog import CONTRACTS
from pipelines.learning.training import retrain
from pipelines.settings.client import Client
from pipelines.settings.reader import ClientError, parse
from tests.builders.lake_writer import START, Load, invent
from tests.builders.setting_rows import TABLE, Sample, Samples
from tests.conftest import House
from tests.rendered import Models, render

pytestmark = pytest.mark.xdist_group("setting_pairs")  # its models are rendered once

SAMPLES = Samples(TABLE.read_text())
ALL = set(range(len(SAMPLES.every)))
# So many files have every two settings of models together, if not every two values; each costs 3 seconds.
RENDERED = {f"row{n}": row for n, row in enumerate(SAMPLES.rows(SAMPLES.of_models)[:6])}


def refusal(folder: Path, *samples: Sample) -> str:
    """Return why a file with some samples is refused; nothing if it is not."""
    file = folder / "acme.yaml"
    file.write_text(yaml.safe_dump(SAMPLES.file(*samples)))
    try:
        parse(file)
    except ClientError as error:
        return str(error)
    return ""


def documented(key: str) -> str:
    """Return a key as docs/clients.md has it: any export has the keys of `sources.web.sessions`."""
    key = re.sub(r"^conversions[.]\w+", "conversions.<type>", key.replace("[0]", "[]"))
    key = re.sub(r"(redistribution)[.]\w+", r"\1.<phase>", key)
    table = re.match(r"sources[.](\w+)[.](\w+)[.]", key)
    if table and table[2] in CONTRACTS[table[1]]:
        return f"sources.web.sessions.{key.removeprefix(table[0])}"
    return key


def test_every_documented_setting_has_values_to_try() -> None:
    exports = {f"sources.{source}.{table}" for source, own in CONTRACTS.items() for table in own}
    values: dict[str, list] = {key: [] for key in keys()}
    for sample in SAMPLES.every:
        above = {key for key in exports if sample.key.startswith(f"{key}.")}
        for key in {documented(sample.key), *above} & values.keys():
            values[key].append(sample.value)
    lacking = [key for key, own in values.items() if len(own) < (1 if key in exports else 2)]

    assert not lacking, (
        f"tests/settings/samples.yaml lacks values of {', '.join(lacking)}. Write two of each, as"
        f" `{lacking[0]}: [one, another]`, under `models:` if SQL models are made of it, else under"
        " `others:`; what it needs goes under `needs:`, what it may not stand with under `refused:`"
    )


def test_every_two_values_may_stand_in_one_file(tmp_path: Path) -> None:
    for row in SAMPLES.rows(ALL):
        if not (why := refusal(tmp_path, *row)):
            continue
        for few in [*((each,) for each in row), *combinations(row, 2)]:
            if of_few := refusal(tmp_path, *few):
                pytest.fail(
                    f"{' with '.join(map(str, few))}\nis refused: {of_few}\nIf that is right, write"
                    " what it needs or what refuses it into tests/settings/samples.yaml"
                )
        pytest.fail(f"three or more of these settings do not go together: {why}\n{row}")


def test_what_may_not_stand_in_one_file_is_refused_by_a_message_that_names_both(
    tmp_path: Path,
) -> None:
    left = [rule for rule in SAMPLES.refused]
    for i, j in SAMPLES.pairs():
        if rule := SAMPLES.refusing(i, j):
            both = (SAMPLES.every[i], SAMPLES.every[j])
            said = refusal(tmp_path, *both)
            assert said, f"{both[0]} with {both[1]} is not refused: take it out of `refused:`"
            for word in rule.get("says") or (key.split(".")[-1] for key in [*rule][:2]):
                assert re.search(rf"\b{word}\b", said), f"`{word}` is not named: {said}"
            left = [other for other in left if other is not rule]
    assert not left, f"nothing in tests/settings/samples.yaml is refused by {left}"


def test_every_two_settings_of_models_are_rendered_together() -> None:
    together = {
        pair
        for row in RENDERED.values()
        for pair in combinations(sorted({sample.key for sample in row}), 2)
    }
    may_be = {
        tuple(sorted((SAMPLES.every[i].key, SAMPLES.every[j].key)))
        for i, j in SAMPLES.pairs()
        if {i, j} <= SAMPLES.of_models and not SAMPLES.refusing(i, j)
    }
    assert may_be <= together, f"raise the number of RENDERED files: {may_be - together}"


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> House:
    """Return a home with a client of each of the rendered files."""
    house = House(tmp_path_factory.mktemp("pairs"))
    (house.home / "clients").mkdir()
    for name, row in RENDERED.items():
        (house.home / f"clients/{name}.yaml").write_text(yaml.safe_dump(SAMPLES.file(*row)))
    return house.enter()


@pytest.fixture(scope="module")
def rendered(home: House) -> dict[str, Models]:
    return render(*RENDERED, published=True)


@pytest.mark.parametrize("name", RENDERED)
def test_their_models_run_and_add_up(
    home: House, rendered: dict[str, Models], name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each conversion's credit is one and its money whole, by every model, before and after training."""
    monkeypatch.setenv("ATTRIBUTION_HOME", str(home.home))
    client, models = home.client(name), rendered[name]
    history = invent(Random(name), client, 40, 24)
    connection = models.empty()
    for load in [*history, crm(client, history)]:
        models.load(connection, load)
    until = history[-1].at + timedelta(hours=1)

    models.run(connection, START, until)
    check(connection, name)
    retrain(connection, client, until)
    models.learn(connection, str(home.home))
    models.run(connection, START, until)
    check(connection, name)

    attributed = f"FROM {name}_marts.fct_credit WHERE is_attributed"
    assert connection.execute(f"SELECT COUNT(*) > 0 {attributed}").fetchone() == (True,)
    asked = {client.attribution.model, *client.attribution.compare}
    asked |= {each.model for each in client.conversions.values() if each.model}
    found = connection.execute(f"SELECT DISTINCT model {attributed}").fetchall()
    assert {model for (model,) in found} == asked


def check(connection: duckdb.DuckDBPyConnection, client: str) -> None:
    """Compare the credit of each conversion with the newest version of what happened."""
    happened = f"""SELECT conversion_id, revenue FROM (
        FROM {client}_journeys.conversions
        QUALIFY ROW_NUMBER() OVER (PARTITION BY conversion_id ORDER BY loaded_at DESC) = 1
      ) WHERE NOT is_withdrawn"""
    credited = f"""SELECT
        conversion_id, model, CASE WHEN NOT is_additive THEN channel END AS whole_of,
        ABS(SUM(credit) - 1) < 1e-9 AS is_one, SUM(attributed_revenue) AS revenue
      FROM {client}_marts.fct_credit GROUP BY ALL"""
    wrong = f"""WITH happened AS ({happened}), credited AS ({credited}), models AS (
        SELECT DISTINCT model FROM credited
      )
      FROM (FROM happened CROSS JOIN models) AS sought
      FULL JOIN credited USING (conversion_id, model)
      WHERE credited.is_one IS DISTINCT FROM TRUE OR sought.revenue IS DISTINCT FROM credited.revenue"""
    assert connection.execute(wrong).fetchall() == []
    assert connection.execute(f"SELECT COUNT(*) > 3 FROM ({happened})").fetchone() == (True,)


def crm(client: Client, history: list[Load]) -> Load:
    """Return people of a history's deals: each customer is a contact of an account of its own name."""
    deals = {
        row["opportunity_id"]: row["customer_id"]
        for load in history
        for row in load.tables.get("opportunities", [])
        if row["customer_id"]
    }
    people = sorted(set(deals.values()))
    tables = {
        "contacts": [
            {"contact_id": person, "email": person, "account_id": person} for person in people
        ],
        "contact_roles": [
            {
                "contact_role_id": deal,
                "opportunity_id": deal,
                "contact_id": person,
                "role": "It's me",
                "is_primary": "true",
            }
            for deal, person in deals.items()
        ],
        "leads": [
            {"lead_id": person, "created_at": "2026-08-30", "converted_account_id": person}
            for person in people
        ],
        "campaign_members": [
            {
                "campaign_member_id": person,
                "campaign_type": "Webinar",
                "contact_id": person,
                "has_responded": "true",
                "created_at": "2026-08-31",
            }
            for person in people
        ],
    }
    alive = {
        name: [row | {"is_deleted": False} for row in rows]
        for name, rows in tables.items()
        if name in CONTRACTS["salesforce"]
    }
    return Load(START + timedelta(minutes=1), "salesforce", alive)
