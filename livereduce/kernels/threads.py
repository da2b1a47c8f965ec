"""Events shared among threads; every kernel releases the GIL."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from itertools import pairwise
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from livereduce.kernels.lookup import Maybe

EVENTS_PER_THREAD = 200_000
"""Fewer are counted in about the time that a thread takes to start and to be waited for."""

MAX_THREADS = 4
"""Memory is the limit; more threads than this gain nothing and take cores from the other processes."""

Result = TypeVar("Result")


def threads_for(n: int) -> int:
    """Return how many threads `n` events are worth."""
    return min(MAX_THREADS, len(os.sched_getaffinity(0)), 1 + n // EVENTS_PER_THREAD)


def cut(columns: list[Maybe], part: slice) -> list[Maybe]:
    """Return part of each column that there is."""
    return [None if column is None else column[part] for column in columns]


def even(n: int, parts: int) -> list[tuple[int, int]]:
    """Return the beginnings and ends of `parts` about equal parts of `n`."""
    return list(pairwise(n * part // parts for part in range(parts + 1)))


def even_load(load: NDArray[np.int64], parts: int) -> list[tuple[int, int]]:
    """Return the beginnings and ends of `parts` runs of about equal sums."""
    sums = np.cumsum(load)
    inner = np.searchsorted(sums, load.sum() * np.arange(1, parts) / parts)
    return list(pairwise([0, *inner.tolist(), len(load)]))


def in_threads(work: Callable[[int, int], Result], shares: list[tuple[int, int]]) -> list[Result]:
    """Call `work` for all shares at once; return what each call returned, in order."""
    results: list[Any] = [None] * len(shares)

    def one(k: int) -> None:
        results[k] = work(*shares[k])

    threads = [threading.Thread(target=one, args=(k,), name="events", daemon=True) for k in range(1, len(shares))]
    for thread in threads:
        thread.start()
    one(0)
    for thread in threads:
        thread.join()
    return results
