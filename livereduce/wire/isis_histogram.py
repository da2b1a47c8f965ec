"""The command protocol of the ISIS histogram DAE: bytes to messages and back, for both sides, without IO.

Strictly request and reply: the client speaks first and has one request outstanding. It opens with 120 bytes; everything after
that, in both directions, is an 88-byte header and data. All numbers are 32-bit little-endian.

======  ====  ========================================================================
offset  size  header field
======  ====  ========================================================================
0       4     len: 88 + bytes of data
4       4     type of the elements (`ElementType`)
8       4     ndims: how many of dims are used
12      44    dims[11], the rest 0
56      32    command, ASCII, NUL padded, at most 31 characters
88      len   data, row-major
======  ====  ========================================================================

`Requester` is the client's half, `Responder` the server's. Bytes are pushed in with ``receive`` and messages pulled out with
``next_message``, which answers None for "need more". A length is checked against its limit as soon as its four bytes are there and
before anything is kept for it. After a WireError a half is dead: it drops what it is given and raises the same error again.

**len rules.** ``dims`` describes the data, but known servers give a wrong one (for monitors, whose bins differ from those of the other
spectra) and known clients look at it for single numbers only. So data are measured by ``len``; ``dims`` must be (1,) for a single number.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass, field

from livereduce.errors import WireError
from livereduce.wire.isis_histogram_messages import (
    ELEMENT_CODE,
    HEADER,
    HEADER_SIZE,
    MAX_DIMS,
    NAME_LIMIT,
    OPEN,
    OPEN_SIZE,
    REPLY_DATA_LIMIT,
    REQUEST_DATA_LIMIT,
    VERSION,
    ElementType,
    GetData,
    GetParameter,
    Message,
    Open,
    OtherRequest,
    Reply,
    Request,
    encode,
)

__all__ = [
    "HEADER_SIZE",
    "MAX_DIMS",
    "NAME_LIMIT",
    "OPEN_SIZE",
    "REPLY_DATA_LIMIT",
    "REQUEST_DATA_LIMIT",
    "VERSION",
    "ElementType",
    "GetData",
    "GetParameter",
    "Message",
    "Open",
    "OtherRequest",
    "Reply",
    "Request",
    "Requester",
    "Responder",
    "encode",
]

_OFFSET_TYPE, _OFFSET_NDIMS, _OFFSET_DIMS, _OFFSET_COMMAND = 4, 8, 12, 56


@dataclass(slots=True)
class _Inbox:
    """Bytes of one message that is not complete yet, and the error that ended it all."""

    buffer: bytearray = field(default_factory=bytearray)
    error: WireError | None = None

    def fail(self, error: WireError) -> WireError:
        self.buffer.clear()
        self.error = error
        return error

    def take(self, size: int) -> bytes:
        taken = bytes(memoryview(self.buffer)[:size])
        del self.buffer[:size]
        return taken


class Requester:
    """The client's half: one request out, one reply in.

    Keeps no more than the one reply that was asked for; what comes beyond it, or unasked, is dropped and counted.
    """

    def __init__(self) -> None:
        self._inbox = _Inbox()
        self._pending: Open | GetParameter | GetData | None = None
        self._header: _Header | None = None
        self.unasked_bytes = 0
        """Bytes that came without being asked for, all dropped."""

    def request(self, message: Open | GetParameter | GetData) -> bytes:
        """Return the bytes to send for `message`, and expect its reply.

        Raises
        ------
        RuntimeError
            If the reply to the last request has not come yet: the protocol does not allow a second one.
        WireError
            If the server broke the protocol before.
        """
        if self._inbox.error:
            raise self._inbox.error
        if self._pending is not None:
            raise RuntimeError(f"{message} while the reply to {self._pending} is outstanding; wanted one request at a time")
        self._pending = message
        return encode(message)

    def receive(self, data: bytes) -> None:
        """Take bytes as they came from the server."""
        rest = memoryview(data)
        while rest and self._pending is not None and self._inbox.error is None and (wanted := self._wanted()):
            self._inbox.buffer += rest[:wanted]
            rest = rest[wanted:]
            self._read_header()
        self.unasked_bytes += len(rest)

    def next_message(self) -> Reply | None:
        """Return the reply when it is complete, None when more bytes are needed.

        Raises
        ------
        WireError
            If the bytes break the layout or are not what was asked for; the connection is of no use any more.
        """
        if self._inbox.error:
            raise self._inbox.error
        header = self._header
        if header is None or len(self._inbox.buffer) < header.length:
            return None
        data = self._inbox.take(header.length)[HEADER_SIZE:]
        self._pending = self._header = None
        return Reply(command=header.command, element=header.element, dims=header.dims, data=data)

    def _wanted(self) -> int:
        return (self._header.length if self._header else HEADER_SIZE) - len(self._inbox.buffer)

    def _read_header(self) -> None:
        """Read the header once it is there; next_message reports one that is broken."""
        if self._header is not None or self._pending is None:
            return
        try:
            header = _header_of(self._inbox.buffer, _room(self._pending))
            if header:
                _check_reply(self._pending, header)
            self._header = header
        except WireError as error:
            self._inbox.fail(error)


class Responder:
    """The server's half: the opening message, then requests.

    Keeps at most one incomplete request beside what was pushed in last, so pull until None before pushing more.
    """

    def __init__(self) -> None:
        self._inbox = _Inbox()
        self._opened = False

    def receive(self, data: bytes) -> None:
        """Take bytes as they came from the client."""
        if self._inbox.error is None:
            self._inbox.buffer += data

    def next_message(self) -> Open | Request | None:
        """Return the next message when it is complete, None when more bytes are needed.

        Raises
        ------
        WireError
            If the bytes break the layout; a server gives up without a reply.
        """
        if self._inbox.error:
            raise self._inbox.error
        try:
            return self._next_request() if self._opened else self._next_open()
        except WireError as error:
            raise self._inbox.fail(error) from None

    def _next_open(self) -> Open | None:
        buffer = self._inbox.buffer
        if len(buffer) >= 4:
            length = int.from_bytes(buffer[:4], "little", signed=True)
            if length != OPEN_SIZE:
                raise WireError(f"opening message: len at offset 0 is {length}; wanted {OPEN_SIZE}", field="len")
        if len(buffer) < OPEN_SIZE:
            return None
        message = _decode_open(self._inbox.take(OPEN_SIZE))
        self._opened = True
        return message

    def _next_request(self) -> Request | None:
        header = _header_of(self._inbox.buffer, REQUEST_DATA_LIMIT)
        if header is None or len(self._inbox.buffer) < header.length:
            return None
        return _decode_request(header, self._inbox.take(header.length)[HEADER_SIZE:])


@dataclass(frozen=True, slots=True, kw_only=True)
class _Header:
    """The header of a message, checked on its own."""

    length: int
    element: ElementType
    dims: tuple[int, ...]
    command: str


def _header_of(buffer: bytearray, room: int) -> _Header | None:
    """Return the header that `buffer` begins with, None when it is not all there; its len leaves at most `room` bytes of data."""
    if len(buffer) < 4:
        return None
    length = int.from_bytes(buffer[:4], "little", signed=True)
    if not HEADER_SIZE <= length <= HEADER_SIZE + room:
        raise WireError(f"len at offset 0 is {length}; wanted {HEADER_SIZE} to {HEADER_SIZE + room}", field="len")
    if len(buffer) < HEADER_SIZE:
        return None
    _, code, ndims, *dims, command = HEADER.unpack_from(buffer)
    element = _decode_element(code, length)
    if not 0 <= ndims <= MAX_DIMS:
        raise WireError(f"ndims at offset {_OFFSET_NDIMS} is {ndims}; wanted 0 to {MAX_DIMS}", field="ndims", offset=_OFFSET_NDIMS)
    for i, dim in enumerate(dims[:ndims]):
        if dim < 0:
            offset = _OFFSET_DIMS + 4 * i
            raise WireError(f"dims[{i}] at offset {offset} is {dim}; wanted 0 or more", field="dims", offset=offset)
    return _Header(length=length, element=element, dims=tuple(dims[:ndims]), command=_decode_text(command, "command", _OFFSET_COMMAND))


def _decode_element(code: int, length: int) -> ElementType:
    if code not in list(ElementType):
        raise WireError(f"type at offset {_OFFSET_TYPE} is {code}; wanted 0 to {max(ElementType)}", field="type", offset=_OFFSET_TYPE)
    element = ElementType(code)
    n_bytes = length - HEADER_SIZE
    if n_bytes and (not element.size or n_bytes % element.size):
        wanted = f"a multiple of {element.size}" if element.size else "none"
        raise WireError(f"len at offset 0 leaves {n_bytes} bytes of data for type {element.code}; wanted {wanted}", field="len")
    return element


def _room(message: Open | GetParameter | GetData) -> int:
    """Most bytes of data that the reply to `message` may have."""
    match message:
        case Open():
            return 0
        case GetParameter():
            return message.count * message.element.size
        case GetData():
            return message.count * message.words * ElementType.INT32.size


def _check_reply(message: Open | GetParameter | GetData, header: _Header) -> None:
    """Raise WireError if a reply with `header` cannot be the answer to `message`; an empty reply can."""
    if isinstance(message, Open):
        if header.command != "OK":
            text = f"reply to the opening message: command at offset {_OFFSET_COMMAND} is {header.command!r}; wanted 'OK'"
            raise WireError(text, field="command", offset=_OFFSET_COMMAND)
        return
    if header.length == HEADER_SIZE:
        return
    wanted = ElementType.INT32 if isinstance(message, GetData) else message.element
    if header.element != wanted:
        text = f"reply to {message}: type at offset {_OFFSET_TYPE} is {header.element.code}; wanted {wanted.code}"
        raise WireError(text, field="type", offset=_OFFSET_TYPE)
    if isinstance(message, GetParameter) and message.count == 1 and header.dims != (1,):
        text = f"reply to {message}: dims at offset {_OFFSET_DIMS} is {list(header.dims)}; wanted [1] for a single number"
        raise WireError(text, field="dims", offset=_OFFSET_DIMS)


def _decode_open(data: bytes) -> Open:
    _, major, minor, pid, access, _, user, host = OPEN.unpack(data)
    if major != VERSION[0] or minor > VERSION[1]:
        text = f"opening message: version at offset 4 is {major}.{minor}; wanted {VERSION[0]}.0 to {VERSION[0]}.{VERSION[1]}"
        raise WireError(text, field="version", offset=4)
    return Open(
        version_major=major,
        version_minor=minor,
        pid=pid,
        access_type=access,
        user=_decode_text(user, "user", 24),
        host=_decode_text(host, "host", 56),
    )


def _decode_request(header: _Header, data: bytes) -> Request:
    """What `data` under `header` asks for: text is a parameter's name whatever the command says, as known servers take it."""
    if header.element is ElementType.CHAR and data:
        return GetParameter(name=data.decode("latin-1"), element=_element_of(header.command), command=header.command)
    if header.command == "GETDAT" and header.element is ElementType.INT32 and data:
        if len(data) != 8:
            raise WireError(f"GETDAT: {len(data)} bytes of data at offset {HEADER_SIZE}; wanted 8", field="data", offset=HEADER_SIZE)
        first, count = struct.unpack("<2i", data)
        return GetData(first=first, count=count)
    return OtherRequest(command=header.command, element=header.element, dims=header.dims, data=data)


def _element_of(command: str) -> ElementType:
    """Type that a command such as GETPARI32 asks for."""
    codes = {code: element for element, code in ELEMENT_CODE.items()}
    return codes.get(command.removeprefix("GETPAR"), ElementType.NONE)


def _decode_text(raw: bytes, name: str, offset: int) -> str:
    text, nul, _ = raw.partition(b"\0")
    if not nul:
        raise WireError(
            f"{name} at offset {offset} has no closing NUL in {len(raw)} bytes; wanted at most {len(raw) - 1} characters", field=name, offset=offset
        )
    return text.decode("latin-1")
