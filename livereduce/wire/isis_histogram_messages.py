"""The messages of the ISIS histogram DAE's command protocol and their bytes; `isis_histogram` tells the layout.

A message is checked as it is built: what exists can be sent.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Final

HEADER_SIZE: Final = 88
"""Bytes of the header of a message."""

OPEN_SIZE: Final = 120
"""Bytes of the opening message."""

MAX_DIMS: Final = 11
"""Entries of dims in the header."""

COMMAND_SIZE: Final = 32
"""Bytes of the command, its closing NUL included."""

VERSION: Final = (1, 1)
"""Major and minor version of the protocol that both sides of this module speak."""

REQUEST_DATA_LIMIT: Final = 1024
"""Most bytes of data in a request: parameter names have some ten characters, known servers receive at most this much."""

REPLY_DATA_LIMIT: Final = 256 * 1024 * 1024
"""Most bytes of data a client may ask for at once: counts come in blocks of 1 MiB or of one spectrum if that is larger, tables take four
bytes for each detector; this leaves room for tens of millions of either and keeps ``len`` far from the sign bit."""

NAME_LIMIT: Final = 1024
"""Most characters of a text parameter such as NAME."""

_INT32_MAX: Final = 2**31 - 1
HEADER: Final = struct.Struct("<3i11i32s")
"""len, type, ndims, dims[11], command."""

OPEN: Final = struct.Struct("<6i32s64s")
"""len, major, minor, pid, access type, padding, user, host."""


class ElementType(IntEnum):
    """Type of the elements of a message's data."""

    NONE = 0
    INT32 = 1
    REAL32 = 2
    REAL64 = 3
    CHAR = 4

    @property
    def size(self) -> int:
        """Bytes of one element; 0 when there is no data."""
        return _ELEMENT_SIZE[self]

    @property
    def code(self) -> str:
        """The three letters that name the type in commands such as GETPARI32."""
        return ELEMENT_CODE[self]


_ELEMENT_SIZE: Final = {ElementType.NONE: 0, ElementType.INT32: 4, ElementType.REAL32: 4, ElementType.REAL64: 8, ElementType.CHAR: 1}
ELEMENT_CODE: Final = {
    ElementType.NONE: "U00",
    ElementType.INT32: "I32",
    ElementType.REAL32: "R32",
    ElementType.REAL64: "R64",
    ElementType.CHAR: "C08",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Open:
    """The first message of a client."""

    version_major: int = VERSION[0]
    """Must equal the server's."""

    version_minor: int = VERSION[1]
    """Must not exceed the server's."""

    pid: int = 0
    """Process id of the client; 0 as sent by known clients."""

    access_type: int = 0
    """0: live counts; 1: current run parameter table."""

    user: str = "faa"
    """At most 31 characters."""

    host: str = "localhost"
    """At most 63 characters."""

    def __post_init__(self) -> None:
        for name in ("version_major", "version_minor", "pid", "access_type"):
            _check_int32(name, getattr(self, name))
        _check_text("user", self.user, 31)
        _check_text("host", self.host, 63)


@dataclass(frozen=True, slots=True, kw_only=True)
class GetParameter:
    """Asks for a parameter by name."""

    name: str
    """Name, such as NPER; 1 to 1024 characters."""

    element: ElementType = ElementType.INT32
    """Type of the elements asked for."""

    count: int = 1
    """Elements that the client has room for; not on the wire."""

    command: str = ""
    """Command text; empty for the one that `element` implies. Servers do not look at it."""

    def __post_init__(self) -> None:
        _check_text("name", self.name, REQUEST_DATA_LIMIT)
        _check_text("command", self.command, COMMAND_SIZE - 1)
        if not self.name:
            raise ValueError("GetParameter.name is empty; wanted the name of a parameter")
        _check_room("GetParameter.count", self.count, max(1, self.element.size))


@dataclass(frozen=True, slots=True, kw_only=True)
class GetData:
    """Asks for the counts of consecutive spectra."""

    first: int
    """Index of the first: spectrum + period * (spectra of all regimes + 1), period from 0."""

    count: int
    """How many spectra."""

    words: int = 0
    """Integers that the client expects for each spectrum, bin 0 included; not on the wire."""

    def __post_init__(self) -> None:
        _check_int32("GetData.first", self.first)
        _check_int32("GetData.count", self.count)
        _check_room("GetData.count * words", max(0, self.count) * self.words, ElementType.INT32.size)


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """What a server answers; without data it means no more than that the request was heard."""

    command: str = "OK"
    """OK; clients look at it after the opening message only."""

    element: ElementType = ElementType.NONE
    """Type of the elements."""

    dims: tuple[int, ...] = ()
    """Dimensions as stated; `data` may disagree (see the module)."""

    data: bytes = field(default=b"", repr=False)
    """The elements, little-endian."""

    def __post_init__(self) -> None:
        _check_message(self.command, self.element, self.dims, self.data)


@dataclass(frozen=True, slots=True, kw_only=True)
class OtherRequest:
    """A request that is neither for a parameter nor for counts; known servers answer it with a bare OK."""

    command: str
    """Command text."""

    element: ElementType = ElementType.NONE
    """Type of the elements."""

    dims: tuple[int, ...] = ()
    """Dimensions as stated."""

    data: bytes = field(default=b"", repr=False)
    """The elements."""

    def __post_init__(self) -> None:
        _check_message(self.command, self.element, self.dims, self.data)


Request = GetParameter | GetData | OtherRequest
Message = Open | Request | Reply


def encode(message: Message) -> bytes:
    """Return the bytes of `message`."""
    match message:
        case Open():
            numbers = (OPEN_SIZE, message.version_major, message.version_minor, message.pid, message.access_type, 0)
            return OPEN.pack(*numbers, _encode_text(message.user), _encode_text(message.host))
        case GetParameter():
            name = _encode_text(message.name)
            return _pack(message.command or f"GETPAR{message.element.code}", ElementType.CHAR, (len(name),), name)
        case GetData():
            return _pack("GETDAT", ElementType.INT32, (2,), struct.pack("<2i", message.first, message.count))
        case Reply() | OtherRequest():
            return _pack(message.command, message.element, message.dims, message.data)


def _pack(command: str, element: ElementType, dims: tuple[int, ...], data: bytes) -> bytes:
    padded = (*dims, *(0,) * (MAX_DIMS - len(dims)))
    return HEADER.pack(HEADER_SIZE + len(data), element, len(dims), *padded, _encode_text(command)) + data


def _encode_text(text: str) -> bytes:
    return text.encode("latin-1")


def _check_int32(name: str, value: int) -> None:
    if not -_INT32_MAX - 1 <= value <= _INT32_MAX:
        raise ValueError(f"{name} is {value}; wanted a 32-bit integer")


def _check_text(name: str, text: str, limit: int) -> None:
    if len(text) > limit or any(ord(character) > 0xFF for character in text):
        raise ValueError(f"{name} is {text!r}, {len(text)} characters; wanted at most {limit} of one byte each")


def _check_room(name: str, count: int, size: int) -> None:
    if not 0 <= count * size <= REPLY_DATA_LIMIT:
        raise ValueError(f"{name} is {count}, {count * size} bytes; wanted 0 to {REPLY_DATA_LIMIT} bytes in one reply")


def _check_message(command: str, element: ElementType, dims: tuple[int, ...], data: bytes) -> None:
    _check_text("command", command, COMMAND_SIZE - 1)
    if len(dims) > MAX_DIMS or any(not 0 <= dim <= _INT32_MAX for dim in dims):
        raise ValueError(f"dims is {dims}; wanted at most {MAX_DIMS} 32-bit integers, 0 or more")
    if data and (not element.size or len(data) % element.size):
        raise ValueError(f"{len(data)} bytes of data for type {element.code} of {element.size} bytes; wanted whole elements")
    if len(data) > _INT32_MAX - HEADER_SIZE:
        raise ValueError(f"{len(data)} bytes of data; wanted at most {_INT32_MAX - HEADER_SIZE}")
