"""Bytes that no honest peer sends, shared by the tests of codecs, listeners and simulators.

A protocol adds a function that returns `Case` objects; `mutations` makes more of them from an honest message.
"""

from __future__ import annotations

import random
import struct
from dataclasses import dataclass

from adara_bytes import SAMPLES, packet


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One hostile stream."""

    name: str
    """What is wrong with it; the id of the test."""

    data: bytes
    """What is sent; then the sender waits."""

    broken: bool = True
    """True when it must be refused as soon as it is read; False when it is an honest beginning that may be waited on."""


def mutations(honest: bytes, *, words: tuple[int, ...], seed: int = 0) -> list[Case]:
    """Return `honest` cut short, and with each of its 32-bit `words` (offsets) replaced by extremes; the latter are not all broken."""
    rng = random.Random(seed)
    cases = [Case(name=f"cut after {n} bytes", data=honest[:n], broken=False) for n in sorted({1, 3, len(honest) - 1})]
    for offset in words:
        for value in (-(2**31), -1, 2**31 - 1, rng.randrange(1 << 16, 1 << 30)):
            cases.append(Case(name=f"{value} at {offset}", data=honest[:offset] + struct.pack("<i", value) + honest[offset + 4 :], broken=False))
    return cases


def dae_message(
    data: bytes = b"", *, length: int | None = None, kind: int = 0, dims: tuple[int, ...] = (), ndims: int | None = None, command: bytes = b"OK"
) -> bytes:
    """A message of the ISIS histogram DAE, packed from the published layout, with any field wrong."""
    padded = (*dims, *(0,) * (11 - len(dims)))
    head = struct.pack("<3i11i32s", 88 + len(data) if length is None else length, kind, len(dims) if ndims is None else ndims, *padded, command)
    return head + data


def dae_open(*, length: int = 120, major: int = 1, minor: int = 1, user: bytes = b"faa", host: bytes = b"localhost") -> bytes:
    """The opening message of a client of the ISIS histogram DAE, with any field wrong."""
    return struct.pack("<6i32s64s", length, major, minor, 0, 0, 0, user, host)


def dae_replies() -> list[Case]:
    """Hostile replies to a GETPARI32 of one number."""
    one = struct.pack("<i", 1)
    honest = dae_message(one, kind=1, dims=(1,))
    return [
        Case(name="length 0", data=dae_message(length=0)),
        Case(name="length negative", data=dae_message(length=-1)),
        Case(name="length below the header", data=dae_message(length=87)),
        Case(name="length absurd", data=dae_message(one, length=2**31 - 1, kind=1, dims=(1,))),
        Case(name="length one element too long", data=dae_message(one + one, kind=1, dims=(1,))),
        Case(name="length absurd, four bytes alone", data=struct.pack("<i", 2**31 - 1)),
        Case(name="half an element", data=dae_message(b"\0\0", kind=1, dims=(1,))),
        Case(name="type unknown with data", data=dae_message(one, kind=0, dims=(1,))),
        Case(name="type out of range", data=dae_message(one, kind=5, dims=(1,))),
        Case(name="type negative", data=dae_message(one, kind=-1, dims=(1,))),
        Case(name="type not the one asked for", data=dae_message(one, kind=2, dims=(1,))),
        Case(name="ndims too large", data=dae_message(one, kind=1, dims=(1,), ndims=12)),
        Case(name="ndims negative", data=dae_message(one, kind=1, dims=(1,), ndims=-1)),
        Case(name="dims negative", data=dae_message(one, kind=1, dims=(-1,))),
        Case(name="dims of more than one number", data=dae_message(one, kind=1, dims=(2,))),
        Case(name="command without a NUL", data=dae_message(one, kind=1, dims=(1,), command=b"x" * 32)),
        Case(
            name="text of another protocol", data=b"HTTP/1.1 400 Bad Request\r\nContent-Type: text/plain\r\nConnection: close\r\n\r\n400 Bad Request"
        ),
        Case(name="noise", data=random.Random(1).randbytes(4096)),
        *mutations(honest, words=(0, 4, 8, 12)),
    ]


def dae_requests() -> list[Case]:
    """Hostile streams from a client of the ISIS histogram DAE, the opening message included."""
    opened = dae_open()
    honest = dae_message(b"NPER", kind=4, dims=(4,), command=b"GETPARI32")
    return [
        Case(name="opening of 0 bytes", data=dae_open(length=0)),
        Case(name="opening too long", data=dae_open(length=121)),
        Case(name="opening absurd", data=dae_open(length=2**31 - 1)),
        Case(name="opening of another version", data=dae_open(major=2)),
        Case(name="opening of a later minor version", data=dae_open(minor=2)),
        Case(name="opening user without a NUL", data=dae_open(user=b"u" * 32)),
        Case(name="opening host without a NUL", data=dae_open(host=b"h" * 64)),
        Case(name="opening in another protocol", data=b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"),
        Case(name="request length 0", data=opened + dae_message(length=0)),
        Case(name="request length absurd", data=opened + dae_message(length=2**31 - 1)),
        Case(name="request with too much data", data=opened + dae_message(b"N" * 1025, kind=4, dims=(1025,))),
        Case(name="request type out of range", data=opened + dae_message(b"NPER", kind=9, dims=(4,))),
        Case(name="request with data of no type", data=opened + dae_message(b"NPER", kind=0, dims=(4,))),
        Case(name="request ndims absurd", data=opened + dae_message(b"NPER", kind=4, ndims=2**30)),
        Case(name="GETDAT with half its numbers", data=opened + dae_message(b"\0" * 4, kind=1, dims=(1,), command=b"GETDAT")),
        Case(name="GETDAT without data", data=opened + dae_message(kind=1, command=b"GETDAT"), broken=False),
        Case(name="command without a NUL", data=opened + dae_message(b"NPER", kind=4, dims=(4,), command=b"G" * 32)),
        Case(name="noise", data=opened + random.Random(2).randbytes(4096)),
        *mutations(opened + honest, words=(0, 4, 8, 120, 124, 128, 132)),
    ]


def event_header(*, kind: int = 2, marker1: int = 0xFFFFFFFF, marker2: int = 0xFFFFFFFF, version: int = 0x10000, length: int = 20) -> bytes:
    """The header of every packet of the ISIS event stream, packed from the published layout, with any field wrong."""
    return struct.pack("<5I", marker1, marker2, version, length, kind)


def event_setup(
    *, head: bytes | None = None, changed: int = 0, length: int = 56, start: int = 0, run: int = 1234, state: int = 0, name: bytes = b"MUSR"
) -> bytes:
    """A Setup packet of the ISIS event stream, with any field wrong."""
    return (event_header(kind=1) if head is None else head) + struct.pack("<4xIIqii32s", changed, length, start, run, state, name)


def event_packet(
    events: list[tuple[float, int]] | None = None,
    *,
    head: bytes | None = None,
    extra: bytes = b"",
    length: int | None = None,
    more: bytes = b"",
    frame: int = 0,
    period: int = 0,
    protons: float = 0.0,
    time_zero: float = 0.0,
    n: int | None = None,
) -> bytes:
    """A neutron packet of the ISIS event stream, with any field wrong; `extra` follows the common header, `more` the neutron header."""
    own = [(12345.5, 3)] if events is None else events
    first = event_header(length=20 + len(extra)) if head is None else head
    numbers = (24 + len(more) if length is None else length, frame, period, protons, time_zero, len(own) if n is None else n)
    return first + extra + struct.pack("<3I2fI", *numbers) + more + b"".join(struct.pack("<fI", tof, spectrum) for tof, spectrum in own)


def event_se(offset_s: float = 0.0, *, extra: bytes = b"") -> bytes:
    """An SE packet of the ISIS event stream."""
    return event_header(kind=3, length=20 + len(extra)) + extra + struct.pack("<f", offset_s)


def event_streams() -> list[Case]:
    """Hostile ISIS event streams, from their first byte."""
    opened, honest, most = event_setup(), event_packet(), 2**32 - 1
    return [
        Case(name="text of another protocol", data=b"HTTP/1.1 400 Bad Request\r\nContent-Type: text/plain\r\n\r\n400 Bad Request"),
        Case(name="noise", data=random.Random(3).randbytes(4096)),
        Case(name="noise after Setup", data=opened + random.Random(4).randbytes(4096)),
        Case(name="noise after a packet", data=opened + honest + random.Random(5).randbytes(4096)),
        Case(name="neutrons before Setup", data=event_header(kind=2)),
        Case(name="Setup length too small", data=event_setup(length=55)),
        Case(name="Setup length absurd", data=event_setup(length=most)),
        Case(name="Setup name without a NUL", data=event_setup(name=b"n" * 32)),
        Case(name="Setup header length too small", data=event_setup(head=event_header(kind=1, length=19))),
        Case(name="one zero byte too many", data=opened + b"\0" + honest),
        Case(name="marker1 wrong", data=opened + event_header(marker1=0xFFFFFFFE)),
        Case(name="marker2 wrong", data=opened + event_header(marker2=0)),
        Case(name="version 0", data=opened + event_header(version=0xFFFF)),
        Case(name="version 2", data=opened + event_header(version=0x20000)),
        Case(name="version with the upper bit", data=opened + event_header(version=0x80010000)),
        Case(name="header length too small", data=opened + event_header(length=19)),
        Case(name="header length 0", data=opened + event_header(length=0)),
        Case(name="header length of the whole packet", data=opened + event_packet([], head=event_header(length=20 + 24 + 8000))),
        Case(name="header length absurd", data=opened + event_header(length=most)),
        Case(name="type 0", data=opened + event_header(kind=0)),
        Case(name="type 4", data=opened + event_header(kind=4)),
        Case(name="type absurd", data=opened + event_header(kind=most)),
        Case(name="neutron length too small", data=opened + event_packet(length=23)),
        Case(name="neutron length absurd", data=opened + event_packet(length=most)),
        Case(name="nevents one too many", data=opened + event_packet(n=2**24 + 1)),
        Case(name="nevents absurd", data=opened + event_packet(n=most)),
        Case(name="nevents absurd, nothing after it", data=opened + event_packet([], n=most)),
        Case(name="nevents one less than there are", data=opened + event_packet([(1.0, 2), (3.0, 4)], n=1) + honest),
        Case(name="nevents one more than there are", data=opened + event_packet(n=2) + event_packet([])),
        Case(name="values absurd", data=opened + event_packet([(float("nan"), most)], frame=most, period=most, time_zero=float("inf")), broken=False),
        *mutations(opened + honest, words=(0, 4, 8, 12, 16, 20, 24, 28, 32, 40, 44, 80, 84, 88, 92, 96, 100, 104, 108, 120)),
    ]


def adara_packets() -> list[Case]:
    """Hostile streams from an ADARA server, each after an honest packet."""
    honest = SAMPLES["BankedEvent v1"]

    def case(name: str, type_: int, version: int, *words: int, broken: bool = True) -> Case:
        return Case(name=name, data=honest + packet(type_, version, struct.pack(f"<{len(words)}I", *words)), broken=broken)

    pulse = (1, 1, 1, 0)
    return [
        Case(name="payload length absurd, four bytes alone", data=honest + struct.pack("<I", 0x7FFFFFF0)),
        Case(name="payload length odd", data=honest + packet(0x4009, 0, b"", length=5)),
        Case(name="payload length just beyond the limit", data=honest + packet(0x4009, 0, b"", length=48 * 1024 * 1024 + 4)),
        Case(name="payload length at the limit", data=honest + packet(0x4009, 0, b"", length=48 * 1024 * 1024), broken=False),
        Case(name="type of 24 bits", data=honest + packet(0x100000, 0, b"")),
        Case(name="nanoseconds of more than a second", data=honest + packet(0x4009, 0, b"", ns=10**9)),
        case("source section cut off", 0x4000, 1, *pulse, 7, 0, 0),
        case("more banks than there are", 0x4000, 1, *pulse, 7, 0, 0, 2, 1, 0),
        case("absurdly many banks", 0x4000, 1, *pulse, 7, 0, 0, 0xFFFFFFFF),
        case("absurdly many events", 0x4000, 1, *pulse, 7, 0, 0, 1, 1, 0xFFFFFFFF, 5, 6),
        case("half an event", 0x4000, 1, *pulse, 7, 0, 0, 1, 1, 1, 5),
        case("events left over", 0x4000, 1, *pulse, 7, 0, 0, 1, 1, 0, 5),
        case("state section cut off", 0x4100, 0, *pulse, 7, 0, 0, 1, 1, 0),
        case("banked events without a pulse", 0x4000, 1, 1, 1),
        case("monitor section cut off", 0x4001, 1, *pulse, 1, 2),
        case("absurdly many monitor events", 0x4001, 1, *pulse, 0x3FFFFF, 2, 0, 5),
        case("absurdly many monitor sections", 0x4001, 1, *pulse, *(0, 0, 0) * 4097),
        case("half a raw event", 0x0000, 1, 1, 2, 3, 4, 5, 6, 7),
        case("raw events without their head", 0x0003, 1, 1, 2),
        case("RTDL too short", 0x0001, 0, *[0] * 29),
        case("RTDL without its ring period", 0x0001, 0, *[0] * 30),
        case("run status of the other version's length", 0x4003, 0, *[0] * 5),
        case("run status nobody knows", 0x4003, 1, 1, 1, 0xFF000000, 0, 0),
        case("hello too long", 0x4006, 0, 1, 2),
        case("comment longer than its packet", 0x4007, 0, 0x0000FFFF, 0, 0),
        case("annotation cut off", 0x4007, 0, 0),
        case("XML longer than its packet", 0x400A, 0, 0xFFFFFFFF, 0),
        case("descriptor without a length", 0x8000, 0, 1),
        case("reason longer than its packet", 0x4005, 0, 0xFFFF),
        case("names longer than their packet", 0x400B, 1, 0x01FFFFFF, 0),
        case("absurdly many monitors", 0x400D, 1, 0xFFFFFFFF),
        case("more monitors than ids", 0x400D, 0, 1025, *[0] * 6 * 1025),
        case("absurdly many sets of banks", 0x400E, 0, 0xFFFFFFFF),
        case("absurdly many banks in a set", 0x400E, 0, 1, *[0] * 5, 0xFFFFFFFF, *[0] * 9),
        case("value too long", 0x8001, 0, 1, 1, 0, 5, 6),
        case("double too short", 0x8002, 0, 1, 1, 0, 5),
        case("text longer than its packet", 0x8003, 0, 1, 1, 0, 0xFFFFFFFF),
        case("absurdly many elements", 0x8005, 0, 1, 1, 0, 0xFFFFFFFF, 0, 0),
        case("absurdly many values", 0x8101, 0, 1, 1, 0, 0xFFFFFFFF, 0, 0),
        case("absurdly many doubles", 0x8102, 0, 1, 1, 0, 2, 0, 0, 0),
        case("absurdly many texts", 0x8103, 0, 1, 1, 0, 0xFFFFFFFF, 0, 0),
        case("more texts than a pulse has time for", 0x8103, 0, 1, 1, 0, (1 << 17) + 1, *[0, 0] * ((1 << 17) + 1)),
        case("an array within a series longer than its packet", 0x8104, 0, 1, 1, 0, 1, 0, 0xFFFFFFFF),
        case("sync too short", 0x4008, 0, *[0] * 5),
        case("unknown type", 0x4FFF, 0, 1, broken=False),
        case("newer version", 0x4003, 7, 1, broken=False),
        Case(name="text of another protocol", data=b"HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n"),
        Case(name="noise", data=honest + random.Random(1).randbytes(4096)),
        *mutations(honest, words=tuple(range(0, len(honest), 4))),
    ]


def adara_hellos() -> list[Case]:
    """Hostile streams from an ADARA client."""
    honest = SAMPLES["Hello v1"]
    return [
        Case(name="hello absurd, four bytes alone", data=struct.pack("<I", 0x7FFFFFF0)),
        Case(name="hello of more than 1024 bytes", data=packet(0x4006, 0, bytes(1012))),
        Case(name="hello too long", data=packet(0x4006, 0, bytes(8))),
        Case(name="hello too short", data=packet(0x4006, 1, bytes(4))),
        Case(name="something else than a hello", data=SAMPLES["Heartbeat"]),
        Case(name="unknown type", data=packet(0x4FFF, 0, b"")),
        Case(name="hello of a newer version", data=packet(0x4006, 9, bytes(16))),
        Case(name="another protocol", data=b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"),
        Case(name="noise", data=random.Random(3).randbytes(4096)),
        *[case for case in mutations(honest, words=(0, 4)) if case.name.startswith("cut")],
    ]
