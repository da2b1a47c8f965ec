"""The ISIS event stream, packet after packet; and pieces of bytes brought together."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from livereduce.kernels.compiling import compiled


@compiled
def word_at(buffer: NDArray[np.uint8], at: int) -> int:
    """Return the unsigned 32-bit little-endian number at byte `at`, wherever that lies in memory."""
    low = np.int64(buffer[at]) | (np.int64(buffer[at + 1]) << 8)
    high = np.int64(buffer[at + 2]) | (np.int64(buffer[at + 3]) << 8)
    return int(low | (high << 16))


@compiled
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


@compiled
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


@compiled
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
