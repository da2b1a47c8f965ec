"""`livereduce check`: would this configuration, this script work? Tried on simulated chunks, before any beam is spent on it."""

from __future__ import annotations

import contextlib
import logging
import os
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from livereduce.algorithms.warmup import warm_up
from livereduce.config import Config, instrument_listener, read_config
from livereduce.data.group import AnyWorkspace
from livereduce.errors import ConfigError, LiveReduceError, ScriptError
from livereduce.listeners.registry import listener_settings, make_listener
from livereduce.process import open_log
from livereduce.reducer.accumulation import Accumulation, describe
from livereduce.reducer.chunks import Chunk, ChunkMaker
from livereduce.reducer.process import empty_accumulation
from livereduce.scripting import mantid
from livereduce.scripting.runner import Runner
from livereduce.scripting.script import Script
from livereduce.simulators.isis_histogram import HistogramDae, Size
from livereduce.store.record import Histogram, Layout, Record, RunStart
from livereduce.supervisor.memory import MB, used_bytes

CHUNKS = 6
"""Chunks that a script is tried on: the first warms caches up, the others show what stays."""

SPECTRA, BINS = 100, 1000
"""Size of a simulated chunk."""

FRAMES = 1000
"""Frames that the simulated source counts between two chunks."""

POST_ENDING = "_live_post_proc.py"
"""How the name of a post-processing script ends."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """What one execution of a script took and made."""

    seconds: float
    """Time."""

    grown_mb: float
    """Memory that the process has more afterwards, MB."""

    made: AnyWorkspace
    """Output or result."""


def check(path: Path) -> int:
    """Check a configuration (a file of JSON) or one script (a file of Python); print what was found; return 1 when it would fail.

    Raises
    ------
    ConfigError
        If the configuration is wrong.
    """
    open_log(None)
    logging.getLogger().setLevel(logging.WARNING)
    path = path.absolute()
    if path.suffix == ".py":
        return _check_pair(path.parent, *((None, path) if path.name.endswith(POST_ENDING) else (path, None)), budget_s=1.0, periods=1)
    config, _ = read_config(path)
    _check_source(config)
    process, post = (script if script.exists() else None for script in config.scripts)
    if process is None and post is None:
        raise ConfigError(f"script_dir: neither {config.scripts[0]} nor {config.scripts[1]} exists; wanted one at least")
    periods = len(config.periods) if config.periods else 1
    return _check_pair(config.scripts[0].parent, process, post, budget_s=config.update_every, periods=periods)


def _check_source(config: Config) -> None:
    source = instrument_listener(config)
    settings = listener_settings(source.type or "", source.address, periods=config.periods, spectra=config.spectra, options=source.options)
    make_listener(settings)
    print(f"configuration: right; source {settings.type} {settings.address}")


def _check_pair(folder: Path, process: Path | None, post: Path | None, *, budget_s: float, periods: int) -> int:
    runner = Runner(mantid.install(), folder)
    warm_up()
    accumulation = empty_accumulation("Replace")
    # What the scripts write by a relative name goes to a folder that is gone afterwards.
    with tempfile.TemporaryDirectory(prefix="livereduce-check-") as scratch, contextlib.chdir(scratch):
        return _verdict(runner, process, post, accumulation, budget_s=budget_s, periods=periods)


def _verdict(runner: Runner, process: Path | None, post: Path | None, accumulation: Accumulation, *, budget_s: float, periods: int) -> int:
    """Try both scripts; print what is wrong with them, and return 1, or return 0."""
    try:
        first = _read(process) if process is not None else None
        _try_chunks(runner, first, accumulation, budget_s, periods)
        if post is not None:
            _try_post(runner, _read(post), accumulation, budget_s)
    except ScriptError as error:
        print(f"FAILS: {error}\n{error.traceback_text}".rstrip())
        return 1
    except LiveReduceError as error:
        print(f"FAILS: {error}")
        return 1
    print("works")
    return 0


def _read(path: Path) -> Script:
    script = Script.read(path)
    if script is None:
        raise ScriptError(f"{path}: is not there or empty; wanted a script")
    script.compile()
    helpers = "".join(f", with {helper.name}" for helper, _ in script.helpers)
    print(f"{path.name}: compiles, md5 {script.md5}{helpers}")
    return script


def _try_chunks(runner: Runner, script: Script | None, accumulation: Accumulation, budget_s: float, periods: int) -> None:
    for number, chunk in enumerate(_chunks(periods), 1):
        if script is None:
            accumulation.add(chunk.value)
            continue
        trial = _timed(lambda value=chunk.value: runner.run_chunk(script, value))  # type: ignore[misc]
        accumulation.add(trial.made)
        _say(f"chunk {number}", trial, budget_s)


def _try_post(runner: Runner, script: Script, accumulation: Accumulation, budget_s: float) -> None:
    for number in range(1, CHUNKS + 1):
        snapshot = accumulation.snapshot()
        assert snapshot is not None
        _say(f"post-processing {number}", _timed(lambda value=snapshot: runner.run_post(script, value)), budget_s)  # type: ignore[misc]


def _timed(run: Callable[[], AnyWorkspace]) -> Trial:
    before, began = used_bytes(os.getpid()), time.perf_counter()
    made = run()
    return Trial(seconds=time.perf_counter() - began, grown_mb=(used_bytes(os.getpid()) - before) / MB, made=made)


def _say(what: str, trial: Trial, budget_s: float) -> None:
    slow = f"  SLOWER than the {budget_s:g} s between two" if trial.seconds > budget_s else ""
    print(f"  {what}: {trial.seconds * 1e3:.1f} ms, {trial.grown_mb:+.1f} MB, {describe(trial.made)}{slow}")


def _chunks(periods: int) -> Iterator[Chunk]:
    """Yield chunks of a simulated source that counts."""
    dae = HistogramDae(Size(periods=periods, spectra=SPECTRA, bins=BINS), growing=True)
    numbers = list(range(1, SPECTRA + 1))
    layout = Layout(
        instrument="simulated",
        spectrum_numbers=numbers,
        periods=list(range(1, periods + 1)),
        x=(10_000.0 + 100.0 * np.arange(BINS + 1)).tolist(),
        detector_ids=numbers,
        detector_spectra=numbers,
    )
    maker = ChunkMaker(increments=False)
    maker.begin(RunStart(time_ns=time.time_ns(), layout=layout))
    for position in range(1, CHUNKS + 1):
        dae.add_frames(FRAMES)
        counts = dae.counts()
        header = Histogram(time_ns=time.time_ns(), charge_uah=dae.charge_uah, shape=(periods, SPECTRA, BINS))
        yield from (piece for piece in maker.pieces([(position, Record(header, counts))]) if isinstance(piece, Chunk))
