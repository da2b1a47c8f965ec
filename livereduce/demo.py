"""`livereduce demo`: a simulated instrument and the daemon on it, in a temporary folder, with a live table in the terminal."""

from __future__ import annotations

import ctypes
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.text import Text

from livereduce.config import bundled_instruments
from livereduce.errors import ListenerError, StoreError
from livereduce.process import PACKAGE_ROOT
from livereduce.publish.overview import Overview, read_overview, table
from livereduce.store.board import Board
from livereduce.store.places import Places

INSTRUMENT = "ISIS_Histogram"
"""The instrument whose example scripts run."""

UPDATE_EVERY_S = 2
"""s between readings and between post-processing runs: quick enough to watch."""

REFRESH_S = 0.25
"""s between two pictures of the table."""

LINES_EVERY_S = 2.0
"""s between two lines where there is no terminal to draw on."""

LOG_LINES = 8
"""Newest lines of the log under the table."""

LIVEREDUCE = (sys.executable, "-P", "-m", "livereduce")
"""The command line, found where it is installed and not in a working directory, where anything may lie."""

START_S = 30.0
"""Time the simulator has to say where it listens."""

END_S = 5.0
"""Time the processes have to end before they are killed."""


def demo(*, seconds: float | None = None) -> int:
    """Run the demonstration until Ctrl-C, or for `seconds`; return the exit code."""
    folder = Path(tempfile.mkdtemp(prefix="livereduce-demo-"))
    console = Console()
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _interrupt)
    console.print(f"Everything happens in {folder}; Ctrl-C ends it.", highlight=False)
    try:
        with ExitStack() as stack:
            address = stack.enter_context(_simulator())
            conf = _write_conf(folder, address)
            daemon = stack.enter_context(_process([*LIVEREDUCE, "run", str(conf)], cwd=folder))
            board = stack.enter_context(_board(folder, daemon))
            _watch(console, board, folder, daemon, seconds)
    except KeyboardInterrupt:
        pass
    finally:
        shutil.rmtree(folder / "state", ignore_errors=True)
    _say_goodbye(console, folder)
    return 0


def _interrupt(*_: object) -> None:
    raise KeyboardInterrupt


def _watch(console: Console, board: Board, folder: Path, daemon: subprocess.Popen[str], seconds: float | None) -> None:
    ends = None if seconds is None else time.monotonic() + seconds
    if not console.is_terminal:
        while daemon.poll() is None and (ends is None or time.monotonic() < ends):
            console.print(_line(read_overview(board, INSTRUMENT)), highlight=False, soft_wrap=True)
            time.sleep(LINES_EVERY_S)
        return
    with Live(console=console, refresh_per_second=1 / REFRESH_S, transient=False) as live:
        while daemon.poll() is None and (ends is None or time.monotonic() < ends):
            live.update(_picture(read_overview(board, INSTRUMENT), folder))
            time.sleep(REFRESH_S)


def _picture(overview: Overview, folder: Path) -> RenderableType:
    lines = (folder / "livereduce.log").read_text(encoding="utf-8", errors="replace").splitlines()[-LOG_LINES:]
    short = [_short(line.replace(f"{folder}/", "")) for line in lines]
    return Group(table(overview), Text("\n".join(short), style="dim", overflow="ellipsis", no_wrap=True))


def _short(line: str) -> str:
    """Return a line of the log without what a demonstration does not need: the date, fractions of seconds and the logger."""
    parts = line.split(" - ", 3)
    return f"{parts[0].split()[-1].split(',')[0]} {parts[2]} {parts[3]}" if len(parts) == 4 else line


def _line(overview: Overview) -> str:
    reducer, receiver = overview.reducer, overview.receiver
    if reducer is None or receiver is None:
        return "starting"
    return (
        f"run {reducer.run_number}  chunks {reducer.chunks}  counts {receiver.counts} at {receiver.counts_per_s:.0f}/s  lag {reducer.lag_s:.2f} s  "
        f"post-processing {reducer.post_count} x  files {reducer.files_written}  {receiver.state}, {reducer.state}"
    )


def _write_conf(folder: Path, address: str) -> Path:
    scripts = folder / "scripts"
    scripts.mkdir()
    for script in sorted((bundled_instruments() / INSTRUMENT).glob("*.py")):
        shutil.copy(script, scripts)
    conf = folder / "livereduce.conf"
    settings = {
        "instrument": INSTRUMENT,
        "script_dir": str(scripts),
        "update_every": UPDATE_EVERY_S,
        "accum_method": "Replace",
        "state_dir": str(folder / "state"),
        "log_file": str(folder / "livereduce.log"),
        "listener": {"type": INSTRUMENT, "address": address},
    }
    conf.write_text(json.dumps(settings, indent=2) + "\n", encoding="utf-8")
    return conf


@contextmanager
def _simulator() -> Iterator[str]:
    """Run the simulator; yield its address."""
    command = [*LIVEREDUCE, "fake", "histogram", "--port", "0", "--growing", "--spectra", "64", "--bins", "400"]
    with _process(command, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        said = process.stdout.readline()
        words = [word.rstrip(".,;)") for word in said.split()]
        address = next((word for word in words if word.rpartition(":")[2].isdigit()), None)
        if address is None:
            raise ListenerError(f"the simulator did not say where it listens: {said.strip()!r}")
        yield address


@contextmanager
def _process(command: list[str], *, cwd: Path | None = None, stdout: int = subprocess.DEVNULL) -> Iterator[subprocess.Popen[str]]:
    """Run `command` while the block runs, then end it."""
    with subprocess.Popen(command, cwd=cwd, stdout=stdout, stderr=None, text=True, env=_environment(), preexec_fn=_end_with_parent) as process:
        try:
            yield process
        finally:
            process.send_signal(signal.SIGTERM)
            try:
                process.wait(END_S)
            except subprocess.TimeoutExpired:
                process.kill()


def _environment() -> dict[str, str]:
    """Return the environment in which this very package is found, from a checkout that is not installed too."""
    path = os.environ.get("PYTHONPATH")
    return {**os.environ, "PYTHONPATH": PACKAGE_ROOT if path is None else f"{PACKAGE_ROOT}{os.pathsep}{path}"}


def _end_with_parent() -> None:
    """Have the kernel end this process when the demonstration is killed: nothing is to go on in the background (prctl(2), PR_SET_PDEATHSIG)."""
    ctypes.CDLL(None).prctl(1, signal.SIGTERM)


@contextmanager
def _board(folder: Path, daemon: subprocess.Popen[str]) -> Iterator[Board]:
    """Open the daemon's board as soon as it is there."""
    place = Places(folder / "state" / INSTRUMENT).board
    ends = time.monotonic() + START_S
    while True:
        try:
            board = Board(place, readonly=True)
            break
        except StoreError:
            if daemon.poll() is not None or time.monotonic() > ends:
                raise
            time.sleep(REFRESH_S / 5)
    try:
        yield board
    finally:
        board.close()


def _say_goodbye(console: Console, folder: Path) -> None:
    files = sorted(str(path.relative_to(folder)) for path in (folder / "results").glob("**/*") if path.is_file())
    console.print(
        f"Ended. {len(files)} result files stay in {folder / 'results'}:" if files else f"Ended. The log is {folder / 'livereduce.log'}.",
        highlight=False,
    )
    for name in files:
        console.print(f"  {name}", highlight=False)
