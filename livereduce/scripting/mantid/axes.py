"""Axes and units as scripts see them: ``ws.getAxis(0).getUnit().unitID()``."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from livereduce.data.units import UNITS
from livereduce.scripting.mantid.errors import nearest

if TYPE_CHECKING:
    from livereduce.scripting.mantid.matrix import MatrixWorkspace


@dataclass(frozen=True, slots=True)
class UnitFace:
    """A unit of an axis."""

    id: str
    """Unit id; empty for none."""

    def unitID(self) -> str:
        """Return the id: TOF, Wavelength, ..."""
        return self.id or "Empty"

    name = unitID

    def caption(self) -> str:
        """Return what to write along an axis."""
        return UNITS[self.id].caption if self.id in UNITS else self.id

    def symbol(self) -> str:
        """Return the symbol of the unit."""
        return UNITS[self.id].symbol if self.id in UNITS else ""

    label = symbol

    def __str__(self) -> str:
        return self.caption()


class Axis:
    """One axis of a workspace: 0 is x, 1 is vertical.

    Parameters
    ----------
    workspace:
        The workspace's handle.
    """

    __slots__ = ("_workspace",)

    def __init__(self, workspace: MatrixWorkspace) -> None:
        self._workspace = workspace

    def getUnit(self) -> UnitFace:
        """Return the unit."""
        raise NotImplementedError

    def extractValues(self) -> NDArray[np.generic]:
        """Return the values along the axis, a copy."""
        raise NotImplementedError

    def isSpectra(self) -> bool:
        """Return True when it counts spectra."""
        return False

    def isNumeric(self) -> bool:
        """Return True when it holds numbers of a quantity."""
        return not self.isSpectra() and not self.isText()

    def isText(self) -> bool:
        """Return True when it holds labels."""
        return False

    def length(self) -> int:
        """Return the number of values."""
        return len(self.extractValues())

    __len__ = length

    def getValue(self, index: int) -> float:
        """Return one value."""
        return float(self.extractValues()[index])

    def label(self, index: int) -> str:
        """Return one value as text."""
        return f"{self.extractValues()[index]}"

    def title(self) -> str:
        """Return the caption of the unit."""
        return self.getUnit().caption()


class HorizontalAxis(Axis):
    """x; of the first spectrum where each has its own."""

    __slots__ = ()

    def getUnit(self) -> UnitFace:
        """Return the unit of x."""
        return UnitFace(self._workspace._unedited.x_unit)

    def extractValues(self) -> NDArray[np.generic]:
        """Return x, edges or points, a copy."""
        return np.array(self._workspace.readX(0))

    def setUnit(self, unit: str) -> UnitFace:
        """Set the unit by its id; the numbers stay."""
        if unit not in UNITS:
            raise ValueError(f"unknown unit {unit!r}{nearest(unit, UNITS)}")
        self._workspace._replace(x_unit=unit)
        return self.getUnit()


class VerticalAxis(Axis):
    """Spectrum numbers, or what an algorithm put in their place."""

    __slots__ = ()

    def getUnit(self) -> UnitFace:
        """Return the unit."""
        vertical = self._workspace._unedited.vertical
        return UnitFace("Label" if vertical is None or vertical.labels else vertical.unit)

    def isSpectra(self) -> bool:
        """Return True when it counts spectra."""
        return self._workspace._unedited.vertical is None

    def isText(self) -> bool:
        """Return True when it holds labels."""
        vertical = self._workspace._unedited.vertical
        return vertical is not None and bool(vertical.labels)

    def extractValues(self) -> NDArray[np.generic]:
        """Return spectrum numbers, values or labels, a copy."""
        value = self._workspace._unedited
        if value.vertical is None:
            return value.spectra.numbers.copy()
        return np.array(value.vertical.labels) if value.vertical.labels else value.vertical.values.copy()

    def label(self, index: int) -> str:
        """Return the label of one spectrum: ``spectrum 7``, or the value."""
        value = self.extractValues()[index]
        return f"spectrum {value}" if self.isSpectra() else f"{value}"

    def indexOfValue(self, value: float) -> int:
        """Return the position of a value; ValueError when it is not there."""
        found = np.flatnonzero(self.extractValues() == value)
        if not len(found):
            raise ValueError(f"the vertical axis has no value {value}")
        return int(found[0])
