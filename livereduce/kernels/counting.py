"""Events that lie row by row, counted into bins."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from livereduce.kernels.compiling import Floats, compiled


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
