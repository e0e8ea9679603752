"""Settings: what is wrong is said with file, key and remedy, and stops nobody else."""

from pathlib import Path

import duckdb
import pytest
import yaml

from pipelines.settings.currencies import minor_digits
from pipelines.settings.export_places import Bucket, Postgres
from pipelines.settings.exports import Export
from pipelines.settings.reader import ClientError, keep, keep_promoted, parse, read
from pipelines.settings.sources import Sources
from pipelines.settings.time_zones import time_zones
from tests.conftest import PROJECT, House

GOOD = """
name: One
currency: EUR
timezone: Europe/Berlin
start: 2026-09-01
attribution:
  model: linear
  position_based:
    first: 0.4
    last: 0.4
  time_decay:
    half_life_days: 7
quality:
  quarantine_limit: 0.05
publish: [channel_performance]
sources:
  google_ads:
    spend:
      files: exports/one/*.csv
      columns:
        cost: spent
"""

WRONG = {
    "an unknown key": ("currency:", "curency:", "curency: ", "remove it"),
    "a missing key": ("currency: EUR\n", "", "currency: ", "as in docs/reference.yaml"),
    "an unknown model": ("model: linear", "model: lineal", "attribution.model: ", "'linear'"),
    "an unknown time zone": ("Berlin", "Bern", "timezone: 'Europe/Bern'", "Europe/Berlin"),
    "shares above one": ("first: 0.4", "first: 0.7", "attribution.position_based: ", "at most 1"),
    "no shares at all": (
        "first: 0.4\n    last: 0.4",
        "first: 0\n    last: 0",
        "position_based",
        "above 0",
    ),
    "a share above one": (
        "first: 0.4",
        "first: 1.4",
        "position_based.first: ",
        "write a number from 0 to 1 (it is 1.4)",
    ),
    "no files": (
        "files: exports/one/*.csv",
        "files:",
        "sources.google_ads.spend: ",
        "write either `files:` or `postgres:`",
    ),
    "no pattern": (
        "      columns:",
        "      ordered_by: {pattern: }\n      columns:",
        "sources.google_ads.spend.ordered_by: ",
        "write either `pattern:` or `column:`",
    ),
    "an endless half-life": (
        "days: 7",
        "days: .inf",
        "time_decay.half_life_days: ",
        "write a number above 0",
    ),
    "journeys by account without contacts": (
        "model: linear",
        "model: linear\n  journeys: account",
        "attribution: `journeys: account` needs salesforce.",
        "add it under `sources:`",
    ),
    "a W without leads": (
        "model: linear",
        "model: w_shaped",
        "attribution: the milestone `lead` needs salesforce.leads",
        "add it under `sources:`",
    ),
    "roles of nobody": (
        "model: linear",
        "model: linear\n  contacts: {roles: []}",
        "attribution.contacts: ",
        "name a role",
    ),
    "campaign members of customers": (
        "model: linear",
        "model: linear\n  contacts: {campaign_members: true}",
        "attribution: `campaign_members: true` needs",
        "leave",
    ),
    "a milestone without a date": (
        "model: linear",
        "model: linear\n  milestones: {shares: {sql: 0.3}}",
        "attribution.milestones: shares.sql: ",
        "under `dates:`",
    ),
    "a limit in words": (
        "0.05",
        "5 %",
        "quality.quarantine_limit: ",
        "write a number from 0 to 1 (it is '5 %')",
    ),
    "an unknown column": (
        "cost: spent",
        "price: spent",
        "google_ads.spend.columns: ",
        "'price'; use one of",
    ),
    "a table nobody publishes": (
        "[channel_performance]",
        "[channels]",
        "publish.0: ",
        "channel_performance",
    ),
    "a name where a list belongs": (
        "[channel_performance]",
        "all",
        "publish: ",
        "write a list of first_touch",
    ),
    "a small currency": ("EUR", "eur", "currency: ", "three capital letters, as EUR (it is 'eur')"),
    "a key almost right": (
        "model: linear",
        "lookback_day: 30",
        "attribution.lookback_day: there is no such key; ",
        "did you mean lookback_days? If not, remove it",
    ),
    "a source almost right": ("google_ads", "gogle_ads", "sources.gogle_ads", "mean google_ads?"),
    "a key almost right in a list": (
        "quality:",
        "channels: [{channel: A, sorce: x}]\nquality:",
        "channels.0.sorce: ",
        "did you mean source?",
    ),
    "a key almost right in a type": (
        "quality:",
        "conversions: {lead: {evnt: lead}}\nquality:",
        "conversions.lead.evnt: ",
        "did you mean event?",
    ),
    "a key like no other": ("quality:", "hat: 1\nquality:", "hat: ", "no such key; remove it"),
    "a model's name in words": (
        "model: linear",
        "custom: {Second Leads: position}",
        "attribution.custom.Second Leads: write lower-case letters, digits and _, ",
        "the first one a letter (it is 'Second Leads')",
    ),
    "a shard in capitals": ("quality:", "shard: Home\nquality:", "shard: ", "lower-case letters"),
    "an unquoted deadline": (
        "quality:",
        "deadline: 10:00\nquality:",
        "deadline: ",
        "write a time like '08:00', quoted (it is 600)",
    ),
    "a quoted date": ("2026-09-01", "'2026-09-01'", "start: ", "unquoted"),
    "a date that is none": ("2026-09-01", "2026-09-31", "not readable as YAML", "correct it"),
    "an empty folder": ("quality:", "folders: ['']\nquality:", "folders.0: ", "not empty"),
    "a glob that is none": ("one/*.csv", "**.csv", "google_ads.spend.files: ", "write a glob"),
    "a key twice": ("name: One", "name: One\nname: Two", "line 3: 'name'", "correct it"),
    "an id": ("name: One", "name: One\nid: two", "id: ", "remove it"),
    "no column for what must be": (
        "cost: spent",
        "cost: null",
        "google_ads.spend.columns: every row needs a cost",
        "name its column",
    ),
    "a list without a column": (
        "cost: spent",
        "cost: []",
        "spend.columns: cost: []",
        "a list of names",
    ),
    "a column that is no name": (
        "cost: spent",
        "cost: [a, 1]",
        "columns: cost: ['a', 1]",
        "write a name",
    ),
    "a column of two in events": (
        "cost: spent",
        "cost: [a, b]\n      format: ga4",
        "google_ads.spend: ",
        "leave out lists",
    ),
    "a number for a name": ("name: One", "name: 1", "name: ", "write text (it is 1)"),
    "a number for a key": ("name: One", "name: One\n1: Two", "1: ", "write this one in quotes"),
    "no YAML": (
        "name: One",
        "name: [One",
        'in "clients/one.yaml", line 3, column 9',
        "correct it",
    ),
    "a role that is a number": (
        "model: linear",
        "model: linear\n  contacts: {roles: 1}",
        "attribution.contacts.roles: ",
        "write any or primary, or a list of text, or null (it is 1)",
    ),
    "a step that is none": (
        "model: linear",
        "model: linear\n  path: [shorten]",
        "attribution.path.0: ",
        "write exposure, first, once_per_campaign, unique, remove_if_not_all: [Direct]",
    ),
    "a value where keys belong": (
        "time_decay:\n    half_life_days: 7",
        "time_decay: 7",
        "attribution.time_decay: ",
        "write a mapping with the keys half_life_days (it is 7)",
    ),
    "an account as a number": (
        "spend:\n      files: exports/one/*.csv\n      columns:\n        cost: spent",
        "api: {customers: [1]}",
        "sources.google_ads.api.customers.0: ",
        "write an id of digits, quoted (it is 1)",
    ),
    "a currency that is none": ("EUR", "EUX", "currency: ", "no currency 'EUX'"),
    "a currency of nobody": ("EUR", "XXX", "currency: ", "no currency 'XXX'"),
    "a zone of one machine": ("Europe/Berlin", "localtime", "timezone: ", "write one like Europe"),
    "a year mistyped": ("2026-09-01", "2062-09-01", "start: 2062-09-01 is yet to come", "leave it"),
    "a NUL in a channel": (
        "quality:",
        'channels: [{channel: "a\\0b", source: x}]\nquality:',
        "channels.0.channel: it holds the control character U+0000",
        "without such characters",
    ),
    "two lines in a campaign": (
        "spend:\n",
        'campaigns: {"7": "spring\\nsale"}\n    spend:\n',
        "sources.google_ads.campaigns.7: it holds the control character U+000A",
        "on one line",
    ),
    "half of a pair in a key": (
        "spend:\n",
        'campaigns: {"\\uD83D": spring}\n    spend:\n',
        "sources.google_ads.campaigns.?: it holds the control character U+D83D",
        "without such characters",
    ),
    "a bell": ("name: One", "name: \a", 'in "clients/one.yaml", position 7', "correct it"),
}


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A client's file, to break."""
    path = tmp_path / "one.yaml"
    path.write_text(GOOD)
    return path


@pytest.mark.parametrize("what", WRONG)
def test_an_error_names_file_key_and_remedy(file: Path, what: str) -> None:
    right, wrong, key, remedy = WRONG[what]
    assert right in GOOD and parse(file)
    file.write_text(GOOD.replace(right, wrong, 1))
    with pytest.raises(ClientError) as raised:
        parse(file)
    message = str(raised.value)
    assert message.startswith("clients/one.yaml: ") and key in message and remedy in message
    assert "nput should" not in message and "Field required" not in message  # Pydantic's words


def test_a_check_that_fails_itself_is_an_error_of_that_file(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pipelines.settings.reader.explain", lambda *_: next(iter([])))
    file.write_text(GOOD.replace("name: One", "name: 1"))
    with pytest.raises(ClientError, match="cannot be checked: StopIteration"):
        parse(file)


@pytest.mark.parametrize(
    "content, remedy",
    {
        "empty": (b"", "start from a copy of docs/reference.yaml"),
        "only a comment": (b"# nothing\n", "start from a copy of docs/reference.yaml"),
        "a list": (b"- name\n", "start from a copy of docs/reference.yaml"),
        "latin-1": (GOOD.replace("One", "Müller").encode("latin-1"), "save it as UTF-8"),
        "binary": (bytes(range(256)), "save it as UTF-8"),
        "nested too deep": (b"[" * 5000, "write fewer"),
    }.values(),
)
def test_a_file_without_settings_is_refused(file: Path, content: bytes, remedy: str) -> None:
    file.write_bytes(content)
    with pytest.raises(ClientError, match=r"^clients/one\.yaml: ") as raised:
        parse(file)
    assert remedy in str(raised.value)


@pytest.mark.parametrize("name", ["Acme-1", "two words", "1st", "_", "ümlaut"])
def test_a_name_is_one_small_word(tmp_path: Path, name: str) -> None:
    (tmp_path / f"{name}.yaml").write_text(GOOD)
    with pytest.raises(ClientError, match="rename the file"):
        parse(tmp_path / f"{name}.yaml")


def test_what_is_left_out_has_a_default(file: Path) -> None:
    file.write_text("name: One\ncurrency: EUR\nsources: {}\n")
    client = parse(file)
    assert (client.timezone, client.shard, client.attribution.model) == ("UTC", "home", "linear")
    assert client.sources.feeds() == []


def test_a_weight_may_be_written_in_several_lines(file: Path) -> None:
    custom = (
        "model: linear\n  custom:\n    own: |\n      CASE WHEN is_direct THEN 1\n      ELSE 2 END"
    )
    file.write_text(GOOD.replace("model: linear", custom, 1))
    assert "CASE" in parse(file).attribution.custom["own"]


def test_money_has_the_decimals_of_its_currency() -> None:
    digits = minor_digits()
    shown = {code: digits[code] for code in ("EUR", "JPY", "XOF", "KWD", "JOD", "CLF")}
    assert shown == {"EUR": 2, "JPY": 0, "XOF": 0, "KWD": 3, "JOD": 3, "CLF": 4}


def test_every_time_zone_of_the_settings_is_known_to_the_database() -> None:
    names = duckdb.sql("SELECT name FROM pg_timezone_names()").fetchall()
    assert time_zones() <= {name for (name,) in names}


def test_the_reference_holds_every_key_there_is() -> None:
    reference = PROJECT / "docs" / "reference.yaml"
    written = parse(reference).model_dump(exclude_unset=True, exclude={"id"})
    whole = parse(reference).model_dump(exclude={"id"})
    assert keys(whole["attribution"]) == keys(written["attribution"])
    assert whole.keys() - {"sources"} == written.keys() - {"sources"}


def test_the_reference_holds_every_other_way_in() -> None:
    reference = (PROJECT / "docs" / "reference.yaml").read_text()
    lines = reference.partition("# Other ways in")[2].splitlines()[3:]
    block = yaml.safe_load("\n".join(line.removeprefix("# ") for line in lines))
    sources = Sources.model_validate(block["sources"])
    for platform in ("salesforce", "google_ads", "facebook_ads"):
        written = block["sources"][platform]["api"]
        assert written.keys() == type(getattr(sources, platform).api).model_fields.keys()
    web = block["sources"]["web"]
    assert web["sessions"]["bucket"].keys() == Bucket.model_fields.keys()
    assert web["clients"]["postgres"].keys() == Postgres.model_fields.keys()
    exports = [yaml.safe_load(reference)["sources"]["web"]["sessions"], *web.values()]
    assert set().union(*exports) == Export.model_fields.keys()


def keys(settings: object) -> object:
    """Return the keys of settings, and of those within."""
    if not isinstance(settings, dict):
        return None
    return {key: keys(value) for key, value in settings.items()}


def test_a_broken_file_runs_on_its_last_good_settings(house: House) -> None:
    before = read()[0]
    for client in before:
        keep(client)
    house.edit("acme", "currency: EUR", "currency: euro")
    (house.home / "clients/cobalt.yaml").write_bytes(b"\xff\xfe")
    clients, problems = read()
    assert clients == before
    assert [problem.client for problem in problems] == ["acme", "cobalt"]
    assert all("its file said before stays in force" in problem.fallback for problem in problems)
    assert "clients/acme.yaml: currency: " in str(problems[0])


def test_a_file_that_was_never_good_is_left_out(house: House) -> None:
    others = [client.id for client in read()[0]]
    (house.home / "clients/new.yaml").write_text("name: New\n")
    (house.home / "clients/New-1.yaml").write_text(GOOD)
    (house.home / "clients/folder.yaml").mkdir()
    clients, problems = read()
    assert [client.id for client in clients] == others
    assert {problem.client for problem in problems} == {"new", "New-1", "folder"}
    assert all("skipped until its file is corrected" in problem.fallback for problem in problems)


def test_broken_settings_are_never_kept(house: House) -> None:
    acme = house.client("acme")
    keep(acme)
    good = (kept := house.home / "lake/acme/_settings/acme.yaml").read_text()
    for broken in ("name: [", "", "name: Acme\n"):
        (house.home / "clients/acme.yaml").write_text(broken)
        keep(acme)  # it was read before it broke
        assert kept.read_text() == good
    (house.home / "clients/acme.yaml").unlink()
    keep(acme)
    assert kept.read_text() == good


def test_settings_are_kept_as_they_were_read(house: House) -> None:
    acme = house.client("acme")
    house.change("acme", attribution={"lookback_days": 31})
    keep(acme)
    assert not (house.home / "lake/acme/_settings/acme.yaml").exists()
    keep(house.client("acme"))
    house.change("acme", attribution={"lookback_days": 32})
    keep(house.client("acme"))
    house.change("acme", attribution={"lookback_days": "ever"})
    assert house.client("acme").attribution.lookback_days == 32


def test_a_broken_file_runs_on_what_was_promoted_not_on_a_later_draft(house: House) -> None:
    promoted = house.client("acme")
    keep_promoted(promoted)
    house.change("acme", attribution={"lookback_days": 31})
    keep(house.client("acme"))
    house.change("acme", attribution={"lookback_days": "ever"})
    clients, (problem,) = read()
    assert promoted in clients
    assert problem.fallback == "what was promoted stays in force"


def test_kept_settings_that_an_upgrade_forbids_stop_nobody(house: House) -> None:
    keep(house.client("acme"))
    kept = house.home / "lake/acme/_settings/acme.yaml"
    house.edit("acme", "currency: EUR", "currency: euro")
    for outdated in (b"name: Acme\nformerly: known\n", b"\xff", b"", bytes(99)):
        kept.write_bytes(outdated)
        clients, problems = read()
        assert [client.id for client in clients] == ["borealis", "cobalt", "shop"]
        assert "no longer valid" in problems[0].fallback


def test_a_shard_has_its_own_clients_only(house: House) -> None:
    house.change("acme", shard="away")
    assert [client.id for client in read("away")[0]] == ["acme"]
    assert "acme" not in [client.id for client in read("home")[0]]
