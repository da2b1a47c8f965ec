"""What an ISIS histogram DAE has, and which part of it is read: spectra, time regimes, periods, blocks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from livereduce.errors import ListenerError, WireError
from livereduce.listeners.isis_dae import IsisDae
from livereduce.store.record import Layout

PERIODS_LIMIT: Final = 65_536
"""Most periods: DAEs count them in 16 bits."""

SPECTRA_LIMIT: Final = 4_000_000
"""Most spectra, and most detectors: ten times what the largest neutron instruments have."""

BINS_LIMIT: Final = 4_000_000
"""Most bins of a spectrum: a frame of 100 ms in steps of the 25 ns of a DAE's clock."""

READING_LIMIT_BYTES: Final = 4 * 1024**3
"""Most bytes of one reading: 100 000 spectra of 10 000 bins are this much."""

BLOCK_BYTES: Final = 1024 * 1024
"""Counts asked for at once, as DAEs are used to."""

_INT32_MAX: Final = 2**31 - 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Dimensions:
    """The numbers that every poll asks for; a change means a new run."""

    periods: int
    """NPER."""

    bins: int
    """NTC1, bins of time regime 1."""

    spectra: int
    """NSP1, spectra of time regime 1, spectrum 0 not counted."""

    monitor_bins: int
    """NTC2; 0 without a second regime."""

    monitor_spectra: int
    """NSP2; 0 without a second regime."""

    @property
    def total_spectra(self) -> int:
        """Spectra of both regimes."""
        return self.spectra + self.monitor_spectra

    @property
    def stride(self) -> int:
        """Indices from one period to the next: each has a spectrum 0 beside the others."""
        return self.total_spectra + 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Tables:
    """What is asked for once per run: detectors and time regimes."""

    detector_ids: NDArray[np.int32]
    """UDET, (detectors,)."""

    detector_spectra: NDArray[np.int32]
    """SPEC, (detectors,): spectrum that counts each detector."""

    x: NDArray[np.float32]
    """RTCB1, (bins + 1,), us."""

    monitors: tuple[int, ...] = ()
    """Spectrum numbers of the monitors; empty without a second regime."""

    monitor_x: NDArray[np.float32] | None = None
    """(monitor_bins + 1,), us; None without a second regime."""


def read_dimensions(dae: IsisDae, periods: int | None = None) -> Dimensions:
    """Ask for the dimensions; `periods` is not asked for again when given."""
    periods = read_periods(dae) if periods is None else periods
    bins = dae.number("NTC1", least=1, most=BINS_LIMIT)
    spectra = dae.number("NSP1", least=1, most=SPECTRA_LIMIT)
    return _with_monitors(dae, periods, bins, spectra)


def read_periods(dae: IsisDae) -> int:
    """Ask for the number of periods."""
    return dae.number("NPER", least=1, most=PERIODS_LIMIT)


def read_all(dae: IsisDae) -> tuple[Dimensions, Tables]:
    """Ask for everything, in the order that DAEs see from other clients."""
    periods = read_periods(dae)
    n_detectors = dae.number("NDET", least=1, most=SPECTRA_LIMIT)
    ids, spectra_of = dae.numbers("UDET", n_detectors), dae.numbers("SPEC", n_detectors)
    bins = dae.number("NTC1", least=1, most=BINS_LIMIT)
    spectra = dae.number("NSP1", least=1, most=SPECTRA_LIMIT)
    x = _read_edges(dae, "RTCB1", bins)
    dimensions = _with_monitors(dae, periods, bins, spectra)
    if not dimensions.monitor_bins:
        return dimensions, Tables(detector_ids=ids, detector_spectra=spectra_of, x=x)
    monitors = _read_monitors(dae, spectra_of)
    # RTCB2 would be the name, but some DAEs answer it wrongly; the boundaries of a spectrum are always right.
    monitor_x = _read_edges(dae, f"RTCB_{monitors[0]}", dimensions.monitor_bins)
    return dimensions, Tables(detector_ids=ids, detector_spectra=spectra_of, x=x, monitors=monitors, monitor_x=monitor_x)


def _with_monitors(dae: IsisDae, periods: int, bins: int, spectra: int) -> Dimensions:
    monitor_bins = dae.number("NTC2", least=0, most=BINS_LIMIT)
    monitor_spectra = dae.number("NSP2", least=0, most=SPECTRA_LIMIT) if monitor_bins else 0
    dimensions = Dimensions(periods=periods, bins=bins, spectra=spectra, monitor_bins=monitor_bins, monitor_spectra=monitor_spectra)
    if dimensions.stride * periods > _INT32_MAX:
        text = f"NPER {periods} times {dimensions.stride} spectra; wanted at most {_INT32_MAX}, the largest index GETDAT can carry"
        raise WireError(text, field="NPER", offset=88)
    return dimensions


def _read_edges(dae: IsisDae, name: str, bins: int) -> NDArray[np.float32]:
    edges = dae.reals(name, bins + 1)
    if not np.isfinite(edges).all() or (np.diff(edges) <= 0).any():
        bad = int(np.argmin(np.isfinite(edges[1:]) & (np.diff(edges) > 0))) + 1
        raise WireError(f"{name}[{bad}] is {edges[bad]} after {edges[bad - 1]}; wanted ascending bin boundaries", field=name, offset=88 + 4 * bad)
    return edges


def _read_monitors(dae: IsisDae, spectra_of: NDArray[np.int32]) -> tuple[int, ...]:
    """Spectrum numbers of the monitors; MDET counts positions in the detector table from 1."""
    n_monitors = dae.number("NMON", least=0, most=len(spectra_of))
    if not n_monitors:
        raise ListenerError("the DAE has a second time regime (NTC2 above 0) but NMON is 0; wanted at least one monitor to ask its bins for")
    positions = dae.numbers("MDET", n_monitors)
    for i, position in enumerate(positions):
        if not 1 <= position <= len(spectra_of):
            raise WireError(f"MDET[{i}] is {position}; wanted a position of 1 to {len(spectra_of)}", field="MDET", offset=88 + 4 * i)
    return tuple(int(number) for number in spectra_of[positions - 1])


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    """What of the DAE is read, and how."""

    periods: tuple[int, ...]
    """1-based, ascending, once each."""

    rows: NDArray[np.int32]
    """Spectrum number of each row, in the user's order."""

    x: NDArray[np.float32]
    """(bins + 1,), us."""

    stride: int
    """Indices from one period to the next."""

    @property
    def bins(self) -> int:
        """Bins of each spectrum."""
        return len(self.x) - 1

    @property
    def shape(self) -> tuple[int, int, int]:
        """(periods, spectra, bins) of a reading."""
        return len(self.periods), len(self.rows), self.bins


def select(dimensions: Dimensions, tables: Tables, periods: Sequence[int] | None, spectra: Sequence[int] | None) -> Selection:
    """Return what to read.

    Parameters
    ----------
    dimensions, tables:
        What the DAE has.
    periods:
        1-based, any order; None for all.
    spectra:
        Spectrum numbers, any order, duplicates allowed; None for those of regime 1, which leaves out the monitors.

    Raises
    ------
    ListenerError
        If the DAE does not have one of them, or they do not share their bins, or a reading is too large.
    """
    chosen = sorted(set(range(1, dimensions.periods + 1) if periods is None else periods))
    if chosen[-1] > dimensions.periods or chosen[0] < 1:
        missing = next(period for period in chosen if not 1 <= period <= dimensions.periods)
        raise ListenerError(f"period {missing} is asked for, but the source has periods 1 to {dimensions.periods}; mend 'periods'")
    if spectra is None:
        rows, x = np.arange(1, dimensions.spectra + 1, dtype=np.int32), tables.x
    else:
        rows, x = np.array(spectra, dtype=np.int64), _edges_of(dimensions, tables, spectra)
    selection = Selection(periods=tuple(chosen), rows=rows.astype(np.int32), x=x, stride=dimensions.stride)
    if (size := 4 * int(np.prod(selection.shape, dtype=np.int64))) > READING_LIMIT_BYTES:
        raise ListenerError(
            f"a reading of {selection.shape} counts is {size} bytes; wanted at most {READING_LIMIT_BYTES}; name 'spectra' or 'periods'"
        )
    return selection


def _edges_of(dimensions: Dimensions, tables: Tables, spectra: Sequence[int]) -> NDArray[np.float32]:
    """Bin boundaries of the one time regime that all `spectra` are in."""
    for number in spectra:
        if not 1 <= number <= dimensions.total_spectra:
            raise ListenerError(f"spectrum {number} is asked for, but the source has spectra 1 to {dimensions.total_spectra}; mend 'spectra'")
    monitors = set(tables.monitors)
    listed = [number for number in spectra if number in monitors]
    if not listed or tables.monitor_x is None:
        return tables.x
    if len(listed) < len(spectra):
        other = next(number for number in spectra if number not in monitors)
        raise ListenerError(
            f"spectra {listed[0]} (a monitor, {dimensions.monitor_bins} bins) and {other} ({dimensions.bins} bins) are in different time regimes; "
            "wanted monitors alone or none; mend 'spectra'"
        )
    return tables.monitor_x


def blocks(numbers: NDArray[np.int32], bins: int) -> list[tuple[int, int]]:
    """Return the (first, count) in which to ask for `numbers`: neighbours together, as many as fit in `BLOCK_BYTES`, at least one.

    Parameters
    ----------
    numbers:
        Spectrum numbers, ascending, once each.
    bins:
        Bins of each; one more integer comes with them.
    """
    limit = max(1, BLOCK_BYTES // (4 * (bins + 1)))
    starts = np.flatnonzero(np.diff(numbers, prepend=numbers[0] - 2) != 1)
    ends = np.append(starts[1:], len(numbers))
    return [
        (int(numbers[at]), int(min(limit, end - at)))
        for start, end in zip(starts, ends, strict=True)
        for at in range(int(start), int(end), limit)
    ]  # fmt: skip


def layout_of(instrument: str, tables: Tables, selection: Selection) -> Layout:
    """Return what stays the same while the run goes on."""
    return Layout(
        instrument=instrument,
        spectrum_numbers=selection.rows.tolist(),
        periods=list(selection.periods),
        x=selection.x.astype(np.float64).tolist(),
        x_unit="TOF",
        detector_ids=tables.detector_ids.tolist(),
        detector_spectra=tables.detector_spectra.tolist(),
    )
