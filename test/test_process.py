"""What every process of the service does first."""

from __future__ import annotations

import logging
import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from livereduce.process import LOG_FORMAT, open_log

ROOT = Path(__file__).resolve().parents[1]

CHILD = """
import logging, multiprocessing, sys, threading
from pathlib import Path
from livereduce.process import enter, leave
ours, theirs = multiprocessing.Pipe(duplex=False)
told = threading.Event()
enter(ours, Path(sys.argv[1]), told.set)
print("entered", flush=True)
for line in sys.stdin:
    match line.strip():
        case "noise": theirs.send_bytes(b"something else")
        case "stop": theirs.send_bytes(b"stop")
        case "hang up": theirs.close(); threading.Event().wait()
        case "log": logging.getLogger("livereduce.x").info("a line"); print("logged", flush=True)
        case "told?": print(told.is_set(), flush=True)
        case "wait": told.wait(); print("told", flush=True)
        case "leave":
            threading.Thread(target=threading.Event().wait).start()
            leave(5)
"""


class ChildProcess:
    """A process that does what it is told line by line."""

    def __init__(self, log: Path) -> None:
        words = [sys.executable, "-c", CHILD, str(log)]
        self.popen = subprocess.Popen(words, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.hear("entered")

    def tell(self, line: str) -> None:
        assert self.popen.stdin is not None
        self.popen.stdin.write(line + "\n")
        self.popen.stdin.flush()

    def hear(self, wanted: str) -> None:
        assert self.popen.stdout is not None
        for line in self.popen.stdout:
            if wanted in line:
                return
        raise AssertionError(f"never said {wanted!r}")


@pytest.fixture
def child(tmp_path: Path) -> Iterator[ChildProcess]:
    made = ChildProcess(tmp_path / "log")
    yield made
    made.popen.kill()
    made.popen.communicate()


def test_a_child_is_told_to_stop_through_its_lifeline_and_by_nothing_else(child: ChildProcess) -> None:
    child.tell("noise")
    child.tell("told?")
    child.hear("False")
    child.tell("stop")
    child.tell("wait")
    child.hear("told")


def test_a_child_ends_when_its_lifeline_breaks(child: ChildProcess) -> None:
    child.tell("hang up")
    assert child.popen.wait(20) == 1


def test_leaving_does_not_wait_for_threads_that_scripts_left_behind(child: ChildProcess) -> None:
    child.tell("leave")
    assert child.popen.wait(20) == 5


def test_the_terminals_signals_are_for_the_supervisor_alone(child: ChildProcess) -> None:
    for number in (signal.SIGINT, signal.SIGQUIT):
        os.kill(child.popen.pid, number)
    child.tell("told?")
    child.hear("False")
    os.kill(child.popen.pid, signal.SIGTERM)
    assert child.popen.wait(20) == -signal.SIGTERM


def test_a_line_of_the_log_has_time_name_level_and_message_on_stdout_and_in_the_file(child: ChildProcess, tmp_path: Path) -> None:
    child.tell("log")
    child.hear(" - livereduce.x - INFO - a line")
    child.hear("logged")
    line = (tmp_path / "log").read_text()
    assert re.fullmatch(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d,\d{3} - livereduce\.x - INFO - a line\n", line)


def test_the_log_goes_on_in_a_new_file_when_rotation_has_moved_the_old_one(child: ChildProcess, tmp_path: Path) -> None:
    child.tell("log")
    child.hear("logged")
    (tmp_path / "log").rename(tmp_path / "log.1")
    child.tell("log")
    child.hear("logged")
    assert [(tmp_path / name).read_text().count("a line") for name in ("log", "log.1")] == [1, 1]


def test_operators_scripts_find_the_format_they_know() -> None:
    assert LOG_FORMAT == "%(asctime)s - %(name)s - %(levelname)s - %(message)s"


def test_a_log_may_go_to_stdout_alone(capfd: pytest.CaptureFixture[str]) -> None:
    root = logging.getLogger()
    before, level = root.handlers[:], root.level
    try:
        open_log(None)
        assert [type(handler) for handler in root.handlers] == [logging.StreamHandler]
    finally:
        root.handlers[:] = before
        root.setLevel(level)
