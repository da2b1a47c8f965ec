"""One spectrum of a workspace as scripts see it: ``ws.getSpectrum(3).getDetectorIDs()``."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from livereduce.data.events import Events, EventWorkspace
from livereduce.data.run import EPOCH_1990_NS

if TYPE_CHECKING:
    from livereduce.scripting.mantid.matrix import MatrixWorkspace


class SpectrumFace:
    """Number, detectors and, of an event workspace, the events of one row.

    Parameters
    ----------
    workspace:
        The workspace's handle.
    row:
        Its index, in range.
    """

    __slots__ = ("_row", "_workspace")

    def __init__(self, workspace: MatrixWorkspace, row: int) -> None:
        self._workspace = workspace
        self._row = row

    def getSpectrumNo(self) -> int:
        """Return the spectrum number."""
        return int(self._workspace._unedited.spectra.numbers[self._row])

    def getDetectorIDs(self) -> list[int]:
        """Return the ids of its detectors."""
        return [int(one) for one in self._workspace._unedited.spectra.detectors(self._row)]

    def hasDetectorID(self, detector: int) -> bool:
        """Return True when the detector counts into it."""
        return detector in self.getDetectorIDs()

    def readX(self) -> NDArray[np.float64]:
        """Return x, read-only."""
        return self._workspace.readX(self._row)

    def readY(self) -> NDArray[np.float64]:
        """Return y, read-only."""
        return self._workspace.readY(self._row)

    def readE(self) -> NDArray[np.float64]:
        """Return the errors, read-only."""
        return self._workspace.readE(self._row)

    def _events(self) -> Events:
        value = self._workspace._unedited
        if not isinstance(value, EventWorkspace):
            raise AttributeError(f"{self._workspace.name()} is a histogram; wanted an event workspace to ask for its events")
        return value.events_of(self._row)

    def getNumberEvents(self) -> int:
        """Return the number of events."""
        return len(self._events())

    def getTofs(self) -> NDArray[np.float64]:
        """Return x of each event, a copy."""
        return self._events().tof.copy()

    def getPulseTimesAsNumpy(self) -> NDArray[np.datetime64]:
        """Return the pulse time of each event, UTC."""
        return self._events().pulse_time_ns.astype("datetime64[ns]")

    def getPulseTimesAsNanoseconds(self) -> NDArray[np.int64]:
        """Return the pulse time of each event, ns since 1990-01-01."""
        return self._events().pulse_time_ns - EPOCH_1990_NS

    def getWeights(self) -> NDArray[np.float64]:
        """Return the weight of each event."""
        return self._events().weighted().weight.astype(np.float64)  # type: ignore[union-attr]

    def getWeightErrors(self) -> NDArray[np.float64]:
        """Return the error of the weight of each event."""
        return np.sqrt(self._events().weighted().error2.astype(np.float64))  # type: ignore[union-attr]
