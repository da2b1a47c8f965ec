"""The banks of ADARA event packets."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from livereduce.kernels.compiling import compiled


@compiled
def walk_banks(words: NDArray[np.uint32], head: int, sources: NDArray[np.uint32], banks: NDArray[np.uint32]) -> tuple[int, int, int, int]:
    """List the sections of a packet of banked events (ADARA); events themselves are not looked at.

    A source section is four words, the last of them its number of bank sections, which follow it. A bank section is `head` words,
    the last of them its number of events, which follow it in two words each.

    Parameters
    ----------
    words:
        What follows the packet's fixed part.
    head:
        Words before the events of a bank: 2 (bank, count) or 3 (bank, state, count).
    sources:
        (most sources, 4), overwritten with the words of each source section.
    banks:
        (most banks, 5), overwritten: row of its source, bank, state, first word of its events, number of events.

    Returns
    -------
    n_sources, n_banks, problem, at:
        How many there are, which may be more than there was room for; only what fits is listed. `problem` is 0, or at word `at` 1 a source
        section is cut off, 2 a bank section is cut off, 3 a bank has more events than there are words left.
    """
    at, n_sources, n_banks = 0, 0, 0
    while at < len(words):
        if len(words) - at < 4:
            return n_sources, n_banks, 1, at
        if n_sources < len(sources):
            sources[n_sources] = words[at : at + 4]
        left = np.int64(words[at + 3])
        at += 4
        while left > 0:
            if len(words) - at < head:
                return n_sources, n_banks, 2, at
            count = np.int64(words[at + head - 1])
            if 2 * count > len(words) - at - head:
                return n_sources, n_banks, 3, at + head - 1
            if n_banks < len(banks):
                banks[n_banks, 0] = n_sources
                banks[n_banks, 1] = words[at]
                banks[n_banks, 2] = words[at + 1] if head == 3 else 0
                banks[n_banks, 3] = at + head
                banks[n_banks, 4] = count
            at += head + 2 * int(count)
            n_banks += 1
            left -= 1
        n_sources += 1
    return n_sources, n_banks, 0, at


@compiled
def gather_banks(
    words: NDArray[np.uint32],
    first: NDArray[np.uint32],
    count: NDArray[np.uint32],
    offset: NDArray[np.uint32],
    tof: NDArray[np.uint32],
    pixel: NDArray[np.uint32],
) -> None:
    """Put the events of bank sections into columns, one after the other.

    Parameters
    ----------
    words:
        Pairs of time of flight and pixel, among other words.
    first, count, offset:
        (banks,): first word of each bank's events, how many they are, and what is added to their times.
    tof, pixel:
        (sum of `count`,), overwritten; a time too large for 32 bits becomes the largest that fits.
    """
    n = 0
    for bank in range(len(first)):
        at = np.int64(first[bank])
        shift = np.int64(offset[bank])
        for k in range(np.int64(count[bank])):
            tof[n] = min(np.int64(words[at + 2 * k]) + shift, np.int64(0xFFFFFFFF))
            pixel[n] = words[at + 2 * k + 1]
            n += 1
