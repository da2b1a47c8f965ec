"""The instrument as scripts see it: ``ws.getInstrument().getSource().getPos().getZ()``."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from livereduce.data.instrument import Instrument


@dataclass(frozen=True, slots=True)
class V3D:
    """A point, m; beam along +z, up +y."""

    x: float
    """Horizontal."""

    y: float
    """Up."""

    z: float
    """Along the beam."""

    @classmethod
    def of(cls, point: NDArray[np.float64]) -> V3D:
        """Return the point of an array (3,)."""
        return cls(*map(float, point))

    def getX(self) -> float:
        """Return x."""
        return self.x

    def getY(self) -> float:
        """Return y."""
        return self.y

    def getZ(self) -> float:
        """Return z."""
        return self.z

    X, Y, Z = getX, getY, getZ

    def norm(self) -> float:
        """Return the distance from the origin."""
        return float(np.linalg.norm((self.x, self.y, self.z)))

    def distance(self, other: V3D) -> float:
        """Return the distance from another point."""
        return (self - other).norm()

    def __sub__(self, other: V3D) -> V3D:
        return V3D(self.x - other.x, self.y - other.y, self.z - other.z)

    def __add__(self, other: V3D) -> V3D:
        return V3D(self.x + other.x, self.y + other.y, self.z + other.z)

    def __getitem__(self, index: int) -> float:
        return (self.x, self.y, self.z)[index]


@dataclass(frozen=True, slots=True)
class Component:
    """Source, sample or a detector."""

    position: V3D
    """Where it is."""

    name: str
    """What it is called."""

    detector_id: int | None = None
    """Id of a detector."""

    monitor: bool = False
    """True for a monitor."""

    masked: bool = False
    """True for a masked detector."""

    def getPos(self) -> V3D:
        """Return where it is."""
        return self.position

    def getName(self) -> str:
        """Return what it is called."""
        return self.name

    def getDistance(self, other: Component) -> float:
        """Return the distance from another component, m."""
        return self.position.distance(other.position)

    def getID(self) -> int:
        """Return the id of a detector; AttributeError for others."""
        if self.detector_id is None:
            raise AttributeError(f"the {self.name} is no detector and has no id")
        return self.detector_id

    def isMonitor(self) -> bool:
        """Return True for a monitor."""
        return self.monitor

    def isMasked(self) -> bool:
        """Return True for a masked detector."""
        return self.masked


class InstrumentFace:
    """The instrument of a workspace.

    Parameters
    ----------
    instrument:
        Its data.
    """

    __slots__ = ("_instrument",)

    def __init__(self, instrument: Instrument) -> None:
        self._instrument = instrument

    def getName(self) -> str:
        """Return the instrument's short name."""
        return self._instrument.name

    def getSource(self) -> Component:
        """Return the source."""
        return Component(V3D.of(self._instrument.source), "source")

    def getSample(self) -> Component:
        """Return the sample."""
        return Component(V3D.of(self._instrument.sample), "sample")

    def getDetector(self, detector_id: int) -> Component:
        """Return a detector; RuntimeError when there is none of that id."""
        rows = np.flatnonzero(self._instrument.detector_ids == detector_id)
        if not len(rows):
            raise RuntimeError(f"instrument {self.getName()!r} has no detector {detector_id}")
        row = int(rows[0])
        place = V3D.of(self._instrument.positions[row])
        return Component(place, f"detector {detector_id}", int(detector_id), bool(self._instrument.monitor[row]), bool(self._instrument.masked[row]))

    def getDetectorIDs(self, skipMonitors: bool = False) -> list[int]:
        """Return the ids of all detectors."""
        keep = ~self._instrument.monitor if skipMonitors else slice(None)
        return [int(one) for one in self._instrument.detector_ids[keep]]
