"""The ADARA stream of SNS and HFIR: bytes to messages and back, for both sides, without IO.

A client says one thing, `ClientHello`; everything after it flows from the server. Packets share a header (`adara_packets`) and carry

- neutrons (`adara_events`), beam monitors (`adara_monitors`), what detectors and accelerator send (`adara_detectors`);
- runs, pauses, scans (`adara_control`) and values of process variables (`adara_variables`);
- descriptions (`adara_metadata`, `adara_pixels`), some of them documents (`adara_documents`).

`encode` makes the bytes of any of them; `Reader` reads a stream of either direction::

    while True:
        reader.filled(socket.recv_into(reader.space()))
        while (message := reader.next_message()) is not None:
            ...

A packet of an unknown type, or of a newer version of a known one, comes out as `Unknown` and is counted: servers are renewed
before their clients. Nothing is kept for a length before it is checked against its limit. After a WireError a reader is dead:
it drops what it is given and raises the same error again.
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from functools import partial
from typing import Final

from livereduce.errors import WireError
from livereduce.wire.adara_control import Annotation, ClientHello, DataDone, Heartbeat, RunStatus, Sync, TranslationComplete
from livereduce.wire.adara_detectors import Rtdl, SourceEvents, SourceList
from livereduce.wire.adara_events import BankedEvents, BankedStateEvents
from livereduce.wire.adara_fields import HEADER_SIZE, Fields
from livereduce.wire.adara_metadata import BeamlineInfo, BeamMonitorConfig, DetectorBankSets, DeviceDescriptor, Geometry, RunInfo
from livereduce.wire.adara_monitors import MonitorEvents
from livereduce.wire.adara_packets import (
    CLIENT_PAYLOAD_LIMIT,
    NEWEST_VERSION,
    PAYLOAD_LIMIT,
    SECOND_NS,
    TYPE_LIMIT,
    Message,
    PacketType,
    Unknown,
    encode,
    time_of,
)
from livereduce.wire.adara_pixels import PixelMapping, PixelMappingAlt
from livereduce.wire.adara_variables import SERIES_BIT, ValueKind, VariableSeries, VariableValue

__all__ = ["BLOCK_BYTES", "CLIENT_PAYLOAD_LIMIT", "HEADER_SIZE", "PAYLOAD_LIMIT", "Message", "PacketType", "Reader", "Unknown", "encode"]

BLOCK_BYTES: Final = 1024 * 1024
"""Bytes of the blocks that a reader reads into; a larger packet gets a block of its own."""

_DECODERS: Final[dict[PacketType, Callable[[Fields], Message]]] = {
    PacketType.RAW_EVENT: partial(SourceEvents.decode, mapped=False),
    PacketType.RTDL: Rtdl.decode,
    PacketType.SOURCE_LIST: SourceList.decode,
    PacketType.MAPPED_EVENT: partial(SourceEvents.decode, mapped=True),
    PacketType.BANKED_EVENT: BankedEvents.decode,
    PacketType.BEAM_MONITOR_EVENT: MonitorEvents.decode,
    PacketType.PIXEL_MAPPING: PixelMapping.decode,
    PacketType.RUN_STATUS: RunStatus.decode,
    PacketType.RUN_INFO: RunInfo.decode,
    PacketType.TRANSLATION_COMPLETE: TranslationComplete.decode,
    PacketType.CLIENT_HELLO: ClientHello.decode,
    PacketType.ANNOTATION: Annotation.decode,
    PacketType.SYNC: Sync.decode,
    PacketType.HEARTBEAT: Heartbeat.decode,
    PacketType.GEOMETRY: Geometry.decode,
    PacketType.BEAMLINE_INFO: BeamlineInfo.decode,
    PacketType.DATA_DONE: DataDone.decode,
    PacketType.BEAM_MONITOR_CONFIG: BeamMonitorConfig.decode,
    PacketType.DETECTOR_BANK_SETS: DetectorBankSets.decode,
    PacketType.BANKED_EVENT_STATE: BankedStateEvents.decode,
    PacketType.PIXEL_MAPPING_ALT: PixelMappingAlt.decode,
    PacketType.DEVICE_DESCRIPTOR: DeviceDescriptor.decode,
    **{PacketType(kind): partial(VariableValue.decode, kind=kind) for kind in ValueKind},
    **{PacketType(kind | SERIES_BIT): partial(VariableSeries.decode, kind=kind) for kind in ValueKind},
}

_WORD: Final = struct.Struct("<I")


class Reader:
    """One direction of a stream: bytes in, messages out.

    Bytes are read into blocks. A block is never written to a second time, so that events, which are views of it, stay what they are for
    as long as somebody keeps them; they keep the whole block in memory, so copy what is to live long.

    Parameters
    ----------
    payload_limit:
        Most bytes of a payload; `CLIENT_PAYLOAD_LIMIT` for what a client sends.
    """

    def __init__(self, *, payload_limit: int = PAYLOAD_LIMIT) -> None:
        self._limit = payload_limit
        self._block = memoryview(b"")
        self._start = self._end = 0
        self._error: WireError | None = None
        self.unknown_packets = 0
        """Packets of unknown types or newer versions so far."""

    def space(self) -> memoryview:
        """Return where to put what comes next, at least one byte; then tell `filled` how much it was.

        Raises
        ------
        WireError
            If the stream broke its layout before.
        RuntimeError
            If whole packets wait to be taken out: pull until None first.
        """
        self._check_alive()
        if self._end == len(self._block):
            self._new_block()
        return self._block[self._end :]

    def filled(self, n: int) -> None:
        """Take note of `n` bytes written to the beginning of `space`."""
        self._end += n

    def receive(self, data: bytes) -> list[Message | Unknown]:
        """Copy `data` in, and return the messages that it completes; for those who have the bytes already.

        Raises
        ------
        WireError
            As `next_message`; messages before the broken packet are lost.
        """
        messages, rest = [], memoryview(data)
        while rest:
            space = self.space()
            n = min(len(space), len(rest))
            space[:n] = rest[:n]
            self.filled(n)
            rest = rest[n:]
            while (message := self.next_message()) is not None:
                messages.append(message)
        return messages

    def next_message(self) -> Message | Unknown | None:
        """Return the next message when it is complete, None when more bytes are needed.

        Raises
        ------
        WireError
            If the bytes break the layout.
        """
        self._check_alive()
        try:
            size = self._packet_size()
            if size is None or size > self._end - self._start:
                return None
            packet = self._block[self._start : self._start + size].toreadonly()
            self._start += size
            return self._decode(packet)
        except WireError as error:
            self._block, self._start, self._end = memoryview(b""), 0, 0
            self._error = error
            raise

    def _check_alive(self) -> None:
        if self._error:
            raise self._error.with_traceback(None)  # else each raise would add to the traceback, and keep alive what its frames held

    def _packet_size(self) -> int | None:
        """Return the bytes of the packet that begins here, None as long as that cannot be told; checks each word as soon as it is there."""
        there = self._end - self._start
        if there < 4:
            return None
        length = self._word(0)
        if length > self._limit or length % 4:
            raise WireError(f"payload length at offset 0 is {length}; wanted 0 to {self._limit} in steps of 4", field="payload length")
        if there >= 8 and self._word(4) >> 8 > TYPE_LIMIT:
            text = f"packet type at offset 4 is {self._word(4) >> 8:#x}; wanted at most {TYPE_LIMIT:#x}"
            raise WireError(text, field="packet type", offset=4)
        if there < HEADER_SIZE:
            return None
        # Known clients put nonsense into the nanoseconds of their hello.
        if self._word(12) >= SECOND_NS and self._word(4) >> 8 != PacketType.CLIENT_HELLO:
            raise WireError(f"nanoseconds at offset 12 is {self._word(12)}; wanted at most {SECOND_NS - 1}", field="nanoseconds", offset=12)
        return HEADER_SIZE + length

    def _decode(self, packet: memoryview) -> Message | Unknown:
        _, format_, seconds, nanoseconds = struct.unpack_from("<4I", packet)
        number, version = format_ >> 8, format_ & 0xFF
        time_ns = time_of(seconds, nanoseconds if nanoseconds < SECOND_NS else 0)
        kind = _TYPES.get(number)
        if kind is None or version > NEWEST_VERSION[kind]:
            self.unknown_packets += 1
            return Unknown(type=number, version=version, time_ns=time_ns, size=len(packet) - HEADER_SIZE)
        return _DECODERS[kind](Fields(kind.name, packet[HEADER_SIZE:], version=version, time_ns=time_ns))

    def _new_block(self) -> None:
        """Go on in a new block with what is left of the old one."""
        left = self._end - self._start
        wanted = self._packet_size() or HEADER_SIZE
        if left >= wanted:
            raise RuntimeError(f"{left} bytes wait, the first packet has {wanted}; wanted next_message until it returns None")
        block = memoryview(bytearray(max(wanted, min(BLOCK_BYTES, HEADER_SIZE + self._limit))))
        block[:left] = self._block[self._start : self._end]
        self._block, self._start, self._end = block, 0, left

    def _word(self, offset: int) -> int:
        value: int = _WORD.unpack_from(self._block, self._start + offset)[0]
        return value


_TYPES: Final = {int(kind): kind for kind in PacketType}
