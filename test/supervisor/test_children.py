"""Child processes, real ones."""

from __future__ import annotations

import importlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from multiprocessing.context import ForkServerContext
from pathlib import Path
from types import ModuleType

import pytest

from livereduce.supervisor.children import STOP_S, Child, context, stop_all
from test.fakes import wait_for

ROOT = Path(__file__).resolve().parents[2]
HERE = Path(__file__).resolve().parent


@pytest.fixture(scope="module")
def ctx() -> ForkServerContext:
    return context()


@pytest.fixture
def targets(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """The functions to run, by a name under which a child finds them too."""
    monkeypatch.syspath_prepend(str(HERE))
    return importlib.import_module("child_targets")


@pytest.fixture
def start(ctx: ForkServerContext, tmp_path: Path) -> Iterator[Callable[..., Child]]:
    children: list[Child] = []

    def started(target: Callable[..., None], name: str = "child") -> Child:
        children.append(Child(ctx, name, target, tmp_path / name))
        return children[-1]

    yield started
    for child in children:
        child.kill()
        child._process.close()


def gone(pid: int) -> bool:
    """Whether a process has ended, reaped or not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] in "ZX"
    except (FileNotFoundError, ProcessLookupError):
        return True


def test_a_child_that_is_told_to_stop_ends_in_good_order(start: Callable[..., Child], targets: ModuleType, tmp_path: Path) -> None:
    children = [start(targets.obedient, name) for name in ("one", "two")]
    wait_for(lambda: (tmp_path / "one").exists() and (tmp_path / "two").exists())
    assert all(child.alive for child in children)
    assert int((tmp_path / "one").read_text() or 0) == children[0].pid
    assert stop_all(children, 20.0) == []
    assert [child.ending for child in children] == ["exit code 0", "exit code 0"]
    assert (tmp_path / "one.ended").read_text() == "in good order"


def test_a_child_that_does_not_listen_is_killed_in_time_and_named(start: Callable[..., Child], targets: ModuleType, tmp_path: Path) -> None:
    deaf, obedient = start(targets.deaf, "deaf"), start(targets.obedient, "obedient")
    wait_for(lambda: (tmp_path / "deaf").exists() and (tmp_path / "obedient").exists())
    began = time.monotonic()
    assert stop_all([deaf, obedient], 0.3) == ["deaf"]
    assert time.monotonic() - began < 2.0
    assert not deaf.alive
    assert deaf.ending == "killed by SIGKILL"


def test_the_whole_service_is_down_within_two_seconds() -> None:
    assert STOP_S < 2.0


def test_a_child_that_died_says_how(start: Callable[..., Child], targets: ModuleType) -> None:
    failing, brittle = start(targets.failing, "failing"), start(targets.brittle, "brittle")
    wait_for(lambda: not failing.alive and not brittle.alive)
    assert failing.ending == "exit code 3"
    assert brittle.ending == "killed by SIGSEGV"
    failing.ask_to_stop()  # no matter
    assert stop_all([failing, brittle]) == []


def test_a_child_ignores_what_the_terminal_sends_to_all(start: Callable[..., Child], targets: ModuleType, tmp_path: Path) -> None:
    child = start(targets.obedient)
    wait_for(lambda: (tmp_path / "child").exists())
    for number in (signal.SIGINT, signal.SIGQUIT):
        os.kill(child.pid, number)
    assert stop_all([child], 20.0) == []
    assert child.ending == "exit code 0"


PARENT = """
import sys, threading
from pathlib import Path
from livereduce.supervisor.children import Child, context
sys.path.insert(0, sys.argv[1])
import child_targets
child = Child(context(), "child", child_targets.deaf, Path(sys.argv[2]))
print(child.pid, flush=True)
threading.Event().wait()
"""


def test_a_child_ends_when_its_parent_is_killed(tmp_path: Path) -> None:
    script = tmp_path / "parent.py"
    script.write_text("if __name__ == '__main__':\n" + "".join(f"    {line}\n" for line in PARENT.splitlines()))
    note = tmp_path / "note"
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    with subprocess.Popen([sys.executable, str(script), str(HERE), str(note)], env=environment, stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout is not None
        pid = int(parent.stdout.readline())
        wait_for(note.exists)
        assert not gone(pid)
        parent.kill()
        wait_for(lambda: gone(pid), "the orphan ends")
