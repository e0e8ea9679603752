"""The demo is taken out, and a client beside it loses nothing, though they share lake and warehouse."""

import shutil
import sys
from pathlib import Path

from tests.builders.checkout import copy_checkout
from tests.conftest import House

DEMO = ("acme", "borealis", "cobalt", "shop")


def clean(house: House) -> tuple[int, str]:
    """Run `make demo-clean`; return its status and what it said."""
    done = house.run(sys.executable, "-m", "demo.removal")
    return done.returncode, done.stdout


def add(house: House, name: str, exports: str) -> None:
    """Add a client made of the demo shop's file, as the tutorial does."""
    text = (house.home / "clients/shop.yaml").read_text().replace("Demo Shop", name.title())
    file = house.home / f"clients/{name}.yaml"
    folders = "" if exports == name else f"folders: [exports/{exports}]\n"
    file.write_text(text.replace("exports/shop", f"exports/{exports}") + folders)


def left(house: House, name: str) -> list[str]:
    """Return where a client has anything left."""
    places = [*house.home.glob(f"*/{name}"), *house.home.glob(f"clients/{name}.*")]
    return [path.relative_to(house.home).as_posix() for path in places]


def test_clients_beside_the_demo_stay_published(served: House) -> None:
    """One has exports of its own, the other reads the demo shop's."""
    shutil.copytree(served.home / "exports/shop", served.home / "exports/kiosk")
    events = served.home / "exports/kiosk/events.csv"
    events.write_text(events.read_text().rstrip().rpartition("\n")[0] + "\n")  # others than booth's
    add(served, "kiosk", exports="kiosk")
    add(served, "booth", exports="shop")
    morning = served.pipelines("daily")
    assert morning.returncode == 0, morning.stdout
    others = ("kiosk", "booth")
    before = {name: (served.published(name), left(served, name)) for name in others}

    status, output = clean(served)

    assert status == 0, output
    for name in DEMO:
        removed = f"clients/{name}.yaml, what is published of it, lake/{name}"
        removed += "" if name == "shop" else f", exports/{name}"
        assert f"{name}: removed {removed}\n" in output
        assert left(served, name) == (["exports/shop"] if name == "shop" else [])
        assert served.published(name) == {}
    assert "shop: exports/shop stays, as booth reads it\n" in output
    assert {name: (served.published(name), left(served, name)) for name in others} == before
    assert before["kiosk"][0]["attribution_v1"] and before["booth"][0]["attribution_v1"]
    remains = "shop: left as it is, not the demo's: exports/shop"
    assert clean(served) == (0, f"{remains}\nThere is no demo client\n")

    morning = served.pipelines("daily")
    assert morning.returncode == 0, morning.stdout
    assert "kiosk  │ nothing new" in morning.stdout, morning.stdout
    assert "acme" not in morning.stdout


def test_a_demo_alone_leaves_nothing_even_if_its_removal_was_stopped(served: House) -> None:
    warehouse = served.home / "warehouse/home.duckdb"
    content = warehouse.read_bytes()
    warehouse.write_bytes(b"in the middle of a copy")

    status, output = clean(served)

    assert status == 1 and "run `make demo-clean` again" in output
    assert (served.home / "lake/acme").exists()
    warehouse.write_bytes(content)

    status, output = clean(served)
    assert status == 0, output
    for name in DEMO:
        removed = f"what is published of it, lake/{name}, exports/{name}"
        assert f"{name}: removed {removed}\n" in output
    assert not any(left(served, name) for name in DEMO)
    assert not list((served.home / "warehouse").glob("home.*"))
    assert clean(served) == (0, "There is no demo client\n")
    assert "no usable client in clients/" in served.pipelines("daily").stdout


def test_a_client_of_ones_own_with_a_demo_clients_name_stays(house: House) -> None:
    house.export()
    house.edit("acme", "files: exports/acme/google_ads", "files: exports/acme-ads/google_ads")
    house.edit("cobalt", "name: Demo Cobalt", "name: Cobalt Inc.")

    status, output = clean(house)

    assert status == 0, output
    assert "acme: left as it is, not the demo's: clients/acme.yaml, exports/acme\n" in output
    assert left(house, "cobalt") == ["exports/cobalt", "clients/cobalt.yaml"]
    assert left(house, "borealis") == left(house, "shop") == []


def test_exports_are_written_of_the_demo_clients_that_are_there(house: House) -> None:
    (house.home / "clients/shop.yaml").unlink()
    done = house.run(sys.executable, "-m", "demo")
    assert done.returncode == 0, done.stdout
    assert sorted(path.name for path in (house.home / "exports").iterdir()) == [
        "acme",
        "borealis",
        "cobalt",
    ]


def test_make_clean_removes_caches_and_logs_alone(house: House, tmp_path: Path) -> None:
    project = copy_checkout(tmp_path / "project")
    for place in ("lake/acme", "exports/acme", "warehouse", ".cache", "logs"):
        (house.home / place).mkdir(parents=True)
        (house.home / place / "file").touch()
    (project / "macros/__pycache__").mkdir()

    done = house.run("make", "-C", str(project), "clean")

    assert done.returncode == 0, done.stdout
    found = {path.relative_to(house.home).as_posix() for path in house.home.rglob("file")}
    assert found == {"lake/acme/file", "exports/acme/file", "warehouse/file"}
    assert not (project / "macros/__pycache__").exists()
    assert sorted(left(house, "acme")) == ["clients/acme.yaml", "exports/acme", "lake/acme"]
