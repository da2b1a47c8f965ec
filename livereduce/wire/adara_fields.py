"""The fields of an ADARA payload, taken one after the other; what is not there is refused by name and place."""

from __future__ import annotations

import struct
from typing import Any, Final

import numpy as np
from numpy.typing import DTypeLike, NDArray

from livereduce.errors import WireError

HEADER_SIZE: Final = 16
"""Bytes before the payload: length, format, seconds, nanoseconds."""

U32_SIZE: Final = 4
"""Everything is made of words of so many bytes."""

_U32: Final = struct.Struct("<I")
_U64: Final = struct.Struct("<Q")
_F64: Final = struct.Struct("<d")


def padded(size: int) -> int:
    """Return `size` rounded up to whole words."""
    return -(-size // U32_SIZE) * U32_SIZE


def pack_text(text: str, *, limit: int | None = None) -> bytes:
    """Return `text` in UTF-8, filled up with NULs to whole words, or to `limit` bytes exactly; ValueError if it is longer than that."""
    data = text.encode()
    if limit is not None and len(data) > limit:
        raise ValueError(f"text of {len(data)} bytes; wanted at most {limit}")
    return data.ljust(padded(len(data)) if limit is None else limit, b"\0")


def counted_text(text: str) -> bytes:
    """Return the length of `text` as u32, and the text as `pack_text` packs it."""
    return _U32.pack(len(text.encode())) + pack_text(text)


class Fields:
    """A payload and the place in it.

    Parameters
    ----------
    packet:
        Name of the packet, for errors.
    payload:
        What follows the header.
    version:
        Of the packet's layout.
    time_ns:
        Of the packet's header, ns since 1970-01-01 UTC.
    """

    __slots__ = ("_at", "_payload", "packet", "time_ns", "version")

    def __init__(self, packet: str, payload: memoryview, *, version: int = 0, time_ns: int = 0) -> None:
        self.packet = packet
        self.version = version
        self.time_ns = time_ns
        self._payload = payload
        self._at = 0

    @property
    def left(self) -> int:
        """Bytes not taken yet."""
        return len(self._payload) - self._at

    @property
    def offset(self) -> int:
        """Offset of the next byte in its packet."""
        return HEADER_SIZE + self._at

    def exactly(self, size: int) -> None:
        """Refuse a payload that has not `size` bytes."""
        if len(self._payload) != size:
            text = f"{self.packet} version {self.version}: payload length at offset 0 is {len(self._payload)}; wanted {size}"
            raise WireError(text, field="payload length")

    def u32(self, name: str) -> int:
        """Return the next word."""
        value: int = _U32.unpack_from(self.raw(name, U32_SIZE))[0]
        return value

    def u64(self, name: str) -> int:
        """Return the next two words as one number."""
        value: int = _U64.unpack_from(self.raw(name, _U64.size))[0]
        return value

    def f64(self, name: str) -> float:
        """Return the next double; it need not be aligned."""
        value: float = _F64.unpack_from(self.raw(name, _F64.size))[0]
        return value

    def count(self, name: str, unit: int, *, limit: int | None = None) -> int:
        """Return the next word, the number of things of at least `unit` bytes that follow; at most `limit` of them."""
        value = self.u32(name)
        most = self.left // unit
        if value > most or (limit is not None and value > limit):
            raise self.error(name, value, f"at most {most if limit is None else min(limit, most)}", back=U32_SIZE)
        return value

    def array(self, name: str, dtype: DTypeLike, n: int) -> NDArray[Any]:
        """Return the next `n` elements of `dtype` as a view, read-only when the payload is."""
        return np.frombuffer(self.raw(name, n * np.dtype(dtype).itemsize), dtype)

    def words(self, name: str) -> NDArray[np.uint32]:
        """Return all that is left as words, a view; what is left is whole words, as every payload is."""
        return np.frombuffer(self.raw(name, self.left), np.uint32)

    def text(self, name: str, size: int, *, fill: bool = True) -> str:
        """Return the next `size` bytes as text, and skip what fills them up to whole words.

        Bytes that are not UTF-8 become replacement characters: a title in another encoding is no reason to lose a run.
        """
        raw = bytes(self.raw(name, size))
        if fill:
            self._at += min(padded(size) - size, self.left)
        return raw.decode(errors="replace")

    def counted_text(self, name: str) -> str:
        """Return the text behind its length."""
        return self.text(name, self.count(f"length of {name}", 1))

    def raw(self, name: str, size: int) -> memoryview:
        """Return the next `size` bytes."""
        if size > self.left:
            text = f"{self.packet}: {name} at offset {self.offset} has {self.left} bytes; wanted {size}"
            raise WireError(text, field=name, offset=self.offset)
        start, self._at = self._at, self._at + size
        return self._payload[start : self._at]

    def error(self, name: str, value: object, wanted: str, *, back: int = 0) -> WireError:
        """Return the error for a field that ended `back - U32_SIZE` bytes ago, or begins here when `back` is 0."""
        offset = self.offset - back
        return WireError(f"{self.packet}: {name} at offset {offset} is {value}; wanted {wanted}", field=name, offset=offset)
