"""Edges beside a table that makes finding a bin a guess and a check.

The line of x is cut into cells by a function that never descends, so whatever it rounds: an edge in a lower cell than x's is below x, one in a
higher cell is above. Only edges in x's own cell have to be compared with it, and there is seldom more than one.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numba import types
from numba.extending import intrinsic
from numpy.typing import DTypeLike, NDArray

from livereduce.kernels.compiling import compiled

Column = NDArray[Any]
Maybe = Any
"""A column or None: which of them is known when a kernel is compiled, and the other way is left out."""

Index = NDArray[np.uint32]

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
    """(bins + 1,), not descending, float32 or float64 as the events: each the lowest number of that type that is not below the true edge."""


def lookup(edges: NDArray[np.float64], dtype: DTypeLike) -> Lookup:
    """Return the table for values of type `dtype`, float32 or float64.

    Raises
    ------
    ValueError
        If the edges descend, one is not a number, or there are fewer than two.
    """
    if np.ndim(edges) != 1 or len(edges) < 2 or not np.all(np.asarray(edges)[1:] >= np.asarray(edges)[:-1]):
        raise ValueError(f"edges have to be at least two and not to descend, got {edges}")
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


def _bits_of(typing: Any, x: Any) -> Any:
    """Return the 32 bits of a float32 as an integer."""

    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        return builder.bitcast(args[0], context.get_value_type(types.int32))

    return types.int32(types.float32), generate


bits_of: Any = intrinsic(_bits_of)
"""The 32 bits of a float32 as an integer, in compiled code."""


@compiled
def bin_between(value: float, edges: Column, first: Any, last: Any) -> Any:
    """Return the last bin of `first` to `last` whose lower edge is not above `value`; `first` if all are."""
    while first < last:
        middle = (first + last + 1) // 2
        if value >= edges[middle]:
            first = middle
        else:
            last = middle - 1
    return first


@compiled
def find_places(row: Maybe, x: Column, n_rows: int, found: Lookup, place: Index, nowhere: int) -> tuple[int, int]:
    """Find the place of each event in a flat (rows, bins) target: bin i holds ``edges[i] <= x < edges[i + 1]``.

    Parameters
    ----------
    row:
        Any integers; None for events that are all of row 0.
    x:
        Of the type of ``found.edges``.
    n_rows:
        Rows of the target.
    place:
        As many as events or more, overwritten.
    nowhere:
        Place of an event that is in no bin.

    Returns
    -------
    bad_rows, bad_x:
        As `Dropped`.
    """
    # What is unsigned is not looked at for counting from the end.
    one, edges, table = np.uint64(1), found.edges, found.table
    low, per_unit, shift, first_cell = found.low, found.cells_per_unit, found.shift, found.first_cell
    high, n_bins = edges[len(edges) - 1], len(edges) - 1
    bad_rows: Any = 0
    bad_x: Any = 0
    for i in range(len(x)):
        value = x[i]
        r = np.int64(0) if row is None else np.int64(row[i])
        known = (r >= 0) & (r < n_rows)
        inside = (value >= low) & (value < high)
        at: Any = np.uint32(nowhere)
        if known & inside:
            if shift < 0:
                cell: Any = np.uint64(np.int64((value - low) * per_unit))
            else:
                # As in _bit_cells, to the letter.
                bits = np.int64(bits_of(np.float32(value) + np.float32(0)))
                if bits < 0:
                    bits = np.int64(-2147483649) - bits
                cell = np.uint64((bits >> shift) - first_cell)
            b = np.uint64(table[cell])
            b = b + np.uint64(value >= edges[b + one])
            if value >= edges[b + one]:
                b = np.uint64(bin_between(value, edges, np.int64(b), np.int64(table[cell + one])))
            at = np.uint32(r * n_bins + np.int64(b))
        bad_rows += not known
        bad_x += known & (not inside)
        place[i] = at
    return bad_rows, bad_x
