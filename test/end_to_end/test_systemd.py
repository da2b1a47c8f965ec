"""The service under a real systemd: installed as docs/how-to/run-under-systemd.md says, started, restarted, killed, hung, stopped."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from livereduce.config import parse

from .container import Container, ContainerError, missing_tools, obstacle, wait_until

ROOT = Path(__file__).resolve().parents[2]
UNITS = ROOT / "systemd"
UNIT, TEMPLATE = "livereduce.service", "livereduce@.service"
CODE, VENV, PORT = "/srv/livereduce", "/opt/livereduce", 56789
IN_CI = os.environ.get("CI", "").lower() in ("1", "true", "yes")
START_S = 120.0
"""Longest time from start to READY=1, compiling included."""

BACK_S = 60.0
"""Longest time until a service that was killed or hung is back and data flow again."""

CONF = {
    "instrument": "ISIS_Histogram",
    "script_dir": "/srv/scripts",
    "state_dir": "/var/lib/livereduce",
    "log_file": "/var/log/livereduce/livereduce.log",
    "update_every": 0.2,
    "listener": {"type": "ISIS_Histogram", "address": f"127.0.0.1:{PORT}"},
}

DROP_IN = f"""
[Service]
ExecStart=
ExecStart={VENV}/bin/python -m livereduce run {{conf}}
Environment=PYTHONPATH={CODE}
WatchdogSec=5
RestartSec=100ms
ExecStopPost=/bin/sh -c 'echo "$SERVICE_RESULT $EXIT_CODE $EXIT_STATUS" >>"$STATE_DIRECTORY/endings"'
"""


@dataclass(frozen=True, slots=True)
class Service:
    """The installed service, seen as its operator sees it."""

    container: Container
    unit: str = UNIT
    conf: str = "/etc/livereduce.conf"
    state: str = "/var/lib/livereduce"

    def systemctl(self, verb: str) -> None:
        self.container.run("systemctl", verb, self.unit)

    def main_pid(self) -> int:
        return int(self.container.show(self.unit, "MainPID")["MainPID"])

    def active(self) -> bool:
        return self.container.show(self.unit, "ActiveState")["ActiveState"] == "active"

    def last_ending(self) -> str:
        """Return result, kind and status of the last end of the daemon, as systemd saw it."""
        return self.container.run("tail", "--lines=1", f"{self.state}/endings").strip()

    def processes(self) -> list[int]:
        """Return the pids of everything that runs in the service's control group."""
        cgroup = self.container.show(self.unit, "ControlGroup")["ControlGroup"]
        if not cgroup:
            return []
        found = self.container.run("sh", "-c", f"cat /sys/fs/cgroup/systemd{cgroup}/cgroup.procs /sys/fs/cgroup{cgroup}/cgroup.procs", check=False)
        return sorted(set(map(int, found.split())))

    def status(self) -> dict[str, Any]:
        told = self.container.run(
            "setpriv", "--reuid=livereduce", "--regid=livereduce", "--init-groups", "env", f"STATE_DIRECTORY={self.state}",
            f"PYTHONPATH={CODE}", f"{VENV}/bin/python", "-m", "livereduce", "status", "--json", self.conf, check=False,
        )  # fmt: skip
        found: dict[str, Any] = json.loads(told) if told else {}
        return found

    def records(self) -> int:
        """Return how many records the journal holds, 0 while nobody says so."""
        return int((self.status().get("receiver") or {}).get("journal_records", 0))

    def flowing(self, since: int) -> bool:
        """Tell whether the service is up, its journal has grown beyond `since`, and what was reduced adds up to all of it."""
        status = self.status()
        receiver, reducer = status.get("receiver") or {}, status.get("reducer") or {}
        return bool(
            self.active()
            and receiver.get("state") == "receiving"
            and receiver.get("journal_records", 0) > since
            and reducer.get("chunks", 0) > 0
            and reducer.get("position") == receiver.get("journal_end")
            # The source counts upwards: the sum of all that was reduced is its newest reading, or something was lost or taken twice.
            and reducer.get("counts") == receiver.get("counts")
        )

    def wait_for_data(self, *, since: int, seconds: float = BACK_S) -> None:
        wait_until(lambda: self.flowing(since), seconds, lambda: f"more than {since} records, reduced; {self.story()}")

    def story(self) -> str:
        """Return what there is to know when a test fails."""
        log = self.container.run("journalctl", "--unit", self.unit, "--lines=40", "--output=cat", check=False)
        return f"status {json.dumps(self.status())}\n{self.container.run('systemctl', 'status', self.unit, check=False)}\n{log}"


@pytest.fixture(scope="module")
def container() -> Iterator[Container]:
    if sys.prefix == sys.base_prefix:
        pytest.skip("the tests run without a virtual environment that could be installed")
    if why := obstacle():
        pytest.skip(why)
    if missing := missing_tools():
        _give_up(f"not installed: {', '.join(missing)} (Debian packages systemd-container, util-linux)")
    interpreter = Path(sys.base_prefix).resolve()
    binds = {ROOT: CODE, Path(sys.prefix): VENV} | ({} if interpreter.is_relative_to("/usr") else {interpreter: str(interpreter)})
    try:
        booted = Container(binds)
    except ContainerError as error:
        _give_up(f"no container boots: {error}")
    with booted:
        # An interpreter below a home directory that only its owner may enter is of no use to the service's user.
        booted.run("chmod", "a+x", *(str(folder) for folder in interpreter.parents))
        yield booted


def _give_up(why: str) -> None:
    if IN_CI:
        pytest.fail(why)
    pytest.skip(why)


@pytest.fixture(scope="module")
def installed(container: Container) -> Service:
    """The units as they are in the repository, a drop-in for where this checkout is, and a DAQ to read from."""
    container.write("/etc/sysusers.d/livereduce.conf", (UNITS / "livereduce.sysusers.conf").read_text())
    container.run("systemd-sysusers")
    for name, conf in ((UNIT, "/etc/livereduce.conf"), (TEMPLATE, "/etc/livereduce/%i.conf")):
        container.write(f"/etc/systemd/system/{name}", (UNITS / name).read_text())
        container.write(f"/etc/systemd/system/{name}.d/test.conf", DROP_IN.format(conf=conf))
    container.write("/etc/livereduce.conf", json.dumps(CONF))
    container.write(f"/srv/scripts/reduce_{CONF['instrument']}_live_proc.py", "output = input\n")
    container.run("systemctl", "daemon-reload")
    container.run(
        "systemd-run", "--unit=daq", f"--setenv=PYTHONPATH={CODE}", "--property=Restart=on-failure", "--property=DynamicUser=yes",
        f"{VENV}/bin/python", "-m", "livereduce", "fake", "histogram", "--port", str(PORT), "--growing",
    )  # fmt: skip
    return Service(container)


@pytest.fixture
def service(installed: Service) -> Service:
    """The service, active, with data flowing: whatever the test before left of it."""
    installed.container.run("systemctl", "reset-failed", check=False)
    installed.container.run("systemctl", "start", "--no-block", UNIT)
    installed.wait_for_data(since=0, seconds=START_S)
    return installed


# --- the units as files


def _security(unit: Path) -> float:
    told = subprocess.run(["systemd-analyze", "security", "--offline=true", str(unit)], capture_output=True, text=True, check=False).stdout
    found = re.search(r"Overall exposure level for .*: ([0-9.]+)", told)
    if found is None:
        pytest.skip("systemd-analyze is missing or knows no --offline")
    return float(found[1])


def test_the_units_leave_little_exposed() -> None:
    try:
        assert _security(UNITS / UNIT) <= 2.0
    except FileNotFoundError:
        pytest.skip("no systemd-analyze")


def test_the_template_differs_from_the_unit_only_in_the_name_of_the_instance() -> None:
    unit, template = ((UNITS / name).read_text().splitlines()[2:] for name in (UNIT, TEMPLATE))
    assert len(unit) == len(template)
    # /var/lib/livereduce/NOM for /var/lib/livereduce, /etc/livereduce/NOM.conf for /etc/livereduce.conf
    undone = [re.sub(r"( of |/)%i", "", line) for line in template]
    assert undone == unit
    assert any("%i" in line for line in template)


def test_the_configuration_in_the_manual_is_one() -> None:
    manual = (ROOT / "docs" / "how-to" / "run-under-systemd.md").read_text()
    found = re.search(r"```json\n(.*?)```", manual, re.DOTALL)
    assert found is not None
    assert parse(found[1], "the manual").state == Path("/var/lib/livereduce/NOM")


# --- the service


@pytest.mark.systemd
def test_systemd_finds_nothing_wrong_with_the_units(installed: Service) -> None:
    told = installed.container.run("sh", "-c", f"systemd-analyze verify --man=no {UNIT} livereduce@NOM.service 2>&1")
    assert [line for line in told.splitlines() if "livereduce" in line] == []


@pytest.mark.systemd
def test_it_starts_as_its_own_user_and_says_so_when_it_is_ready(service: Service) -> None:
    shown = service.container.show(UNIT, "ActiveState", "SubState", "Type", "StatusText", "MainPID", "NRestarts")
    assert (shown["ActiveState"], shown["SubState"], shown["Type"]) == ("active", "running", "notify")
    assert shown["StatusText"]
    owner = service.container.run("stat", "--format=%U", f"/proc/{shown['MainPID']}", "/var/lib/livereduce").split()
    assert owner == ["livereduce", "livereduce"]
    assert len(service.processes()) >= 3, "supervisor, receiver and reducer are in its control group"


@pytest.mark.systemd
def test_restart_gives_a_new_daemon_that_goes_on_with_the_same_journal(service: Service) -> None:
    before, records, run = service.main_pid(), service.records(), service.status()["reducer"]["run_number"]
    service.systemctl("restart")
    assert service.active()
    assert service.main_pid() != before
    service.wait_for_data(since=records)
    assert service.status()["reducer"]["run_number"] == run


@pytest.mark.systemd
def test_a_killed_daemon_comes_back_with_its_journal(service: Service) -> None:
    before, records, children = service.main_pid(), service.records(), service.processes()
    service.container.run("kill", "-KILL", str(before))
    wait_until(lambda: service.active() and service.main_pid() not in (0, before), BACK_S, service.story)
    assert service.last_ending() == "signal killed KILL"
    service.wait_for_data(since=records)
    assert not set(service.processes()) & set(children), "nothing of the killed daemon lives on"


@pytest.mark.systemd
def test_a_hung_daemon_is_ended_by_the_watchdog_and_comes_back_with_its_journal(service: Service) -> None:
    before, records = service.main_pid(), service.records()
    service.container.run("kill", "-STOP", str(before))
    wait_until(lambda: service.active() and service.main_pid() not in (0, before), BACK_S, service.story)
    assert service.last_ending().startswith("watchdog ")
    log = service.container.run("journalctl", "--unit", UNIT, "--output=cat")
    assert re.search(r"Fatal Python error: Aborted\n.*\n?.*most recent call first", log), "the log tells where it hung"
    service.wait_for_data(since=records)


@pytest.mark.systemd
def test_stop_is_clean_and_quick_and_the_journal_is_there_at_the_next_start(service: Service) -> None:
    records, processes = service.records(), service.processes()
    service.container.run("systemctl", "stop", UNIT, seconds=5.0)
    assert service.container.show(UNIT, "ActiveState", "Result") == {"ActiveState": "inactive", "Result": "success"}
    assert service.last_ending() == "success exited 0"
    assert service.processes() == []
    assert [pid for pid in processes if service.container.run("ls", "-d", f"/proc/{pid}", check=False)] == []
    service.systemctl("start")
    service.wait_for_data(since=records)


@pytest.mark.systemd
def test_a_wrong_configuration_is_not_tried_again(service: Service) -> None:
    service.systemctl("stop")
    service.container.write("/etc/livereduce.conf", json.dumps({**CONF, "update_evry": 1}))
    try:
        service.container.run("systemctl", "start", UNIT, check=False, seconds=START_S)
        wait_until(lambda: service.container.show(UNIT, "ActiveState")["ActiveState"] == "failed", BACK_S, service.story)
        assert service.container.show(UNIT, "ExecMainStatus")["ExecMainStatus"] == "2"
        assert "update_every" in service.container.run("journalctl", "--unit", UNIT, "--lines=20", "--output=cat")
    finally:
        service.container.write("/etc/livereduce.conf", json.dumps(CONF))


@pytest.mark.systemd
def test_it_can_write_nowhere_but_in_its_own_folders(service: Service) -> None:
    probe = "import pathlib, sys; pathlib.Path(sys.argv[1], 'probe').touch()"
    for folder, expected in (
        ("/var/lib/livereduce", True),
        ("/var/log/livereduce", True),
        ("/etc", False),
        ("/srv/scripts", False),
        ("/home", False),
    ):
        service.container.run("chmod", "a+rwx", folder)
        done = service.container.run(
            "nsenter", f"--target={service.main_pid()}", "--mount", "--", "sh", "-c",
            f"setpriv --reuid=livereduce --regid=livereduce --clear-groups {VENV}/bin/python -c \"{probe}\" {folder} && echo wrote", check=False,
        )  # fmt: skip
        assert (done.strip() == "wrote") is expected, folder


@pytest.mark.systemd
def test_an_instance_of_the_template_runs_beside_the_service_in_folders_of_its_own(service: Service) -> None:
    second = Service(service.container, unit="livereduce@SECOND.service", conf="/etc/livereduce/SECOND.conf", state="/var/lib/livereduce/SECOND")
    own = {key: value for key, value in CONF.items() if key != "state_dir"} | {"log_file": "/var/log/livereduce/SECOND/livereduce.log"}
    service.container.write(second.conf, json.dumps(own))
    second.container.run("systemctl", "start", second.unit, seconds=START_S)
    try:
        second.wait_for_data(since=0)
        assert service.active()
        assert second.container.run("stat", "--format=%U", own["log_file"]).strip() == "livereduce"
        assert second.main_pid() != service.main_pid()
    finally:
        second.container.run("systemctl", "stop", second.unit)
    assert second.last_ending() == "success exited 0"
