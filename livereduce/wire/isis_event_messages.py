"""The messages of the ISIS event stream and their bytes; `isis_event` tells the layout.

A message is checked as it is built: what exists can be sent.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from livereduce import kernels

MARKER: Final = 0xFFFFFFFF
"""Both marks at the beginning of each packet."""

VERSION: Final = 0x00010000
"""Major version 1 in the upper half, minor 0 in the lower; any minor version is read."""

HEADER_SIZE: Final = 20
"""Bytes of the header that every packet begins with."""

SETUP_SIZE: Final = 80
"""Bytes of a Setup packet."""

SETUP_LENGTH: Final = 56
"""Length field of a Setup packet: what follows the header and its padding."""

NEUTRON_LENGTH: Final = 24
"""Length field of a neutron packet's own header."""

NAME_SIZE: Final = 32
"""Bytes of the instrument's name, its closing NUL included."""

MAX_EXTRA: Final = 1000
"""Most extra bytes behind a header: known clients have a buffer of 1000 bytes to skip them."""

MAX_EVENTS: Final = 1 << 24
"""Most events in one packet: 128 MiB, sixteen times what known servers are made to send; an instrument counts as many in a fraction of a second
at the most."""

EVENT: Final = np.dtype([("tof", "<f4"), ("spectrum", "<u4")])
"""One event, 8 bytes: time of flight in us, and spectrum as the server numbers it (see `isis_event`)."""

NEUTRON_HEAD: Final = np.dtype(
    [
        ("marker1", "<u4"),
        ("marker2", "<u4"),
        ("version", "<u4"),
        ("header_length", "<u4"),
        ("type", "<u4"),
        ("length", "<u4"),
        ("frame", "<u4"),
        ("period", "<u4"),
        ("protons_uah", "<f4"),
        ("frame_time_zero_s", "<f4"),
        ("n_events", "<u4"),
    ]
)
"""What comes before the events of a neutron packet, 44 bytes."""

PACKET_TABLE: Final = np.dtype(
    [("at", "<u4"), ("frame", "<u4"), ("period", "<u4"), ("protons_uah", "<f4"), ("frame_time_zero_s", "<f4"), ("n_events", "<u4")]
)
"""A row of `NeutronPackets.table`: byte of the first event in `NeutronPackets.data`, then the fields of `NeutronPacket`."""

_UINT32_MAX: Final = 2**32 - 1
_SETUP: Final = struct.Struct("<5I4xIIqii32s")


class PacketType(IntEnum):
    """Type in the header of a packet."""

    SETUP = 1
    NEUTRON = 2
    SE = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Setup:
    """Begins a stream, and may come again when one of its fields changed."""

    start_time_s: int = 0
    """Start of the run, s since 1970-01-01 UTC."""

    run_number: int = 0
    """Number of the run."""

    run_state: int = 0
    """The DAE's code of its state; known clients do not look at it."""

    instrument: str = ""
    """Name, at most 31 characters."""

    changed: int = 0
    """Which fields changed: bit 0 start time, 1 run number, 2 run state, 3 instrument. Known servers do not set it, known clients not use it."""

    def __post_init__(self) -> None:
        for name in ("run_number", "run_state"):
            _check_range(f"Setup.{name}", getattr(self, name), -(2**31), 2**31 - 1)
        _check_range("Setup.start_time_s", self.start_time_s, -(2**63), 2**63 - 1)
        _check_range("Setup.changed", self.changed, 0, _UINT32_MAX)
        text = self.instrument
        if len(text) >= NAME_SIZE or any(not 0 < ord(character) <= 0xFF for character in text):
            raise ValueError(f"Setup.instrument is {text!r}, {len(text)} characters; wanted at most {NAME_SIZE - 1} of one byte each, none NUL")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class NeutronPacket:
    """Events of a frame, or of a part of one: several packets may carry the same frame."""

    frame: int = 0
    """Number of the frame in the run, from 0."""

    period: int = 0
    """Period, from 0."""

    protons_uah: float = 0.0
    """Proton charge of the frame, uA·h; not checked when read."""

    frame_time_zero_s: float = 0.0
    """Time of the frame since the run's start, s; a 32-bit float: 1 ms coarse after 3 h; not checked when read."""

    events: NDArray[np.void] = field(default_factory=lambda: np.empty(0, EVENT), repr=False)
    """(n,) of `EVENT`; what a reader gives is a read-only view that its next ``free`` makes invalid."""

    def __post_init__(self) -> None:
        _check_range("NeutronPacket.frame", self.frame, 0, _UINT32_MAX)
        _check_range("NeutronPacket.period", self.period, 0, _UINT32_MAX)
        if self.events.dtype != EVENT or self.events.ndim != 1:
            raise ValueError(f"NeutronPacket.events is {self.events.dtype} in {self.events.ndim} dimensions; wanted {EVENT} in 1")
        _check_range("NeutronPacket.events has a length that", len(self.events), 0, _UINT32_MAX)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class NeutronPackets:
    """Neutron packets that follow each other in a stream.

    Iterating gives them one by one; `table` and `joined_events` are for those who have no time for that.
    """

    table: NDArray[np.void]
    """(packets,) of `PACKET_TABLE`; the caller's own."""

    data: NDArray[np.uint8] = field(repr=False)
    """The bytes; a read-only view that the reader's next ``free`` makes invalid."""

    def __len__(self) -> int:
        return len(self.table)

    def __iter__(self) -> Iterator[NeutronPacket]:
        for at, frame, period, protons, time_zero, n in self.table.tolist():
            yield NeutronPacket(frame=frame, period=period, protons_uah=protons, frame_time_zero_s=time_zero, events=self._events(at, n))

    @property
    def n_events(self) -> int:
        """Events of all packets."""
        return int(self.table["n_events"].sum(dtype=np.int64))

    def events(self, i: int) -> NDArray[np.void]:
        """Return the (n,) events of packet `i`, a view as `data` is."""
        row = self.table[i]
        return self._events(int(row["at"]), int(row["n_events"]))

    def joined_events(self) -> NDArray[np.void]:
        """Return the (n_events,) events of all packets in their order: a copy, unless there is only one packet."""
        if len(self) == 1:
            return self.events(0)
        out = np.empty(self.n_events, EVENT)
        kernels.gather_bytes(self.data, self.table["at"].astype(np.int64), 8 * self.table["n_events"].astype(np.int64), out.view(np.uint8))
        return out

    def _events(self, at: int, n: int) -> NDArray[np.void]:
        return self.data[at : at + EVENT.itemsize * n].view(EVENT)


def encode(message: Setup | NeutronPacket) -> bytes:
    """Return the bytes of `message`."""
    match message:
        case Setup():
            header = (MARKER, MARKER, VERSION, HEADER_SIZE, PacketType.SETUP)
            name = message.instrument.encode("latin-1")
            fields = (message.changed, SETUP_LENGTH, message.start_time_s, message.run_number, message.run_state, name)
            return _SETUP.pack(*header, *fields)
        case NeutronPacket():
            head = neutron_heads(1)
            head["frame"], head["period"], head["n_events"] = message.frame, message.period, len(message.events)
            head["protons_uah"], head["frame_time_zero_s"] = message.protons_uah, message.frame_time_zero_s
            return head.tobytes() + message.events.tobytes()


def neutron_heads(n: int) -> NDArray[Any]:
    """Return (n,) of `NEUTRON_HEAD` with all that is the same in every packet filled in, the rest 0; for servers that keep them for many packets."""
    heads = np.zeros(n, NEUTRON_HEAD)
    heads["marker1"] = heads["marker2"] = MARKER
    heads["version"], heads["header_length"], heads["type"], heads["length"] = VERSION, HEADER_SIZE, PacketType.NEUTRON, NEUTRON_LENGTH
    return heads


def decode_setup(data: bytes) -> Setup | None:
    """Return the Setup of 80 bytes whose length fields were checked; None if its name has no closing NUL."""
    *_, changed, _, start, number, state, name = _SETUP.unpack(data)
    text, nul, _ = name.partition(b"\0")
    if not nul:
        return None
    return Setup(start_time_s=start, run_number=number, run_state=state, instrument=text.decode("latin-1"), changed=changed)


def _check_range(name: str, value: int, least: int, most: int) -> None:
    if not least <= value <= most:
        raise ValueError(f"{name} is {value}; wanted {least} to {most}")
