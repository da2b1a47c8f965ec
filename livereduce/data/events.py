"""The event workspace: every neutron kept, as columns grouped by spectrum.

The only module that knows how events lie in memory: the rest asks for columns of a row, for a histogram,
or for a workspace made of other rows.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from enum import IntEnum
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from livereduce import kernels
from livereduce.data.instrument import Instrument
from livereduce.data.run import EPOCH_1990_NS, Run
from livereduce.data.workspace import FloatArray, MaskedBins, Spectra, Step, VerticalAxis, Workspace

Rows = NDArray[np.intp]

NO_PULSE_NS = EPOCH_1990_NS
"""Pulse time of an event that lost it; what Mantid's zero is in ours."""


class EventKind(IntEnum):
    """What is kept of an event."""

    TOF = 0
    """x and pulse time; weight and error are 1."""

    WEIGHTED = 1
    """x, pulse time, weight and error."""

    WEIGHTED_NOTIME = 2
    """x, weight and error."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Events:
    """Columns of events, one entry per event."""

    tof: NDArray[np.float64]
    """Value of x, in the unit of the workspace; time of flight as recorded, us."""

    pulse_time_ns: NDArray[np.int64]
    """Time of the pulse, ns since 1970-01-01 UTC; `NO_PULSE_NS` where it is not kept."""

    weight: NDArray[np.float32] | None = None
    """Weight; None when all are 1."""

    error2: NDArray[np.float32] | None = None
    """Squared error; None when all are 1."""

    def __post_init__(self) -> None:
        if (self.weight is None) != (self.error2 is None):
            raise ValueError("events have weights without errors or errors without weights; wanted both or none")
        for array in (self.tof, self.pulse_time_ns, self.weight, self.error2):
            if array is not None:
                if len(array) != len(self.tof):
                    raise ValueError(f"event columns have {len(self.tof)} and {len(array)} entries; wanted as many of each")
                array.flags.writeable = False

    def __len__(self) -> int:
        return len(self.tof)

    @property
    def nbytes(self) -> int:
        """Bytes of the columns."""
        return sum(array.nbytes for array in (self.tof, self.pulse_time_ns, self.weight, self.error2) if array is not None)

    def weighted(self) -> Events:
        """Return these events with weights: 1 where there were none."""
        if self.weight is not None:
            return self
        ones = np.ones(len(self), dtype=np.float32)
        return Events(tof=self.tof, pulse_time_ns=self.pulse_time_ns, weight=ones, error2=ones)

    def __getitem__(self, index: Any) -> Events:
        weight = None if self.weight is None else self.weight[index]
        error2 = None if self.error2 is None else self.error2[index]
        return Events(tof=self.tof[index], pulse_time_ns=self.pulse_time_ns[index], weight=weight, error2=error2)

    @staticmethod
    def concatenate(parts: list[Events]) -> Events:
        """Return one after another; with weights if any has them."""
        if any(part.weight is not None for part in parts):
            parts = [part.weighted() for part in parts]
        columns: dict[str, Any] = {}
        for f in fields(Events):
            arrays = [getattr(part, f.name) for part in parts]
            columns[f.name] = None if arrays[0] is None else np.concatenate(arrays)
        return Events(**columns)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class EventWorkspace:
    """Events of many spectra over one quantity, with the bins they are to be looked at in.

    Immutable, as `Workspace`; what both have bears the same name. `y`, `variance` and `errors` are the histogram of the events over `x`, made when
    first asked for and kept.
    """

    x: FloatArray
    """Bin edges (bins + 1,) common to all spectra or (spectra, bins + 1)."""

    events: Events
    """Events of all spectra, one spectrum after another."""

    offsets: NDArray[np.int64]
    """(spectra + 1,), row r owns the events ``offsets[r]:offsets[r + 1]``."""

    kinds: NDArray[np.uint8]
    """(spectra,), `EventKind` of each row."""

    spectra: Spectra
    """Spectrum number and detectors of each row."""

    dx: FloatArray | None = None
    """Resolution of x, shaped as `x`; None when there is none."""

    x_unit: str = "TOF"
    """Unit id of x."""

    y_unit: str = "Counts"
    """What y counts."""

    distribution: bool = False
    """True when y is understood to be per unit of x."""

    masked_bins: Mapping[int, MaskedBins] = field(default_factory=lambda: MappingProxyType({}))
    """Masked bins by row."""

    vertical: VerticalAxis | None = None
    """Vertical axis when it is not the spectrum number."""

    instrument: Instrument | None = None
    """Where the detectors are; None when unknown."""

    run: Run = field(default_factory=Run)
    """The run it was measured in."""

    title: str = ""
    """Title."""

    comment: str = ""
    """Comment."""

    history: tuple[Step, ...] = ()
    """What was done to it, oldest first."""

    _seen: dict[str, Workspace] = field(default_factory=dict, init=False, repr=False)
    """The histogram once it was asked for."""

    def __post_init__(self) -> None:
        n = len(self.spectra)
        if len(self.offsets) != n + 1 or len(self.kinds) != n:
            raise ValueError(f"{n} spectra need {n + 1} offsets and {n} kinds, got {len(self.offsets)} and {len(self.kinds)}")
        if self.offsets[-1] != len(self.events):
            raise ValueError(f"offsets end at {self.offsets[-1]} for {len(self.events)} events")
        if self.x.ndim > 1 and self.x.shape[0] != n:
            raise ValueError(f"x has {self.x.shape[0]} rows for {n} spectra")
        for array in (self.x, self.offsets, self.kinds, self.dx):
            if array is not None:
                array.flags.writeable = False

    @classmethod
    def from_rows(cls, rows: list[Events], kinds: list[EventKind] | NDArray[np.uint8], **fields_: Any) -> EventWorkspace:
        """Return the workspace whose row r has the events ``rows[r]``; `fields_` are the other fields."""
        offsets = np.zeros(len(rows) + 1, dtype=np.int64)
        np.cumsum([len(row) for row in rows], out=offsets[1:])
        return cls(events=Events.concatenate(rows), offsets=offsets, kinds=np.array(kinds, dtype=np.uint8), **fields_)

    @property
    def n_spectra(self) -> int:
        """Number of spectra (rows)."""
        return len(self.spectra)

    @property
    def n_bins(self) -> int:
        """Number of bins of each spectrum."""
        return int(self.x.shape[-1]) - 1

    @property
    def n_events(self) -> int:
        """Number of events of all spectra."""
        return len(self.events)

    @property
    def is_histogram(self) -> bool:
        """Always true: x holds bin edges."""
        return True

    @property
    def has_common_x(self) -> bool:
        """True when all spectra share one x."""
        return self.x.ndim == 1

    @property
    def y(self) -> FloatArray:
        """(spectra, bins), sum of the weights of the events in each bin."""
        return self.histogram().y

    @property
    def variance(self) -> FloatArray:
        """(spectra, bins), sum of the squared errors of the events in each bin."""
        return self.histogram().variance

    @property
    def errors(self) -> FloatArray:
        """(spectra, bins), standard deviation of `y`."""
        return np.sqrt(self.variance)

    @property
    def nbytes(self) -> int:
        """Bytes of the arrays, and of the histogram once it was asked for."""
        return int(self.x.nbytes + self.events.nbytes + self.offsets.nbytes) + sum(seen.nbytes for seen in self._seen.values())

    def x_of(self, row: int) -> FloatArray:
        """x of one row."""
        return self.x if self.x.ndim == 1 else self.x[row]

    def x_rows(self) -> FloatArray:
        """x with a row for each spectrum; a view when it is common."""
        return np.broadcast_to(self.x, (self.n_spectra, self.x.shape[-1])) if self.x.ndim == 1 else self.x

    def events_of(self, row: int) -> Events:
        """Events of one row, in the order recorded; views."""
        return self.events[self.offsets[row] : self.offsets[row + 1]]

    def event_rows(self) -> Rows:
        """(events,), the row of each event."""
        return np.repeat(np.arange(self.n_spectra), np.diff(self.offsets))

    def histogram(self) -> Workspace:
        """Return the events counted over `x`, as a workspace of its own."""
        if "histogram" not in self._seen:
            y, variance = histogram(self.events, self.offsets, self.x)
            shared = {name: getattr(self, name) for name in Workspace.__dataclass_fields__ if name not in ("y", "variance")}
            self._seen["histogram"] = Workspace(y=y, variance=variance, **shared)
        return self._seen["histogram"]

    def take(self, rows: Rows) -> EventWorkspace:
        """Return the workspace of `rows`, in that order; bins and masked bins go with their rows."""
        if np.array_equal(rows, np.arange(self.n_spectra)):
            return self
        masked = {new: self.masked_bins[int(old)] for new, old in enumerate(rows) if int(old) in self.masked_bins}
        many = np.diff(self.offsets)[rows]
        offsets = np.concatenate([[0], np.cumsum(many)]).astype(np.int64)
        # Event k of a row that begins at offsets[row] now is event k of one that begins at self.offsets[rows[row]].
        index = np.arange(offsets[-1]) + np.repeat(self.offsets[:-1][rows] - offsets[:-1], many)
        return self.replace(
            x=self.x if self.x.ndim == 1 else self.x[rows],
            dx=self.dx if self.dx is None or self.dx.ndim == 1 else self.dx[rows],
            events=self.events[index],
            offsets=offsets,
            kinds=self.kinds[rows],
            spectra=self.spectra.take(rows),
            masked_bins=MappingProxyType(masked),
        )

    def joined(self, other: Events, offsets: NDArray[np.int64], kinds: NDArray[np.uint8]) -> EventWorkspace:
        """Return the workspace with the events of `other` behind its own, row by row.

        Parameters
        ----------
        other:
            Events, row after row, as many rows.
        offsets:
            (spectra + 1,), where the rows of `other` begin and end.
        kinds:
            (spectra,), kind of each row of the result.
        """
        rows = np.concatenate([self.event_rows(), np.repeat(np.arange(self.n_spectra), np.diff(offsets))])
        order = np.argsort(rows, kind="stable")
        return self.replace(events=Events.concatenate([self.events, other])[order], offsets=self.offsets + offsets, kinds=kinds)

    def select(self, keep: NDArray[np.bool_]) -> EventWorkspace:
        """Return the workspace of those events where `keep` (events,) is true."""
        kept = np.bincount(self.event_rows()[keep], minlength=self.n_spectra)
        return self.replace(events=self.events[keep], offsets=np.concatenate([[0], np.cumsum(kept)]).astype(np.int64))

    def replace(self, **changes: Any) -> EventWorkspace:
        """Return this workspace with some fields changed."""
        values = {f.name: getattr(self, f.name) for f in fields(self) if f.init}
        return EventWorkspace(**{**values, **changes})


def histogram(events: Events, offsets: NDArray[np.int64], edges: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return the sums of weights and of squared errors of `events` in bins; a bin has its lower edge and not its upper.

    Parameters
    ----------
    events:
        Events, row after row.
    offsets:
        (rows + 1,), where rows begin and end.
    edges:
        (bins + 1,) or (rows, bins + 1), ascending.

    Returns
    -------
    y, variance:
        (rows, bins) each.
    """
    y = np.zeros((len(offsets) - 1, edges.shape[-1] - 1))
    if edges.ndim == 1 and len(edges) > 1 and np.all(edges[1:] >= edges[:-1]):
        return _histogram_of_common_edges(events, offsets, edges, y)
    rows_of_edges = np.atleast_2d(edges)
    if events.weight is None or events.error2 is None:
        kernels.count_events(events.tof, offsets, rows_of_edges, y)
        return y, y
    variance = np.zeros_like(y)
    kernels.weigh_events(events.tof, events.weight, events.error2, offsets, rows_of_edges, y, variance)
    return y, variance


def _histogram_of_common_edges(events: Events, offsets: NDArray[np.int64], edges: FloatArray, y: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return `y` and its variance with the events counted into them; much faster, for bins are looked up in a table."""
    found = kernels.lookup(edges, events.tof.dtype)
    if events.weight is None:
        kernels.count_in_rows(events.tof, offsets, found, y)
        return y, y
    variance = np.zeros_like(y)
    kernels.count_in_rows(events.tof, offsets, found, y, weight=events.weight, error2=events.error2, variance=variance)
    return y, variance


SpectraWorkspace = Workspace | EventWorkspace
"""What algorithms work on when it is one and not a group."""
