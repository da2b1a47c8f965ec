"""The reducer as a process: opens the stores, loads the scripts, then runs the loop."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path

from livereduce.algorithms.appending import append_spectra
from livereduce.algorithms.arithmetic import plus
from livereduce.data.group import AnyWorkspace
from livereduce.data.provenance import Provenance, ScriptSource, using
from livereduce.process import run_child
from livereduce.reducer.accumulation import Accumulation, Method
from livereduce.reducer.loop import Reducer, ReducerSettings
from livereduce.reducer.report import Report
from livereduce.scripting import mantid
from livereduce.scripting.runner import Runner
from livereduce.scripting.script import Script
from livereduce.store.board import About, Board
from livereduce.store.journal import Journal
from livereduce.store.places import Places
from livereduce.store.status import ScriptStatus

RECIPE_VERSION = "1"
"""Part of every recipe: raise it when accumulations of an earlier version must not be gone on with."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ScriptPair:
    """The two scripts of an instrument; each may be missing."""

    process: Script | None
    """Run on each chunk."""

    post: Script | None
    """Run on the accumulation."""

    @property
    def all(self) -> list[Script]:
        """Those that are there."""
        return [script for _, script in self._named()]

    def status(self) -> list[ScriptStatus]:
        """Return what the status shows of them."""
        return [ScriptStatus(role=role, path=str(script.path), md5=script.md5) for role, script in self._named()]

    def sources(self) -> tuple[ScriptSource, ...]:
        """Return what files written by them say of them."""
        return tuple(ScriptSource(role=role, path=str(script.path), md5=script.md5, text=script.text) for role, script in self._named())

    def hashes(self) -> list[str]:
        """Return the md5 of each and of the modules that they import from beside them."""
        return [f"{path}={md5}" for _, script in self._named() for path, md5 in ((script.path, script.md5), *script.helpers)]

    def _named(self) -> list[tuple[str, Script]]:
        both = (("processing", self.process), ("post-processing", self.post))
        return [(role, script) for role, script in both if script is not None]


@dataclass(frozen=True, slots=True, kw_only=True)
class ReducerProcessSettings:
    """What a reducer needs to know."""

    scripts: ScriptPair
    """What it runs."""

    script_dir: Path
    """Folder of the scripts; first on the path for what they import."""

    method: Method
    """How chunks are combined."""

    preserve_events: bool
    """Keep events in the accumulation."""

    update_every_s: float
    """s between post-processing runs."""

    chunk_every_s: float
    """Shortest time between two chunks of events, s."""

    places: Places
    """Where the stores are."""

    journal_max_bytes: int
    """Bound on the journal."""

    log_file: Path | None
    """Log, None for stdout alone."""

    generation: int = 0
    """Which reducer since the daemon started."""

    at_journal_end: bool = False
    """Begin with what comes next."""

    @property
    def recipe(self) -> str:
        """Hash of everything that decides what an accumulation is."""
        parts = [RECIPE_VERSION, self.method, str(self.preserve_events), *self.scripts.hashes()]
        return hashlib.sha256("\n".join(parts).encode()).hexdigest()


class InstrumentScripts:
    """The pair of scripts, run by a runner; a missing script hands on what it is given."""

    def __init__(self, pair: ScriptPair, runner: Runner) -> None:
        self._pair = pair
        self._runner = runner

    def process(self, chunk: AnyWorkspace, provenance: Provenance) -> AnyWorkspace:
        """Return what the processing script makes of a chunk; the chunk without one."""
        if self._pair.process is None:
            return chunk
        with using(provenance):
            return self._runner.run_chunk(self._pair.process, chunk)

    def post_process(self, snapshot: AnyWorkspace, provenance: Provenance) -> AnyWorkspace:
        """Return what the post-processing script makes of a snapshot; the snapshot without one."""
        if self._pair.post is None:
            return snapshot
        with using(provenance):
            return self._runner.run_post(self._pair.post, snapshot)

    def provenance(self, about: About) -> Provenance:
        """Return what files written now are to say of their origin."""
        return Provenance(
            scripts=self._pair.sources(),
            chunk_first=about.chunk_first,
            chunk_last=about.chunk_last,
        )


def main(settings: ReducerProcessSettings, lifeline: Connection) -> None:
    """Run a reducer until the lifeline says stop."""
    run_child("reducer", settings.log_file, lifeline, lambda: _reducer(settings))


def _reducer(settings: ReducerProcessSettings) -> Reducer:
    journal = Journal(settings.places.journal, settings.places.overflow, max_bytes=settings.journal_max_bytes, readonly=True)
    board = Board(settings.places.board)
    runner = Runner(mantid.install(), settings.script_dir)
    report = Report(generation=settings.generation, scripts=settings.scripts.status())
    how = ReducerSettings(
        method=settings.method,
        update_every_s=settings.update_every_s,
        recipe=settings.recipe,
        preserve_events=settings.preserve_events,
        chunk_every_s=settings.chunk_every_s,
        script_md5={script.role: script.md5 for script in settings.scripts.status()},
        at_journal_end=settings.at_journal_end,
    )
    accumulation = empty_accumulation(settings.method)
    return Reducer(how, journal, board, InstrumentScripts(settings.scripts, runner), accumulation, report)


def empty_accumulation(method: Method) -> Accumulation:
    """Return an accumulation that combines by `method`, with the algorithms that it needs."""
    return Accumulation(method, append=append_spectra, add_events=plus)
