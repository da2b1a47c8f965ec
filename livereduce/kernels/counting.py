"""Events that lie row by row, counted into bins."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from livereduce.kernels.compiling import Floats, compiled
from livereduce.kernels.lookup import Column, Index, Lookup, Maybe, find_places
from livereduce.kernels.threads import cut, even_load, in_threads, threads_for

BLOCK = 1 << 16
"""Events looked at at once; their bins (4 bytes each) stay in the second cache."""


@compiled
def bin_of(value: float, edges: Floats, bins_per_unit: float) -> int:
    """Return the bin whose lower edge is the last not above `value`; for a value inside the edges only.

    Parameters
    ----------
    value:
        At least ``edges[0]`` and below ``edges[-1]``.
    edges:
        Ascending.
    bins_per_unit:
        Number of bins over their whole width: where bins are even, the guess made from it is right and saves the search.
    """
    last = len(edges) - 2
    guess = int((value - edges[0]) * bins_per_unit)
    # Edges at infinity make a guess of anything.
    if 0 <= guess <= last and edges[guess] <= value < edges[guess + 1]:
        return guess
    if 0 <= guess < last and edges[guess + 1] <= value < edges[guess + 2]:
        return guess + 1
    if 0 < guess <= last + 1 and edges[guess - 1] <= value < edges[guess]:
        return guess - 1
    return int(np.searchsorted(edges, value, side="right")) - 1


@compiled
def count_events(x: Floats, offsets: NDArray[np.int64], edges: Floats, y: Floats) -> None:
    """Count events into bins that include their lower edge and not their upper.

    Parameters
    ----------
    x:
        Value of each event, in the unit of `edges`.
    offsets:
        (rows + 1,), row r owns the events ``offsets[r]:offsets[r + 1]``.
    edges:
        (rows or 1, bins + 1), ascending.
    y:
        (rows, bins), added to.
    """
    for row in range(len(offsets) - 1):
        own = edges[row if edges.shape[0] > 1 else 0]
        low, high = own[0], own[-1]
        per_unit = (len(own) - 1) / (high - low) if high > low else 0.0
        for k in range(offsets[row], offsets[row + 1]):
            if low <= x[k] < high:
                y[row, bin_of(x[k], own, per_unit)] += 1.0


@compiled
def weigh_events(
    x: Floats,
    weight: NDArray[np.float32],
    error2: NDArray[np.float32],
    offsets: NDArray[np.int64],
    edges: Floats,
    y: Floats,
    variance: Floats,
) -> None:
    """Sum weights and squared errors of events in bins; otherwise as `count_events`."""
    for row in range(len(offsets) - 1):
        own = edges[row if edges.shape[0] > 1 else 0]
        low, high = own[0], own[-1]
        per_unit = (len(own) - 1) / (high - low) if high > low else 0.0
        for k in range(offsets[row], offsets[row + 1]):
            if low <= x[k] < high:
                place = bin_of(x[k], own, per_unit)
                y[row, place] += weight[k]
                variance[row, place] += error2[k]


@compiled
def add_in_rows(
    place: Index, weight: Maybe, error2: Maybe, begin: int, row: int, offsets: NDArray[np.int64], nowhere: int, y: Any, variance: Any
) -> None:
    """Add events that lie row by row, whose bins are known.

    Parameters
    ----------
    place:
        Bin of each event; `nowhere` for none.
    begin:
        Which event the first of these is, counted as in `offsets`.
    row:
        The row that it is of.
    """
    k = 0
    while k < len(place):
        end = min(len(place), offsets[row + 1] - begin)
        while k < end:
            if place[k] != nowhere:
                if weight is None:
                    y[row, place[k]] += 1
                else:
                    y[row, place[k]] += weight[k]
                    variance[row, place[k]] += error2[k]
            k += 1
        row += 1


def count_in_rows(
    x: Column,
    offsets: NDArray[np.int64],
    found: Lookup,
    y: Floats,
    *,
    weight: Maybe = None,
    error2: Maybe = None,
    variance: Maybe = None,
    threads: int | None = None,
) -> None:
    """Add events that lie row by row to histograms with common edges; otherwise as `livereduce.kernels.scatter_events`.

    Parameters
    ----------
    x:
        Of the type of ``found.edges``.
    offsets:
        (rows + 1,), row r owns the events ``offsets[r]:offsets[r + 1]``.
    y, variance:
        (rows, bins), added to; a variance with weights only.
    """
    n_bins = len(found.edges) - 1

    def count(first: int, last: int) -> None:
        place = np.empty(BLOCK, np.uint32)
        end = int(offsets[last])
        for begin in range(int(offsets[first]), end, BLOCK):
            part = slice(begin, min(end, begin + BLOCK))
            own, own_weight, own_error2 = cut([x, weight, error2], part)
            find_places(None, own, 1, found, place, n_bins)
            row = int(np.searchsorted(offsets, begin, side="right")) - 1
            add_in_rows(place[: len(own)], own_weight, own_error2, begin, row, offsets, n_bins, y, y if variance is None else variance)

    in_threads(count, even_load(np.diff(offsets), threads or threads_for(len(x))))
