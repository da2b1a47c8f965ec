"""What all ADARA packets share: header, types, times, and the base of the messages.

======  ====  =========================================================================
offset  size  header field
======  ====  =========================================================================
0       4     payload length, bytes after the header; a multiple of 4
4       4     format: packet type << 8 | version of its layout
8       4     seconds since 1990-01-01 00:00:00 UTC
12      4     nanoseconds; of packets with events, seconds and nanoseconds are the pulse
======  ====  =========================================================================

All numbers are little-endian.
"""

from __future__ import annotations

import struct
from abc import ABC, abstractmethod
from dataclasses import dataclass
from enum import IntEnum
from typing import Final

from livereduce.data.run import EPOCH_1990_NS
from livereduce.wire.adara_fields import HEADER_SIZE

PAYLOAD_LIMIT: Final = 48 * 1024 * 1024
"""Most bytes of a payload: the largest that the facility's own parser takes."""

CLIENT_PAYLOAD_LIMIT: Final = 1024 - HEADER_SIZE
"""Most bytes of the payload of what a client sends: servers drop one that sends more than 1024 bytes in a packet."""

TYPE_LIMIT: Final = 0xFFFF
"""Largest packet type: the known ones have 16 bits, and what has more is no packet."""

SECOND_NS: Final = 1_000_000_000
"""ns in a second."""

HEADER: Final = struct.Struct("<4I")
"""Payload length, format, seconds, nanoseconds."""


class PacketType(IntEnum):
    """Types of packets."""

    RAW_EVENT = 0x0000
    RTDL = 0x0001
    SOURCE_LIST = 0x0002
    MAPPED_EVENT = 0x0003
    BANKED_EVENT = 0x4000
    BEAM_MONITOR_EVENT = 0x4001
    PIXEL_MAPPING = 0x4002
    RUN_STATUS = 0x4003
    RUN_INFO = 0x4004
    TRANSLATION_COMPLETE = 0x4005
    CLIENT_HELLO = 0x4006
    ANNOTATION = 0x4007
    SYNC = 0x4008
    HEARTBEAT = 0x4009
    GEOMETRY = 0x400A
    BEAMLINE_INFO = 0x400B
    DATA_DONE = 0x400C
    BEAM_MONITOR_CONFIG = 0x400D
    DETECTOR_BANK_SETS = 0x400E
    BANKED_EVENT_STATE = 0x4100
    PIXEL_MAPPING_ALT = 0x4102
    DEVICE_DESCRIPTOR = 0x8000
    VARIABLE_U32 = 0x8001
    VARIABLE_DOUBLE = 0x8002
    VARIABLE_STRING = 0x8003
    VARIABLE_U32_ARRAY = 0x8004
    VARIABLE_DOUBLE_ARRAY = 0x8005
    MULTIPLE_U32 = 0x8101
    MULTIPLE_DOUBLE = 0x8102
    MULTIPLE_STRING = 0x8103
    MULTIPLE_U32_ARRAY = 0x8104
    MULTIPLE_DOUBLE_ARRAY = 0x8105


NEWEST_VERSION: Final[dict[PacketType, int]] = dict.fromkeys(PacketType, 0) | dict.fromkeys(
    (
        PacketType.RAW_EVENT,
        PacketType.RTDL,
        PacketType.MAPPED_EVENT,
        PacketType.BANKED_EVENT,
        PacketType.BEAM_MONITOR_EVENT,
        PacketType.RUN_STATUS,
        PacketType.CLIENT_HELLO,
        PacketType.BEAMLINE_INFO,
        PacketType.BEAM_MONITOR_CONFIG,
        PacketType.PIXEL_MAPPING_ALT,
    ),
    1,
)
"""Newest version of the layout of each type; all older ones are known too."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Message(ABC):
    """A packet decoded."""

    time_ns: int = EPOCH_1990_NS
    """Of the packet, ns since 1970-01-01 UTC: the pulse for packets with events, else when it was made, which may be months ago."""

    version: int = 0
    """Of the layout."""

    @property
    @abstractmethod
    def packet_type(self) -> PacketType:
        """Type of the packet."""

    @abstractmethod
    def payload(self) -> bytes:
        """Return what follows the header; struct.error or ValueError if a field does not fit."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Unknown:
    """A packet of a type, or of a version of a known type, that has come up since; passed over."""

    type: int
    """Type, at most `TYPE_LIMIT`."""

    version: int
    """Of the layout."""

    time_ns: int
    """Of the packet, ns since 1970-01-01 UTC."""

    size: int
    """Bytes of payload."""


def encode(message: Message) -> bytes:
    """Return the bytes of `message`.

    Raises
    ------
    ValueError
        If a field does not fit its place in the layout, or the version is not known.
    """
    if not 0 <= message.version <= NEWEST_VERSION[message.packet_type]:
        raise ValueError(f"{message.packet_type.name} version {message.version}; wanted 0 to {NEWEST_VERSION[message.packet_type]}")
    try:
        payload = message.payload()
        seconds = seconds_of(message.time_ns)
        header = HEADER.pack(len(payload), message.packet_type << 8 | message.version, seconds, message.time_ns % SECOND_NS)
    except struct.error as error:
        raise ValueError(f"{message} does not fit its layout: {error}") from error
    if len(payload) > PAYLOAD_LIMIT:
        raise ValueError(f"{message.packet_type.name} with {len(payload)} bytes of payload; wanted at most {PAYLOAD_LIMIT}")
    return header + payload


def seconds_of(time_ns: int) -> int:
    """Return whole seconds since 1990-01-01 UTC for ns since 1970."""
    return (time_ns - EPOCH_1990_NS) // SECOND_NS


def time_of(seconds: int, nanoseconds: int = 0) -> int:
    """Return ns since 1970-01-01 UTC for a time since 1990."""
    return EPOCH_1990_NS + seconds * SECOND_NS + nanoseconds
