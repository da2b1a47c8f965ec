"""Bytes that no honest peer sends, shared by the tests of codecs, listeners and simulators.

A protocol adds a function that returns `Case` objects; `mutations` makes more of them from an honest message.
"""

from __future__ import annotations

import random
import struct
from dataclasses import dataclass


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
