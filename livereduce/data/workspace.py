"""The histogram workspace: x, counts and variances of many spectra, and what they were measured in."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from livereduce.data.instrument import Instrument
from livereduce.data.run import Run

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int32]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Spectra:
    """Spectrum numbers and the detectors that each spectrum counts."""

    numbers: IntArray
    """(spectra,), spectrum number of each row."""

    detector_ids: IntArray
    """Detector ids of all rows, one row after another."""

    detector_offsets: NDArray[np.int64]
    """(spectra + 1,), row r owns ``detector_ids[offsets[r]:offsets[r + 1]]``."""

    def __post_init__(self) -> None:
        if len(self.detector_offsets) != len(self.numbers) + 1:
            raise ValueError(f"{len(self.numbers)} spectra need {len(self.numbers) + 1} detector offsets, got {len(self.detector_offsets)}")
        for array in (self.numbers, self.detector_ids, self.detector_offsets):
            array.flags.writeable = False

    def __len__(self) -> int:
        return len(self.numbers)

    @classmethod
    def counted(cls, n: int) -> Spectra:
        """Spectra 1..n without detectors, as a workspace made from bare numbers has them."""
        return cls(
            numbers=np.arange(1, n + 1, dtype=np.int32),
            detector_ids=np.empty(0, dtype=np.int32),
            detector_offsets=np.zeros(n + 1, dtype=np.int64),
        )

    @classmethod
    def from_table(cls, numbers: IntArray, detectors: IntArray, detector_spectrum: IntArray) -> Spectra:
        """Spectra `numbers` with the detectors that a spectrum-detector table gives them.

        Parameters
        ----------
        numbers:
            Spectrum number of each row, any order, duplicates allowed.
        detectors, detector_spectrum:
            The table: detector ``detectors[k]`` is counted in spectrum ``detector_spectrum[k]``.
        """
        order = np.argsort(detector_spectrum, kind="stable")
        ordered = np.asarray(detector_spectrum)[order]
        first = np.searchsorted(ordered, numbers, side="left")
        last = np.searchsorted(ordered, numbers, side="right")
        ids = [np.asarray(detectors, dtype=np.int32)[order[a:b]] for a, b in zip(first, last, strict=True)]
        return cls.from_lists(numbers, ids)

    @classmethod
    def from_lists(cls, numbers: IntArray, ids: list[IntArray]) -> Spectra:
        """Spectra `numbers`, row r counting the detectors ``ids[r]``."""
        offsets = np.zeros(len(ids) + 1, dtype=np.int64)
        np.cumsum([len(one) for one in ids], out=offsets[1:])
        joined = np.concatenate(ids) if ids else np.empty(0)
        return cls(numbers=np.array(numbers, dtype=np.int32), detector_ids=joined.astype(np.int32), detector_offsets=offsets)

    def detectors(self, row: int) -> IntArray:
        """Detector ids of one row."""
        return self.detector_ids[self.detector_offsets[row] : self.detector_offsets[row + 1]]

    def take(self, rows: NDArray[np.intp]) -> Spectra:
        """The spectra of `rows`, in that order."""
        many = np.diff(self.detector_offsets)[rows]
        offsets = np.concatenate([[0], np.cumsum(many)]).astype(np.int64)
        index = np.arange(offsets[-1]) + np.repeat(self.detector_offsets[:-1][rows] - offsets[:-1], many)
        return Spectra(numbers=self.numbers[rows], detector_ids=self.detector_ids[index], detector_offsets=offsets)


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One step of a workspace's history."""

    name: str
    """Algorithm."""

    version: int = 1
    """Its version."""

    properties: tuple[tuple[str, str], ...] = ()
    """Property names and values as given."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class VerticalAxis:
    """A vertical axis that is not the spectrum number."""

    values: FloatArray
    """(spectra,) points or (spectra + 1,) edges."""

    unit: str = ""
    """Unit id; empty for a plain number."""

    labels: tuple[str, ...] = ()
    """Text labels instead of numbers, one per spectrum; empty for numbers."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class MaskedBins:
    """Masked bins of one spectrum."""

    bins: NDArray[np.intp]
    """Bin indices, ascending."""

    weights: FloatArray
    """Mask weight of each, 1 is fully masked."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Workspace:
    """Histograms or points of many spectra over one quantity.

    Immutable: arrays handed over become read-only and belong to the workspace, so that copies, snapshots and threads share them.
    Variances are stored and errors derived: adding is addition.
    """

    x: FloatArray
    """Bin edges (bins + 1,) common to all spectra or (spectra, bins + 1); points (bins,) or (spectra, bins)."""

    y: FloatArray
    """(spectra, bins), counts, or counts per unit of x when `distribution`."""

    variance: FloatArray
    """(spectra, bins), square of the standard deviation of `y`."""

    spectra: Spectra
    """Spectrum number and detectors of each row."""

    dx: FloatArray | None = None
    """Resolution of x, shaped as `x` or as `y`; None when there is none."""

    x_unit: str = "TOF"
    """Unit id of x: TOF (microseconds), Wavelength, dSpacing, ...; empty when it has none."""

    y_unit: str = "Counts"
    """What y counts."""

    distribution: bool = False
    """True when y is divided by the bin width."""

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

    def __post_init__(self) -> None:
        if self.y.ndim != 2 or self.variance.shape != self.y.shape:
            raise ValueError(f"y has shape {self.y.shape} and variance {self.variance.shape}; wanted (spectra, bins) for both")
        spectra, bins = self.y.shape
        if self.x.shape[-1] not in (bins, bins + 1) or self.x.shape[:-1] not in ((), (spectra,)):
            raise ValueError(f"x has shape {self.x.shape} for y {self.y.shape}; wanted {bins + 1} edges or {bins} points, common or per spectrum")
        if len(self.spectra) != spectra:
            raise ValueError(f"{len(self.spectra)} spectrum numbers for {spectra} spectra")
        for array in (self.x, self.y, self.variance, self.dx):
            if array is not None:
                array.flags.writeable = False

    @property
    def n_spectra(self) -> int:
        """Number of spectra (rows)."""
        return int(self.y.shape[0])

    @property
    def n_bins(self) -> int:
        """Number of bins or points of each spectrum."""
        return int(self.y.shape[1])

    @property
    def is_histogram(self) -> bool:
        """True when x holds bin edges, False when it holds points."""
        return bool(self.x.shape[-1] == self.n_bins + 1)

    @property
    def has_common_x(self) -> bool:
        """True when all spectra share one x."""
        return self.x.ndim == 1

    @property
    def errors(self) -> FloatArray:
        """(spectra, bins), standard deviation of `y`."""
        return np.sqrt(self.variance)

    @property
    def nbytes(self) -> int:
        """Bytes of the arrays; shared arrays count in full."""
        return int(self.x.nbytes + self.y.nbytes + self.variance.nbytes + (0 if self.dx is None else self.dx.nbytes))

    def x_of(self, row: int) -> FloatArray:
        """x of one row."""
        return self.x if self.x.ndim == 1 else self.x[row]

    def x_rows(self) -> FloatArray:
        """x with a row for each spectrum; a view when it is common."""
        return np.broadcast_to(self.x, (self.n_spectra, self.x.shape[-1])) if self.x.ndim == 1 else self.x

    def replace(self, **changes: Any) -> Workspace:
        """Return this workspace with some fields changed."""
        values = {name: getattr(self, name) for name in self.__dataclass_fields__}
        return Workspace(**{**values, **changes})
