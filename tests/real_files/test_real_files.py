"""What platforms, CRMs, shops and spreadsheets really write is read right, to the cent, or refused by name."""

from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pytest
import yaml

from pipelines.ingest.run import Outcome, ingest_client
from pipelines.settings.reader import read
from tests.builders import staged_cases, written_exports
from tests.conftest import House
from tests.rendered import Models, render

pytestmark = pytest.mark.xdist_group("real_files")  # its models are rendered once
GROUPS = {file.stem: file for file in sorted(Path(__file__).parent.glob("cases/*.yaml"))}
CASES = {
    f"{group}: {name}": case
    for group, file in GROUPS.items()
    for name, case in yaml.safe_load(file.read_text(encoding="utf-8")).items()
}
BASE = {
    "base_sessions.csv": """session_id,visitor_id,customer_id,started_at,source,medium,campaign
s1,v1,u1,2026-10-05T09:00:00Z,google,cpc,Brand Lamps
s2,v2,u2,2026-10-06T09:00:00Z,facebook,paid_social,Autumn
""",
    "base_conversions.csv": """conversion_id,customer_id,converted_at,revenue
c1,u1,2026-10-08T12:00:00Z,120.00
c2,u2,2026-10-09T12:00:00Z,45.50
""",
}
CREDIT = {"Brand Lamps": 120.00, "Autumn": 45.50}  # of the base
CLIENT = {
    "timezone": "Europe/Berlin",
    "currency": "EUR",
    "start": date(2026, 8, 1),
    "attribution": {"model": "last_touch"},
}
ALIKE = """
name: {name}
timezone: Europe/Berlin
currency: EUR
start: 2026-08-01
attribution: {{model: last_touch, {journeys}}}
sources:
  web: {{sessions: {{files: none}}, refunds: {{files: none}}, {conversions}}}
  google_ads: {{spend: {{files: none}}}}
  facebook_ads: {{spend: {{files: none}}}}
  salesforce: {{opportunities: {{files: none}}, {crm}}}
"""


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> House:
    """Return the home of all cases."""
    home = tmp_path_factory.mktemp("real_files")
    (home / "clients").mkdir()
    return House(home).enter()


@pytest.fixture(scope="module")
def models(house: House) -> dict[str, Models]:
    """Return the models of clients like those of the cases, which differ in their exports alone."""
    crm = "contacts: {files: none}, contact_roles: {files: none}"
    account = "journeys: account, contacts: {match: email, roles: any}"
    for name, journeys, conversions, tables in (
        ("customers", "", "conversions: {files: none}", ""),
        ("accounts", account, "", crm),
    ):
        (house.home / f"clients/{name}.yaml").write_text(
            ALIKE.format(name=name, journeys=journeys, conversions=conversions, crm=tables)
        )
    rendered = render("customers", "accounts", published=True)
    for name in rendered:
        (house.home / f"clients/{name}.yaml").unlink()
    return rendered


class Case:
    """A case as a client of a house."""

    def __init__(self, house: House, name: str) -> None:
        self.house, self.case = house, CASES[name]
        self.client = "".join(letter for letter in name.lower() if letter.isalnum())
        self.exports = house.home / "exports" / self.client
        self.exports.mkdir(parents=True)
        self.deliver(BASE | self.case["files"])
        sources = yaml.safe_load(
            yaml.safe_dump(self.case["sources"])
        )  # a copy without shared parts
        web = sources.setdefault("web", {})
        web.setdefault("sessions", {"files": "base_sessions.csv"})
        if "salesforce" not in sources and not self.case.get("own conversions"):
            web.setdefault("conversions", {"files": "base_conversions.csv"})
        for tables in sources.values():
            for export in tables.values():
                if "files" in export:
                    export["files"] = f"exports/{self.client}/{export['files']}"
                export["expected_every"] = "never"
        file = CLIENT | self.case.get("client", {}) | {"name": self.client, "sources": sources}
        (house.home / f"clients/{self.client}.yaml").write_text(yaml.safe_dump(file))

    def deliver(self, files: dict[str, Any]) -> None:
        """Write exports."""
        for name, content in files.items():
            written_exports.write(self.exports / name, content)

    def ingest(self) -> list[Outcome]:
        """Ingest all sources."""
        clients, problems = read()
        own = [problem for problem in problems if problem.client == self.client]
        assert not own
        return ingest_client(next(client for client in clients if client.id == self.client))


@pytest.mark.parametrize("name", CASES)
def test_a_real_file_is_read_right(house: House, models: dict[str, Models], name: str) -> None:
    house.enter()
    case = Case(house, name)
    right = case.case["right"]
    outcomes = case.ingest()
    problems = [outcome.problem for outcome in outcomes if outcome.problem]
    if "refused" in right:
        assert [right["refused"] in problem for problem in problems] == [True], problems
        return
    if "then" in case.case:
        case.deliver(case.case["then"])
        outcomes = case.ingest()
        problems = [outcome.problem for outcome in outcomes if outcome.problem]
    assert not problems
    assert sum(outcome.counts.quarantined for outcome in outcomes) == 0
    is_account = "journeys" in case.case.get("client", {}).get("attribution", {})
    archetype = "accounts" if is_account else "customers"
    with staged_cases.published(models[archetype], case.client) as tables:
        assert_right(tables, archetype, right)


def assert_right(tables: duckdb.DuckDBPyConnection, client: str, right: dict[str, Any]) -> None:
    """Assert that the published tables hold what a case says is right."""

    def found(query: str) -> dict:
        return {name: tuple(map(str, rest)) for name, *rest in tables.execute(query).fetchall()}

    campaigns = f"""SELECT campaign, SUM(cost)::DECIMAL(18, 2), SUM(clicks), SUM(impressions) FROM {client}_publish.campaigns_v1
        GROUP BY ALL HAVING SUM(cost) + SUM(clicks) > 0"""
    if "spend" in right:
        assert found(campaigns) == {
            name: (money(cost), str(clicks), str(impressions))
            for name, (cost, clicks, impressions) in right["spend"].items()
        }
    if "total spend" in right:
        total = found(f"SELECT 'all', SUM(cost)::DECIMAL(18, 2) FROM {client}_publish.campaigns_v1")
        assert total == {"all": (money(right["total spend"]),)}
    credit = f"SELECT campaign, SUM(attributed_revenue) FROM {client}_publish.attribution_v1 WHERE credit > 0 GROUP BY ALL"
    assert found(credit) == {
        name: (money(amount),) for name, amount in right.get("credit", CREDIT).items()
    }
    started = found(f"SELECT session_id, started_at FROM {client}_staging.stg_sessions")
    for name, at in started.items():
        expected = right.get("started", {})
        assert at == (expected.get(name, expected.get("*", at[0])),), name
    converted = found(f"SELECT conversion_id, converted_at FROM {client}_publish.attribution_v1")
    for name, at in right.get("converted", {}).items():
        assert converted[name] == (at,)


def money(amount: float | str) -> str:
    """Return an amount to the cent."""
    return str(Decimal(str(amount)).quantize(Decimal("0.01")))
