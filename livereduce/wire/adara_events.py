"""Messages with events of an ADARA stream: by bank, of beam monitors, and as they come from the detectors.

Times of flight are in 100 ns. A section of a source that has not corrected its times for the skew of its frames carries an offset, which
is *added* to every time of the section; one that has (``corrected``) carries the offset it has added already.

Events are views of what came: as long as one is kept, so is the block it came in (see `adara.Reader`).
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import IntFlag
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from livereduce.errors import WireError
from livereduce.kernels import gather_banks, walk_banks
from livereduce.wire.adara_fields import HEADER_SIZE, Fields
from livereduce.wire.adara_packets import Message, PacketType

EVENT: Final = np.dtype([("tof", "<u4"), ("pixel", "<u4")])
"""One event: time of flight in 100 ns, pixel."""

BANK: Final = np.dtype([("source", "<u4"), ("bank", "<u4"), ("state", "<u4"), ("first", "<u4"), ("count", "<u4")])
"""One bank section: row of its source, bank id, state, first word of its events in ``words``, how many they are."""

SOURCE: Final = np.dtype([("id", "<u4"), ("intra_pulse", "<u4"), ("offset", "<u4"), ("banks", "<u4")])
"""One source section: source id, intra-pulse time in 100 ns, `CORRECTED` | offset in 100 ns, number of bank sections."""

UNMAPPED_BANK: Final = 0xFFFFFFFF
"""Bank of events whose pixel nobody knows."""

ERROR_BANK: Final = 0xFFFFFFFE
"""Bank of events that the detector called wrong."""

CORRECTED: Final = 1 << 31
"""Bit of an offset: the times have it in them already."""

CHARGE_UNIT_PC: Final = 10
"""pC in one unit of charge on the wire."""

UNKNOWN_CYCLE: Final = 0xFFFFFFFF
"""Cycle of the accelerator when it is not known."""

MONITOR_SECTION_LIMIT: Final = 4096
"""Most sections of beam monitors in a packet: their ids have 10 bits, and few have more than one source."""

RTDL_FRAMES: Final = 25
"""Words of frame data in an RTDL packet."""

_SCRATCH_ROWS: Final = 256
_PROBLEMS: Final = {1: ("source section", "4 words"), 2: ("bank section", "its head"), 3: ("event count", "no more than is there")}
_RISING, _MONITOR_TOF, _MONITOR_CYCLE, _MONITOR_COUNT = 1 << 31, 0x1FFFFF, 0x3FF, 0x3FFFFF
_PULSE_WORDS: Final = 4
_VETO_SHIFT, _FLAG_MASK = 20, 0xFFFFF
_CHARGE_MASK = 0xFFFFFF
_RTDL_KEY: Final = 4


class PulseFlag(IntFlag):
    """What is said of a pulse."""

    ERROR_PIXELS = 0x1
    PARTIAL_DATA = 0x2
    VETOED = 0x4
    MISSING_RTDL = 0x8
    MAPPING_ERROR = 0x10
    DUPLICATE_PULSE = 0x20
    CHARGE_NOT_CORRECTED = 0x40
    VETO_NOT_CORRECTED = 0x80
    GOT_METADATA = 0x100
    GOT_NEUTRONS = 0x200
    HAS_STATES = 0x400


NO_FLAGS: Final = PulseFlag(0)
"""Nothing is said of a pulse."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class BankSection:
    """Events of one bank, to make a packet of."""

    bank: int
    """Bank id, or `UNMAPPED_BANK`, `ERROR_BANK`."""

    events: NDArray[np.void]
    """(n,) of `EVENT`."""

    state: int = 0
    """State of the sample environment; packets without states have no room for it."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class SourceSection:
    """Events of one source, to make a packet of."""

    id: int
    """Source id."""

    banks: Sequence[BankSection] = ()
    """Its banks; may be none."""

    intra_pulse_100ns: int = 0
    """Intra-pulse time, 100 ns."""

    tof_offset_100ns: int = 0
    """Skew of the frames, 100 ns."""

    corrected: bool = True
    """Whether the times have the offset in them."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class PulseMessage(Message):
    """What packets with events of a pulse share; the message's time is the pulse."""

    version: int = 1
    """0 has no vetoes."""

    charge_pc: int = 0
    """Proton charge of the pulse, pC; a multiple of 10."""

    energy_ev: int = 0
    """Energy of the protons, eV."""

    cycle: int = UNKNOWN_CYCLE
    """Cycle of the accelerator, or `UNKNOWN_CYCLE`."""

    vetoes: int = 0
    """Veto bits, 12 of them."""

    flags: PulseFlag = NO_FLAGS
    """What is said of the pulse."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class BankedEvents(PulseMessage):
    """Neutrons of one pulse by bank. Make one with ``words=pack_sources(...)``.

    Raises
    ------
    WireError
        As it is built, if `words` are not whole sections.
    """

    words: NDArray[np.uint32]
    """The sections as they came, read-only."""

    sources: NDArray[np.void] = field(init=False)
    """(n,) of `SOURCE`: the source sections."""

    banks: NDArray[np.void] = field(init=False)
    """(n,) of `BANK`: the bank sections of all sources in order."""

    def __post_init__(self) -> None:
        self.words.flags.writeable = False
        sources, banks = _walk(self.words, self.packet_type, 3 if self.has_states else 2)
        object.__setattr__(self, "sources", sources)
        object.__setattr__(self, "banks", banks)

    @property
    def has_states(self) -> bool:
        """Whether banks carry states."""
        return False

    @property
    def packet_type(self) -> PacketType:
        """Type of the packet."""
        return PacketType.BANKED_EVENT_STATE if self.has_states else PacketType.BANKED_EVENT

    @property
    def n_events(self) -> int:
        """Events of known pixels; what `columns` returns."""
        return int(self.banks["count"][self.banks["bank"] < ERROR_BANK].sum())

    @property
    def n_left_out(self) -> int:
        """Events of pixels that nobody knows, or that the detector called wrong."""
        return int(self.banks["count"].sum()) - self.n_events

    def events(self, row: int) -> NDArray[np.void]:
        """Return the events of a bank section, a read-only view (n,) of `EVENT`; times are as they came.

        Parameters
        ----------
        row:
            Of `banks`.
        """
        bank = self.banks[row]
        first = int(bank["first"])
        return self.words[first : first + 2 * int(bank["count"])].view(EVENT)

    def tof_offset_100ns(self, row: int) -> int:
        """Return what is to be added to the times of the bank section `row`, 100 ns; 0 when they are corrected."""
        offset = int(self.sources["offset"][self.banks["source"][row]])
        return 0 if offset & CORRECTED else offset

    def columns(self) -> tuple[NDArray[np.uint32], NDArray[np.uint32]]:
        """Return times of flight, offsets added, in 100 ns, and pixels: (n_events,) each, new arrays, without unmapped and error pixels."""
        known = self.banks[self.banks["bank"] < ERROR_BANK]
        offset = self.sources["offset"][known["source"]]
        n = int(known["count"].sum())
        tof, pixel = np.empty(n, np.uint32), np.empty(n, np.uint32)
        gather_banks(self.words, known["first"].copy(), known["count"].copy(), np.where(offset & CORRECTED, np.uint32(0), offset), tof, pixel)
        return tof, pixel

    def payload(self) -> bytes:
        """Return pulse and sections."""
        return _pack_pulse(self) + self.words.tobytes()

    @classmethod
    def decode(cls, fields: Fields) -> BankedEvents:
        """Read a payload."""
        pulse = _take_pulse(fields, has_vetoes=fields.version > 0 or cls is BankedStateEvents)
        return cls(time_ns=fields.time_ns, version=fields.version, **pulse, words=fields.words("sections"))


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class BankedStateEvents(BankedEvents):
    """Neutrons of one pulse by bank and state; comes instead of `BankedEvents` for a pulse in which any state is not 0.

    The published layout does not say whether its version 0 has vetoes beside the flags; the server that sends it packs them so.
    """

    version: int = 0
    """The only one there is."""

    @property
    def has_states(self) -> bool:
        """Whether banks carry states."""
        return True


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class MonitorSection:
    """Events of one beam monitor."""

    monitor: int
    """Monitor id, 10 bits."""

    source: int
    """Source id."""

    words: NDArray[np.uint32]
    """(n,), read-only: bit 31 rising edge, 30:21 cycle, 20:0 time of flight in 100 ns."""

    tof_offset_100ns: int = 0
    """Skew of the frames, 100 ns."""

    corrected: bool = True
    """Whether the times have the offset in them."""

    @property
    def tof_100ns(self) -> NDArray[np.uint32]:
        """(n,), times of flight in 100 ns, offset added."""
        tof = self.words & np.uint32(_MONITOR_TOF)
        return tof if self.corrected else tof + np.uint32(self.tof_offset_100ns)

    @property
    def rising(self) -> NDArray[np.bool_]:
        """(n,), whether the signal rose."""
        rising: NDArray[np.bool_] = (self.words & np.uint32(_RISING)) != 0
        return rising

    @property
    def cycle(self) -> NDArray[np.uint32]:
        """(n,), the lower 10 bits of the accelerator's cycle."""
        return self.words >> np.uint32(21) & np.uint32(_MONITOR_CYCLE)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class MonitorEvents(PulseMessage):
    """What the beam monitors counted in one pulse."""

    sections: tuple[MonitorSection, ...] = ()
    """At most `MONITOR_SECTION_LIMIT`."""

    @property
    def packet_type(self) -> PacketType:
        """Type of the packet."""
        return PacketType.BEAM_MONITOR_EVENT

    def payload(self) -> bytes:
        """Return pulse and sections."""
        return _pack_pulse(self) + b"".join(_pack_monitor(section) for section in self.sections)

    @classmethod
    def decode(cls, fields: Fields) -> MonitorEvents:
        """Read a payload."""
        pulse = _take_pulse(fields, has_vetoes=fields.version > 0)
        sections: list[MonitorSection] = []
        while fields.left:
            if len(sections) == MONITOR_SECTION_LIMIT:
                raise fields.error("number of sections", f"more than {MONITOR_SECTION_LIMIT}", f"at most {MONITOR_SECTION_LIMIT}")
            sections.append(_take_monitor(fields))
        return cls(time_ns=fields.time_ns, version=fields.version, **pulse, sections=tuple(sections))


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
        return (self.accelerator[0] & _CHARGE_MASK) * CHARGE_UNIT_PC

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
        beam = self.data_flags << 27 | self.flavor << 24 | _charge_units(self.charge_pc)
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
            charge_pc=(beam & _CHARGE_MASK) * CHARGE_UNIT_PC,
            bad_frame=bool(vetoes >> 31),
            bad_cycle=bool(vetoes >> 30 & 1),
            timing_status=vetoes >> 22 & 0xFF,
            vetoes=vetoes >> 10 & 0xFFF,
            cycle=vetoes & 0x3FF,
            intra_pulse_100ns=intra,
            tof_offset_100ns=offset & ~CORRECTED,
            corrected=bool(offset & CORRECTED),
            ring_period_ps=ring & _CHARGE_MASK,
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


def pack_sources(sources: Sequence[SourceSection], *, states: bool = False) -> NDArray[np.uint32]:
    """Return the words of `sources`, for `BankedEvents`, or with `states` for `BankedStateEvents`."""
    parts = []
    for source in sources:
        offset = source.corrected << 31 | source.tof_offset_100ns
        parts.append(struct.pack("<4I", source.id, source.intra_pulse_100ns, offset, len(source.banks)))
        for bank in source.banks:
            head = (bank.bank, bank.state, len(bank.events)) if states else (bank.bank, len(bank.events))
            parts += [struct.pack(f"<{len(head)}I", *head), np.asarray(bank.events, EVENT).tobytes()]
    return np.frombuffer(b"".join(parts), np.uint32)


def _walk(words: NDArray[np.uint32], packet: PacketType, head: int) -> tuple[NDArray[np.void], NDArray[np.void]]:
    """Return the source and bank sections of `words`; WireError where they are cut off."""
    room = _SCRATCH_ROWS, _SCRATCH_ROWS
    while True:
        sources, banks = np.empty((room[0], 4), np.uint32), np.empty((room[1], 5), np.uint32)
        n_sources, n_banks, problem, at = walk_banks(words, head, sources, banks)
        if problem:
            name, wanted = _PROBLEMS[problem]
            came = int(words[at]) if problem == 3 else f"{len(words) - at} words"
            most = f"at most {(len(words) - at - 1) // 2}" if problem == 3 else wanted
            offset = HEADER_SIZE + 4 * (_PULSE_WORDS + at)
            raise WireError(f"{packet.name}: {name} at offset {offset} is {came}; wanted {most}", field=name, offset=offset)
        if n_sources <= room[0] and n_banks <= room[1]:
            return sources[:n_sources].view(SOURCE)[:, 0], banks[:n_banks].view(BANK)[:, 0]
        room = n_sources, n_banks


def _take_pulse(fields: Fields, *, has_vetoes: bool) -> dict[str, Any]:
    charge, energy, cycle = fields.u32("pulse charge"), fields.u32("pulse energy"), fields.u32("cycle")
    flags = fields.u32("flags")
    return {
        "charge_pc": charge * CHARGE_UNIT_PC,
        "energy_ev": energy,
        "cycle": cycle,
        "vetoes": flags >> _VETO_SHIFT if has_vetoes else 0,
        "flags": PulseFlag(flags & _FLAG_MASK if has_vetoes else flags),
    }


def _pack_pulse(pulse: PulseMessage) -> bytes:
    return struct.pack("<4I", _charge_units(pulse.charge_pc), pulse.energy_ev, pulse.cycle, pulse.vetoes << _VETO_SHIFT | int(pulse.flags))


def _charge_units(charge_pc: int) -> int:
    units, rest = divmod(charge_pc, CHARGE_UNIT_PC)
    if rest:
        raise ValueError(f"charge of {charge_pc} pC; wanted a multiple of {CHARGE_UNIT_PC}")
    return units


def _take_monitor(fields: Fields) -> MonitorSection:
    word, source, offset = fields.u32("monitor"), fields.u32("source id"), fields.u32("TOF offset")
    n = word & _MONITOR_COUNT
    if 4 * n > fields.left:
        raise fields.error("event count", n, f"at most {fields.left // 4}", back=12)
    words: NDArray[np.uint32] = np.frombuffer(fields.raw("events", 4 * n), np.uint32)
    return MonitorSection(monitor=word >> 22, source=source, words=words, tof_offset_100ns=offset & ~CORRECTED, corrected=bool(offset & CORRECTED))


def _pack_monitor(section: MonitorSection) -> bytes:
    if len(section.words) > _MONITOR_COUNT:
        raise ValueError(f"monitor {section.monitor} with {len(section.words)} events; wanted at most {_MONITOR_COUNT} in a section")
    word = section.monitor << 22 | len(section.words)
    head = struct.pack("<3I", word, section.source, section.corrected << 31 | section.tof_offset_100ns)
    return head + section.words.astype("<u4").tobytes()
