"""Messages that describe the beamline of an ADARA stream: geometry, banks, monitors, devices, the run.

The documents in them (XML) are text here; `adara_documents` reads and writes those of runs and devices.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from livereduce.errors import WireError
from livereduce.wire.adara_fields import HEADER_SIZE, Fields, counted_text, pack_text
from livereduce.wire.adara_packets import Message, PacketType

MONITOR_LIMIT: Final = 1024
"""Most monitors: their ids have 10 bits in the packets with events."""

BANK_SET_LIMIT: Final = 4096
"""Most sets of detector banks; beamlines have a handful."""

EVENTS: Final = 1
"""Bit of a format: events."""

HISTOGRAM: Final = 2
"""Bit of a format: histogram."""

_NAME_SIZE: Final = 16
_MONITOR: Final = struct.Struct("<4Id")
_BANK_SET_END: Final = struct.Struct("<3Id16s")
_LEAST_BANK_SET: Final = _NAME_SIZE + 8 + _BANK_SET_END.size
_SHORTHAND: Final = 0x8000


@dataclass(frozen=True, slots=True, kw_only=True)
class RunInfo(Message):
    """Title, proposal, users of the run."""

    xml: str
    """Root element ``runinfo``."""

    @property
    def packet_type(self) -> PacketType:
        """Type of the packet."""
        return PacketType.RUN_INFO

    def payload(self) -> bytes:
        """Return length and text."""
        return counted_text(self.xml)

    @classmethod
    def decode(cls, fields: Fields) -> RunInfo:
        """Read a payload."""
        return cls(time_ns=fields.time_ns, xml=fields.counted_text("xml"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Geometry(Message):
    """Where everything stands."""

    xml: str
    """Mantid's instrument definition."""

    @property
    def packet_type(self) -> PacketType:
        """Type of the packet."""
        return PacketType.GEOMETRY

    def payload(self) -> bytes:
        """Return length and text."""
        return counted_text(self.xml)

    @classmethod
    def decode(cls, fields: Fields) -> Geometry:
        """Read a payload."""
        return cls(time_ns=fields.time_ns, xml=fields.counted_text("xml"))


@dataclass(frozen=True, slots=True, kw_only=True)
class BeamlineInfo(Message):
    """Names of the beamline; each of at most 255 bytes."""

    version: int = 1
    """0 has no target station."""

    id: str
    """Number of the beamline, such as 03."""

    short_name: str
    """Such as SNAP."""

    long_name: str
    """Name of the instrument: what Mantid calls it by."""

    target_station: int = 1
    """1 or 2."""

    @property
    def packet_type(self) -> PacketType:
        """Type of the packet."""
        return PacketType.BEAMLINE_INFO

    def payload(self) -> bytes:
        """Return lengths and names."""
        names = [name.encode() for name in (self.id, self.short_name, self.long_name)]
        station = self.target_station if self.version else 0
        return struct.pack("<4B", *[len(name) for name in reversed(names)], station) + pack_text("".join((self.id, self.short_name, self.long_name)))

    @classmethod
    def decode(cls, fields: Fields) -> BeamlineInfo:
        """Read a payload."""
        word = fields.u32("lengths")
        id_, short = fields.text("id", word >> 16 & 0xFF, fill=False), fields.text("short name", word >> 8 & 0xFF, fill=False)
        long = fields.text("long name", word & 0xFF)
        station = (word >> 24 if fields.version else 0) or 1
        return cls(time_ns=fields.time_ns, version=fields.version, id=id_, short_name=short, long_name=long, target_station=station)


@dataclass(frozen=True, slots=True, kw_only=True)
class MonitorConfig:
    """How one beam monitor is read."""

    id: int
    """Monitor id."""

    tof_offset_us: int
    """Where its histogram begins, us."""

    max_tof_us: int
    """Where it ends, us."""

    bin_us: int
    """Width of a bin, us."""

    distance_m: float
    """From the moderator, m."""

    format: int = HISTOGRAM
    """`EVENTS` or `HISTOGRAM`; version 0 knows the latter only."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BeamMonitorConfig(Message):
    """How the beam monitors are read."""

    version: int = 1
    """0 has no formats."""

    monitors: tuple[MonitorConfig, ...] = ()
    """At most `MONITOR_LIMIT`."""

    @property
    def packet_type(self) -> PacketType:
        """Type of the packet."""
        return PacketType.BEAM_MONITOR_CONFIG

    def payload(self) -> bytes:
        """Return the number and the monitors, and in version 1 their formats."""
        rows = [_MONITOR.pack(one.id, one.tof_offset_us, one.max_tof_us, one.bin_us, one.distance_m) for one in self.monitors]
        formats = [struct.pack("<I", one.format) for one in self.monitors if self.version]
        return struct.pack("<I", len(rows)) + b"".join(rows + formats)

    @classmethod
    def decode(cls, fields: Fields) -> BeamMonitorConfig:
        """Read a payload."""
        n = fields.count("number of monitors", _MONITOR.size + (4 if fields.version else 0), limit=MONITOR_LIMIT)
        rows = [_MONITOR.unpack(fields.raw("monitor", _MONITOR.size)) for _ in range(n)]
        formats = [fields.u32("format") if fields.version else HISTOGRAM for _ in range(n)]
        monitors = tuple(
            MonitorConfig(id=id_, tof_offset_us=offset, max_tof_us=most, bin_us=width, distance_m=distance, format=format_)
            for (id_, offset, most, width, distance), format_ in zip(rows, formats, strict=True)
        )
        return cls(time_ns=fields.time_ns, version=fields.version, monitors=monitors)


@dataclass(frozen=True, slots=True, kw_only=True)
class BankSet:
    """Detector banks that are histogrammed alike."""

    name: str
    """At most 16 bytes."""

    format: int
    """`EVENTS`, `HISTOGRAM` or both."""

    banks: tuple[int, ...]
    """Bank ids."""

    tof_offset_us: int
    """Where the histogram begins, us."""

    max_tof_us: int
    """Where it ends, us."""

    bin_us: int
    """Width of a bin, us."""

    throttle_hz: float = 0.0
    """How often it is published, Hz."""

    suffix: str = ""
    """Of the published name; at most 16 bytes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DetectorBankSets(Message):
    """Which banks are histogrammed."""

    sets: tuple[BankSet, ...] = ()
    """At most `BANK_SET_LIMIT`."""

    @property
    def packet_type(self) -> PacketType:
        """Type of the packet."""
        return PacketType.DETECTOR_BANK_SETS

    def payload(self) -> bytes:
        """Return the number and the sets."""
        return struct.pack("<I", len(self.sets)) + b"".join(_pack_bank_set(one) for one in self.sets)

    @classmethod
    def decode(cls, fields: Fields) -> DetectorBankSets:
        """Read a payload."""
        n = fields.count("number of sets", _LEAST_BANK_SET, limit=BANK_SET_LIMIT)
        return cls(time_ns=fields.time_ns, sets=tuple(_take_bank_set(fields) for _ in range(n)))


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceDescriptor(Message):
    """Which variables a device has."""

    device: int
    """Device id; below 8192 are the server's own."""

    xml: str
    """Root element ``device``; empty when the device is gone."""

    @property
    def packet_type(self) -> PacketType:
        """Type of the packet."""
        return PacketType.DEVICE_DESCRIPTOR

    def payload(self) -> bytes:
        """Return id, length and text."""
        return struct.pack("<I", self.device) + counted_text(self.xml)

    @classmethod
    def decode(cls, fields: Fields) -> DeviceDescriptor:
        """Read a payload."""
        return cls(time_ns=fields.time_ns, device=fields.u32("device id"), xml=fields.counted_text("xml"))


Pixels = range | NDArray[np.uint32]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class PixelSection:
    """Pixels of one bank: as many physical as logical ids."""

    bank: int
    """Bank id, 16 bits."""

    physical: Pixels
    """Ids as the electronics number them."""

    logical: Pixels
    """Ids as the geometry numbers them, those of the events."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class PixelMapping(Message):
    """Which pixel of the electronics is which of the geometry, in runs of consecutive logical ids.

    Kept as it came, and walked when somebody asks: events carry logical ids, so most clients never do. `of` makes one.
    """

    words: NDArray[np.uint32]
    """The payload, read-only."""

    @property
    def packet_type(self) -> PacketType:
        """Type of the packet."""
        return PacketType.PIXEL_MAPPING

    def payload(self) -> bytes:
        """Return the words."""
        return self.words.tobytes()

    def sections(self) -> Iterator[PixelSection]:
        """Yield the sections; WireError where the layout is broken."""
        at = 0
        while at < len(self.words):
            base, bank, n = _pixel_head(self.words, at, "PIXEL_MAPPING")
            yield PixelSection(bank=bank, logical=range(base, base + n), physical=_ids(self.words, at, n, "PIXEL_MAPPING"))
            at += 2 + n

    @classmethod
    def of(cls, sections: Sequence[PixelSection], *, time_ns: int) -> PixelMapping:
        """Return the message for `sections` whose logical ids are consecutive."""
        return cls(time_ns=time_ns, words=_pixel_words([_direct(one.logical[0], one.bank, one.physical) for one in sections]))

    @classmethod
    def decode(cls, fields: Fields) -> PixelMapping:
        """Read a payload."""
        return cls(time_ns=fields.time_ns, words=fields.words("sections").copy())


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class PixelMappingAlt(Message):
    """The same the other way round, in runs of consecutive physical ids; version 1 has a shorthand for even steps.

    Kept as it came, and walked when somebody asks. `of` makes one.
    """

    version: int = 1
    """0 has no shorthand."""

    n_banks: int = 0
    """Number of banks, as stated."""

    words: NDArray[np.uint32]
    """The sections, read-only."""

    @property
    def packet_type(self) -> PacketType:
        """Type of the packet."""
        return PacketType.PIXEL_MAPPING_ALT

    def payload(self) -> bytes:
        """Return the number of banks and the words."""
        return struct.pack("<I", self.n_banks) + self.words.tobytes()

    def sections(self) -> Iterator[PixelSection]:
        """Yield the sections, but not those in shorthand whose steps do not lead from start to stop; WireError where the layout is broken."""
        at = 0
        while at < len(self.words):
            base, bank, n = _pixel_head(self.words, at, "PIXEL_MAPPING_ALT")
            if self.version and n & _SHORTHAND:
                physical, logical = _steps(self.words, at, n & ~_SHORTHAND)
                if physical is not None and logical is not None:
                    yield PixelSection(bank=bank, physical=physical, logical=logical)
                at += 6
                continue
            yield PixelSection(bank=bank, physical=range(base, base + n), logical=_ids(self.words, at, n, "PIXEL_MAPPING_ALT"))
            at += 2 + n

    @classmethod
    def of(cls, sections: Sequence[PixelSection], *, time_ns: int) -> PixelMappingAlt:
        """Return the message for `sections` whose ids are ranges, in shorthand, or whose physical ids are consecutive."""
        packed = [
            _stepped(one.bank, one.physical, one.logical)
            if isinstance(one.physical, range) and isinstance(one.logical, range)
            else _direct(one.physical[0], one.bank, one.logical)
            for one in sections
        ]
        return cls(time_ns=time_ns, n_banks=len({one.bank for one in sections}), words=_pixel_words(packed))

    @classmethod
    def decode(cls, fields: Fields) -> PixelMappingAlt:
        """Read a payload."""
        n_banks = fields.u32("number of banks")
        return cls(time_ns=fields.time_ns, version=fields.version, n_banks=n_banks, words=fields.words("sections").copy())


def _pack_bank_set(one: BankSet) -> bytes:
    banks = struct.pack(f"<{2 + len(one.banks)}I", one.format, len(one.banks), *one.banks)
    end = _BANK_SET_END.pack(one.tof_offset_us, one.max_tof_us, one.bin_us, one.throttle_hz, pack_text(one.suffix, limit=_NAME_SIZE))
    return pack_text(one.name, limit=_NAME_SIZE) + banks + end


def _take_bank_set(fields: Fields) -> BankSet:
    name, format_ = fields.text("name", _NAME_SIZE), fields.u32("flags")
    banks = fields.array("banks", "<u4", fields.count("number of banks", 4))
    offset, most, width, throttle, suffix = _BANK_SET_END.unpack(fields.raw("bins", _BANK_SET_END.size))
    return BankSet(
        name=name.rstrip("\0"),
        format=format_,
        banks=tuple(banks.tolist()),
        tof_offset_us=offset,
        max_tof_us=most,
        bin_us=width,
        throttle_hz=throttle,
        suffix=suffix.decode(errors="replace").rstrip("\0"),
    )


def _pixel_head(words: NDArray[np.uint32], at: int, packet: str) -> tuple[int, int, int]:
    """Return first id, bank and count of the section at word `at`."""
    if at + 2 > len(words):
        raise WireError(f"{packet}: section at word {at} has {len(words) - at} words; wanted 2 or more", field="section", offset=_offset(at))
    word = int(words[at + 1])
    return int(words[at]), word >> 16, word & 0xFFFF


def _ids(words: NDArray[np.uint32], at: int, n: int, packet: str) -> NDArray[np.uint32]:
    left = len(words) - at - 2
    if n > left:
        raise WireError(f"{packet}: count at word {at + 1} is {n}; wanted at most {left}", field="count", offset=_offset(at + 1))
    return words[at + 2 : at + 2 + n]


def _steps(words: NDArray[np.uint32], at: int, n: int) -> tuple[range | None, range | None]:
    """Return physical and logical ids of the shorthand at word `at`; None for one that does not have `n` of them."""
    if at + 6 > len(words):
        text = f"PIXEL_MAPPING_ALT: shorthand at word {at} has {len(words) - at} words; wanted 6"
        raise WireError(text, field="shorthand", offset=_offset(at))
    start, _, stop, logical_start, steps, logical_stop = words[at : at + 6].tolist()
    logical_step, physical_step = struct.unpack("<2h", struct.pack("<I", steps))
    return _range(start, stop, physical_step, n), _range(logical_start, logical_stop, logical_step, n)


def _range(start: int, stop: int, step: int, n: int) -> range | None:
    """Return the `n` ids from `start` to `stop`, both of them included."""
    if n < 1 or stop - start != step * (n - 1) or (step == 0 and n > 1):
        return None
    return range(start, stop + (1 if step >= 0 else -1), step or 1)


def _direct(base: int, bank: int, ids: Pixels) -> list[int]:
    return [int(base), bank << 16 | len(ids), *(int(one) for one in ids)]


def _stepped(bank: int, physical: range, logical: range) -> list[int]:
    steps: int = struct.unpack("<I", struct.pack("<2h", logical.step, physical.step))[0]
    return [physical[0], bank << 16 | _SHORTHAND | len(physical), physical[-1], logical[0], steps, logical[-1]]


def _pixel_words(sections: Sequence[Sequence[int]]) -> NDArray[np.uint32]:
    words = np.array([word for section in sections for word in section], np.uint32)
    words.flags.writeable = False
    return words


def _offset(word: int) -> int:
    return HEADER_SIZE + 4 * word
