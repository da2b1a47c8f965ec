"""Arrays that a script writes into: ``ws.dataY(0)[:] = 1``, ``ws.setE(3, e)``.

Workspaces are immutable and share their arrays, so the first request to write takes a copy of the one array in question. What is written there
is seen through the handle at once, and by whoever reads the value of the name afterwards: while the script still holds such an
array, each reading takes a copy, since the script may go on writing; once it has let go, the array is handed over.
"""

from __future__ import annotations

import sys
from typing import Literal

import numpy as np

from livereduce.data.workspace import FloatArray, Workspace

Column = Literal["x", "y", "e"]


class Draft:
    """Writable copies of some arrays of one workspace."""

    def __init__(self) -> None:
        self._arrays: dict[Column, FloatArray] = {}

    def array(self, column: Column) -> FloatArray | None:
        """Return the writable array of a column; None when it was not asked for yet."""
        return self._arrays.get(column)

    def writable(self, column: Column, value: Workspace) -> FloatArray:
        """Return the writable array of a column, (spectra, n), taken from `value` the first time."""
        if column not in self._arrays:
            source = value.x_rows() if column == "x" else value.y if column == "y" else value.errors
            self._arrays[column] = np.array(source, dtype=np.float64)
        return self._arrays[column]

    def apply(self, value: Workspace) -> Workspace:
        """Return `value` with what was written so far; arrays that the script has let go are handed over."""
        changes = {column: self._taken(column) for column in tuple(self._arrays)}
        return value.replace(
            x=_common(changes["x"]) if "x" in changes else value.x,
            y=changes.get("y", value.y),
            variance=changes["e"] ** 2 if "e" in changes else value.variance,
        )

    def _taken(self, column: Column) -> FloatArray:
        if _holders(self._arrays, column) == _ALONE:
            return self._arrays.pop(column)
        return self._arrays[column].copy()


def _common(x: FloatArray) -> FloatArray:
    """Return one row when all rows of x are equal."""
    return x[0].copy() if len(x) and np.array_equal(x, np.broadcast_to(x[0], x.shape), equal_nan=True) else x


def _holders(arrays: dict[Column, FloatArray], column: Column) -> int:
    """Return the reference count of an array: views hold their base, so it tells whether any view is left."""
    return sys.getrefcount(arrays[column])


_ALONE = _holders({"y": np.empty(1)}, "y")
