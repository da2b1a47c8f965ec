"""The ISIS event stream: bytes to messages and back, for both sides, without IO.

The server pushes, the client says nothing. A Setup packet comes first, then neutron packets for ever, now and then perhaps an SE packet (a
placeholder of the protocol; it is counted and passed over) or another Setup. All numbers are little-endian; floats have 32 bits.

======  ====  ==========================================================================
offset  size  every packet begins with
======  ====  ==========================================================================
0       8     marker1, marker2: all bits set
8       4     version: major << 16 | minor; major is 1
12      4     length of this header: 20, or more when extra bytes follow it
16      4     type (`PacketType`)
======  ====  ==========================================================================

======  ====  ==========================================================================
offset  size  Setup packet, 80 bytes
======  ====  ==========================================================================
20      4     padding, arbitrary
24      4     changed fields
28      4     length: 56
32      8     start of the run, s since 1970, signed
40      8     run number, run state, signed
48      32    name of the instrument, to its first NUL; anything after that
======  ====  ==========================================================================

======  ====  ==========================================================================
offset  size  neutron packet, offsets without extra bytes
======  ====  ==========================================================================
20      4     length of this header: 24, or more when extra bytes follow it
24      8     frame number, period, both from 0
32      8     protons, uA·h; time of the frame since the run's start, s: floats
40      4     number of events
44      8 n   events: time of flight, us, float; spectrum
======  ====  ==========================================================================

**Lengths.** The two length fields of a neutron packet say where the header ends that they stand in, *not* where the packet ends: what is beyond 20
or 24 are extra bytes, to be skipped. Those of a Setup skip nothing; known clients read 80 bytes whatever they say.

**Spectra.** The spectrum of an event is given as it came. Known servers and clients count them 0 .. n - 1, as the rows of a workspace whose spectrum
numbers are 1 .. n; a DAE may as well send true spectrum numbers from 1. Which it is cannot be told from the stream: that is a listener's business.

**Values.** Frame numbers, periods, times and charges are given as they came, too; what stands in the way of finding the next packet is what is
refused here.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from livereduce import kernels
from livereduce.errors import WireError
from livereduce.wire.isis_event_messages import (
    EVENT,
    HEADER_SIZE,
    MARKER,
    MAX_EVENTS,
    MAX_EXTRA,
    NAME_SIZE,
    NEUTRON_HEAD,
    NEUTRON_LENGTH,
    PACKET_TABLE,
    SETUP_LENGTH,
    SETUP_SIZE,
    VERSION,
    NeutronPacket,
    NeutronPackets,
    PacketType,
    Setup,
    decode_setup,
    encode,
    neutron_heads,
)

__all__ = [
    "EVENT",
    "MAX_EVENTS",
    "MAX_EXTRA",
    "NEUTRON_HEAD",
    "PACKET_TABLE",
    "SETUP_SIZE",
    "VERSION",
    "EventReader",
    "NeutronPacket",
    "NeutronPackets",
    "PacketType",
    "Setup",
    "encode",
    "neutron_heads",
]

LEAST_ROOM: Final = 1 << 18
"""Bytes that ``free`` has room for at least: what a socket hands over at once."""

MOST_PACKETS: Final = 4096
"""Packets in one `NeutronPackets`; more come with the next."""

KEPT_BYTES: Final = 1 << 16
"""Most bytes that are kept of a packet that broke the layout."""

_CODE_SETUP: Final = 1
_CODE_WRONG: Final = 4
"""First of the kernel's codes that name a wrong field."""

_NAME_OFFSET: Final = 48


class EventReader:
    """The client's half: bytes are received into its own buffer, and packets come out as views of that.

    >>> room = reader.free()
    >>> reader.filled(connected.recv_into(room))
    >>> while (message := reader.next_message()) is not None:
    ...     use(message)

    Its memory follows the bytes that really came, not what a packet says of its size: at most four times an incomplete packet.

    Parameters
    ----------
    max_events:
        Most events in a packet; one that says more is refused before anything is kept for it.
    """

    def __init__(self, *, max_events: int = MAX_EVENTS) -> None:
        self._max_events = max_events
        self._limit = 4 * (SETUP_SIZE + HEADER_SIZE + NEUTRON_LENGTH + 2 * MAX_EXTRA + EVENT.itemsize * max_events) + 4 * LEAST_ROOM
        self._buffer = np.empty(4 * LEAST_ROOM, np.uint8)
        self._begin = self._end = 0
        self._table = np.empty((MOST_PACKETS, len(PACKET_TABLE.fields or ())), np.uint32)
        self._set_up = False
        self._error: WireError | None = None
        self._kept = b""
        self.packets = 0
        """Packets read so far, of all types."""
        self.se_packets = 0
        """SE packets among them."""

    def free(self) -> memoryview:
        """Return where the next bytes go, at least `LEAST_ROOM`; events that were given out before must not be looked at any more.

        Raises
        ------
        WireError
            If the server broke the protocol before.
        RuntimeError
            If more waits than a packet has: messages have to be pulled until None before more is filled in.
        """
        if self._error:
            raise self._error
        if self._begin == self._end:
            self._begin = self._end = 0
        if len(self._buffer) - self._end < LEAST_ROOM:
            self._make_room()
        return self._buffer.data[self._end :]

    def filled(self, n: int) -> None:
        """Take the first `n` bytes of what ``free`` returned as received."""
        if not 0 <= n <= len(self._buffer) - self._end:
            raise ValueError(f"{n} bytes filled in; wanted 0 to {len(self._buffer) - self._end}, the room there was")
        self._end += n

    def next_message(self) -> Setup | NeutronPackets | None:
        """Return the next Setup, or all neutron packets up to the next one; None when more bytes are needed.

        Raises
        ------
        WireError
            If the bytes break the layout; packets before that were given out. The connection is of no use any more.
        """
        if self._error:
            raise self._error
        waiting = self._buffer[self._begin : self._end]
        n, consumed, n_se, code, place = kernels.walk_isis_event_packets(waiting, self._table, MAX_EXTRA, self._max_events, self._set_up)
        self._begin += consumed
        self.packets += n + n_se
        self.se_packets += n_se
        if n:
            waiting.flags.writeable = False
            return NeutronPackets(table=self._table[:n].copy().view(PACKET_TABLE)[:, 0], data=waiting)
        if code >= _CODE_WRONG:
            raise self._fail(self._wrong(code, place - consumed))
        return self._take_setup() if code == _CODE_SETUP else None

    def unread(self, most: int = KEPT_BYTES) -> bytes:
        """Return the first `most` bytes that are not read yet; after an error those of the packet that broke the layout, at most `KEPT_BYTES`."""
        return self._kept[:most] if self._error else self._buffer[self._begin : min(self._end, self._begin + most)].tobytes()

    def _take_setup(self) -> Setup:
        setup = decode_setup(self._buffer[self._begin : self._begin + SETUP_SIZE].tobytes())
        if setup is None:
            text = f"instrument name at offset {_NAME_OFFSET} of packet {self.packets} has no closing NUL in {NAME_SIZE} bytes"
            raise self._fail(WireError(f"{text}; wanted at most {NAME_SIZE - 1} characters", field="inst_name", offset=_NAME_OFFSET))
        self._begin += SETUP_SIZE
        self.packets += 1
        self._set_up = True
        return setup

    def _wrong(self, code: int, offset: int) -> WireError:
        """What is wrong with the packet that begins what waits, in its field at `offset`."""
        at = self._begin + offset
        value = int.from_bytes(self._buffer[at : at + 4].tobytes(), "little")
        types = "1 to 3" if self._set_up else "1 or 3: a Setup comes before neutrons"
        name, wanted = (
            ("marker1", f"{MARKER}"),
            ("marker2", f"{MARKER}"),
            ("version", f"{VERSION} to {VERSION | 0xFFFF}"),
            ("length", f"{HEADER_SIZE} to {HEADER_SIZE + MAX_EXTRA}"),
            ("type", types),
            ("Setup length", f"{SETUP_LENGTH} to {SETUP_LENGTH + MAX_EXTRA}"),
            ("neutron length", f"{NEUTRON_LENGTH} to {NEUTRON_LENGTH + MAX_EXTRA}"),
            ("nevents", f"0 to {self._max_events}"),
        )[code - _CODE_WRONG]
        return WireError(f"{name} at offset {offset} of packet {self.packets} is {value}; wanted {wanted}", field=name, offset=offset)

    def _fail(self, error: WireError) -> WireError:
        self._kept = self.unread(KEPT_BYTES)
        self._error = error
        self._begin = self._end = 0
        self._buffer = np.empty(0, np.uint8)
        return error

    def _make_room(self) -> None:
        """Move what waits to the front, of a larger buffer if it takes more than half of this one."""
        waiting = self._end - self._begin
        size = len(self._buffer) if 2 * waiting <= len(self._buffer) else 2 * len(self._buffer)
        if size > self._limit:
            raise RuntimeError(f"{waiting} bytes wait, more than a packet has; wanted: messages pulled until None before more is filled in")
        target = self._buffer if size == len(self._buffer) else np.empty(size, np.uint8)
        memory = target.data  # numpy would copy what overlaps twice
        memory[:waiting] = self._buffer.data[self._begin : self._end]
        self._buffer, self._begin, self._end = target, 0, waiting
