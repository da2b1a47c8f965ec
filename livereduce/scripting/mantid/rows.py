"""The numbers of a workspace, spectrum by spectrum: ``readY``, ``dataY``, ``setY``, ``extractY``."""

from __future__ import annotations

from typing import Any

import numpy as np

from livereduce.data.events import EventWorkspace as Events
from livereduce.data.workspace import FloatArray
from livereduce.data.workspace import Workspace as Histograms
from livereduce.scripting.mantid.drafts import Column, Draft
from livereduce.scripting.mantid.handle import Workspace


class Rows(Workspace):
    """A workspace of spectra: reading and writing their numbers."""

    __slots__ = ()

    @property
    def _unedited(self) -> Histograms | Events:
        return self._entry.unedited

    def _replace(self, **changes: Any) -> None:
        self._entry.update(lambda value: value.replace(**changes))

    def getNumberHistograms(self) -> int:
        """Return the number of spectra."""
        return self._unedited.n_spectra

    def _written(self, column: Column) -> FloatArray | None:
        """Return the array that the script writes into; None when it writes into none of that column."""
        draft = self._entry.edit
        return draft.array(column) if isinstance(draft, Draft) else None

    def _current(self, column: Column) -> FloatArray:
        """Return one array as it is now, with what was written into it."""
        written = self._written(column)
        if written is not None:
            return written
        value = self._unedited
        return value.x if column == "x" else value.y if column == "y" else value.errors

    def _row(self, column: Column, row: int) -> FloatArray:
        self._check(row)
        if column == "e" and self._written("e") is None:
            # All errors at once would cost a root of every bin for one row.
            view: FloatArray = np.sqrt(self._unedited.variance[row])
        else:
            array = self._current(column)
            view = (array if array.ndim == 1 else array[row]).view()
        view.flags.writeable = False
        return view

    def _check(self, row: int) -> None:
        if not 0 <= row < self.getNumberHistograms():
            raise IndexError(f"{self.name()}: spectrum index {row} is out of range; wanted 0 to {self.getNumberHistograms() - 1}")

    def readX(self, row: int) -> FloatArray:
        """Return x of a spectrum, read-only."""
        return self._row("x", row)

    def readY(self, row: int) -> FloatArray:
        """Return y of a spectrum, read-only."""
        return self._row("y", row)

    def readE(self, row: int) -> FloatArray:
        """Return the errors of a spectrum, read-only."""
        return self._row("e", row)

    def readDx(self, row: int) -> FloatArray:
        """Return the resolution of x of a spectrum, read-only; empty when there is none."""
        self._check(row)
        dx = self._unedited.dx
        return np.empty(0) if dx is None else dx if dx.ndim == 1 else dx[row]

    x, y, e, dx = readX, readY, readE, readDx

    def hasDx(self, row: int = 0) -> bool:
        """Return True when there is a resolution of x."""
        return self._unedited.dx is not None

    def extractX(self) -> FloatArray:
        """Return x of all spectra, (spectra, n), a copy."""
        x = self._current("x")
        return np.array(np.broadcast_to(x, (self.getNumberHistograms(), x.shape[-1])))

    def extractY(self) -> FloatArray:
        """Return y of all spectra, (spectra, bins), a copy."""
        return self._current("y").copy()

    def extractE(self) -> FloatArray:
        """Return the errors of all spectra, (spectra, bins), a copy."""
        return self._current("e").copy()

    def extractDx(self) -> FloatArray:
        """Return the resolution of x of all spectra, a copy."""
        return np.array([self.readDx(row) for row in range(self.getNumberHistograms())])

    def _writable(self, column: Column, row: int) -> FloatArray:
        self._check(row)
        with self._service.names.lock:
            value = self._unedited
            if not isinstance(value, Histograms):
                raise TypeError(f"{self.name()} holds events, whose counts cannot be written; wanted a histogram (ConvertToMatrixWorkspace)")
            draft = self._entry.edit if isinstance(self._entry.edit, Draft) else Draft()
            self._entry.edit = draft
            array: FloatArray = draft.writable(column, value)[row]
            return array

    def dataX(self, row: int) -> FloatArray:
        """Return x of a spectrum to write into."""
        return self._writable("x", row)

    def dataY(self, row: int) -> FloatArray:
        """Return y of a spectrum to write into."""
        return self._writable("y", row)

    def dataE(self, row: int) -> FloatArray:
        """Return the errors of a spectrum to write into."""
        return self._writable("e", row)

    def setX(self, row: int, values: Any) -> None:
        """Set x of a spectrum."""
        self._set("x", row, values)

    def setY(self, row: int, values: Any) -> None:
        """Set y of a spectrum."""
        self._set("y", row, values)

    def setE(self, row: int, values: Any) -> None:
        """Set the errors of a spectrum."""
        self._set("e", row, values)

    def _set(self, column: Column, row: int, values: Any) -> None:
        place, new = self._writable(column, row), np.asarray(values, dtype=np.float64)
        if new.shape != place.shape:
            raise ValueError(f"{self.name()}: {len(new.ravel())} values for the {column} of a spectrum; wanted {len(place)}")
        place[:] = new
