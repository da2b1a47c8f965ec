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


@_compiled
def word_at(buffer: NDArray[np.uint8], at: int) -> int:
    """Return the unsigned 32-bit little-endian number at byte `at`, wherever that lies in memory."""
    low = np.int64(buffer[at]) | (np.int64(buffer[at + 1]) << 8)
    high = np.int64(buffer[at + 2]) | (np.int64(buffer[at + 3]) << 8)
    return int(low | (high << 16))


@_compiled
def look_at_isis_event_packet(buffer: NDArray[np.uint8], at: int, max_extra: int, max_events: int, set_up: bool) -> tuple[int, int, int, int]:
    """Return what stands at byte `at` of an ISIS event stream; `livereduce.wire.isis_event` tells the layout.

    Parameters
    ----------
    buffer:
        What has come; its last packet may be incomplete.
    max_extra, max_events, set_up:
        As for `walk_isis_event_packets`.

    Returns
    -------
    code, place, end, n_events:
        Code 0: more bytes are needed. 1, 2, 3: a complete packet of that type, which ends at `end`; the part after the common header begins at
        `place` and a neutron packet has `n_events`. From 4: the field at `place` is wrong: 4 marker1, 5 marker2, 6 version, 7 header's length,
        8 type, 9 Setup's length, 10 neutron header's length, 11 nevents.
    """
    have = len(buffer)
    for k in range(5):
        place = at + 4 * k
        if place + 4 > have:
            return 0, place, at, 0
        word = word_at(buffer, place)
        if k < 2:
            right = word == 0xFFFFFFFF
        elif k == 2:
            right = word >> 16 == 1
        elif k == 3:
            right = 20 <= word <= 20 + max_extra
        else:
            right = 1 <= word <= 3 and (set_up or word != 2)
        if not right:
            return 4 + k, place, at, 0
    kind = word_at(buffer, at + 16)
    # A Setup stands in its 80 bytes whatever the header's length is; the other parts come after the extra bytes of the part before.
    body = at + 24 if kind == 1 else at + word_at(buffer, at + 12)
    if kind == 3:
        return (3 if body + 4 <= have else 0), body, body + 4, 0
    place, least = (body + 4, 56) if kind == 1 else (body, 24)
    if place + 4 > have:
        return 0, place, at, 0
    length = word_at(buffer, place)
    if not least <= length <= least + max_extra:
        return (9 if kind == 1 else 10), place, at, 0
    if kind == 1:
        return (1 if at + 80 <= have else 0), body, at + 80, 0
    if body + 24 > have:
        return 0, body + 20, at, 0
    n_events = word_at(buffer, body + 20)
    if n_events > max_events:
        return 11, body + 20, at, 0
    end = body + length + 8 * n_events
    return (2 if end <= have else 0), body, end, n_events


@_compiled
def walk_isis_event_packets(
    buffer: NDArray[np.uint8], headers: NDArray[np.uint32], max_extra: int, max_events: int, set_up: bool
) -> tuple[int, int, int, int, int]:
    """Walk the neutron packets at the beginning of `buffer`, over SE packets, until something else comes or `headers` is full.

    Parameters
    ----------
    buffer:
        Part of an ISIS event stream that begins with a packet.
    headers:
        (most packets, 6), overwritten: byte of the first event, frame number, period, bits of protons, bits of frame_time_zero, number of events.
    max_extra:
        Most extra bytes behind a header.
    max_events:
        Most events in a packet.
    set_up:
        Whether there was a Setup packet; a neutron packet is wrong before that.

    Returns
    -------
    n_packets, bytes_consumed, n_se, code, place:
        How many rows of `headers` are filled, where the first packet begins that was not walked over, how many SE packets were, and what ended
        the walk: code and place of `look_at_isis_event_packet`; code 2 says that `headers` is full.
    """
    n, n_se, at = 0, 0, 0
    while n < len(headers):
        code, place, end, n_events = look_at_isis_event_packet(buffer, at, max_extra, max_events, set_up)
        if code == 3:
            n_se += 1
        elif code == 2:
            headers[n, 0] = end - 8 * n_events
            for k in range(1, 5):
                headers[n, k] = word_at(buffer, place + 4 * k)
            headers[n, 5] = n_events
            n += 1
        else:
            return n, at, n_se, code, place
        at = end
    return n, at, n_se, 2, at


@_compiled
def gather_bytes(buffer: NDArray[np.uint8], first: NDArray[np.int64], size: NDArray[np.int64], out: NDArray[np.uint8]) -> None:
    """Copy the pieces ``buffer[first[k]:first[k] + size[k]]`` to `out`, one behind the other.

    Parameters
    ----------
    buffer, out:
        Bytes; `out` has at least ``size.sum()``.
    first, size:
        One entry per piece.
    """
    at = 0
    for k in range(len(first)):
        out[at : at + size[k]] = buffer[first[k] : first[k] + size[k]]
        at += size[k]


@_compiled
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
            at += head + 2 * count
            n_banks += 1
            left -= 1
        n_sources += 1
    return n_sources, n_banks, 0, at


@_compiled
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
            tof[n] = min(np.int64(words[at + 2 * k]) + shift, 0xFFFFFFFF)
            pixel[n] = words[at + 2 * k + 1]
            n += 1
