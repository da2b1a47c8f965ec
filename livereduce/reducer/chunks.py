"""Journal records to chunks: what the processing script gets as `input`.

A histogram source sends the whole run so far each time, so of several readings that wait only the newest is worth a chunk. For Replace
the chunk is that reading; for Add and Append it is what came since the reading before, so that the sum is the newest reading again.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from livereduce.data.group import AnyWorkspace, WorkspaceGroup
from livereduce.data.run import LogNumber, Run
from livereduce.data.workspace import Spectra, Workspace
from livereduce.reducer.neutrons import event_workspace
from livereduce.store.record import Counts, Events, Histogram, Layout, Neutrons, Record, RunEnd, RunStart

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class RunBegan:
    """A run starts at this place of the journal."""

    position: int
    """Of its start."""

    start: RunStart
    """What the journal says of it."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Chunk:
    """What the journal gained, as one workspace or one group of periods."""

    value: AnyWorkspace
    """The data."""

    first: int
    """Journal position of the first record in it."""

    last: int
    """Journal position of the last record in it."""

    data_ns: int
    """Time of its newest data, ns since 1970-01-01 UTC."""

    out_of_range: int = 0
    """Events left out of it, since the run has no such spectrum or period."""

    anew: bool = False
    """True when it holds the run from its start, so that nothing before it counts: the first one, and one of a counter that went down."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class RunOver:
    """The run ended at this place of the journal."""

    position: int
    """Of its end."""

    end: RunEnd
    """What the journal says of it."""


Piece = RunBegan | Chunk | RunOver


@dataclass(frozen=True, slots=True, eq=False)
class _Reading:
    """A reading, and where in the journal it and the first one that it supersedes stand."""

    first: int
    position: int
    header: Histogram
    counts: Counts


class ChunkMaker:
    """Makes pieces of records in order.

    Parameters
    ----------
    increments:
        Whether a chunk is what came since the reading before (Add, Append) or all of the run (Replace).
    """

    def __init__(self, *, increments: bool) -> None:
        self._increments = increments
        self._layout: Layout | None = None
        self._spectra: Spectra | None = None
        self._run = Run()
        self._previous: _Reading | None = None
        self._waiting: _Reading | None = None
        self._offered: _Reading | None = None
        self._packets: list[tuple[int, Events, Neutrons]] = []

    @property
    def previous_position(self) -> int:
        """Journal position of the reading that the next increment is taken from; -1 for none."""
        return -1 if self._previous is None else self._previous.position

    @property
    def of_events(self) -> bool:
        """Whether the run that goes on is one of events."""
        return self._layout is not None and not self._layout.x

    def pieces(self, records: Iterable[tuple[int, Record]]) -> Iterator[Piece]:
        """Yield run starts, chunks and run ends, in order."""
        for position, record in records:
            match record.header:
                case Histogram() as header if record.counts is not None and self._fits(position, header):
                    first = self._waiting.first if self._waiting else position
                    self._waiting = _Reading(first, position, header, record.counts)
                case Events() as header if record.neutrons is not None and self._layout is not None:
                    self._packets.append((position, header, record.neutrons))
                case RunStart() as start:
                    yield from self._flush()
                    self.begin(start)
                    yield RunBegan(position=position, start=start)
                case RunEnd() as end:
                    yield from self._flush()
                    self._layout = None
                    yield RunOver(position=position, end=end)
        yield from self._flush()

    def _fits(self, position: int, header: Histogram) -> bool:
        """Whether a reading is one of the run: not one between runs, nor after a run start that could not be read."""
        if self._layout is None:
            return False
        wanted = (len(self._layout.periods), len(self._layout.spectrum_numbers), len(self._layout.x) - 1)
        if tuple(header.shape) != wanted:
            log.error("Journal position %d: a reading of %s (periods, spectra, bins) in a run of %s; it is skipped", position, header.shape, wanted)
        return tuple(header.shape) == wanted

    def _flush(self) -> Iterator[Chunk]:
        reading, self._waiting = self._waiting, None
        if reading is not None:
            yield self._chunk(reading)
        if self._packets:
            yield self._event_chunk()

    def begin(self, start: RunStart) -> None:
        """Take note of a run's start without making a piece of it, as when going on from a checkpoint."""
        self._layout = start.layout
        self._spectra = spectra_of(start.layout)
        self._run = Run(number=start.number, title=start.title, start_ns=start.time_ns)
        self._previous = None

    def resume(self, position: int, header: Histogram, counts: Counts) -> None:
        """Take increments from this reading on."""
        self._previous = _Reading(position, position, header, counts)

    def _event_chunk(self) -> Chunk:
        """Make a chunk of the events that wait."""
        assert self._layout is not None
        assert self._spectra is not None
        packets, self._packets = self._packets, []
        made = event_workspace(self._layout, self._spectra, [neutrons for _, _, neutrons in packets], self._run)
        return Chunk(value=made.value, first=packets[0][0], last=packets[-1][0], data_ns=packets[-1][1].time_ns, out_of_range=made.out_of_range)

    def taken(self) -> None:
        """Take increments from the reading of the chunk that came last: it is part of the accumulation now.

        Until then a chunk that came to nothing is part of the next one.
        """
        if self._increments:
            self._previous = self._offered

    def whole(self, chunk: Chunk) -> Chunk:
        """Return `chunk`, the one that came last, with all that its reading counts since the start of the run: for an accumulation that begins anew.

        A chunk of events stays what it is: events are told once.
        """
        if self._offered is None:
            return chunk
        self._previous = None
        return self._chunk(self._offered)

    def _chunk(self, reading: _Reading) -> Chunk:
        assert self._layout is not None
        assert self._spectra is not None
        self._offered = reading
        counts, charge, anew = np.asarray(reading.counts, dtype=np.int64), reading.header.charge_uah, self._increments
        if self._increments and self._previous is not None:
            gained = counts - self._previous.counts
            anew = bool((gained < 0).any())
            if not anew:
                counts, charge = gained, charge - self._previous.header.charge_uah
        run = replace(self._run, charge_uah=charge)
        value = histogram_workspace(self._layout, self._spectra, counts, run)
        return Chunk(value=value, first=reading.first, last=reading.position, data_ns=reading.header.time_ns, anew=anew)


def spectra_of(layout: Layout) -> Spectra:
    """Return the spectra of `layout` with the detectors that its table gives them."""
    return Spectra.from_table(
        np.array(layout.spectrum_numbers, dtype=np.int32),
        np.array(layout.detector_ids, dtype=np.int32),
        np.array(layout.detector_spectra, dtype=np.int32),
    )


def histogram_workspace(layout: Layout, spectra: Spectra, counts: NDArray[np.integer[Any]], run: Run) -> AnyWorkspace:
    """Return a reading as a workspace, or as a group with one member for each of several periods.

    Parameters
    ----------
    layout:
        Spectra and bins.
    spectra:
        The spectra of `layout`.
    counts:
        (periods, spectra, bins), counts.
    run:
        The run; each period carries its charge, which the source counts for all of them together.
    """
    x = np.array(layout.x, dtype=np.float64)
    members = []
    for plane, period in zip(counts, layout.periods, strict=True):
        y = plane.astype(np.float64)
        own = run.with_log("current_period", LogNumber(value=period)) if len(layout.periods) > 1 else run
        members.append(Workspace(x=x, y=y, variance=np.abs(y), spectra=spectra, x_unit=layout.x_unit, run=own, title=run.title))
    return members[0] if len(members) == 1 else WorkspaceGroup(members=tuple(members))
