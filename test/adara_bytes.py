"""Packets of ADARA, packed from the published layout with struct alone."""

from __future__ import annotations

import struct

EPOCH_S = 1_100_000_000
"""Time of the packets, s since 1990-01-01."""

PULSE_NS = 16_666_667
"""Pulse of the packets with events, ns after that."""


def packet(type_: int, version: int, payload: bytes, *, length: int | None = None, seconds: int = EPOCH_S, ns: int = 0) -> bytes:
    """A packet with any field of the header wrong."""
    return struct.pack("<4I", len(payload) if length is None else length, type_ << 8 | version, seconds, ns) + payload


def text(value: bytes, *, length: int | None = None) -> bytes:
    """Length, bytes, padding."""
    return struct.pack("<I", len(value) if length is None else length) + value + bytes(-len(value) % 4)


_HEAD = "00 ab 90 41 00 00 00 00"
_PULSE = "00 ab 90 41 2b 50 fe 00"
_PUBLISHED = {
    "Hello v0": f"04 00 00 00 00 06 40 00 {_HEAD} 01 00 00 00",
    "Hello v1": f"08 00 00 00 01 06 40 00 {_HEAD} 00 00 00 00 01 00 00 00",
    "RunStatus v0": f"0c 00 00 00 00 03 40 00 {_HEAD} d2 04 00 00 00 ab 90 41 01 00 00 01",
    "RunStatus v1": f"14 00 00 00 01 03 40 00 {_HEAD} d2 04 00 00 00 ab 90 41 01 00 00 05 00 00 00 00 00 00 00 00",
    "Heartbeat": f"00 00 00 00 00 09 40 00 {_HEAD}",
    "DataDone": f"00 00 00 00 00 0c 40 00 {_HEAD}",
    "BankedEvent v1": f"""38 00 00 00 01 00 40 00 {_PULSE} b0 a6 17 00 e4 8d e8 37 3c 00 00 00 00 02 00 00
        07 00 00 00 06 8b 02 00 88 f6 00 80 01 00 00 00 02 00 00 00 02 00 00 00 a0 86 01 00 3d 04 00 00 40 e2 01 00 3e 04 00 00""",
    "BankedEventState": f"""34 00 00 00 00 00 41 00 {_PULSE} b0 a6 17 00 e4 8d e8 37 3c 00 00 00 00 06 00 00
        07 00 00 00 06 8b 02 00 88 f6 00 80 01 00 00 00 02 00 00 00 01 00 00 00 01 00 00 00 a0 86 01 00 3d 04 00 00""",
    "BeamMonitor v1": f"""24 00 00 00 01 01 40 00 {_PULSE} b0 a6 17 00 e4 8d e8 37 3c 00 00 00 00 02 00 00
        02 00 40 00 07 00 00 00 00 00 00 80 50 c3 80 87 5a c3 80 07""",
    "BeamlineInfo v1": f"10 00 00 00 01 0b 40 00 {_HEAD} 04 04 02 01 30 33 53 4e 41 50 53 4e 41 50 00 00",
    "Annotation pause": f"0c 00 00 00 00 07 40 00 {_HEAD} 04 00 03 00 00 00 00 00 73 74 6f 70",
    "Annotation scan": f"08 00 00 00 00 07 40 00 {_HEAD} 00 00 01 80 05 00 00 00",
    "Variable double": f"14 00 00 00 00 02 80 00 {_HEAD} 02 00 00 00 01 00 00 00 00 00 00 00 00 00 00 00 00 78 72 40",
    "Variable u32": f"10 00 00 00 00 01 80 00 {_HEAD} 02 00 00 00 03 00 00 00 01 00 03 00 07 00 00 00",
    "Variable string": f"18 00 00 00 00 03 80 00 {_HEAD} 02 00 00 00 04 00 00 00 ff ff ff ff 05 00 00 00 68 65 6c 6c 6f 00 00 00",
    "Sync": f"1c 00 00 00 00 08 40 00 {_HEAD} 53 4e 53 41 44 41 52 41 4f 52 4e 4c 00 00 f0 7f" + " 00" * 12,
    "TransComplete": f"08 00 00 00 00 05 40 00 {_HEAD} 03 00 00 80 62 61 64 00",
    "Mult u32": f"""20 00 00 00 00 01 81 00 {_PULSE} 02 00 00 00 03 00 00 00 00 00 00 00 02 00 00 00
        e8 03 00 00 00 00 00 00 d0 07 00 00 01 00 00 00""",
}


def _values(device: int, variable: int) -> bytes:
    return struct.pack("<3I", device, variable, 0)


def _pulse(type_: int, version: int, payload: bytes) -> bytes:
    return packet(type_, version, payload, ns=PULSE_NS)


SAMPLES = {name: bytes.fromhex(digits) for name, digits in _PUBLISHED.items()} | {
    "Variable u32 array": packet(0x8004, 0, _values(2, 5) + struct.pack("<4I", 3, 1, 2, 3)),
    "Variable double array": packet(0x8005, 0, _values(2, 6) + struct.pack("<I2d", 2, 1.5, -2.0)),
    "Mult double": _pulse(0x8102, 0, _values(2, 1) + struct.pack("<IIdId", 2, 1000, 0.5, 2000, 1.5)),
    "Mult string": _pulse(0x8103, 0, _values(2, 4) + struct.pack("<II", 1, 1000) + text(b"hello")),
    "Mult u32 array": _pulse(0x8104, 0, _values(2, 5) + struct.pack("<5I", 1, 1000, 2, 8, 9)),
    "Mult double array": _pulse(0x8105, 0, _values(2, 6) + struct.pack("<3Id", 1, 1000, 1, 0.25)),
    "RunInfo": packet(0x4004, 0, text(b"<runinfo/>")),
    "Geometry": packet(0x400A, 0, text(b"<instrument/>")),
    "DeviceDescriptor": packet(0x8000, 0, struct.pack("<I", 2) + text(b"<device/>")),
    "BeamMonitorConfig v1": packet(0x400D, 1, struct.pack("<5IdI", 1, 1, 0, 16666, 10, 1.5, 1)),
    "BeamMonitorConfig v0": packet(0x400D, 0, struct.pack("<5Id", 1, 1, 0, 16666, 10, 1.5)),
    "DetectorBankSets": packet(
        0x400E,
        0,
        struct.pack("<I", 2)
        + struct.pack("<16s7Id16s", b"front", 1, 2, 1, 2, 0, 16666, 10, 10.0, b"f")
        + struct.pack("<16s5Id16s", b"exactly16letters", 3, 0, 1, 2, 3, 0.0, b""),
    ),
    "PixelMapping": packet(0x4002, 0, struct.pack("<5I", 10, 2 << 16 | 3, 30, 20, 10)),
    "PixelMappingAlt v1": packet(
        0x4102,
        1,
        struct.pack("<6I", 2, 100, 2 << 16 | 3, 7, 6, 9) + struct.pack("<4Ihh I", 200, 3 << 16 | 0x8000 | 4, 194, 0, 1, -2, 3),
    ),
    "RTDL v0": _pulse(0x0001, 0, struct.pack("<30I", 1 << 24 | 1549703, 0x1E << 22 | 4 << 10 | 60, 166662, 63112, 4 << 24 | 955259, *[0] * 25)),
    "SourceList": packet(0x0002, 0, struct.pack("<2I", 7, 8)),
    "RawEvent v1": _pulse(0x0000, 1, struct.pack("<8I", 7, 1 << 31 | 2 << 16 | 9, 0x0917A6B0, 60, 166662, 63112, 100000, 1085)),
    "MappedEvent v0": _pulse(0x0003, 0, struct.pack("<6I", 7, 0, 0x0117A6B0, 60, 0, 1 << 31)),
}
"""A packet of each kind: those of the published examples, and more from the tables."""
