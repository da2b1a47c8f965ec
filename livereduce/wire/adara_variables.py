"""Values of process variables in an ADARA stream: one at a time, or several within a pulse.

Codes of status and severity are numbers as they came: one that came up since is no reason to lose the stream.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from enum import IntEnum
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from livereduce.wire.adara_fields import Fields, counted_text
from livereduce.wire.adara_packets import Message, PacketType

SERIES_LIMIT: Final = 1 << 17
"""Most texts or arrays in one packet: a pulse lasts 17 ms, in which no variable changes more often than a hundred thousand times."""

STATUS_OK: Final = 0
"""Status and severity of a value that is as it should be."""

NOT_REPORTED: Final = 0xFFFF
"""Status and severity that nobody told."""

SERIES_BIT: Final = 0x100
"""What tells the type of several values from that of one."""


class ValueKind(IntEnum):
    """What a value is; the numbers are those of the packets."""

    U32 = PacketType.VARIABLE_U32
    DOUBLE = PacketType.VARIABLE_DOUBLE
    STRING = PacketType.VARIABLE_STRING
    U32_ARRAY = PacketType.VARIABLE_U32_ARRAY
    DOUBLE_ARRAY = PacketType.VARIABLE_DOUBLE_ARRAY


Value = int | float | str | NDArray[np.uint32] | NDArray[np.float64]

_DTYPE: Final[dict[ValueKind, np.dtype[Any]]] = {ValueKind.U32_ARRAY: np.dtype("<u4"), ValueKind.DOUBLE_ARRAY: np.dtype("<f8")}
_ENTRY: Final = {
    ValueKind.U32: np.dtype([("tof_ns", "<u4"), ("value", "<u4")]),
    ValueKind.DOUBLE: np.dtype([("tof_ns", "<u4"), ("value", "<f8")]),
}
_LEAST_ENTRY: Final = 8
"""Bytes of the least entry of a series: time and length."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class VariableValue(Message):
    """A new value of a process variable; signed integers, enumerations and booleans come as U32."""

    kind: ValueKind
    """What `value` is."""

    device: int
    """Device id of the descriptor that describes the variable."""

    variable: int
    """Its id there."""

    value: Value
    """The value: int in 32 bits without a sign, float, str, or a read-only array (n,) of uint32 or float64."""

    status: int = STATUS_OK
    """EPICS alarm status, 16 bits."""

    severity: int = STATUS_OK
    """EPICS alarm severity, 16 bits."""

    @property
    def packet_type(self) -> PacketType:
        """Type of the packet."""
        return PacketType(self.kind)

    def payload(self) -> bytes:
        """Return ids, status and value."""
        head = struct.pack("<2I2H", self.device, self.variable, self.severity, self.status)
        return head + _pack_value(self.kind, self.value)

    @classmethod
    def decode(cls, fields: Fields, kind: ValueKind) -> VariableValue:
        """Read a payload."""
        if kind is ValueKind.U32:
            fields.exactly(16)
        elif kind is ValueKind.DOUBLE:
            fields.exactly(20)
        device, variable, status = _identity(fields)
        return cls(
            time_ns=fields.time_ns,
            kind=kind,
            device=device,
            variable=variable,
            status=status >> 16,
            severity=status & 0xFFFF,
            value=_take_value(fields, kind),
        )


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class VariableSeries(Message):
    """Values of a process variable within one pulse, `time_ns`."""

    kind: ValueKind
    """What each value is."""

    device: int
    """Device id of the descriptor that describes the variable."""

    variable: int
    """Its id there."""

    tof_ns: NDArray[np.uint32]
    """(n,), time of each value after the pulse, in ns (not in 100 ns, as times of flight are)."""

    values: tuple[Value, ...] | NDArray[np.uint32] | NDArray[np.float64]
    """n values: a read-only array for single numbers, else a tuple."""

    status: int = STATUS_OK
    """EPICS alarm status, 16 bits."""

    severity: int = STATUS_OK
    """EPICS alarm severity, 16 bits."""

    @property
    def packet_type(self) -> PacketType:
        """Type of the packet."""
        return PacketType(self.kind | SERIES_BIT)

    def payload(self) -> bytes:
        """Return ids, status and entries; ValueError if there are not as many times as values."""
        head = struct.pack("<2I2HI", self.device, self.variable, self.severity, self.status, len(self.tof_ns))
        pairs = zip(self.tof_ns.tolist(), self.values, strict=True)
        return head + b"".join(struct.pack("<I", tof) + _pack_value(self.kind, value) for tof, value in pairs)

    @classmethod
    def decode(cls, fields: Fields, kind: ValueKind) -> VariableSeries:
        """Read a payload."""
        device, variable, status = _identity(fields)
        tof_ns, values = _take_numbers(fields, kind) if kind in _ENTRY else _take_entries(fields, kind)
        return cls(
            time_ns=fields.time_ns,
            kind=kind,
            device=device,
            variable=variable,
            status=status >> 16,
            severity=status & 0xFFFF,
            tof_ns=tof_ns,
            values=values,
        )


def _identity(fields: Fields) -> tuple[int, int, int]:
    return fields.u32("device id"), fields.u32("variable id"), fields.u32("status")


def _take_value(fields: Fields, kind: ValueKind) -> Value:
    match kind:
        case ValueKind.U32:
            return fields.u32("value")
        case ValueKind.DOUBLE:
            return fields.f64("value")
        case ValueKind.STRING:
            return fields.counted_text("value")
    dtype = _DTYPE[kind]
    return _kept(fields.array("values", dtype, fields.count("number of elements", dtype.itemsize)))


def _take_numbers(fields: Fields, kind: ValueKind) -> tuple[NDArray[np.uint32], NDArray[np.uint32] | NDArray[np.float64]]:
    entry = _ENTRY[kind]
    entries = fields.array("values", entry, fields.count("number of values", entry.itemsize))
    return _kept(entries["tof_ns"]), _kept(entries["value"])


def _take_entries(fields: Fields, kind: ValueKind) -> tuple[NDArray[np.uint32], tuple[Value, ...]]:
    n = fields.count("number of values", _LEAST_ENTRY, limit=SERIES_LIMIT)
    entries = [(fields.u32("tof"), _take_value(fields, kind)) for _ in range(n)]
    return _kept(np.array([tof for tof, _ in entries], np.uint32)), tuple(value for _, value in entries)


def _pack_value(kind: ValueKind, value: Value) -> bytes:
    match kind:
        case ValueKind.U32:
            return struct.pack("<I", value)
        case ValueKind.DOUBLE:
            return struct.pack("<d", value)
        case ValueKind.STRING:
            return counted_text(str(value))
    array: NDArray[Any] = np.asarray(value, _DTYPE[kind])
    return struct.pack("<I", len(array)) + array.tobytes()


def _kept(view: NDArray[Any]) -> NDArray[Any]:
    """Return a read-only copy, aligned, that holds no more memory than it shows."""
    array = np.array(view)
    array.flags.writeable = False
    return array
