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
    sources: NDArray[np.uint32],
    banks: NDArray[np.uint32],
    special: int,
    tof: NDArray[np.uint32],
    pixel: NDArray[np.uint32],
) -> int:
    """Put the events of bank sections into columns, one after the other, and return how many they are.

    Parameters
    ----------
    words, sources, banks:
        As `walk_banks` has them.
    special:
        Banks with this id or a higher one are left out.
    tof, pixel:
        (at least as many as there are,), overwritten. A time gets the offset of its source, bits 30:0 of its third word, unless bit 31 says
        that it has it already; one too large for 32 bits becomes the largest that fits.
    """
    n = 0
    for row in range(len(banks)):
        if banks[row, 1] >= special:
            continue
        offset = np.int64(sources[banks[row, 0], 2])
        shift = 0 if offset >> 31 else int(offset)
        at = np.int64(banks[row, 3])
        for k in range(np.int64(banks[row, 4])):
            tof[n] = min(np.int64(words[at + 2 * k]) + shift, np.int64(0xFFFFFFFF))
            pixel[n] = words[at + 2 * k + 1]
            n += 1
    return n
