"""The ADARA codec against the published layout, any cutting of the stream, and hostile bytes."""

from __future__ import annotations

import struct
import tracemalloc
from itertools import pairwise

import numpy as np
import pytest
from adara_bytes import EPOCH_S, SAMPLES, packet
from hostile_wire import Case, adara_packets
from hypothesis import given
from hypothesis import strategies as st

from livereduce.data.run import EPOCH_1990_NS
from livereduce.errors import WireError
from livereduce.wire.adara import BLOCK_BYTES, CLIENT_PAYLOAD_LIMIT, PAYLOAD_LIMIT, Message, Reader, Unknown, encode
from livereduce.wire.adara_control import (
    START_NOW,
    START_OF_RUN,
    Annotation,
    ClientHello,
    DataDone,
    Heartbeat,
    Marker,
    PausedData,
    RunState,
    RunStatus,
    Sync,
    TranslationComplete,
)
from livereduce.wire.adara_detectors import Rtdl, SourceEvents, SourceList
from livereduce.wire.adara_events import BankedEvents, BankedStateEvents, BankSection, SourceSection, pack_sources
from livereduce.wire.adara_metadata import (
    EVENTS,
    BankSet,
    BeamlineInfo,
    BeamMonitorConfig,
    DetectorBankSets,
    DeviceDescriptor,
    Geometry,
    MonitorConfig,
    RunInfo,
)
from livereduce.wire.adara_monitors import MonitorEvents, MonitorSection
from livereduce.wire.adara_pixels import PixelMapping, PixelMappingAlt, PixelSection
from livereduce.wire.adara_pulses import EVENT, PulseFlag
from livereduce.wire.adara_variables import NOT_REPORTED, ValueKind, VariableSeries, VariableValue

T0_NS = 1_731_152_000_000_000_000
PULSE_NS = T0_NS + 16_666_667
STREAM = b"".join(SAMPLES.values())


def events(*pairs: tuple[int, int]) -> np.ndarray:
    return np.array(list(pairs), EVENT)


def words(*numbers: int) -> np.ndarray:
    return np.array(numbers, np.uint32)


def neutrons(*, states: bool = False) -> np.ndarray:
    banks = [BankSection(bank=2, state=1, events=events((100000, 1085)))]
    if not states:
        banks = [BankSection(bank=2, events=events((100000, 1085), (123456, 1086)))]
    return pack_sources([SourceSection(id=7, intra_pulse_100ns=166662, tof_offset_100ns=63112, banks=banks)], states=states)


PULSE = {"time_ns": PULSE_NS, "charge_pc": 15_500_000, "energy_ev": 937_987_556, "cycle": 60}
MESSAGES: dict[str, Message] = {
    "Hello v0": ClientHello(time_ns=T0_NS, version=0, start=START_OF_RUN),
    "Hello v1": ClientHello(time_ns=T0_NS, start=START_NOW, paused_data=PausedData.WITHOUT),
    "RunStatus v0": RunStatus(time_ns=T0_NS, version=0, state=RunState.NEW_RUN, run_number=1234, run_start_ns=T0_NS, file_number=1),
    "RunStatus v1": RunStatus(time_ns=T0_NS, state=RunState.STATE, run_number=1234, run_start_ns=T0_NS, file_number=1),
    "Heartbeat": Heartbeat(time_ns=T0_NS),
    "DataDone": DataDone(time_ns=T0_NS),
    "BankedEvent v1": BankedEvents(**PULSE, flags=PulseFlag.GOT_NEUTRONS, words=neutrons()),
    "BankedEventState": BankedStateEvents(**PULSE, flags=PulseFlag.GOT_NEUTRONS | PulseFlag.HAS_STATES, words=neutrons(states=True)),
    "BeamMonitor v1": MonitorEvents(
        **PULSE, flags=PulseFlag.GOT_NEUTRONS, sections=(MonitorSection(monitor=1, source=7, words=words(0x8780C350, 0x0780C35A)),)
    ),
    "BeamlineInfo v1": BeamlineInfo(time_ns=T0_NS, id="03", short_name="SNAP", long_name="SNAP"),
    "Annotation pause": Annotation(time_ns=T0_NS, marker=Marker.PAUSE, comment="stop"),
    "Annotation scan": Annotation(time_ns=T0_NS, marker=Marker.SCAN_START, scan_index=5, reset_hint=True),
    "Variable double": VariableValue(time_ns=T0_NS, kind=ValueKind.DOUBLE, device=2, variable=1, value=295.5),
    "Variable u32": VariableValue(time_ns=T0_NS, kind=ValueKind.U32, device=2, variable=3, value=7, status=3, severity=1),
    "Variable string": VariableValue(
        time_ns=T0_NS, kind=ValueKind.STRING, device=2, variable=4, value="hello", status=NOT_REPORTED, severity=NOT_REPORTED
    ),
    "Variable u32 array": VariableValue(time_ns=T0_NS, kind=ValueKind.U32_ARRAY, device=2, variable=5, value=words(1, 2, 3)),
    "Variable double array": VariableValue(time_ns=T0_NS, kind=ValueKind.DOUBLE_ARRAY, device=2, variable=6, value=np.array([1.5, -2.0])),
    "Sync": Sync(time_ns=T0_NS),
    "TransComplete": TranslationComplete(time_ns=T0_NS, status=0x8000, reason="bad"),
    "Mult u32": VariableSeries(time_ns=PULSE_NS, kind=ValueKind.U32, device=2, variable=3, tof_ns=words(1000, 2000), values=words(0, 1)),
    "Mult double": VariableSeries(
        time_ns=PULSE_NS, kind=ValueKind.DOUBLE, device=2, variable=1, tof_ns=words(1000, 2000), values=np.array([0.5, 1.5])
    ),
    "Mult string": VariableSeries(time_ns=PULSE_NS, kind=ValueKind.STRING, device=2, variable=4, tof_ns=words(1000), values=("hello",)),
    "Mult u32 array": VariableSeries(time_ns=PULSE_NS, kind=ValueKind.U32_ARRAY, device=2, variable=5, tof_ns=words(1000), values=(words(8, 9),)),
    "Mult double array": VariableSeries(
        time_ns=PULSE_NS, kind=ValueKind.DOUBLE_ARRAY, device=2, variable=6, tof_ns=words(1000), values=(np.array([0.25]),)
    ),
    "RunInfo": RunInfo(time_ns=T0_NS, xml="<runinfo/>"),
    "Geometry": Geometry(time_ns=T0_NS, xml="<instrument/>"),
    "DeviceDescriptor": DeviceDescriptor(time_ns=T0_NS, device=2, xml="<device/>"),
    "BeamMonitorConfig v1": BeamMonitorConfig(
        time_ns=T0_NS,
        monitors=(MonitorConfig(id=1, tof_offset_us=0, max_tof_us=16666, bin_us=10, distance_m=1.5, format=EVENTS),),
    ),
    "BeamMonitorConfig v0": BeamMonitorConfig(
        time_ns=T0_NS, version=0, monitors=(MonitorConfig(id=1, tof_offset_us=0, max_tof_us=16666, bin_us=10, distance_m=1.5),)
    ),
    "DetectorBankSets": DetectorBankSets(
        time_ns=T0_NS,
        sets=(
            BankSet(name="front", format=EVENTS, banks=(1, 2), tof_offset_us=0, max_tof_us=16666, bin_us=10, throttle_hz=10.0, suffix="f"),
            BankSet(name="exactly16letters", format=3, banks=(), tof_offset_us=1, max_tof_us=2, bin_us=3),
        ),
    ),
    "PixelMapping": PixelMapping.of([PixelSection(bank=2, logical=range(10, 13), physical=words(30, 20, 10))], time_ns=T0_NS),
    "PixelMappingAlt v1": PixelMappingAlt.of(
        [
            PixelSection(bank=2, physical=range(100, 103), logical=words(7, 6, 9)),
            PixelSection(bank=3, physical=range(200, 192, -2), logical=range(0, 4)),
        ],
        time_ns=T0_NS,
    ),
    "RTDL v0": Rtdl(
        time_ns=PULSE_NS,
        version=0,
        flavor=1,
        charge_pc=15_497_030,
        timing_status=0x1E,
        vetoes=4,
        cycle=60,
        intra_pulse_100ns=166662,
        tof_offset_100ns=63112,
        corrected=False,
        ring_period_ps=955259,
    ),
    "SourceList": SourceList(time_ns=T0_NS, sources=(7, 8)),
    "RawEvent v1": SourceEvents(
        time_ns=PULSE_NS,
        mapped=False,
        source=7,
        end_of_pulse=True,
        pulse_sequence=2,
        source_sequence=9,
        accelerator=(0x0917A6B0, 60),
        intra_pulse_100ns=166662,
        tof_offset_100ns=63112,
        corrected=False,
        events=events((100000, 1085)),
    ),
    "MappedEvent v0": SourceEvents(time_ns=PULSE_NS, version=0, mapped=True, source=7, accelerator=(0x0117A6B0, 60), events=events()),
}


def decoded(parts: list[bytes]) -> list[Message | Unknown]:
    reader = Reader()
    return [message for part in parts for message in reader.receive(part)]


def bytes_of(messages: list[Message | Unknown]) -> list[object]:
    """Their bytes; what only a hostile server can have sent has none, and says what it is."""
    found: list[object] = []
    for message in messages:
        try:
            found.append(message if isinstance(message, Unknown) else encode(message))
        except ValueError:
            found.append(repr(message))
    return found


def pieces(data: bytes, cuts: list[int]) -> list[bytes]:
    return [data[start:end] for start, end in pairwise([0, *sorted(min(cut, len(data)) for cut in cuts), len(data)])]


def outcome(parts: list[bytes], limit: int = PAYLOAD_LIMIT) -> tuple[list[object], str]:
    reader, messages = Reader(payload_limit=limit), []
    try:
        for part in parts:
            rest = memoryview(part)
            while rest:
                space = reader.space()
                n = min(len(space), len(rest))
                space[:n] = rest[:n]
                reader.filled(n)
                rest = rest[n:]
                while (message := reader.next_message()) is not None:
                    messages.append(message)
    except WireError as error:
        return bytes_of(messages), str(error)
    return bytes_of(messages), ""


@pytest.mark.parametrize("name", SAMPLES)
def test_a_message_has_the_bytes_of_the_published_layout(name: str) -> None:
    assert encode(MESSAGES[name]).hex(" ") == SAMPLES[name].hex(" ")


@pytest.mark.parametrize("name", SAMPLES)
def test_the_published_bytes_are_read_and_make_the_same_bytes_again(name: str) -> None:
    (message,) = decoded([SAMPLES[name]])
    assert type(message) is type(MESSAGES[name])
    assert isinstance(message, Message)
    assert encode(message) == SAMPLES[name]
    if MESSAGES[name].__eq__ is not object.__eq__ and type(message).__dataclass_params__.eq:  # type: ignore[attr-defined]
        assert message == MESSAGES[name]


def test_every_sample_has_a_message_and_every_message_a_sample() -> None:
    assert SAMPLES.keys() == MESSAGES.keys()


@given(cuts=st.lists(st.integers(0, len(STREAM)), max_size=40))
def test_messages_do_not_depend_on_where_the_stream_was_cut(cuts: list[int]) -> None:
    assert outcome(pieces(STREAM, cuts)) == (list(SAMPLES.values()), "")


@pytest.mark.parametrize("size", [1, 3, 16, 17])
def test_messages_do_not_depend_on_how_much_is_read_at_once(size: int) -> None:
    assert bytes_of(decoded([STREAM[i : i + size] for i in range(0, len(STREAM), size)])) == list(SAMPLES.values())


@given(case=st.sampled_from(adara_packets()), cuts=st.lists(st.integers(0, 4300), max_size=8))
def test_what_is_made_of_hostile_bytes_does_not_depend_on_where_they_were_cut(case: Case, cuts: list[int]) -> None:
    assert outcome(pieces(case.data, cuts)) == outcome([case.data])


@pytest.mark.parametrize("case", adara_packets(), ids=lambda case: case.name)
@pytest.mark.parametrize("size", [1, 10**6])
def test_hostile_bytes_are_refused_and_the_reader_stays_dead(case: Case, size: int) -> None:
    reader, error = Reader(), None
    try:
        for start in range(0, len(case.data), size):
            reader.receive(case.data[start : start + size])
    except WireError as raised:
        error = raised
    if not case.broken and error is None:
        return
    assert error is not None
    assert error.field
    for again in (reader.next_message, reader.space, lambda: reader.receive(SAMPLES["Heartbeat"])):
        with pytest.raises(WireError, match=r"wanted"):
            again()


@given(data=st.binary(max_size=400), at=st.integers(0, len(STREAM)))
def test_noise_is_refused_or_waited_on_but_never_anything_else(data: bytes, at: int) -> None:
    outcome([STREAM[:at] + data + STREAM[at:]])


@given(name=st.sampled_from(sorted(SAMPLES)), at=st.integers(0, 10**6), value=st.sampled_from([0, 1, 2, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF]))
def test_a_wrong_word_anywhere_is_refused_or_read_but_never_anything_else(name: str, at: int, value: int) -> None:
    sample = SAMPLES[name]
    at = at % (len(sample) // 4) * 4
    outcome([sample[:at] + struct.pack("<I", value) + sample[at + 4 :]])


def test_an_error_names_packet_field_offset_value_and_limit() -> None:
    broken = packet(0x4000, 1, words(0, 0, 0, 0, 7, 0, 0, 1, 2, 9, 1, 1, 2, 2).tobytes())
    with pytest.raises(WireError, match=r"^BANKED_EVENT: event count at offset 52 is 9; wanted at most 2$") as caught:
        Reader().receive(broken)
    assert (caught.value.field, caught.value.offset) == ("event count", 52)


def test_a_payload_of_the_wrong_length_is_refused() -> None:
    with pytest.raises(WireError, match=r"^RUN_STATUS version 1: payload length at offset 0 is 12; wanted 20$"):
        Reader().receive(packet(0x4003, 1, bytes(12)))


@pytest.mark.parametrize(("type_", "version"), [(0x4242, 0), (0xFFFF, 255), (0x4000, 2), (0x4003, 9), (0x8101, 1)])
def test_unknown_types_and_newer_versions_pass_by_and_are_counted(type_: int, version: int) -> None:
    reader = Reader()
    messages = reader.receive(packet(type_, version, bytes(8)) + SAMPLES["Heartbeat"])
    assert messages == [Unknown(type=type_, version=version, time_ns=T0_NS, size=8), MESSAGES["Heartbeat"]]
    assert reader.unknown_packets == 1


def test_a_run_state_nobody_knows_is_refused() -> None:
    with pytest.raises(WireError, match=r"status at offset 24 is 7; wanted 0 to 6"):
        Reader().receive(packet(0x4003, 0, words(1, 1, 7 << 24).tobytes()))


def test_text_that_is_not_utf8_is_read_with_replacements() -> None:
    (message,) = Reader().receive(packet(0x4004, 0, struct.pack("<I", 3) + b"\xffab\0"))
    assert isinstance(message, RunInfo)
    assert message.xml == "�ab"


# ------------------------------------------------------------------------------------------------------------------- memory


def test_a_length_beyond_the_limit_is_refused_by_its_four_bytes() -> None:
    for length in (PAYLOAD_LIMIT + 4, 0x7FFFFFF0, 0xFFFFFFFC):
        with pytest.raises(WireError, match=f"payload length at offset 0 is {length}; wanted 0 to {PAYLOAD_LIMIT} in steps of 4"):
            Reader().receive(struct.pack("<I", length))


def test_a_server_takes_small_packets_only() -> None:
    reader = Reader(payload_limit=CLIENT_PAYLOAD_LIMIT)
    assert reader.receive(SAMPLES["Hello v0"]) == [MESSAGES["Hello v0"]]
    assert len(reader.space()) <= 1024
    with pytest.raises(WireError, match="payload length at offset 0 is 1012; wanted 0 to 1008"):
        reader.receive(packet(0x4006, 0, bytes(1012)))


def test_a_packet_larger_than_a_block_is_read() -> None:
    xml = "x" * (3 * BLOCK_BYTES + 5)
    sent = encode(Geometry(xml=xml)) + SAMPLES["Heartbeat"]
    geometry, heartbeat = decoded([sent[i : i + 100_003] for i in range(0, len(sent), 100_003)])
    assert isinstance(geometry, Geometry)
    assert geometry.xml == xml
    assert heartbeat == MESSAGES["Heartbeat"]


def test_events_stay_what_they_are_while_the_stream_goes_on() -> None:
    pulses = [BankedEvents(time_ns=PULSE_NS + i, words=random_words(i, 2000)) for i in range(200)]
    sent = b"".join(encode(pulse) for pulse in pulses)
    assert len(sent) > 2 * BLOCK_BYTES
    got = decoded([sent[i : i + 65537] for i in range(0, len(sent), 65537)])
    assert [encode(message) for message in got if isinstance(message, BankedEvents)] == [encode(pulse) for pulse in pulses]


def random_words(seed: int, n: int) -> np.ndarray:
    rng = np.random.default_rng(seed)
    made = np.zeros(n, EVENT)
    made["tof"], made["pixel"] = rng.integers(0, 166667, n), rng.integers(0, 10000, n)
    return pack_sources([SourceSection(id=1, banks=[BankSection(bank=1, events=made)])])


def test_events_cannot_be_written_to() -> None:
    (message,) = decoded([SAMPLES["BankedEvent v1"]])
    assert isinstance(message, BankedEvents)
    with pytest.raises(ValueError, match="read-only"):
        message.events(0)["tof"] = 0


def test_a_flood_does_not_grow_a_reader_that_gave_up() -> None:
    reader = Reader()
    with pytest.raises(WireError):
        reader.receive(b"\xff" * 4)
    flood = bytes(65536)
    tracemalloc.start()
    for _ in range(500):
        with pytest.raises(WireError):
            reader.receive(flood)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 65536


def test_memory_stays_bounded_over_a_long_stream() -> None:
    reader, sent = Reader(), encode(BankedEvents(words=random_words(0, 10_000)))
    reader.receive(sent)
    tracemalloc.start()
    for _ in range(200):
        reader.receive(sent)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 4 * BLOCK_BYTES


def test_reading_on_without_taking_messages_out_is_a_mistake_of_the_caller() -> None:
    reader = Reader(payload_limit=0)
    for _ in range(2):
        reader.space()[:16] = SAMPLES["Heartbeat"]
        reader.filled(16)
        with pytest.raises(RuntimeError, match="wanted next_message until it returns None"):
            reader.space()
        assert reader.next_message() == MESSAGES["Heartbeat"]


# ------------------------------------------------------------------------------------------------------------------- events


def test_offsets_are_added_where_a_source_has_not_corrected_its_times() -> None:
    sections = [
        SourceSection(id=1, banks=[BankSection(bank=1, events=events((100, 1)))], tof_offset_100ns=50, corrected=True),
        SourceSection(id=2, banks=[BankSection(bank=1, events=events((100, 2))), BankSection(bank=2, events=events((7, 3)))], tof_offset_100ns=50),
        SourceSection(id=3, tof_offset_100ns=9, corrected=False),
        SourceSection(id=4, banks=[BankSection(bank=1, events=events((100, 4), (0xFFFFFFF0, 5)))], tof_offset_100ns=80, corrected=False),
    ]
    message = BankedEvents(words=pack_sources(sections))
    tof, pixel = message.columns()
    assert tof.tolist() == [100, 100, 7, 180, 0xFFFFFFFF]
    assert pixel.tolist() == [1, 2, 3, 4, 5]
    assert [message.tof_offset_100ns(row) for row in range(4)] == [0, 0, 0, 80]
    assert message.sources["id"].tolist() == [1, 2, 3, 4]


word = st.integers(0, 0xFFFFFFFF)
bank_sections = st.builds(
    lambda bank, state, pairs: BankSection(bank=bank, state=state, events=events(*pairs)),
    st.integers(0, 4) | st.integers(0xFFFFFFFC, 0xFFFFFFFF),
    st.integers(0, 3),
    st.lists(st.tuples(word, word), max_size=4),
)
source_sections = st.builds(
    lambda id_, banks, offset, corrected: SourceSection(id=id_, banks=banks, tof_offset_100ns=offset, corrected=corrected),
    word,
    st.lists(bank_sections, max_size=4),
    st.integers(0, 0x7FFFFFFF),
    st.booleans(),
)


@given(sections=st.lists(source_sections, max_size=4), with_states=st.booleans())
def test_every_event_comes_out_once_or_is_counted_as_left_out(sections: list[SourceSection], with_states: bool) -> None:
    kind = BankedStateEvents if with_states else BankedEvents
    (message,) = decoded([encode(kind(words=pack_sources(sections, states=with_states)))])
    assert isinstance(message, kind)
    banks = [(source, bank) for source in sections for bank in source.banks]
    right = [
        (min(tof + (0 if source.corrected else source.tof_offset_100ns), 0xFFFFFFFF), pixel)
        for source, bank in banks
        if bank.bank < 0xFFFFFFFE
        for tof, pixel in bank.events.tolist()
    ]
    tof, pixel = message.columns()
    assert list(zip(tof.tolist(), pixel.tolist(), strict=True)) == right
    assert (message.n_events, message.n_events + message.n_left_out) == (len(right), sum(len(bank.events) for _, bank in banks))
    assert message.banks["state"].tolist() == [bank.state if with_states else 0 for _, bank in banks]


def test_unmapped_and_error_pixels_are_left_out_and_counted() -> None:
    banks = [
        BankSection(bank=0xFFFFFFFF, events=events((1, 1))),
        BankSection(bank=0, events=events((2, 2))),
        BankSection(bank=0xFFFFFFFE, events=events((3, 3), (4, 4))),
        BankSection(bank=0xFFFFFFFD, events=events()),
    ]
    message = BankedEvents(words=pack_sources([SourceSection(id=1, banks=banks)]))
    assert [column.tolist() for column in message.columns()] == [[2], [2]]
    assert (message.n_events, message.n_left_out) == (1, 3)
    assert [message.events(row).tolist() for row in range(4)] == [[(1, 1)], [(2, 2)], [(3, 3), (4, 4)], []]


def test_more_sections_than_there_was_room_for_are_all_read() -> None:
    banks = [BankSection(bank=i, state=i % 3, events=events((i, i))) for i in range(1000)]
    sections = [SourceSection(id=i, banks=banks if i == 300 else ()) for i in range(500)]
    message = BankedStateEvents(words=pack_sources(sections, states=True))
    assert len(message.sources) == 500
    assert message.banks["state"].tolist() == [i % 3 for i in range(1000)]
    assert message.columns()[1].tolist() == list(range(1000))


def test_a_pulse_without_events_is_a_pulse() -> None:
    (message,) = decoded([packet(0x4000, 0, words(5, 0, 0xFFFFFFFF, 4).tobytes())])
    assert isinstance(message, BankedEvents)
    assert (message.charge_pc, message.flags, message.n_events) == (50, PulseFlag.VETOED, 0)


def test_flags_have_32_bits_in_version_0_and_20_beside_the_vetoes_after_that() -> None:
    old, new, state = decoded(
        [packet(type_, version, words(0, 0, 0, 0x80000001).tobytes()) for type_, version in ((0x4000, 0), (0x4000, 1), (0x4100, 0))]
    )
    assert isinstance(old, BankedEvents)
    assert isinstance(new, BankedEvents)
    assert isinstance(state, BankedStateEvents)
    assert (int(old.flags), old.vetoes) == (0x80000001, 0)
    assert (int(new.flags), new.vetoes) == (1, 0x800) == (int(state.flags), state.vetoes)


def test_monitor_events_are_taken_apart() -> None:
    (message,) = decoded([SAMPLES["BeamMonitor v1"]])
    assert isinstance(message, MonitorEvents)
    (section,) = message.sections
    assert (section.monitor, section.source, section.corrected) == (1, 7, True)
    assert section.tof_100ns.tolist() == [50000, 50010]
    assert section.rising.tolist() == [True, False]
    assert section.cycle.tolist() == [60, 60]


def test_the_offset_is_added_to_times_of_monitors_too() -> None:
    section = MonitorSection(monitor=1, source=1, words=words(0x80000000 | 0x1FFFFF), tof_offset_100ns=10, corrected=False)
    assert section.tof_100ns.tolist() == [0x1FFFFF + 10]


def test_charge_is_in_picocoulombs_everywhere() -> None:
    assert MESSAGES["RawEvent v1"].charge_pc == 15_500_000  # type: ignore[attr-defined]
    with pytest.raises(ValueError, match="charge of 7 pC; wanted a multiple of 10"):
        encode(BankedEvents(charge_pc=7, words=words()))


# ----------------------------------------------------------------------------------------------------------------- metadata


def test_sections_of_pixels_are_walked_on_demand() -> None:
    mapping, alternative = MESSAGES["PixelMapping"], MESSAGES["PixelMappingAlt v1"]
    assert isinstance(mapping, PixelMapping)
    assert isinstance(alternative, PixelMappingAlt)
    assert [(one.bank, list(one.physical), list(one.logical)) for one in mapping.sections()] == [(2, [30, 20, 10], [10, 11, 12])]
    assert [(one.bank, list(one.physical), list(one.logical)) for one in alternative.sections()] == [
        (2, [100, 101, 102], [7, 6, 9]),
        (3, [200, 198, 196, 194], [0, 1, 2, 3]),
    ]


def test_a_shorthand_that_does_not_lead_from_start_to_stop_is_dropped() -> None:
    wrong = [100, 2 << 16 | 0x8003, 104, 0, 1 << 16 | 1, 2]
    right = [100, 2 << 16 | 0x8003, 102, 0, 1 << 16 | 1, 2]
    one = [100, 2 << 16 | 0x8001, 100, 5, 0, 5]
    none = [100, 2 << 16 | 0x8000, 100, 5, 0, 5]
    message = PixelMappingAlt(n_banks=1, words=words(*wrong, *right, *one, *none))
    assert [list(section.physical) for section in message.sections()] == [[100, 101, 102], [100]]


def test_a_count_of_15_bits_is_a_version_1_thing() -> None:
    numbers = words(0, 2 << 16 | 0x8000, *range(0x8000))
    (section,) = PixelMappingAlt(version=0, n_banks=1, words=numbers).sections()
    assert len(section.logical) == 0x8000


@pytest.mark.parametrize("broken", [[1], [1, 3], [1, 0xFFFF, 1]])
def test_broken_sections_of_pixels_are_refused_when_they_are_walked(broken: list[int]) -> None:
    for message in (PixelMapping(words=words(*broken)), PixelMappingAlt(n_banks=1, words=words(*broken))):
        with pytest.raises(WireError, match="wanted"):
            list(message.sections())


def test_a_broken_shorthand_is_refused_when_it_is_walked() -> None:
    with pytest.raises(WireError, match="shorthand at word 0 has 3 words; wanted 6"):
        list(PixelMappingAlt(n_banks=1, words=words(1, 0x8001, 2)).sections())


def test_target_station_0_means_1() -> None:
    (message,) = decoded([packet(0x400B, 1, words(0).tobytes())])
    assert message == BeamlineInfo(time_ns=T0_NS, id="", short_name="", long_name="", target_station=1)


# ----------------------------------------------------------------------------------------------------------------- encoding


@pytest.mark.parametrize(
    "message",
    [
        RunStatus(state=RunState.NEW_RUN, run_number=-1),
        RunStatus(state=RunState.NEW_RUN, file_number=1 << 24),
        RunStatus(state=RunState.NEW_RUN, version=2),
        ClientHello(start=1 << 32),
        ClientHello(time_ns=0),
        Annotation(marker=0, comment="x" * 70000),
        BeamlineInfo(id="x" * 256, short_name="", long_name=""),
        DetectorBankSets(sets=(BankSet(name="x" * 17, format=1, banks=(), tof_offset_us=0, max_tof_us=0, bin_us=0),)),
        VariableValue(kind=ValueKind.U32, device=1, variable=1, value=-1),
        VariableSeries(kind=ValueKind.STRING, device=1, variable=1, tof_ns=words(1, 2), values=("one",)),
        Rtdl(frames=(1,)),
        MonitorEvents(sections=(MonitorSection(monitor=1, source=1, words=np.zeros(1 << 22, np.uint32)),)),
        Geometry(xml="x" * (PAYLOAD_LIMIT + 1)),
    ],
    ids=lambda message: type(message).__name__,
)
def test_what_does_not_fit_its_layout_is_not_sent(message: Message) -> None:
    with pytest.raises(ValueError, match=r"wanted|does not fit|zip"):
        encode(message)


def test_times_count_from_1990() -> None:
    assert encode(Heartbeat(time_ns=EPOCH_1990_NS + 5_000_000_007))[8:16] == words(5, 7).tobytes()
    assert EPOCH_S * 10**9 + EPOCH_1990_NS == T0_NS
