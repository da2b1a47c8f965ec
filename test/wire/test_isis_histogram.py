"""The codec of the ISIS histogram DAE against the published layout, captures, any cutting of the stream, and hostile bytes."""

from __future__ import annotations

import struct
import tracemalloc
from itertools import pairwise
from pathlib import Path

import pytest
from hostile_wire import Case, dae_message, dae_open, dae_replies, dae_requests
from hypothesis import given
from hypothesis import strategies as st

from livereduce.errors import WireError
from livereduce.wire.isis_histogram import (
    REPLY_DATA_LIMIT,
    ElementType,
    GetData,
    GetParameter,
    Open,
    OtherRequest,
    Reply,
    Requester,
    Responder,
    encode,
)

CAPTURES = Path(__file__).parent.parent / "golden" / "captures"
NAMES = sorted(path.name.removesuffix(".port0.c2s.bin") for path in CAPTURES.glob("*.port0.c2s.bin"))
NPER = GetParameter(name="NPER")

OPENING = bytes.fromhex("78000000 01000000 01000000 00000000 00000000 00000000 666161".replace(" ", "")) + bytes(29) + b"localhost" + bytes(55)
ASK_NPER = bytes.fromhex("5c000000 04000000 01000000 04000000".replace(" ", "")) + bytes(40) + b"GETPARI32" + bytes(23) + b"NPER"
IS_1 = bytes.fromhex("5c000000 01000000 01000000 01000000".replace(" ", "")) + bytes(40) + b"OK" + bytes(30) + bytes.fromhex("01000000")
ASK_DATA = (
    bytes.fromhex("60000000 01000000 01000000 02000000".replace(" ", "")) + bytes(40) + b"GETDAT" + bytes(26) + bytes.fromhex("0100000064000000")
)
DATA = (
    bytes.fromhex("70000000 01000000 02000000 02000000 03000000".replace(" ", ""))
    + bytes(36)
    + b"OK"
    + bytes(30)
    + struct.pack("<6i", 1, 1, 1, 2, 2, 2)
)
BARE_OK = bytes.fromhex("58000000") + bytes(52) + b"OK" + bytes(30)


@pytest.mark.parametrize(
    ("message", "golden"),
    [
        (Open(), OPENING),
        (NPER, ASK_NPER),
        (Reply(element=ElementType.INT32, dims=(1,), data=struct.pack("<i", 1)), IS_1),
        (GetData(first=1, count=100, words=3), ASK_DATA),
        (Reply(element=ElementType.INT32, dims=(2, 3), data=struct.pack("<6i", 1, 1, 1, 2, 2, 2)), DATA),
        (Reply(), BARE_OK),
    ],
    ids=lambda value: type(value).__name__,
)
def test_a_message_has_the_bytes_of_the_published_layout(message: Open | GetParameter | GetData | Reply, golden: bytes) -> None:
    assert encode(message) == golden


def test_commands_name_the_type_that_is_asked_for() -> None:
    commands = [encode(GetParameter(name="X", element=element))[56:66].rstrip(b"\0") for element in list(ElementType)[1:]]
    assert commands == [b"GETPARI32", b"GETPARR32", b"GETPARR64", b"GETPARC08"]


def test_a_server_reads_the_published_bytes() -> None:
    assert requests_of([OPENING + ASK_NPER + ASK_DATA]) == [
        Open(),
        GetParameter(name="NPER", element=ElementType.INT32, command="GETPARI32"),
        GetData(first=1, count=100),
    ]


def test_text_is_a_parameter_name_whatever_the_command_says_and_anything_else_is_kept_as_it_is() -> None:
    data = OPENING + dae_message(b"NTC1", kind=4, dims=(4,), command=b"WHATEVER") + dae_message(command=b"PING")
    assert requests_of([data])[1:] == [
        GetParameter(name="NTC1", element=ElementType.NONE, command="WHATEVER"),
        OtherRequest(command="PING"),
    ]


def test_a_client_reads_the_published_bytes() -> None:
    client = opened_client()
    client.request(NPER)
    client.receive(IS_1)
    assert client.next_message() == Reply(element=ElementType.INT32, dims=(1,), data=b"\1\0\0\0")
    client.request(GetData(first=1, count=2, words=3))
    client.receive(DATA)
    assert client.next_message() == Reply(element=ElementType.INT32, dims=(2, 3), data=struct.pack("<6i", 1, 1, 1, 2, 2, 2))


def test_data_are_measured_by_length_because_servers_give_monitors_wrong_dims() -> None:
    client = opened_client()
    client.request(GetData(first=11, count=1, words=5))
    client.receive(dae_message(bytes(20), kind=1, dims=(1, 3)))
    assert client.next_message() == Reply(element=ElementType.INT32, dims=(1, 3), data=bytes(20))


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("size", [1, 7, 88, 10**6])
def test_captured_requests_are_the_same_bytes_again_however_they_were_cut(name: str, size: int) -> None:
    data = (CAPTURES / f"{name}.port0.c2s.bin").read_bytes()
    messages = requests_of([data[i : i + size] for i in range(0, len(data), size)])
    assert b"".join(encode(message) for message in messages) == data


@given(cuts=st.lists(st.integers(0, 2708), max_size=40))
def test_requests_do_not_depend_on_where_the_stream_was_cut(cuts: list[int]) -> None:
    data = (CAPTURES / "histo-1period.port0.c2s.bin").read_bytes()
    assert requests_of(pieces(data, cuts)) == requests_of([data])


@given(cuts=st.lists(st.integers(0, len(DATA) - 1), max_size=10))
def test_a_reply_does_not_depend_on_where_the_stream_was_cut(cuts: list[int]) -> None:
    client = opened_client()
    client.request(GetData(first=1, count=2, words=3))
    for piece in pieces(DATA, cuts):
        assert client.next_message() is None
        client.receive(piece)
    reply = client.next_message()
    assert reply is not None
    assert encode(reply) == DATA


@given(case=st.sampled_from(dae_requests()), cuts=st.lists(st.integers(0, 4300), max_size=8))
def test_what_a_server_makes_of_hostile_bytes_does_not_depend_on_where_they_were_cut(case: Case, cuts: list[int]) -> None:
    def outcome(parts: list[bytes]) -> tuple[list[object], str]:
        messages: list[object] = []
        try:
            requests_of(parts, into=messages)
        except WireError as error:
            return messages, str(error)
        return messages, ""

    assert outcome(pieces(case.data, cuts)) == outcome([case.data])


@pytest.mark.parametrize("case", dae_replies(), ids=lambda case: case.name)
@pytest.mark.parametrize("size", [1, 10**6])
def test_a_client_refuses_hostile_replies_and_stays_dead(case: Case, size: int) -> None:
    client = opened_client()
    client.request(NPER)
    error = None
    for start in range(0, len(case.data), size):
        client.receive(case.data[start : start + size])
        try:
            client.next_message()
        except WireError as raised:
            error = raised
    if not case.broken and error is None:
        return
    assert error is not None
    assert error.field
    with pytest.raises(WireError, match="wanted"):
        client.next_message()
    with pytest.raises(WireError, match="wanted"):
        client.request(NPER)


@pytest.mark.parametrize("case", dae_requests(), ids=lambda case: case.name)
def test_a_server_refuses_hostile_requests_and_stays_dead(case: Case) -> None:
    server = Responder()
    server.receive(case.data)
    error = None
    try:
        while server.next_message() is not None:
            pass
    except WireError as raised:
        error = raised
    assert error is not None or not case.broken
    if error is not None:
        server.receive(OPENING)
        with pytest.raises(WireError, match="wanted"):
            server.next_message()


def test_an_error_names_field_offset_value_and_limit() -> None:
    client = opened_client()
    client.request(NPER)
    client.receive(dae_message(length=93))
    with pytest.raises(WireError, match=r"^len at offset 0 is 93; wanted 88 to 92$") as caught:
        client.next_message()
    assert (caught.value.field, caught.value.offset) == ("len", 0)


def test_an_absurd_length_is_refused_by_its_four_bytes() -> None:
    client = opened_client()
    client.request(NPER)
    client.receive(struct.pack("<i", 2**31 - 1))
    with pytest.raises(WireError, match="2147483647"):
        client.next_message()


def test_bytes_beyond_a_reply_or_unasked_are_dropped_and_counted() -> None:
    client = opened_client()
    client.receive(bytes(1000))
    client.request(NPER)
    client.receive(IS_1 + bytes(500))
    assert client.next_message() is not None
    assert client.next_message() is None
    assert client.unasked_bytes == 1500
    client.request(NPER)
    client.receive(IS_1)
    assert client.next_message() is not None


@pytest.mark.parametrize("first", [IS_1, dae_message(length=2**31 - 1)], ids=["after a reply", "after an error"])
def test_a_flood_does_not_grow_a_client(first: bytes) -> None:
    client = opened_client()
    client.request(NPER)
    client.receive(first)
    flood = bytes(65536)
    tracemalloc.start()
    for _ in range(500):
        client.receive(flood)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 65536


def test_a_flood_does_not_grow_a_server_that_gave_up() -> None:
    server = Responder()
    server.receive(dae_open(length=1))
    with pytest.raises(WireError):
        server.next_message()
    flood = bytes(65536)
    tracemalloc.start()
    for _ in range(500):
        server.receive(flood)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 65536


def test_a_second_request_before_the_reply_is_a_mistake_of_the_caller() -> None:
    client = opened_client()
    client.request(NPER)
    with pytest.raises(RuntimeError, match="one request at a time"):
        client.request(NPER)


def test_an_opening_reply_other_than_ok_fails_the_connection() -> None:
    client = Requester()
    client.request(Open())
    client.receive(dae_message(command=b"BUSY"))
    with pytest.raises(WireError, match="'BUSY'; wanted 'OK'"):
        client.next_message()


def test_the_command_of_other_replies_is_not_looked_at() -> None:
    client = opened_client()
    client.request(NPER)
    client.receive(dae_message(b"\1\0\0\0", kind=1, dims=(1,), command=b"FINE"))
    assert client.next_message() is not None


@pytest.mark.parametrize(
    ("build", "complaint"),
    [
        (lambda: GetParameter(name=""), "name is empty"),
        (lambda: GetParameter(name="N" * 1025), "at most 1024"),
        (lambda: GetParameter(name="Ж"), "one byte each"),
        (lambda: GetParameter(name="X", count=-1), "wanted 0 to"),
        (lambda: GetParameter(name="X", count=REPLY_DATA_LIMIT), "bytes in one reply"),
        (lambda: GetData(first=2**31, count=1), "32-bit"),
        (lambda: GetData(first=1, count=2**30, words=2**30), "bytes in one reply"),
        (lambda: Open(user="u" * 32), "at most 31"),
        (lambda: Reply(command="c" * 32), "at most 31"),
        (lambda: Reply(element=ElementType.INT32, data=b"abc"), "whole elements"),
        (lambda: Reply(data=b"abcd"), "whole elements"),
        (lambda: Reply(dims=(1,) * 12), "at most 11"),
        (lambda: OtherRequest(command="X", dims=(-1,)), "0 or more"),
    ],
)
def test_a_message_that_could_not_be_sent_cannot_be_built(build, complaint: str) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(ValueError, match=complaint):
        build()


def opened_client() -> Requester:
    client = Requester()
    client.request(Open())
    client.receive(BARE_OK)
    assert client.next_message() == Reply()
    return client


def requests_of(parts: list[bytes], into: list[object] | None = None) -> list[object]:
    server, messages = Responder(), [] if into is None else into
    for part in parts:
        server.receive(part)
        while (message := server.next_message()) is not None:
            messages.append(message)
    return messages


def pieces(data: bytes, cuts: list[int]) -> list[bytes]:
    at = [0, *sorted(min(cut, len(data)) for cut in cuts), len(data)]
    return [data[start:end] for start, end in pairwise(at)]
