"""The instrument as far as the data need it: where detectors are, which are monitors, which are masked."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Instrument:
    """Source, sample and detectors; beam along +z, up +y."""

    name: str = ""
    """Short name."""

    source: NDArray[np.float64]
    """(3,), m."""

    sample: NDArray[np.float64]
    """(3,), m."""

    detector_ids: NDArray[np.int32]
    """(detectors,), ascending."""

    positions: NDArray[np.float64]
    """(detectors, 3), m."""

    monitor: NDArray[np.bool_]
    """(detectors,), True where the detector is a monitor."""

    masked: NDArray[np.bool_]
    """(detectors,), True where the detector is masked."""

    def __post_init__(self) -> None:
        n = len(self.detector_ids)
        if self.positions.shape != (n, 3) or self.monitor.shape != (n,) or self.masked.shape != (n,):
            got = f"{self.positions.shape}, {self.monitor.shape}, {self.masked.shape}"
            raise ValueError(f"{n} detectors need positions ({n}, 3), monitor and masked ({n},); got {got}")
        if np.any(np.diff(self.detector_ids) <= 0):
            raise ValueError("detector ids must ascend without repeats")
        for array in (self.source, self.sample, self.detector_ids, self.positions, self.monitor, self.masked):
            array.flags.writeable = False

    @property
    def l1(self) -> float:
        """Distance from source to sample, m."""
        return float(np.linalg.norm(self.sample - self.source))

    def rows(self, ids: NDArray[np.int32]) -> NDArray[np.intp]:
        """Return the rows of those of the detectors `ids` that the instrument has."""
        return np.flatnonzero(np.isin(self.detector_ids, ids))

    def with_masked(self, masked: NDArray[np.bool_]) -> Instrument:
        """Return this instrument with other mask flags."""
        return replace(self, masked=masked)
