"""Old bins shared among new ones."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from livereduce.kernels.compiling import Floats, compiled


@compiled
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


@compiled
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
