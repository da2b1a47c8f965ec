"""The codec of the ISIS event stream against the published layout, captures, any cutting of the stream, and hostile bytes."""

from __future__ import annotations

import json
import struct
import tracemalloc
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hostile_wire import Case, event_header, event_packet, event_se, event_setup, event_streams
from hypothesis import given
from hypothesis import strategies as st

from livereduce.errors import WireError
from livereduce.wire.isis_event import (
    EVENT,
    MAX_EVENTS,
    EventReader,
    NeutronPacket,
    NeutronPackets,
    Setup,
    encode,
    neutron_heads,
)

CAPTURES = Path(__file__).parent.parent / "golden" / "captures"
NAMES = sorted(path.name.removesuffix(".port0.s2c.bin") for path in CAPTURES.glob("event-*.port0.s2c.bin"))
PACKETS_IN_CHUNKS = {"event-1period": (17, 13), "event-2periods": (10, 7), "event-single-event-packets": (51, 30)}

SETUP = (
    bytes.fromhex("ffffffff ffffffff 00000100 14000000")
    + bytes.fromhex("01000000 00000000 00000000 38000000")
    + bytes.fromhex("00000000 00000000 d2040000 00000000")
    + bytes.fromhex("4d555352")
    + bytes(28)
)
NEUTRON = (
    bytes.fromhex("ffffffff ffffffff 00000100 14000000")
    + bytes.fromhex("02000000 18000000 07000000 00000000")
    + bytes.fromhex("0000803e 0000c03f 02000000 00e64046")
    + bytes.fromhex("03000000 00606a46 63000000")
)

Flat = tuple[Any, ...]
"""A message as something that can be compared."""


def read(parts: list[bytes], *, reader: EventReader | None = None, into: list[Flat] | None = None) -> list[Flat]:
    """Push `parts` one by one; return a tuple for each message, events as bytes."""
    reader, found = reader or EventReader(), [] if into is None else into
    for part in parts:
        push(reader, part)
        while (message := reader.next_message()) is not None:
            found += flat(message)
    return found


def push(reader: EventReader, data: bytes) -> None:
    while data:
        room = reader.free()
        n = min(len(room), len(data))
        room[:n] = data[:n]
        reader.filled(n)
        data = data[n:]


def flat(message: Setup | NeutronPackets) -> list[Flat]:
    if isinstance(message, Setup):
        return [("setup", message)]
    return [(one.frame, one.period, struct.pack("<2f", one.protons_uah, one.frame_time_zero_s), one.events.tobytes()) for one in message]


def neutrons(data: bytes) -> NeutronPackets:
    """Return what the packets in `data` are in one go, Setup not included."""
    reader = EventReader()
    push(reader, data)
    assert isinstance(reader.next_message(), Setup)
    found = reader.next_message()
    assert isinstance(found, NeutronPackets)
    return found


def pieces(data: bytes, cuts: list[int]) -> list[bytes]:
    at = [0, *sorted(min(cut, len(data)) for cut in cuts), len(data)]
    return [data[start:end] for start, end in pairwise(at)]


def events(*pairs: tuple[float, int]) -> np.ndarray:
    return np.array(list(pairs), EVENT)


# ------------------------------------------------------------------------------------------------------------ published bytes


def test_messages_have_the_bytes_of_the_published_layout() -> None:
    assert encode(Setup(run_number=1234, instrument="MUSR")) == SETUP == event_setup()
    packet = NeutronPacket(frame=7, protons_uah=0.25, frame_time_zero_s=1.5, events=events((12345.5, 3), (15000, 99)))
    assert encode(packet) == NEUTRON == event_packet([(12345.5, 3), (15000, 99)], frame=7, protons=0.25, time_zero=1.5)


def test_the_published_bytes_are_read() -> None:
    reader = EventReader()
    push(reader, SETUP + NEUTRON)
    assert reader.next_message() == Setup(run_number=1234, instrument="MUSR")
    packets = reader.next_message()
    assert isinstance(packets, NeutronPackets)
    (packet,) = packets
    assert (packet.frame, packet.period, packet.protons_uah, packet.frame_time_zero_s) == (7, 0, 0.25, 1.5)
    assert packet.events.tolist() == [(12345.5, 3), (15000, 99)]
    assert reader.next_message() is None
    assert reader.packets == 2


def test_every_field_of_setup_is_read_and_what_is_behind_the_name_is_not() -> None:
    data = event_setup(changed=5, start=1_700_000_000, run=-3, state=2, name=b"LARMOR\0rubbish")
    setup = Setup(changed=5, start_time_s=1_700_000_000, run_number=-3, run_state=2, instrument="LARMOR")
    assert read([data]) == [("setup", setup)]


def test_heads_are_made_for_many_packets_at_once() -> None:
    heads = neutron_heads(3)
    heads["frame"], heads["n_events"] = [5, 6, 7], 0
    assert heads.tobytes() == b"".join(event_packet([], frame=frame) for frame in (5, 6, 7))


# ------------------------------------------------------------------------------------------------------------------ captures


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("size", [1, 7, 44, 1000, 10**6])
def test_captured_streams_hold_the_events_that_the_listener_of_the_time_made_of_them(name: str, size: int) -> None:
    data = (CAPTURES / f"{name}.port0.s2c.bin").read_bytes()
    setup, *packets = read([data[i : i + size] for i in range(0, len(data), size)])
    assert setup[1] == Setup(run_number=1234, instrument="MUSR")
    golden = json.loads((CAPTURES / f"{name}.workspace.json").read_text(encoding="utf-8"))
    for n, chunk in zip(PACKETS_IN_CHUNKS[name], golden["chunks"], strict=True):
        members = chunk.get("members", [chunk])
        assert by_row(packets[:n], len(members), members[0]["n_spectra"]) == [
            [sorted(spectrum["events"]["tof"]) for spectrum in member["spectra"]] for member in members
        ]
        packets = packets[n:]


def by_row(packets: list[Flat], periods: int, spectra: int) -> list[list[list[float]]]:
    """Return sorted times of flight: the spectrum of the wire is the row of the workspace."""
    rows: list[list[list[float]]] = [[[] for _ in range(spectra)] for _ in range(periods)]
    for _, period, _, raw in packets:
        for tof, spectrum in np.frombuffer(raw, EVENT).tolist():
            rows[period][spectrum].append(tof)
    return [[sorted(row) for row in period] for period in rows]


@pytest.mark.parametrize("name", NAMES)
def test_captured_packets_are_the_same_bytes_again(name: str) -> None:
    data = (CAPTURES / f"{name}.port0.s2c.bin").read_bytes()
    assert b"".join(encode(packet) for packet in neutrons(data)) == data[80:]


# -------------------------------------------------------------------------------------------------------- what may be there


def test_extra_bytes_behind_either_header_are_skipped() -> None:
    data = event_setup() + event_packet([(1.5, 2)], extra=b"abcd", more=b"123", frame=9) + event_packet(extra=b"x" * 1000, more=b"y" * 1000)
    assert [row[0] for row in read([data])[1:]] == [9, 0]
    assert neutrons(data).events(0).tolist() == [(1.5, 2)]


def test_a_setup_has_80_bytes_whatever_its_lengths_say() -> None:
    assert len(read([event_setup(head=event_header(kind=1, length=40), length=70) + event_packet()])) == 2


def test_any_minor_version_is_read() -> None:
    assert len(read([event_setup() + event_packet(head=event_header(version=0x1FFFF))])) == 2


def test_se_packets_are_counted_and_passed_over() -> None:
    reader = EventReader()
    found = read([event_se() + event_setup() + event_se(extra=b"ab") + event_packet(frame=1) + event_se() + event_packet(frame=2)], reader=reader)
    assert [row[0] for row in found] == ["setup", 1, 2]
    assert (reader.se_packets, reader.packets) == (3, 6)


def test_a_setup_may_come_again_and_keeps_its_place() -> None:
    data = event_setup() + event_packet(frame=1) + event_setup(run=1235) + event_packet(frame=2)
    assert [row[0] for row in read([data])] == ["setup", 1, "setup", 2]


def test_packets_without_events_are_packets() -> None:
    packets = neutrons(event_setup() + event_packet([], frame=3) + event_packet([], frame=4))
    assert packets.table["frame"].tolist() == [3, 4]
    assert packets.joined_events().tolist() == []


def test_values_are_given_as_they_came() -> None:
    most = 2**32 - 1
    (packet,) = neutrons(event_setup() + event_packet([(float("nan"), most)], frame=most, period=most, protons=float("inf")))
    assert (packet.frame, packet.period, packet.protons_uah, packet.events["spectrum"][0]) == (most, most, float("inf"), most)


# ---------------------------------------------------------------------------------------------------------------- views, bulk


def test_packets_come_as_a_table_and_their_events_in_one_piece() -> None:
    sent = [[(float(10 * i + k), k) for k in range(i)] for i in range(5)]
    packets = neutrons(event_setup() + b"".join(event_packet(one, frame=i, period=i % 2, time_zero=i / 50) for i, one in enumerate(sent)))
    assert len(packets) == 5
    assert packets.n_events == 10
    assert packets.table["frame"].tolist() == [0, 1, 2, 3, 4]
    assert packets.table["period"].tolist() == [0, 1, 0, 1, 0]
    assert packets.table["n_events"].tolist() == [0, 1, 2, 3, 4]
    np.testing.assert_array_equal(packets.table["frame_time_zero_s"], np.float32(np.arange(5) / 50))
    assert packets.joined_events().tolist() == [event for one in sent for event in one]
    assert [packets.events(i).tolist() for i in range(5)] == sent


def test_events_are_read_only_views_of_what_was_received() -> None:
    reader = EventReader()
    push(reader, event_setup())
    reader.next_message()
    room = reader.free()
    packet = event_packet([(1.0, 1)])
    room[: len(packet)] = packet
    reader.filled(len(packet))
    packets = reader.next_message()
    assert isinstance(packets, NeutronPackets)
    assert np.shares_memory(packets.events(0), np.frombuffer(room, np.uint8))
    assert np.shares_memory(packets.joined_events(), packets.data)
    with pytest.raises(ValueError, match="read-only"):
        packets.events(0)["tof"] = 2.0


def test_more_packets_than_fit_a_table_come_in_several() -> None:
    found = read([event_setup() + event_packet([]) * 10_000])
    assert len(found) == 10_001


def test_a_packet_larger_than_the_buffer_grows_it_and_arrives_whole() -> None:
    many = np.zeros(600_000, EVENT)
    many["spectrum"] = np.arange(len(many))
    data = encode(Setup()) + encode(NeutronPacket(frame=1, events=many)) + encode(NeutronPacket(frame=2))
    found = read([data[i : i + 100_001] for i in range(0, len(data), 100_001)])
    assert [row[0] for row in found] == ["setup", 1, 2]
    assert found[1][3] == many.tobytes()


# -------------------------------------------------------------------------------------------------------------- segmentation


@given(cuts=st.lists(st.integers(0, 17148), max_size=40))
def test_messages_do_not_depend_on_where_the_stream_was_cut(cuts: list[int]) -> None:
    data = (CAPTURES / "event-2periods.port0.s2c.bin").read_bytes()
    assert read(pieces(data, cuts)) == read([data])


LAYOUTS = st.one_of(
    st.just(event_setup(run=5)),
    st.binary(max_size=9).map(lambda extra: event_se(extra=extra)),
    st.builds(
        event_packet,
        st.lists(st.tuples(st.floats(0, 1e5, width=32), st.integers(0, 2**32 - 1)), max_size=5),
        extra=st.binary(max_size=9),
        more=st.binary(max_size=9),
        frame=st.integers(0, 2**32 - 1),
        period=st.integers(0, 9),
    ),
)


@given(packets=st.lists(LAYOUTS, max_size=12), cuts=st.lists(st.integers(0, 2000), max_size=20))
def test_any_stream_of_any_layout_is_read_the_same_however_it_was_cut(packets: list[bytes], cuts: list[int]) -> None:
    data = event_setup() + b"".join(packets)
    found = read(pieces(data, cuts))
    assert found == read([data])
    assert len(found) == 1 + sum(packet[16] != 3 for packet in packets)


@given(case=st.sampled_from(event_streams()), cuts=st.lists(st.integers(0, 4300), max_size=8))
def test_what_is_made_of_hostile_bytes_does_not_depend_on_where_they_were_cut(case: Case, cuts: list[int]) -> None:
    def outcome(parts: list[bytes]) -> tuple[list[Flat], str]:
        found: list[Flat] = []
        try:
            read(parts, into=found)
        except WireError as error:
            return found, str(error)
        return found, ""

    assert outcome(pieces(case.data, cuts)) == outcome([case.data])


# ------------------------------------------------------------------------------------------------------------------- hostile


@pytest.mark.parametrize("case", event_streams(), ids=lambda case: case.name)
@pytest.mark.parametrize("size", [1, 10**6])
def test_hostile_streams_are_refused_and_the_reader_stays_dead(case: Case, size: int) -> None:
    reader, error = EventReader(), None
    try:
        read([case.data[i : i + size] for i in range(0, len(case.data), size)], reader=reader)
    except WireError as raised:
        error = raised
    assert error is not None or not case.broken
    if error is None:
        return
    assert error.field
    with pytest.raises(WireError, match="wanted"):
        reader.next_message()
    with pytest.raises(WireError, match="wanted"):
        reader.free()


@pytest.mark.parametrize(
    ("data", "complaint", "field", "offset"),
    [
        (event_packet(n=2**24 + 1), "nevents at offset 40 of packet 2 is 16777217; wanted 0 to 16777216", "nevents", 40),
        (event_packet(n=2**25, extra=b"ab", more=b"cde"), "nevents at offset 42 of packet 2 is 33554432; wanted 0 to 16777216", "nevents", 42),
        (event_packet(length=23), "neutron length at offset 20 of packet 2 is 23; wanted 24 to 1024", "neutron length", 20),
        (event_header(length=8044), "length at offset 12 of packet 2 is 8044; wanted 20 to 1020", "length", 12),
        (event_header(kind=7), "type at offset 16 of packet 2 is 7; wanted 1 to 3", "type", 16),
        (event_header(marker2=1), "marker2 at offset 4 of packet 2 is 1; wanted 4294967295", "marker2", 4),
        (event_header(version=0x20000), "version at offset 8 of packet 2 is 131072; wanted 65536 to 131071", "version", 8),
        (event_setup(length=3), "Setup length at offset 28 of packet 2 is 3; wanted 56 to 1056", "Setup length", 28),
        (
            event_setup(name=b"x" * 32),
            "instrument name at offset 48 of packet 2 has no closing NUL in 32 bytes; wanted at most 31 characters",
            "inst_name",
            48,
        ),
    ],
)
def test_an_error_names_field_offset_value_and_limit(data: bytes, complaint: str, field: str, offset: int) -> None:
    with pytest.raises(WireError) as caught:
        read([event_setup() + event_se() + data])
    assert (str(caught.value), caught.value.field, caught.value.offset) == (complaint, field, offset)


def test_neutrons_before_the_first_setup_are_refused_by_their_type() -> None:
    with pytest.raises(WireError, match=r"^type at offset 16 of packet 0 is 2; wanted 1 or 3: a Setup comes before neutrons$"):
        read([event_header(kind=2)])


def test_packets_before_a_broken_one_are_given_out() -> None:
    found: list[Flat] = []
    with pytest.raises(WireError):
        read([event_setup() + event_packet(frame=5) + event_header(marker1=0)], into=found)
    assert [row[0] for row in found] == ["setup", 5]


def test_the_bytes_of_a_broken_packet_are_kept() -> None:
    reader, broken = EventReader(), event_packet(n=2**25) + bytes(100_000)
    push(reader, event_setup() + event_packet() + broken[:30])
    while reader.next_message() is not None:
        pass
    assert (reader.unread(), reader.unread(4)) == (broken[:30], broken[:4])
    with pytest.raises(WireError):
        read([broken[30:]], reader=reader)
    assert reader.unread() == broken[:65536]


def test_memory_follows_what_came_and_not_what_a_packet_says_of_itself() -> None:
    reader = EventReader()
    tracemalloc.start()
    assert len(read([event_setup() + event_packet([], n=MAX_EVENTS)], reader=reader)) == 1
    assert read([bytes(5 << 20)], reader=reader) == []
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 30 << 20


def test_a_caller_may_set_the_most_events_of_a_packet() -> None:
    with pytest.raises(WireError, match="is 3; wanted 0 to 2"):
        read([event_setup() + event_packet(n=3)], reader=EventReader(max_events=2))


def test_a_caller_that_does_not_pull_is_told() -> None:
    reader = EventReader(max_events=100)
    push(reader, event_setup())
    with pytest.raises(RuntimeError, match="pulled until None"):
        push(reader, event_packet([]) * 100_000)


@pytest.mark.parametrize("n", [-1, 1 << 30])
def test_more_than_the_room_cannot_be_filled_in(n: int) -> None:
    reader = EventReader()
    reader.free()
    with pytest.raises(ValueError, match="wanted 0 to"):
        reader.filled(n)


@pytest.mark.parametrize(
    ("build", "complaint"),
    [
        (lambda: Setup(run_number=2**31), "Setup.run_number is 2147483648; wanted"),
        (lambda: Setup(run_state=-(2**31) - 1), r"Setup\.run_state"),
        (lambda: Setup(start_time_s=2**63), r"Setup\.start_time_s"),
        (lambda: Setup(changed=-1), r"Setup\.changed"),
        (lambda: Setup(instrument="n" * 32), "at most 31"),
        (lambda: Setup(instrument="a\0b"), "none NUL"),
        (lambda: Setup(instrument="Ж"), "one byte each"),
        (lambda: NeutronPacket(frame=-1), r"NeutronPacket\.frame"),
        (lambda: NeutronPacket(period=2**32), r"NeutronPacket\.period"),
        (lambda: NeutronPacket(events=np.zeros(3)), "float64 in 1 dimensions"),  # type: ignore[arg-type]
        (lambda: NeutronPacket(events=np.zeros((3, 1), EVENT)), "2 dimensions; wanted"),
    ],
)
def test_a_message_that_could_not_be_sent_cannot_be_built(build, complaint: str) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(ValueError, match=complaint):
        build()
