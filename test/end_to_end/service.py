"""The service as a user starts it: real processes, a real socket, its log and its board."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

from livereduce.publish.overview import Overview, read_overview
from livereduce.store.board import Board
from livereduce.store.places import Places

REPOSITORY = Path(__file__).resolve().parents[2]
PATIENCE_S = 30.0
"""Deadline of every wait: generous, since it only matters when something is broken."""

T = TypeVar("T")


def wait_for(ask: Callable[[], T], what: str, patience_s: float = PATIENCE_S) -> T:
    """Return the first true answer of `ask`; fail after `patience_s`."""
    deadline = time.monotonic() + patience_s
    while not (answer := ask()):
        if time.monotonic() > deadline:
            raise AssertionError(f"{what}: not within {patience_s} s; the last answer was {answer!r}")
        time.sleep(0.01)
    return answer


class Service:
    """A daemon in a folder of its own.

    Parameters
    ----------
    folder:
        Its working directory; scripts are in ``scripts``.
    address:
        Of the DAQ.
    conf:
        Keys of the configuration, over the defaults here.
    """

    def __init__(self, folder: Path, address: str, **conf: Any) -> None:
        self.folder = folder
        self.scripts = folder / "scripts"
        self.scripts.mkdir(exist_ok=True)
        self.conf = folder / "live.conf"
        self.instrument = conf.get("instrument", "ISIS_Histogram")
        self.settings = {
            "instrument": self.instrument,
            "script_dir": str(self.scripts),
            "update_every": 0.2,
            "accum_method": "Replace",
            "state_dir": str(folder / "state"),
            "log_file": str(folder / "livereduce.log"),
            "listener": {"type": "ISIS_Histogram", "address": address},
            **conf,
        }
        self.write_conf()
        self.log_file = Path(self.settings["log_file"])
        self.process: subprocess.Popen[bytes] | None = None
        self._board: Board | None = None

    def write_conf(self, **changes: Any) -> None:
        """Write the configuration, with some keys changed."""
        self.settings.update(changes)
        self.conf.write_text(json.dumps(self.settings))

    @property
    def proc(self) -> Path:
        """The processing script."""
        return self.scripts / f"reduce_{self.instrument}_live_proc.py"

    @property
    def post(self) -> Path:
        """The post-processing script."""
        return self.scripts / f"reduce_{self.instrument}_live_post_proc.py"

    def start(self, cwd: Path | None = None) -> Service:
        """Start the daemon in `cwd`, its own folder when None; does not wait for anything."""
        command = [sys.executable, "-W", "error::ResourceWarning", str(REPOSITORY / "scripts" / "livereduce.py"), str(self.conf)]
        self.process = subprocess.Popen(command, cwd=cwd or self.folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        return self

    def end(self, number: int = signal.SIGTERM) -> int:
        """Send a signal and wait for the end; return the exit code."""
        assert self.process is not None
        self.process.send_signal(number)
        self.process.communicate(timeout=PATIENCE_S)
        return self.process.returncode

    def kill(self) -> None:
        """End whatever still runs, as a test's last act."""
        if self._board is not None:
            self._board.close()
        if self.process is not None and self.process.poll() is None:
            self.process.kill()
        if self.process is not None:
            self.process.communicate()

    @property
    def board(self) -> Board:
        """The daemon's board, as soon as it is there."""
        if self._board is None:
            place = Places(Path(self.settings["state_dir"]) / self.instrument).board
            wait_for(lambda: (place / "data.mdb").exists() and self._opened(place), "the board")
        assert self._board is not None
        return self._board

    def _opened(self, place: Path) -> bool:
        try:
            self._board = Board(place, readonly=True)
        except Exception:  # noqa: BLE001 - it is being made at this moment: the next look finds it
            return False
        return True

    @property
    def overview(self) -> Overview:
        """What the board says now."""
        return read_overview(self.board, self.instrument)

    @property
    def log(self) -> str:
        """The log so far."""
        return self.log_file.read_text() if self.log_file.exists() else ""

    def wait_log(self, pattern: str, count: int = 1, patience_s: float = PATIENCE_S) -> list[str]:
        """Wait until `pattern` stands in at least `count` lines of the log; return those lines."""
        return wait_for(
            lambda: (found := re.findall(f"^.*{pattern}.*$", self.log, re.MULTILINE)) and len(found) >= count and found, f"log {pattern!r}"
        )

    def result(self) -> Any:
        """Return the published result, None when there is none yet."""
        return self.board.result("result")

    def wait_result(self, good: Callable[[Any], bool] = lambda _: True) -> Any:
        """Wait for a published result that `good` approves; return it."""

        def look() -> Any:
            value = self.result()
            return value if value is not None and good(value) else None

        return wait_for(look, "a result")

    def pid_of(self, role: str) -> int:
        """Return the pid of the receiver or the reducer that says something now."""
        return wait_for(lambda: (status := getattr(self.overview, role)) and status.pid, f"pid of the {role}")

    def md5(self, path: Path) -> str:
        """Return what md5sum says of a file."""
        return subprocess.run(["md5sum", str(path)], check=True, capture_output=True, text=True).stdout.split()[0]


@contextmanager
def service(folder: Path, address: str, **conf: Any) -> Iterator[Service]:
    """Make a service, not yet started; end it with the block, printing its log when a test fails."""
    one = Service(folder, address, **conf)
    try:
        yield one
    except BaseException:
        print(one.log, file=sys.stderr)
        raise
    finally:
        one.kill()


def alive(pid: int) -> bool:
    """Whether a process runs (a zombie does not)."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


def kill(pid: int) -> None:
    """``kill -9`` and wait for the end."""
    os.kill(pid, signal.SIGKILL)
    wait_for(lambda: not alive(pid), f"end of {pid}")
