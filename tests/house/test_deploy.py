"""What is shipped to start runs and watches works as it is written: cron lines, units, the container's command."""

import os
import re
import shlex
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from demo import write_exports
from tests.builders.checkout import PROJECT, copy_checkout

DEPLOY = PROJECT / "deploy"
UNITS = sorted(path.name for path in DEPLOY.glob("*.service")) + sorted(
    path.name for path in DEPLOY.glob("*.timer")
)
SETTING = re.compile(r"^([A-Z_]+)=(.*)$", re.MULTILINE)
LINE = re.compile(r"^([\d*/,-]+(?: [\d*/,-]+){4})  (\w+)  (.*)$", re.MULTILINE)
INSTALLED = "/opt/attribution"
CLIENT = "cobalt"


class Installed(NamedTuple):
    """The code, which its user cannot change, and the one folder that the user may write to."""

    code: Path
    data: Path

    def run(self, *command: str, **environment: str) -> subprocess.CompletedProcess:
        """Run a command as a user without any rights, who has this environment and no other."""
        user = ["setpriv", "--bounding-set=-all", "--no-new-privs"] if os.geteuid() == 0 else []
        given = [f"{name}={value}" for name, value in environment.items()]
        return subprocess.run(
            [*user, "env", "-i", *given, *command],
            cwd=self.data,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )


@pytest.fixture(scope="module")
def installed() -> Iterator[Installed]:
    """What the Containerfile copies and nothing else, which nobody may write to, and a home of data.

    It lies in a folder that every user may enter, as pytest's own may not.
    """
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o755)
        checkout, code, data = copy_checkout(folder / "checkout"), folder / "code", folder / "data"
        for source, target in map(str.split, instructions()["COPY"]):
            copy = shutil.copytree if (checkout / source).is_dir() else shutil.copy
            code.mkdir(exist_ok=True)
            copy(checkout / source, code / target)
        (code / ".venv").symlink_to((PROJECT / ".venv").resolve())
        (data / "clients").mkdir(parents=True)
        shutil.copy(PROJECT / f"clients/{CLIENT}.yaml", data / "clients")
        write_exports(data / "exports", clients=[CLIENT])
        if os.geteuid() == 0:
            subprocess.run(["chown", "-Rh", "65534:65534", code], check=True)
        else:
            subprocess.run(["chmod", "-R", "a-w", code], check=True)
        yield Installed(code, data)
        subprocess.run(["chmod", "-R", "u+w", name], check=True)


def cron_lines() -> list[str]:
    """Return the commands of the cron lines."""
    return [command for _, _, command in LINE.findall((DEPLOY / "crontab").read_text())]


def as_cron(home: Installed, command: str) -> str:
    """Run a command as cron does, in the little that it sets; return what cron would mail."""
    settings = dict(SETTING.findall((DEPLOY / "crontab").read_text()))
    assert settings["SHELL"] == "/bin/sh"
    places = {"CODE": str(home.code), "ATTRIBUTION_HOME": str(home.data)}
    assert settings.keys() >= places.keys()
    own = {"HOME": str(home.data), "LOGNAME": "attribution", "PATH": "/usr/bin:/bin"}
    done = home.run("/bin/sh", "-c", command, **settings | places | own)
    assert done.returncode == 0, done.stdout
    return done.stdout


def test_every_line_of_the_crontab_is_read() -> None:
    lines = (DEPLOY / "crontab").read_text().splitlines()
    said = [line for line in lines if line and not line.startswith("#")]
    settings = [line for line in said if SETTING.match(line)]
    assert len(said) == len(settings) + len(cron_lines())
    assert not any("%" in command for command in cron_lines()), "cron ends a line there"


@pytest.mark.slow
def test_what_starts_runs_works_as_it_is_written(installed: Installed) -> None:
    """The cron lines by /bin/sh, and the container's command, by a user without rights on the code."""
    assert installed.run("touch", str(installed.code / "pipelines/new.py")).returncode != 0
    watch = cron_lines().pop()
    for command in cron_lines():  # the morning, the morning again, the watch
        assert as_cron(installed, command) == ""
    logs = installed.data / "logs"
    assert "published" in (logs / "daily.log").read_text()
    assert "Watched 1 clients: nothing is wrong" in (logs / "watch.log").read_text()
    assert (installed.data / "watch/attribution.prom").exists()

    said = instructions()
    entry, default = (re.findall('"(.*?)"', said[word][0]) for word in ("ENTRYPOINT", "CMD"))
    given = dict(each.split("=", 1) for each in shlex.split(said["ENV"][0]))
    assert given["ATTRIBUTION_HOME"] == said["VOLUME"][0] and said["USER"] == ["10001"]
    given |= {"ATTRIBUTION_HOME": str(installed.data), "HOME": str(installed.data)}
    for arguments in (["daily"], default):
        parts = [part.replace(INSTALLED, str(installed.code)) for part in [*entry, *arguments]]
        done = installed.run(
            "/bin/sh", "-c", f"cd {installed.code} && {shlex.join(parts)}", **given
        )
        assert done.returncode == 0, done.stdout
    assert done.stdout == "Watched 1 clients: nothing is wrong\n"

    (installed.data / f"clients/{CLIENT}.yaml").write_text("name: no more\n")
    assert "nobody is told: there is no channel" in as_cron(installed, watch), "cron mails it"


@pytest.mark.parametrize("unit", UNITS)
def test_a_unit_is_verified_by_systemd(unit: str, tmp_path: Path) -> None:
    """In copies whose only change is the place of the code: there is none in /opt here."""
    for name in UNITS:
        text = (DEPLOY / name).read_text().replace(f"{INSTALLED}/.venv", f"{PROJECT}/.venv")
        (tmp_path / name).write_text(text)
    done = subprocess.run(
        ["systemd-analyze", "verify", tmp_path / unit],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    assert (done.returncode, done.stdout) == (0, "")


def test_a_unit_that_is_wrong_is_found(tmp_path: Path) -> None:
    unit = tmp_path / "attribution-watch.service"
    text = (DEPLOY / unit.name).read_text().replace(f"{INSTALLED}/.venv", f"{PROJECT}/.venv")
    unit.write_text(text.replace("NoNewPrivileges=yes", "NoNewPrivilege=yes"))
    done = subprocess.run(["systemd-analyze", "verify", unit], stderr=subprocess.PIPE, text=True)
    assert "NoNewPrivilege" in done.stderr


@pytest.mark.parametrize("timer", [unit for unit in UNITS if unit.endswith(".timer")])
def test_a_timer_names_its_service_and_times_that_systemd_reads(timer: str) -> None:
    assert (DEPLOY / timer.replace(".timer", ".service")).exists()
    times = re.findall(r"^OnCalendar=(.*)$", (DEPLOY / timer).read_text(), re.MULTILINE)
    assert times
    for each in times:
        subprocess.run(["systemd-analyze", "calendar", each], check=True, stdout=subprocess.DEVNULL)


def instructions() -> dict[str, list[str]]:
    """Return what the Containerfile says, by instruction."""
    text = (DEPLOY / "Containerfile").read_text().replace("\\\n", " ")
    found: dict[str, list[str]] = {}
    for line in text.splitlines():
        if line and not line.startswith("#"):
            word, _, rest = line.partition(" ")
            found.setdefault(word, []).append(rest)
    return found


def test_the_containerfile_is_linted() -> None:
    linter = PROJECT / ".venv/bin/hadolint"
    done = subprocess.run([linter, DEPLOY / "Containerfile"], stdout=subprocess.PIPE, text=True)
    assert (done.returncode, done.stdout) == (0, "")
