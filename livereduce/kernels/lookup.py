"""Edges beside a table that makes finding a bin a guess and a check.

The line of x is cut into cells by a function that never descends, so whatever it rounds: an edge in a lower cell than x's is below x, one in a
higher cell is above. Only edges in x's own cell have to be compared with it, and there is seldom more than one.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import DTypeLike, NDArray

CELLS_PER_BIN = 2
"""Even cells for each bin: even bins then have at most one edge in a cell."""

BIT_CELLS_PER_BIN = 8
"""Most cells of the other kind for each bin; their table is to stay in the innermost caches."""


class Lookup(NamedTuple):
    """What `livereduce.kernels.scatter_events` needs to know of edges."""

    low: Any
    """First edge, of the type of `edges`."""

    cells_per_unit: Any
    """Even cells: cell ``int((x - low) * cells_per_unit)``; of the type of `edges`."""

    shift: int
    """Other cells: ``(bits of x as float32 >> shift) - first_cell``, even in exponent and mantissa, so nearly logarithmic; -1 for even cells."""

    first_cell: int
    """As above; bits count downwards below 0, so that they ascend with x."""

    table: NDArray[np.uint32]
    """(cells + 1,), the lowest bin that a value in this cell can be in."""

    edges: NDArray[Any]
    """(bins + 1,), ascending, float32 or float64 as the events: each the lowest number of that type that is not below the true edge."""


def lookup(edges: NDArray[np.float64], dtype: DTypeLike) -> Lookup:
    """Return the table for values of type `dtype`, float32 or float64.

    Raises
    ------
    ValueError
        If the edges do not ascend, or if there are fewer than two.
    """
    if np.ndim(edges) != 1 or len(edges) < 2 or not np.all(np.diff(edges) > 0):
        raise ValueError(f"edges have to be at least two and to ascend, got {edges}")
    own = _rounded_up(np.asarray(edges, dtype=np.float64), np.dtype(dtype))
    per_unit, even = _even_cells(own)
    shift, first, bits = _bit_cells(own)
    use_even = even is not None and _crowded(even) <= _crowded(bits)
    cells = even if use_even and even is not None else bits
    table = np.maximum(np.searchsorted(cells, np.arange(cells[-1] + 2)) - 1, 0).astype(np.uint32)
    return Lookup(own[0], per_unit, -1 if use_even else shift, 0 if use_even else first, table, own)


def _rounded_up(edges: NDArray[np.float64], dtype: np.dtype[Any]) -> NDArray[Any]:
    """Return for each edge e the lowest y of `dtype` not below it: a value of that type is at least y if and only if it is at least e."""
    with np.errstate(over="ignore"):
        near = edges.astype(dtype)
        return np.where(near.astype(np.float64) < edges, np.nextafter(near, dtype.type(np.inf)), near)


def _even_cells(edges: NDArray[Any]) -> tuple[Any, NDArray[np.int64] | None]:
    """Return cells per unit and the cell of each edge; None where edges are too far apart for it."""
    with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
        per_unit = edges.dtype.type(CELLS_PER_BIN * (len(edges) - 1)) / (edges[-1] - edges[0])
        place = (edges - edges[0]) * per_unit
    # Edges of which one is at infinity, or which are the same once they are rounded.
    if not np.isfinite(per_unit) or not np.all(np.isfinite(place)) or place[-1] > 4.0 * CELLS_PER_BIN * len(edges):
        return edges.dtype.type(0), None
    return per_unit, place.astype(np.int64)


def _bit_cells(edges: NDArray[Any]) -> tuple[int, int, NDArray[np.int64]]:
    """Return shift, first cell and the cell of each edge, counted from the first."""
    with np.errstate(over="ignore"):
        # Adding zero makes -0 the 0 that it is equal to.
        bits = (edges.astype(np.float32) + np.float32(0)).view(np.int32).astype(np.int64)
    bits = np.where(bits < 0, -(2**31) - 1 - bits, bits)
    width, most = int(bits[-1] - bits[0]), BIT_CELLS_PER_BIN * (len(edges) - 1)
    shift = max(0, (width // most).bit_length())
    first = int(bits[0] >> shift)
    return shift, first, (bits >> shift) - first


def _crowded(cells: NDArray[np.int64]) -> int:
    """Return how many edges share a cell with another one."""
    same = np.bincount(cells)
    return int(same[same > 1].sum())
