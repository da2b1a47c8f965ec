"""Recorded bytes of an ADARA stream, played again to each client from the beginning."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Generator, Iterator
from pathlib import Path
from typing import Final

from livereduce.errors import WireError
from livereduce.simulators.adara_history import IDLE_S
from livereduce.wire.adara import HEADER_SIZE, PAYLOAD_LIMIT, PacketType
from livereduce.wire.adara_control import ClientHello
from livereduce.wire.adara_packets import HEADER, time_of

log = logging.getLogger(__name__)

PULSE_TYPES: Final = frozenset(
    {
        PacketType.RAW_EVENT,
        PacketType.RTDL,
        PacketType.MAPPED_EVENT,
        PacketType.BANKED_EVENT,
        PacketType.BANKED_EVENT_STATE,
        PacketType.BEAM_MONITOR_EVENT,
    }
)
"""Packets whose times are of the stream; descriptions carry times of long ago."""


class Recording:
    """A recorded stream.

    Parameters
    ----------
    data:
        Whole packets, as a server sent them; what is left of one that was cut off at the end is not played.
    speed:
        How many times faster than recorded it is played; 0 as fast as the client reads.
    loop:
        Whether it begins again after its end.
    monotonic_s:
        The clock, s.

    Raises
    ------
    WireError
        If there is no whole packet, or a length is beyond its limit.
    """

    def __init__(self, data: bytes, *, speed: float = 1.0, loop: bool = False, monotonic_s: Callable[[], float] = time.monotonic) -> None:
        self._data, self._speed, self._loop = data, speed, loop
        self._monotonic_s = monotonic_s
        self.pulses = _pulses(data)
        """Of each group of packets that are due at once: when (s after the first pulse), first byte, last byte + 1."""

    @classmethod
    def read(cls, path: Path, *, speed: float = 1.0, loop: bool = False) -> Recording:
        """Return what is in a file; OSError if it cannot be read, WireError if it is no stream."""
        return cls(path.read_bytes(), speed=speed, loop=loop)

    def stream(self, hello: ClientHello) -> Generator[bytes, None, None]:
        """Yield whole packets when they are due, and nothing (empty bytes) at least each `IDLE_S`; what `hello` asks for makes no difference."""
        while True:
            began_s = self._monotonic_s()
            for due_s, start, end in self.pulses:
                while self._speed and (left := due_s / self._speed - (self._monotonic_s() - began_s)) > 0:
                    time.sleep(min(left, IDLE_S))
                    yield b""
                yield self._data[start:end]
            if not self._loop:
                return


def _pulses(data: bytes) -> list[tuple[float, int, int]]:
    groups: list[tuple[float, int, int]] = []
    start, last, first_ns, due_s = 0, 0, None, 0.0
    for at, end, kind, time_ns in _packets(data):
        if kind in PULSE_TYPES:
            first_ns = time_ns if first_ns is None else first_ns
            later_s = (time_ns - first_ns) / 1e9
            if later_s > due_s:
                if at > start:
                    groups.append((due_s, start, at))
                start, due_s = at, later_s
        last = end
    return [*groups, (due_s, start, last)]


def _packets(data: bytes) -> Iterator[tuple[int, int, int, int]]:
    """Yield first byte, last byte + 1, type and time of each whole packet."""
    at = 0
    while at + HEADER_SIZE <= len(data):
        length, format_, seconds, nanoseconds = HEADER.unpack_from(data, at)
        if length > PAYLOAD_LIMIT or length % 4:
            text = f"recording: payload length at byte {at} is {length}; wanted 0 to {PAYLOAD_LIMIT} in steps of 4"
            raise WireError(text, field="payload length", offset=at)
        end = at + HEADER_SIZE + length
        if end > len(data):
            break
        yield at, end, format_ >> 8, time_of(seconds, nanoseconds)
        at = end
    if at == 0:
        raise WireError(f"recording of {len(data)} bytes; wanted at least one packet", field="payload length")
    if at < len(data):
        log.warning("recording ends within a packet; its last %d bytes are not played", len(data) - at)
