"""A workspace of spectra as scripts hold it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NoReturn

import numpy as np

from livereduce.scripting.mantid.axes import Axis, HorizontalAxis, VerticalAxis
from livereduce.scripting.mantid.history import History
from livereduce.scripting.mantid.instruments import InstrumentFace
from livereduce.scripting.mantid.operators import Operators
from livereduce.scripting.mantid.rows import Rows
from livereduce.scripting.mantid.runs import RunFace
from livereduce.scripting.mantid.spectrum import SpectrumFace


class MatrixWorkspace(Operators, Rows):
    """Spectra over one quantity."""

    __slots__ = ()

    __len__ = Rows.getNumberHistograms

    def __bool__(self) -> bool:
        return True

    def blocksize(self) -> int:
        """Return the number of bins or points of a spectrum."""
        return self._unedited.n_bins

    def size(self) -> int:
        """Return the number of bins of all spectra."""
        return self.getNumberHistograms() * self.blocksize()

    def getNumberEvents(self) -> float:
        """Return the number of events; of a histogram the sum of its counts."""
        return float(np.nansum(self.extractY()))

    def isDistribution(self) -> bool:
        """Return True when y is divided by the bin width."""
        return self._unedited.distribution

    def setDistribution(self, distribution: bool) -> None:
        """Say whether y is divided by the bin width; the numbers stay."""
        self._replace(distribution=bool(distribution))

    def isHistogramData(self) -> bool:
        """Return True when x holds bin edges, False for points."""
        return self._unedited.is_histogram

    def isCommonBins(self) -> bool:
        """Return True when all spectra share one x."""
        return self._current("x").ndim == 1 or bool((self.extractX() == self.readX(0)).all())

    def isRaggedWorkspace(self) -> bool:
        """Return False: all spectra have as many bins."""
        return False

    def getSpectrum(self, row: int) -> SpectrumFace:
        """Return number and detectors of a spectrum."""
        self._check(row)
        return SpectrumFace(self, row)

    def getSpectrumNumbers(self) -> list[int]:
        """Return the spectrum number of each row."""
        return [int(one) for one in self._unedited.spectra.numbers]

    def getIndexFromSpectrumNumber(self, number: int) -> int:
        """Return the row of a spectrum number; RuntimeError when there is none."""
        rows = np.flatnonzero(self._unedited.spectra.numbers == number)
        if not len(rows):
            raise RuntimeError(f"{self.name()} has no spectrum number {number}")
        return int(rows[0])

    def getSpectrumIterator(self) -> Iterator[SpectrumFace]:
        """Go through the spectra."""
        return (SpectrumFace(self, row) for row in range(self.getNumberHistograms()))

    def getAxis(self, index: int) -> Axis:
        """Return axis 0 (x) or 1 (vertical)."""
        if index not in (0, 1):
            raise IndexError(f"a workspace has axis 0 and 1, asked for {index}")
        return HorizontalAxis(self) if index == 0 else VerticalAxis(self)

    def axes(self) -> int:
        """Return the number of axes, 2."""
        return 2

    def getDimension(self, index: int) -> NoReturn:
        """Refuse: dimensions are those of multi-dimensional workspaces."""
        raise AttributeError(f"{type(self).__name__} has no dimensions to ask for; wanted getAxis({index})")

    def YUnit(self) -> str:
        """Return what y counts."""
        return self._unedited.y_unit

    def setYUnit(self, unit: str) -> None:
        """Say what y counts."""
        self._replace(y_unit=str(unit))

    def YUnitLabel(self) -> str:
        """Return the caption of y, with the unit of x it is divided by."""
        value = self._unedited
        per = HorizontalAxis(self).getUnit().symbol()
        return f"{value.y_unit} per {per}" if value.distribution and per else value.y_unit

    setYUnitLabel = setYUnit

    def getTitle(self) -> str:
        """Return the title, that of the run when it has none of its own."""
        return self._unedited.title or self._unedited.run.title

    def setTitle(self, title: str) -> None:
        """Set the title."""
        self._replace(title=str(title))

    def getComment(self) -> str:
        """Return the comment."""
        return self._unedited.comment

    def setComment(self, comment: str) -> None:
        """Set the comment."""
        self._replace(comment=str(comment))

    def getRun(self) -> RunFace:
        """Return the run and its sample logs."""
        return RunFace(self)

    run = getRun

    def mutableRun(self) -> RunFace:
        """Return the run and its sample logs."""
        return RunFace(self)

    def getInstrument(self) -> InstrumentFace:
        """Return the instrument; AttributeError when nothing is known of it."""
        instrument = self._unedited.instrument
        if instrument is None:
            raise AttributeError(f"{self.name()} has no instrument: the source does not say where its detectors are")
        return InstrumentFace(instrument)

    def getRunNumber(self) -> int:
        """Return the run number, 0 when unknown."""
        return self._unedited.run.number

    def getTofMin(self) -> float:
        """Return the smallest x."""
        return float(np.min(self._current("x")))

    def getTofMax(self) -> float:
        """Return the largest x."""
        return float(np.max(self._current("x")))

    def getHistory(self) -> History:
        """Return what was done to it."""
        return History(self._unedited.history)
