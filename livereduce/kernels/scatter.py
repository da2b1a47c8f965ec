"""Events as they come, in any order, counted into the bins of their spectra.

A target of hundreds of megabytes is hit at random: nearly every event would wait for a line of memory and for the translation of its address.
So events are first sorted by the part of the target they go to, a slab that fits into the second cache, and slab after slab is then filled. Each
thread sorts its own events and fills its own slabs: nothing is locked. Measured, and what else was tried: `docs/decisions/0029-event-kernels.md`.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from livereduce.kernels.compiling import compiled
from livereduce.kernels.lookup import Column, Index, Lookup, Maybe, find_places
from livereduce.kernels.threads import cut, even, even_load, in_threads, threads_for

CHUNK = 1 << 18
"""Events sorted at once; what is written while sorting them (4 bytes each) stays in the second cache."""

SLAB_BITS = 18
"""A slab is at most 2^18 bins, 2 MB of float64; more bits gained nothing, fewer cost some per cent."""

SLABS = 64
"""Slabs that a small target is cut into as well, so that threads can share it."""

IN_CACHE = 1 << 15
"""Bins that stay in cache as a whole: nothing is sorted, each thread counts in its own."""

EVENTS_AT_ONCE = 1 << 25
"""Most events that lie sorted in memory: 128 MB."""


class Dropped(NamedTuple):
    """Events that were in no bin."""

    row: int
    """Whose row does not exist."""

    x: int
    """Whose row does, but whose x is outside of the edges or not a number."""


@compiled
def sort_into_slabs(
    place: Index,
    weight: Maybe,
    error2: Maybe,
    bits: int,
    at: int,
    start: Index,
    in_slabs: Index,
    weight_in_slabs: Maybe,
    error2_in_slabs: Maybe,
) -> None:
    """Sort places by slab, ``place >> bits``, keeping the order within a slab; with their weights and squared errors if there are any.

    Parameters
    ----------
    at:
        Where these events begin in `in_slabs`.
    start:
        (slabs + 2,), overwritten: slab k has ``in_slabs[start[k]:start[k + 1]]``; the last one is of events that are nowhere.
    in_slabs, weight_in_slabs, error2_in_slabs:
        Written from `at` on.
    """
    by = np.uint32(bits)
    to = np.zeros(len(start) - 1, np.uint32)
    for i in range(len(place)):
        to[place[i] >> by] += np.uint32(1)
    begin = np.uint32(at)
    for k in range(len(to)):
        start[k] = begin
        begin += to[k]
        to[k] = start[k]
    start[len(to)] = begin
    for i in range(len(place)):
        slab = place[i] >> by
        j = to[slab]
        to[slab] = j + np.uint32(1)
        in_slabs[j] = place[i]
        if weight is not None:
            weight_in_slabs[j] = weight[i]
            error2_in_slabs[j] = error2[i]


@compiled
def fill_slabs(place: Index, weight: Maybe, error2: Maybe, start: Index, first: int, last: int, y: Column, variance: Column) -> None:
    """Add what lies sorted by slab to slabs `first` to before `last` of the flat target.

    Parameters
    ----------
    start:
        (chunks, slabs + 2), as `sort_into_slabs` left it for each chunk.
    """
    for slab in range(first, last):
        for chunk in range(start.shape[0]):
            for j in range(start[chunk, slab], start[chunk, slab + 1]):
                if weight is None:
                    y[place[j]] += 1
                else:
                    y[place[j]] += weight[j]
                    variance[place[j]] += error2[j]


@compiled
def add_at(place: Index, weight: Maybe, error2: Maybe, y: Column, variance: Column) -> None:
    """Add events to a flat target that has a place more than bins, for events that are nowhere."""
    for i in range(len(place)):
        if weight is None:
            y[place[i]] += 1
        else:
            y[place[i]] += weight[i]
            variance[place[i]] += error2[i]


def scatter_events(
    row: Column | None,
    x: Column,
    found: Lookup,
    y: Column,
    *,
    weight: Column | None = None,
    error2: Column | None = None,
    variance: Column | None = None,
    threads: int | None = None,
) -> Dropped:
    """Add events in any order to histograms; bin i holds ``edges[i] <= x < edges[i + 1]``.

    Parameters
    ----------
    row:
        Row of each event, any integers (a column of structured events as it is, no copy is made); None for all into ``y[0]``.
    x:
        float32 or float64, as many; NaN is in no bin.
    found:
        `livereduce.kernels.lookup` of the edges, for the type of `x`.
    y:
        (rows, bins), contiguous, added to: any type of number; the caller sees to it that whole numbers do not overflow. Its pages may be fresh
        (``np.zeros``): each is then first touched by the thread that fills it. Without weights it is its own variance.
    weight, error2:
        Weight and squared error of each event; both or none.
    variance:
        As `y`, of its type; with weights only.
    threads:
        How many; by itself as many as there are cores and work for, at most four.

    Returns
    -------
    Dropped
        How many events were in no bin.

    Raises
    ------
    ValueError
        If shapes or types do not fit, or for more than 2^31 bins.
    """
    _check(row, x, found, y, weight, error2, variance)
    flat = y.reshape(-1)
    flat_variance = flat if variance is None else variance.reshape(-1)
    n_threads = threads or threads_for(len(x))
    add = _add_in_cache if len(flat) <= IN_CACHE else _add_by_slabs
    dropped = Dropped(0, 0)
    for begin in range(0, len(x), EVENTS_AT_ONCE):
        columns = cut([row, x, weight, error2], slice(begin, begin + EVENTS_AT_ONCE))
        more = add(columns, len(y), found, flat, flat_variance, n_threads)
        dropped = Dropped(dropped.row + more.row, dropped.x + more.x)
    return dropped


def _check(row: Column | None, x: Column, found: Lookup, y: Column, weight: Column | None, error2: Column | None, variance: Column | None) -> None:
    """Raise ValueError where a kernel would write beside its target."""
    if any(column is not None and column.shape != x.shape for column in (row, weight, error2)) or x.ndim != 1:
        raise ValueError(f"columns of events have to be as long as x, which is {x.shape}")
    if x.dtype != found.edges.dtype:
        raise ValueError(f"the table of edges is for {found.edges.dtype}, the events are {x.dtype}")
    if y.ndim != 2 or y.shape[1] != len(found.edges) - 1 or y.size > 1 << 31:
        raise ValueError(f"{len(found.edges) - 1} bins need a target of (rows, {len(found.edges) - 1}) with at most 2^31 bins, got {y.shape}")
    if row is not None and row.dtype.kind not in "iu":
        raise ValueError(f"rows have to be integers, got {row.dtype}")
    if not (weight is None) == (error2 is None) == (variance is None):
        raise ValueError("weights, squared errors and a target for variances come together or not at all")
    for target in (y,) if variance is None else (y, variance):
        if target.shape != y.shape or target.dtype != y.dtype or not target.flags.c_contiguous or not target.flags.writeable:
            raise ValueError("targets have to be contiguous, writeable, of one shape and of one type")


def _add_by_slabs(columns: list[Maybe], n_rows: int, found: Lookup, y: Column, variance: Column, n_threads: int) -> Dropped:
    """Sort events by slab, then fill slabs; both shared among threads."""
    x, weight, error2 = columns[1:]
    n_chunks = -(-len(x) // CHUNK)
    bits = min(SLAB_BITS, (len(y) // SLABS).bit_length())
    n_slabs = ((len(y) - 1) >> bits) + 1
    start = np.empty((n_chunks, n_slabs + 2), np.uint32)
    in_slabs = np.empty(len(x), np.uint32)
    weights = None if weight is None else np.empty(len(x), weight.dtype)
    errors2 = None if error2 is None else np.empty(len(x), error2.dtype)

    def sort(first: int, last: int) -> tuple[int, int]:
        place, bad_rows, bad_x = np.empty(CHUNK, np.uint32), 0, 0
        for chunk in range(first, last):
            part = slice(chunk * CHUNK, min(len(x), (chunk + 1) * CHUNK))
            of_row, of_x, own_weight, own_error2 = cut(columns, part)
            bad = find_places(of_row, of_x, n_rows, found, place, n_slabs << bits)
            bad_rows, bad_x = bad_rows + bad[0], bad_x + bad[1]
            places = place[: part.stop - part.start]
            sort_into_slabs(places, own_weight, own_error2, bits, part.start, start[chunk], in_slabs, weights, errors2)
        return bad_rows, bad_x

    bad = in_threads(sort, even(n_chunks, n_threads))
    shares = even_load((start[:, 1 : n_slabs + 1] - start[:, :n_slabs]).sum(axis=0, dtype=np.int64), n_threads)
    in_threads(lambda first, last: fill_slabs(in_slabs, weights, errors2, start, first, last, y, variance), shares)
    return Dropped(sum(rows for rows, _ in bad), sum(xs for _, xs in bad))


def _add_in_cache(columns: list[Maybe], n_rows: int, found: Lookup, y: Column, variance: Column, n_threads: int) -> Dropped:
    """Count in a target of each thread's own, then add these up."""
    x = columns[1]
    step = min(CHUNK, 1 << 14)

    def count(first: int, last: int) -> tuple[int, int, Column, Column]:
        place, bad_rows, bad_x = np.empty(step, np.uint32), 0, 0
        own = np.zeros(len(y) + 1, y.dtype)
        own_variance = own if columns[2] is None else np.zeros_like(own)
        for begin in range(first, last, step):
            part = slice(begin, min(last, begin + step))
            of_row, of_x, weight, error2 = cut(columns, part)
            bad = find_places(of_row, of_x, n_rows, found, place, len(y))
            bad_rows, bad_x = bad_rows + bad[0], bad_x + bad[1]
            add_at(place[: part.stop - begin], weight, error2, own, own_variance)
        return bad_rows, bad_x, own[:-1], own_variance[:-1]

    parts = in_threads(count, even(len(x), n_threads))
    for _, _, own, own_variance in parts:
        y += own
        if variance is not y:
            variance += own_variance
    return Dropped(sum(part[0] for part in parts), sum(part[1] for part in parts))
