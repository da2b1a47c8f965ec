"""Rows shared among threads: kernels release the GIL, and fresh pages cost more than the arithmetic."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Any

from numpy.typing import NDArray

SMALLEST = 1_000_000
"""Values below which starting a thread (some 50 us) is not worth it."""

MAX_THREADS = 4
"""Memory is the limit; more threads than this gain nothing and take cores from the other processes."""


def over_rows(kernel: Callable[..., None], arrays: Sequence[NDArray[Any]], *shared: Any) -> None:
    """Call ``kernel(*arrays, *shared)`` for parts of the rows at once.

    Parameters
    ----------
    kernel:
        A function that releases the GIL, raises nothing and looks at each row alone.
    arrays:
        (rows, ...) each; a call gets the same rows of all.
    shared:
        Handed to every call as it is.
    """
    rows, size = len(arrays[0]), arrays[0].size
    parts = max(1, min(MAX_THREADS, os.cpu_count() or 1, rows)) if size >= SMALLEST else 1
    bounds = [rows * part // parts for part in range(parts + 1)]
    calls = [(*(array[first:last] for array in arrays), *shared) for first, last in pairwise(bounds)]
    threads = [threading.Thread(target=kernel, args=call, name="rows", daemon=True) for call in calls[1:]]
    for thread in threads:
        thread.start()
    kernel(*calls[0])
    for thread in threads:
        thread.join()
