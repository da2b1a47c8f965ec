"""Neutrons of an ADARA stream, by bank.

Events are views of what came: as long as one is kept, so is the block it came in (see `adara.Reader`).
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np
from numpy.typing import NDArray

from livereduce.errors import WireError
from livereduce.kernels import gather_banks, walk_banks
from livereduce.wire.adara_fields import HEADER_SIZE, Fields
from livereduce.wire.adara_packets import PacketType
from livereduce.wire.adara_pulses import CORRECTED, EVENT, PulseMessage, pack_pulse, take_pulse

BANK: Final = np.dtype([("source", "<u4"), ("bank", "<u4"), ("state", "<u4"), ("first", "<u4"), ("count", "<u4")])
"""One bank section: row of its source, bank id, state, first word of its events in ``words``, how many they are."""

SOURCE: Final = np.dtype([("id", "<u4"), ("intra_pulse", "<u4"), ("offset", "<u4"), ("banks", "<u4")])
"""One source section: source id, intra-pulse time in 100 ns, `CORRECTED` | offset in 100 ns, number of bank sections."""

UNMAPPED_BANK: Final = 0xFFFFFFFF
"""Bank of events whose pixel nobody knows."""

ERROR_BANK: Final = 0xFFFFFFFE
"""Bank of events that the detector called wrong."""

_SCRATCH_ROWS: Final = 256
_PROBLEMS: Final = {1: ("source section", "4 words"), 2: ("bank section", "its head"), 3: ("event count", "no more than is there")}
_PULSE_WORDS: Final = 4


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
        sources, banks = self.sources.view(np.uint32).reshape(-1, 4), self.banks.view(np.uint32).reshape(-1, 5)
        head = 3 if self.has_states else 2
        total = (len(self.words) - 4 * len(sources) - head * len(banks)) // 2
        tof, pixel = np.empty(total, np.uint32), np.empty(total, np.uint32)
        n = gather_banks(self.words, sources, banks, ERROR_BANK, tof, pixel)
        return (tof, pixel) if n == total else (tof[:n].copy(), pixel[:n].copy())

    def payload(self) -> bytes:
        """Return pulse and sections."""
        return pack_pulse(self) + self.words.tobytes()

    @classmethod
    def decode(cls, fields: Fields) -> BankedEvents:
        """Read a payload."""
        pulse = take_pulse(fields, has_vetoes=fields.version > 0 or cls is BankedStateEvents)
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
