"""Compiled loops over plain arrays; nothing here knows a workspace.

Every kernel releases the GIL and is compiled at its first call for the types it gets, once per machine (the compiled code is cached on disk).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar, cast

import numba
import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Function = TypeVar("Function", bound=Callable[..., Any])


def _compiled(function: Function) -> Function:
    """Return `function` compiled at its first call; typed as itself, since numba's decorator has no types.

    Where no folder for compiled code can be written to (a hardened service without a home), it is compiled anew in each process.
    """
    compiled: Any
    try:
        compiled = numba.njit(cache=True, nogil=True)(function)
    except RuntimeError:
        compiled = numba.njit(nogil=True)(function)
    return cast(Function, compiled)


@_compiled
def share(edges: Floats, new_edges: Floats) -> tuple[NDArray[np.int64], NDArray[np.int64], Floats]:
    """Return which old bins overlap which new ones, and by how much.

    Parameters
    ----------
    edges, new_edges:
        Ascending edges.

    Returns
    -------
    old, new, width:
        Overlap k is ``width[k]`` wide and lies in old bin ``old[k]`` and new bin ``new[k]``; in ascending order.
    """
    most = len(edges) + len(new_edges)
    old = np.empty(most, dtype=np.int64)
    new = np.empty(most, dtype=np.int64)
    width = np.empty(most, dtype=np.float64)
    n, i, j = 0, 0, 0
    while i < len(edges) - 1 and j < len(new_edges) - 1:
        low = max(edges[i], new_edges[j])
        high = min(edges[i + 1], new_edges[j + 1])
        if high > low:
            old[n], new[n], width[n] = i, j, high - low
            n += 1
        if edges[i + 1] <= new_edges[j + 1]:
            i += 1
        else:
            j += 1
    return old[:n], new[:n], width[:n]


@_compiled
def gather_shares(
    y: Floats,
    variance: Floats,
    new_y: Floats,
    new_variance: Floats,
    old: NDArray[np.int64],
    begin: NDArray[np.int64],
    in_y: Floats,
    in_variance: Floats,
) -> None:
    """Set each new bin to the sum of its shares of the old ones, row by row.

    Parameters
    ----------
    y, variance:
        (rows, bins).
    new_y, new_variance:
        (rows, new bins), overwritten; the same array twice when the variance is y.
    old, begin:
        New bin j gets shares of the old bins ``old[begin[j]:begin[j + 1]]``, which follow each other.
    in_y, in_variance:
        As `old`, the fraction of the old bin that moves.
    """
    for row in range(y.shape[0]):
        for j in range(len(begin) - 1):
            total, total_variance = 0.0, 0.0
            first = begin[j]
            shift = old[first] - first if first < len(old) else 0
            for k in range(first, begin[j + 1]):
                total += y[row, k + shift] * in_y[k]
                total_variance += variance[row, k + shift] * in_variance[k]
            new_y[row, j] = total
            new_variance[row, j] = total_variance


@_compiled
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


@_compiled
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


@_compiled
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
