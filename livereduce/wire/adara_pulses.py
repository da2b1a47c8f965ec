"""What packets with events of an ADARA stream share: the pulse.

Times of flight are in 100 ns. A section of a source that has not corrected its times for the skew of its frames carries an offset, which
is *added* to every time of the section; one that has (``corrected``) carries the offset it has added already.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from enum import IntFlag
from typing import Any, Final

import numpy as np

from livereduce.wire.adara_fields import Fields
from livereduce.wire.adara_packets import Message

EVENT: Final = np.dtype([("tof", "<u4"), ("pixel", "<u4")])
"""One event: time of flight in 100 ns, pixel."""

CORRECTED: Final = 1 << 31
"""Bit of an offset: the times have it in them already."""

CHARGE_UNIT_PC: Final = 10
"""pC in one unit of charge on the wire."""

CHARGE_MASK: Final = 0xFFFFFF
"""Bits of a charge, where it shares a word with others."""

UNKNOWN_CYCLE: Final = 0xFFFFFFFF
"""Cycle of the accelerator when it is not known."""

_VETO_SHIFT, _FLAG_MASK = 20, 0xFFFFF


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


def take_pulse(fields: Fields, *, has_vetoes: bool) -> dict[str, Any]:
    """Return the fields of a `PulseMessage` that stand before its sections."""
    charge, energy, cycle = fields.u32("pulse charge"), fields.u32("pulse energy"), fields.u32("cycle")
    flags = fields.u32("flags")
    return {
        "charge_pc": charge * CHARGE_UNIT_PC,
        "energy_ev": energy,
        "cycle": cycle,
        "vetoes": flags >> _VETO_SHIFT if has_vetoes else 0,
        "flags": PulseFlag(flags & _FLAG_MASK if has_vetoes else flags),
    }


def pack_pulse(pulse: PulseMessage) -> bytes:
    """Return what stands before the sections of `pulse`."""
    return struct.pack("<4I", charge_units(pulse.charge_pc), pulse.energy_ev, pulse.cycle, pulse.vetoes << _VETO_SHIFT | int(pulse.flags))


def charge_units(charge_pc: int) -> int:
    """Return a charge in pC in the units of the wire; ValueError if it is none of theirs."""
    units, rest = divmod(charge_pc, CHARGE_UNIT_PC)
    if rest:
        raise ValueError(f"charge of {charge_pc} pC; wanted a multiple of {CHARGE_UNIT_PC}")
    return units
