"""Stand-ins for what surrounds a process of the service, and small data to feed it."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from livereduce.data.group import AnyWorkspace
from livereduce.data.provenance import Provenance
from livereduce.data.run import Run
from livereduce.data.workspace import Spectra, Workspace
from livereduce.store.board import About
from livereduce.store.journal import Journal
from livereduce.store.record import Counts, Gap, Histogram, Layout, Record, RunEnd, RunStart

SECOND_NS = 10**9
T0_NS = 1_700_000_000 * SECOND_NS
"""When the data of tests begin."""

DEADLINE_S = 20.0
"""Longest time that `wait_for` waits: far beyond what anything takes, so that a slow machine does not fail a test."""


def wait_for(condition: Callable[[], bool], what: str = "", deadline_s: float = DEADLINE_S) -> None:
    """Return when `condition` holds; fail when it never does."""
    end = time.monotonic() + deadline_s
    pause = threading.Event()
    while not condition():
        if time.monotonic() > end:
            raise AssertionError(f"never came true within {deadline_s} s: {what or condition}")
        pause.wait(0.002)


class Clock:
    """A clock that stands until it is turned."""

    def __init__(self, start_s: float = 1000.0) -> None:
        self.now_s = start_s

    def monotonic_s(self) -> float:
        """s, as time.monotonic."""
        return self.now_s

    def wall_ns(self) -> int:
        """ns since 1970-01-01 UTC, as time.time_ns."""
        return T0_NS + round(self.now_s * SECOND_NS)

    def turn(self, seconds: float) -> None:
        """Let time go by."""
        self.now_s += seconds


def layout(spectra: int = 2, bins: int = 3, periods: int = 1) -> Layout:
    """Spectra 1..n, bins of 100 us, detectors 10, 20, ... one each."""
    return Layout(
        instrument="TEST",
        spectrum_numbers=list(range(1, spectra + 1)),
        periods=list(range(1, periods + 1)),
        x=[100.0 * edge for edge in range(bins + 1)],
        detector_ids=[10 * (row + 1) for row in range(spectra)],
        detector_spectra=list(range(1, spectra + 1)),
    )


def run_start(number: int = 1, *, title: str = "a run", at_s: float = 0.0, of: Layout | None = None) -> Record:
    """The start of a run."""
    return Record(RunStart(time_ns=_ns(at_s), number=number, title=title, layout=of or layout()))


def run_end(number: int = 1, *, at_s: float = 0.0, reason: str = "") -> Record:
    """The end of a run."""
    return Record(RunEnd(time_ns=_ns(at_s), number=number, reason=reason))


def reading(counts: Counts | int, *, at_s: float = 0.0, charge_uah: float = 0.0, of: Layout | None = None) -> Record:
    """A reading; a number stands for that many counts in each bin."""
    if isinstance(counts, int):
        lay = of or layout()
        counts = np.full((len(lay.periods), len(lay.spectrum_numbers), len(lay.x) - 1), counts, dtype=np.int32)
    shape = (counts.shape[0], counts.shape[1], counts.shape[2])
    return Record(Histogram(time_ns=_ns(at_s), charge_uah=charge_uah, shape=shape), np.asarray(counts, dtype=np.int32))


def gap(reason: str = "test", lost: int = 0) -> Record:
    """A gap."""
    return Record(Gap(time_ns=T0_NS, reason=reason, lost_records=lost))


def workspace(y: object, *, x: object = None, run: Run | None = None, x_unit: str = "TOF", variance: object = None) -> Workspace:
    """A histogram workspace with `y` (spectra, bins) and variances equal to it."""
    values = np.array(y, dtype=np.float64)
    edges = np.arange(values.shape[1] + 1, dtype=np.float64) * 100.0 if x is None else np.array(x, dtype=np.float64)
    own = values.copy() if variance is None else np.array(variance, dtype=np.float64)
    return Workspace(x=edges, y=values, variance=own, spectra=Spectra.counted(len(values)), x_unit=x_unit, run=run or Run())


@contextmanager
def journal_in(folder: Path, *, max_bytes: int = 10**8, records: Iterable[Record] = ()) -> Iterator[Journal]:
    """A journal under `folder` that holds `records`; closed at the end."""
    journal = Journal(folder / "journal", folder / "overflow", max_bytes=max_bytes)
    try:
        for record in records:
            journal.append(record)
        yield journal
    finally:
        journal.close()


def fill(disk: Path) -> Path:
    """Take all room of `disk`; return the file that takes it."""
    ballast = disk / "ballast"
    with ballast.open("wb", buffering=0) as file:
        for size in (65536, 4096):
            try:
                while True:
                    file.write(bytes(size))
            except OSError:
                continue
    return ballast


class FakeScripts:
    """Scripts that are plain functions."""

    def __init__(
        self,
        process: Callable[[AnyWorkspace], AnyWorkspace] = lambda chunk: chunk,
        post: Callable[[AnyWorkspace], AnyWorkspace] = lambda snapshot: snapshot,
    ) -> None:
        self.on_chunk, self.on_snapshot = process, post
        self.chunks: list[AnyWorkspace] = []
        self.posts: list[AnyWorkspace] = []

    def process(self, chunk: AnyWorkspace, provenance: Provenance) -> AnyWorkspace:
        """Note the chunk and run the processing function."""
        self.chunks.append(chunk)
        return self.on_chunk(chunk)

    def post_process(self, snapshot: AnyWorkspace, provenance: Provenance) -> AnyWorkspace:
        """Note the snapshot and run the post-processing function."""
        self.posts.append(snapshot)
        return self.on_snapshot(snapshot)

    def provenance(self, about: About) -> Provenance:
        """Nothing is known of these scripts."""
        return Provenance(chunk_first=about.chunk_first, chunk_last=about.chunk_last)


class FakeListener:
    """A source that plays what it was given, one entry for each `connect` and `read`.

    An entry for `read` is a list of records or an exception; `connects` holds None or an exception. When the entries run out, `read` blocks until
    it is interrupted.
    """

    def __init__(self, reads: Iterable[list[Record] | Exception] = (), connects: Iterable[Exception | None] = ()) -> None:
        self.reads = list(reads)
        self.connects = list(connects)
        self.packet = b""
        self.connected = 0
        self.closed = 0
        self.resumed: list[tuple[Layout, Counts]] = []
        self.idle = threading.Event()
        self.interrupted = threading.Event()
        self.block_in_connect = False

    def connect(self) -> None:
        """Do what the next entry says."""
        self.connected += 1
        if self.block_in_connect:
            self._block()
        error = self.connects.pop(0) if self.connects else None
        if error is not None:
            raise error

    def read(self) -> list[Record]:
        """Return or raise the next entry."""
        if self.reads:
            entry = self.reads.pop(0)
            if isinstance(entry, Exception):
                raise entry
            return entry
        return self._block()

    def _block(self) -> list[Record]:
        self.idle.set()
        assert self.interrupted.wait(DEADLINE_S), "nobody interrupted the listener"
        return []

    def interrupt(self) -> None:
        """End what blocks."""
        self.interrupted.set()

    def close(self) -> None:
        """Count."""
        self.closed += 1

    def resume(self, start: RunStart, counts: Counts | None) -> None:
        """Note what is resumed."""
        assert counts is not None
        self.resumed.append((start.layout, counts.copy()))

    def last_bytes(self) -> bytes:
        """The packet that was set."""
        return self.packet


def _ns(at_s: float) -> int:
    return T0_NS + round(at_s * SECOND_NS)
