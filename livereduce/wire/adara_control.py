"""Messages that say how an ADARA stream goes on: runs, pauses, scans, and what a client wants."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from enum import IntEnum
from typing import Final

from livereduce.wire.adara_fields import Fields, pack_text
from livereduce.wire.adara_packets import Message, PacketType, seconds_of, time_of

SYNC_SIGNATURE: Final = bytes.fromhex("534e5341444152414f524e4c0000f07f")
"""What a Sync packet begins with, so that it can be found in a file."""

START_NOW: Final = 0
"""Requested start of a client that wants what comes from now on."""

START_OF_RUN: Final = 1
"""Requested start of a client that wants all of the present run."""

_LOW_24: Final = 0xFFFFFF


class RunState(IntEnum):
    """What a RunStatus packet says of the run."""

    NO_RUN = 0
    NEW_RUN = 1
    RUN_EOF = 2
    RUN_BOF = 3
    END_RUN = 4
    STATE = 5
    PROLOGUE = 6


class Marker(IntEnum):
    """What an annotation marks; others may come."""

    GENERIC = 0
    SCAN_START = 1
    SCAN_STOP = 2
    PAUSE = 3
    RESUME = 4
    RUN_COMMENT = 5
    SYSTEM = 6


class PausedData(IntEnum):
    """What a client wants of data that are taken while the run is paused."""

    AGNOSTIC = 0
    WITHOUT = 1
    WITH = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class RunStatus(Message):
    """Begin, end or state of a run."""

    version: int = 1
    """1 with pause and addendum, 0 without."""

    state: RunState
    """What happened."""

    run_number: int = 0
    """Run number, 0 when there is none."""

    run_start_ns: int | None = None
    """Start of the run, whole seconds, ns since 1970-01-01 UTC; None when there is none."""

    file_number: int = 0
    """Number of the file within the run, 24 bits."""

    paused: bool = False
    """Whether the run is paused."""

    pause_file_number: int = 0
    """Number of the file of paused data."""

    addendum: bool = False
    """Whether the file adds to a finished run."""

    addendum_file_number: int = 0
    """Number of the added file."""

    @property
    def packet_type(self) -> PacketType:
        """Type of the packet."""
        return PacketType.RUN_STATUS

    def payload(self) -> bytes:
        """Return 12 bytes in version 0, 20 in version 1."""
        start = 0 if self.run_start_ns is None else seconds_of(self.run_start_ns)
        words = [self.run_number, start, _pair(self.state, self.file_number)]
        if self.version:
            words += [_pair(self.paused, self.pause_file_number), _pair(self.addendum, self.addendum_file_number)]
        return struct.pack(f"<{len(words)}I", *words)

    @classmethod
    def decode(cls, fields: Fields) -> RunStatus:
        """Read a payload."""
        fields.exactly(20 if fields.version else 12)
        number, start, status = fields.u32("run number"), fields.u32("run start"), fields.u32("status")
        if status >> 24 not in list(RunState):
            raise fields.error("status", status >> 24, f"0 to {max(RunState)}", back=4)
        pause, addendum = (fields.u32("pause"), fields.u32("addendum")) if fields.version else (0, 0)
        return cls(
            time_ns=fields.time_ns,
            version=fields.version,
            state=RunState(status >> 24),
            run_number=number,
            run_start_ns=time_of(start) if start else None,
            file_number=status & _LOW_24,
            paused=bool(pause >> 24),
            pause_file_number=pause & _LOW_24,
            addendum=bool(addendum >> 24),
            addendum_file_number=addendum & _LOW_24,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientHello(Message):
    """The one packet of a client: from when on it wants data. The server may send earlier ones too."""

    version: int = 1
    """1 with `paused_data`, 0 without."""

    start: int = START_NOW
    """`START_NOW`, `START_OF_RUN`, or seconds since 1990-01-01 UTC."""

    paused_data: int = PausedData.AGNOSTIC
    """One of `PausedData`; others may come."""

    @property
    def packet_type(self) -> PacketType:
        """Type of the packet."""
        return PacketType.CLIENT_HELLO

    def payload(self) -> bytes:
        """Return 4 bytes in version 0, 8 in version 1."""
        return struct.pack("<2I", self.start, self.paused_data) if self.version else struct.pack("<I", self.start)

    @classmethod
    def decode(cls, fields: Fields) -> ClientHello:
        """Read a payload."""
        fields.exactly(8 if fields.version else 4)
        start = fields.u32("requested start")
        paused = fields.u32("flags") if fields.version else PausedData.AGNOSTIC
        return cls(time_ns=fields.time_ns, version=fields.version, start=start, paused_data=paused)


@dataclass(frozen=True, slots=True, kw_only=True)
class Annotation(Message):
    """A mark in the stream, with a comment."""

    marker: int
    """One of `Marker`; 15 bits."""

    scan_index: int = 0
    """Number of the scan that begins or ends."""

    comment: str = ""
    """What somebody wrote; at most 65535 bytes."""

    reset_hint: bool = False
    """Whether the server suggests to clear what was collected; it does so where scans begin and end."""

    @property
    def packet_type(self) -> PacketType:
        """Type of the packet."""
        return PacketType.ANNOTATION

    def payload(self) -> bytes:
        """Return two words and the comment."""
        size = len(self.comment.encode())
        return struct.pack("<HHI", size, self.reset_hint << 15 | self.marker, self.scan_index) + pack_text(self.comment)

    @classmethod
    def decode(cls, fields: Fields) -> Annotation:
        """Read a payload."""
        word, index = fields.u32("marker"), fields.u32("scan index")
        comment = fields.text("comment", word & 0xFFFF)
        return cls(time_ns=fields.time_ns, marker=word >> 16 & 0x7FFF, scan_index=index, comment=comment, reset_hint=bool(word >> 31))


@dataclass(frozen=True, slots=True, kw_only=True)
class Sync(Message):
    """A landmark in the server's files; nothing for clients."""

    file_offset: int = 0
    """Where it stands in its file, bytes."""

    comment: str = ""
    """Anything."""

    signature: bytes = SYNC_SIGNATURE
    """16 bytes; other ones do no harm in a stream."""

    @property
    def packet_type(self) -> PacketType:
        """Type of the packet."""
        return PacketType.SYNC

    def payload(self) -> bytes:
        """Return at least 28 bytes."""
        return struct.pack("<16sQI", self.signature, self.file_offset, len(self.comment.encode())) + pack_text(self.comment)

    @classmethod
    def decode(cls, fields: Fields) -> Sync:
        """Read a payload."""
        signature, offset = bytes(fields.raw("signature", 16)), fields.u64("file offset")
        return cls(time_ns=fields.time_ns, signature=signature, file_offset=offset, comment=fields.counted_text("comment"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Heartbeat(Message):
    """Says that the sender lives."""

    @property
    def packet_type(self) -> PacketType:
        """Type of the packet."""
        return PacketType.HEARTBEAT

    def payload(self) -> bytes:
        """Return nothing."""
        return b""

    @classmethod
    def decode(cls, fields: Fields) -> Heartbeat:
        """Read a payload."""
        return cls(time_ns=fields.time_ns)


@dataclass(frozen=True, slots=True, kw_only=True)
class DataDone(Message):
    """Says that a run is complete; for the program that translates runs to files."""

    @property
    def packet_type(self) -> PacketType:
        """Type of the packet."""
        return PacketType.DATA_DONE

    def payload(self) -> bytes:
        """Return nothing."""
        return b""

    @classmethod
    def decode(cls, fields: Fields) -> DataDone:
        """Read a payload."""
        return cls(time_ns=fields.time_ns)


@dataclass(frozen=True, slots=True, kw_only=True)
class TranslationComplete(Message):
    """What became of a run's translation to a file."""

    status: int
    """0: done; below 0x8000: failed, try again; else failed for good."""

    reason: str = ""
    """Why; at most 65535 bytes."""

    @property
    def packet_type(self) -> PacketType:
        """Type of the packet."""
        return PacketType.TRANSLATION_COMPLETE

    def payload(self) -> bytes:
        """Return a word and the reason."""
        return struct.pack("<HH", len(self.reason.encode()), self.status) + pack_text(self.reason)

    @classmethod
    def decode(cls, fields: Fields) -> TranslationComplete:
        """Read a payload."""
        word = fields.u32("status")
        return cls(time_ns=fields.time_ns, status=word >> 16, reason=fields.text("reason", word & 0xFFFF))


def _pair(high: int, low: int) -> int:
    """Return 8 bits over 24; struct.error if they are too large."""
    if not 0 <= low <= _LOW_24:
        raise struct.error(f"file number {low}; wanted 24 bits")
    return int(high) << 24 | low
