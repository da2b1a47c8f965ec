"""Which pixel of the electronics is which of the geometry, in an ADARA stream.

Maps are kept as they came, and walked when somebody asks: events carry logical ids, so most clients never do.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from livereduce.errors import WireError
from livereduce.wire.adara_fields import HEADER_SIZE, Fields
from livereduce.wire.adara_packets import Message, PacketType

_SHORTHAND: Final = 0x8000

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
