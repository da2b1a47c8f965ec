"""Packets of an ADARA stream as they come from detectors and accelerator; live clients get most of them from replayed files only."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from livereduce.wire.adara_fields import Fields
from livereduce.wire.adara_packets import Message, PacketType
from livereduce.wire.adara_pulses import CHARGE_MASK, CHARGE_UNIT_PC, CORRECTED, EVENT, charge_units

RTDL_FRAMES: Final = 25
"""Words of frame data in an RTDL packet."""

_RTDL_KEY: Final = 4


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class SourceEvents(Message):
    """Events of one source as they come from the detectors; live clients get them from replayed files only."""

    version: int = 1
    """0 has no data flags."""

    mapped: bool
    """Whether pixels are those of the geometry; else of the electronics."""

    source: int
    """Source id."""

    end_of_pulse: bool = False
    """Whether it is the last packet of the pulse from this source."""

    pulse_sequence: int = 0
    """Number of the packet within the pulse, 15 bits."""

    source_sequence: int = 0
    """Number of the packet, 16 bits."""

    accelerator: tuple[int, int]
    """Two words: data flags, flavor and charge; vetoes, timing status and cycle."""

    intra_pulse_100ns: int = 0
    """Intra-pulse time, 100 ns."""

    tof_offset_100ns: int = 0
    """Skew of the frames, 100 ns."""

    corrected: bool = True
    """Whether the times have the offset in them."""

    events: NDArray[np.void]
    """(n,) of `EVENT`; the upper bits of a pixel say what kind of source it is."""

    @property
    def packet_type(self) -> PacketType:
        """Type of the packet."""
        return PacketType.MAPPED_EVENT if self.mapped else PacketType.RAW_EVENT

    @property
    def charge_pc(self) -> int:
        """Proton charge of the pulse, pC."""
        return (self.accelerator[0] & CHARGE_MASK) * CHARGE_UNIT_PC

    def payload(self) -> bytes:
        """Return six words and the events."""
        sequence = self.end_of_pulse << 31 | self.pulse_sequence << 16 | self.source_sequence
        offset = self.corrected << 31 | self.tof_offset_100ns
        return struct.pack("<6I", self.source, sequence, *self.accelerator, self.intra_pulse_100ns, offset) + self.events.tobytes()

    @classmethod
    def decode(cls, fields: Fields, *, mapped: bool) -> SourceEvents:
        """Read a payload."""
        source, sequence, flags, vetoes, intra, offset = fields.array("head", "<u4", 6).tolist()
        if fields.left % EVENT.itemsize:
            raise fields.error("bytes of events", fields.left, f"a multiple of {EVENT.itemsize}")
        return cls(
            time_ns=fields.time_ns,
            version=fields.version,
            mapped=mapped,
            source=source,
            end_of_pulse=bool(sequence >> 31),
            pulse_sequence=sequence >> 16 & 0x7FFF,
            source_sequence=sequence & 0xFFFF,
            accelerator=(flags, vetoes),
            intra_pulse_100ns=intra,
            tof_offset_100ns=offset & ~CORRECTED,
            corrected=bool(offset & CORRECTED),
            events=fields.words("events").view(EVENT),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Rtdl(Message):
    """What the accelerator broadcasts with each pulse."""

    version: int = 1
    """0 has no data flags."""

    data_flags: int = 0
    """1: neutrons were got, 2: metadata; 5 bits."""

    flavor: int = 1
    """Kind of the pulse, 3 bits: 1 is for target 1."""

    charge_pc: int = 0
    """Proton charge of the *previous* pulse, pC; a multiple of 10."""

    bad_frame: bool = False
    """Whether vetoes are wrong."""

    bad_cycle: bool = False
    """Whether the cycle is wrong."""

    timing_status: int = 0
    """8 bits."""

    vetoes: int = 0
    """Veto bits, 12 of them."""

    cycle: int = 0
    """Cycle of the accelerator, 10 bits."""

    intra_pulse_100ns: int = 0
    """Intra-pulse time, 100 ns."""

    tof_offset_100ns: int = 0
    """Skew of the frames, 100 ns."""

    corrected: bool = True
    """Whether times have the offset in them."""

    ring_period_ps: int = 0
    """Period of the ring, ps, 24 bits."""

    frames: tuple[int, ...] = (0,) * RTDL_FRAMES
    """25 words: frame number << 24 | data; frame number 0 is none."""

    @property
    def packet_type(self) -> PacketType:
        """Type of the packet."""
        return PacketType.RTDL

    def payload(self) -> bytes:
        """Return 120 bytes."""
        beam = self.data_flags << 27 | self.flavor << 24 | charge_units(self.charge_pc)
        vetoes = self.bad_frame << 31 | self.bad_cycle << 30 | self.timing_status << 22 | self.vetoes << 10 | self.cycle
        ring = _RTDL_KEY << 24 | self.ring_period_ps
        return struct.pack("<30I", beam, vetoes, self.intra_pulse_100ns, self.corrected << 31 | self.tof_offset_100ns, ring, *self.frames)

    @classmethod
    def decode(cls, fields: Fields) -> Rtdl:
        """Read a payload."""
        fields.exactly(4 * (5 + RTDL_FRAMES))
        beam, vetoes, intra, offset = (fields.u32(name) for name in ("pulse charge", "vetoes", "intra-pulse time", "TOF offset"))
        ring = fields.u32("ring period")
        if ring >> 24 != _RTDL_KEY:
            raise fields.error("ring period's frame number", ring >> 24, str(_RTDL_KEY), back=4)
        return cls(
            time_ns=fields.time_ns,
            version=fields.version,
            data_flags=beam >> 27 if fields.version else 0,
            flavor=beam >> 24 & 0x7,
            charge_pc=(beam & CHARGE_MASK) * CHARGE_UNIT_PC,
            bad_frame=bool(vetoes >> 31),
            bad_cycle=bool(vetoes >> 30 & 1),
            timing_status=vetoes >> 22 & 0xFF,
            vetoes=vetoes >> 10 & 0xFFF,
            cycle=vetoes & 0x3FF,
            intra_pulse_100ns=intra,
            tof_offset_100ns=offset & ~CORRECTED,
            corrected=bool(offset & CORRECTED),
            ring_period_ps=ring & CHARGE_MASK,
            frames=tuple(fields.words("frames").tolist()),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceList(Message):
    """Which sources there are."""

    sources: tuple[int, ...] = ()
    """Source ids."""

    @property
    def packet_type(self) -> PacketType:
        """Type of the packet."""
        return PacketType.SOURCE_LIST

    def payload(self) -> bytes:
        """Return the ids."""
        return struct.pack(f"<{len(self.sources)}I", *self.sources)

    @classmethod
    def decode(cls, fields: Fields) -> SourceList:
        """Read a payload."""
        return cls(time_ns=fields.time_ns, sources=tuple(fields.words("sources").tolist()))
