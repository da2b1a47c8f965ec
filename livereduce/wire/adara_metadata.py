"""Messages that describe the beamline of an ADARA stream: geometry, banks, monitors, devices, the run.

The documents in them (XML) are text here; `adara_documents` reads and writes those of runs and devices.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import Final

from livereduce.wire.adara_fields import Fields, counted_text, pack_text
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
