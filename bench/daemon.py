"""The daemon as a user meets it: start, a changed script, stop; on a simulated histogram DAE that runs in this process."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from typing import Any

from bench.cases import OURS, Case
from livereduce.errors import StoreError
from livereduce.simulators.isis_histogram import HistogramDae, HistogramServer, Size
from livereduce.store.board import Board
from livereduce.store.places import Places

PATIENCE_S = 60.0
"""Longest wait for anything."""

INSTRUMENT = "BENCH"
"""Name of the instrument."""

PROC = 'from mantid.simpleapi import Rebin\nRebin(InputWorkspace=input, Params="10000,1000,12000", OutputWorkspace=output)\n'
POST = 'from mantid.simpleapi import SumSpectra\nSumSpectra(InputWorkspace="accumulation", OutputWorkspace=output)\n'
OTHER_POST = 'from mantid.simpleapi import CloneWorkspace\nCloneWorkspace(InputWorkspace="accumulation", OutputWorkspace=output)\n'


def cases(*, quick: bool, threads: int) -> Iterator[Case]:
    """Seconds from the command to the first result, from a saved script to its first result, from SIGTERM to the end."""
    if quick:
        return
    lives: list[dict[str, float]] = []

    def case(name: str, key: str, part: str, *, cold: bool = False) -> Case:
        turns = count()

        def seconds() -> float:
            if cold:
                return _life(cold=True)[part]
            # One life gives all three figures.
            turn = next(turns)
            while len(lives) <= turn:
                lives.append(_life())
            return lives[turn][part]

        return Case(name=name, key=key, contestants=lambda: {OURS: seconds}, seconds=True, cores=("all",))

    yield case("run to first result, compiled code kept", "start_s_warm", "start")
    yield case("saved script to its first result", "reload_s", "reload")
    yield case("SIGTERM to the end", "stop_s", "stop")
    yield case("run to first result, compiling", "start_s_cold", "start", cold=True)


def _life(*, cold: bool = False) -> dict[str, float]:
    """Return the seconds of one life: start, reload, stop."""
    with tempfile.TemporaryDirectory(prefix="livereduce-bench-") as name, HistogramServer(HistogramDae(Size(spectra=100, bins=100))) as dae:
        folder = Path(name)
        post = _written(folder, dae.address)
        extra = {"NUMBA_CACHE_DIR": str(folder / "compiled")} if cold else {}
        begin = time.monotonic()
        with _daemon(folder, {**os.environ, **extra}) as process:
            board = _board(folder, process)
            try:
                _until(lambda: board.result("result") is not None, process)
                started = time.monotonic()
                post.write_text(OTHER_POST)
                _until(lambda: getattr(board.result("result"), "n_spectra", 1) > 1, process)
                reloaded = time.monotonic()
            finally:
                board.close()
            process.send_signal(signal.SIGTERM)
            process.wait(PATIENCE_S)
            return {"start": started - begin, "reload": reloaded - started, "stop": time.monotonic() - reloaded}


def _written(folder: Path, address: str) -> Path:
    """Write configuration and scripts; return the post-processing script."""
    scripts = folder / "scripts"
    scripts.mkdir()
    (scripts / f"reduce_{INSTRUMENT}_live_proc.py").write_text(PROC)
    post = scripts / f"reduce_{INSTRUMENT}_live_post_proc.py"
    post.write_text(POST)
    settings = {
        "instrument": INSTRUMENT,
        "script_dir": str(scripts),
        "update_every": 0.2,
        "accum_method": "Replace",
        "state_dir": str(folder / "state"),
        "log_file": str(folder / "livereduce.log"),
        "listener": {"type": "ISIS_Histogram", "address": address},
    }
    (folder / "live.conf").write_text(json.dumps(settings))
    return post


@contextmanager
def _daemon(folder: Path, environment: dict[str, str]) -> Iterator[subprocess.Popen[bytes]]:
    command = [sys.executable, "-m", "livereduce", "run", str(folder / "live.conf")]
    process = subprocess.Popen(command, cwd=folder, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        yield process
    finally:
        if process.poll() is None:
            process.kill()
        process.wait()


def _board(folder: Path, process: subprocess.Popen[bytes]) -> Board:
    """Return the board as soon as the daemon has made it."""
    found: list[Board] = []

    def opened() -> bool:
        try:
            found.append(Board(Places(folder / "state" / INSTRUMENT).board, readonly=True))
        except StoreError:
            return False
        return True

    _until(opened, process)
    return found[0]


def _until(good: Any, process: subprocess.Popen[bytes]) -> None:
    """Look every two milliseconds until `good()`."""
    deadline = time.monotonic() + PATIENCE_S
    while not good():
        if process.poll() is not None or time.monotonic() > deadline:
            raise RuntimeError(f"the daemon ended with {process.returncode}, or was silent for {PATIENCE_S} s")
        time.sleep(0.002)
