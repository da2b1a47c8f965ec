"""Events of the beam monitors of an ADARA stream."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from livereduce.wire.adara_fields import Fields
from livereduce.wire.adara_packets import PacketType
from livereduce.wire.adara_pulses import CORRECTED, PulseMessage, pack_pulse, take_pulse

MONITOR_SECTION_LIMIT: Final = 4096
"""Most sections of beam monitors in a packet: their ids have 10 bits, and few have more than one source."""

_RISING, _MONITOR_TOF, _MONITOR_CYCLE, _MONITOR_COUNT = 1 << 31, 0x1FFFFF, 0x3FF, 0x3FFFFF


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
        return pack_pulse(self) + b"".join(_pack_monitor(section) for section in self.sections)

    @classmethod
    def decode(cls, fields: Fields) -> MonitorEvents:
        """Read a payload."""
        pulse = take_pulse(fields, has_vetoes=fields.version > 0)
        sections: list[MonitorSection] = []
        while fields.left:
            if len(sections) == MONITOR_SECTION_LIMIT:
                raise fields.error("number of sections", f"more than {MONITOR_SECTION_LIMIT}", f"at most {MONITOR_SECTION_LIMIT}")
            sections.append(_take_monitor(fields))
        return cls(time_ns=fields.time_ns, version=fields.version, **pulse, sections=tuple(sections))


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
