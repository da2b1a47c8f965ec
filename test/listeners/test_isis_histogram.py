"""The histogram listener against captures, a simulator, a server written with struct alone, and hostile ones."""

from __future__ import annotations

import json
import math
import socket
import struct
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hostile_wire import Case, dae_message, dae_replies

from livereduce.errors import ConfigError, ListenerError, LiveReduceError, WireError
from livereduce.listeners.isis_histogram import IsisHistogramListener
from livereduce.listeners.source import Listener, ListenerSettings
from livereduce.simulators.faults import Fault
from livereduce.simulators.isis_histogram import HistogramDae, HistogramServer, Size
from livereduce.store.record import Histogram, Layout, Record, RunEnd, RunStart

CAPTURES = Path(__file__).parent.parent / "golden" / "captures"
PROMPT_S = 0.2
NOW_NS = 1_700_000_000_000_000_000

Serve = Callable[[socket.socket], None]


class Clock:
    """A clock that stands still until it is turned."""

    def __init__(self) -> None:
        self.now_s = 100.0

    def __call__(self) -> float:
        return self.now_s


@pytest.fixture
def stack() -> Iterator[ExitStack]:
    with ExitStack() as opened:
        yield opened


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def open_listener(stack: ExitStack, clock: Clock) -> Callable[..., IsisHistogramListener]:
    def open_listener(address: str, *, connect: bool = True, timeout_s: float = 5.0, **settings: Any) -> IsisHistogramListener:
        chosen = ListenerSettings(type="ISIS_Histogram", address=address, options={"reply_timeout_s": timeout_s}, **settings)
        listener = IsisHistogramListener(chosen, wall_ns=lambda: NOW_NS, monotonic_s=clock)
        stack.callback(listener.close)
        if connect:
            listener.connect()
        return listener

    return open_listener


@pytest.fixture
def simulator(stack: ExitStack) -> Callable[..., HistogramServer]:
    def simulator(periods: int = 1, spectra: int = 10, bins: int = 5, **options: Any) -> HistogramServer:
        dae = HistogramDae(Size(periods=periods, spectra=spectra, bins=bins), **options)
        return stack.enter_context(HistogramServer(dae))

    return simulator


@pytest.fixture
def peer(stack: ExitStack) -> Callable[[Serve], str]:
    """Serves one client with a function; returns the address."""

    def start(serve: Serve) -> str:
        listening = socket.create_server(("127.0.0.1", 0))
        listening.settimeout(10)

        def run() -> None:
            try:
                client, _ = listening.accept()
            except OSError:
                return
            with client:
                client.settimeout(10)
                try:
                    serve(client)
                except OSError:
                    return

        thread = threading.Thread(target=run)
        thread.start()
        stack.callback(end, listening, thread)
        return f"127.0.0.1:{listening.getsockname()[1]}"

    return start


def end(listening: socket.socket, thread: threading.Thread) -> None:
    listening.shutdown(socket.SHUT_RDWR)
    thread.join()
    listening.close()


def exactly(client: socket.socket, n: int) -> bytes:
    data = b""
    while len(data) < n:
        part = client.recv(n - len(data))
        if not part:
            raise ConnectionError("client gone")
        data += part
    return data


def request_of(client: socket.socket) -> tuple[str, bytes]:
    head = exactly(client, 88)
    return head[56:].rstrip(b"\0").decode(), exactly(client, struct.unpack_from("<i", head)[0] - 88)


# ---------------------------------------------------------------------------------------------------------------- captures


@pytest.mark.parametrize(
    ("name", "settings"),
    [
        ("histo-1period", {}),
        ("histo-3periods-all", {}),
        ("histo-spectralist", {"spectra": (1, 3, 4, 5, 9)}),
        ("histo-periodlist", {"periods": (2,)}),
    ],
)
def test_captured_replies_give_the_captured_workspaces_and_are_asked_for_in_the_captured_order(
    name: str, settings: dict[str, Any], peer: Callable[[Serve], str], open_listener: Callable[..., IsisHistogramListener], clock: Clock
) -> None:
    requests = messages_of((CAPTURES / f"{name}.port0.c2s.bin").read_bytes())
    replies = messages_of((CAPTURES / f"{name}.port0.s2c.bin").read_bytes())
    asked = []

    def serve(client: socket.socket) -> None:
        for request, reply in zip(requests, replies, strict=True):
            asked.append(exactly(client, len(request)))
            client.sendall(reply)

    chunks = json.loads((CAPTURES / f"{name}.workspace.json").read_text())["chunks"]
    listener = open_listener(peer(serve), **settings)
    layout: Layout | None = None
    for i, chunk in enumerate(chunks):
        records = listener.read()
        if i == 0:
            start = records.pop(0).header
            assert isinstance(start, RunStart)
            layout = start.layout
        assert layout is not None
        compare(layout, records, chunk, partial="spectra" in settings)
        clock.now_s += 30
    assert asked == requests[: len(asked)]
    assert len(asked) >= len(requests) - 1  # only the second NAME of the second reading is not asked for


def messages_of(data: bytes) -> list[bytes]:
    messages = []
    while data:
        size = struct.unpack_from("<i", data)[0]
        messages.append(data[:size])
        data = data[size:]
    return messages


def compare(layout: Layout, records: list[Record], chunk: dict[str, Any], *, partial: bool) -> None:
    (record,) = records
    assert isinstance(record.header, Histogram)
    assert record.counts is not None
    members = chunk.get("members", [chunk])
    assert record.header.shape == record.counts.shape
    assert len(members) == len(layout.periods)
    assert record.header.charge_uah == pytest.approx(members[0]["logs"]["gd_prtn_chrg"]["value"], abs=0)
    detector_of = dict(zip(layout.detector_spectra, layout.detector_ids, strict=True))
    for plane, member in zip(record.counts, members, strict=True):
        assert layout.x == member["x"]
        assert layout.spectrum_numbers == [spectrum["spectrum_no"] for spectrum in member["spectra"]]
        assert plane.tolist() == [spectrum["y"] for spectrum in member["spectra"]]
        if not partial:  # the captured client gives a partial list the detectors of the row, not of the spectrum
            assert [[detector_of[number]] for number in layout.spectrum_numbers] == [spectrum["detector_ids"] for spectrum in member["spectra"]]


# --------------------------------------------------------------------------------------------------------------- selection


def test_it_is_a_listener() -> None:
    assert isinstance(IsisHistogramListener(ListenerSettings(type="ISIS_Histogram", address="127.0.0.1:1")), Listener)


def test_the_first_reading_tells_of_the_run_and_carries_all_counts(
    simulator: Callable[..., HistogramServer], open_listener: Callable[..., IsisHistogramListener]
) -> None:
    server = simulator(periods=2, spectra=6, bins=4, name="LOQ")
    start, reading = open_listener(server.address).read()
    assert isinstance(start.header, RunStart)
    assert (start.header.number, start.header.time_ns) == (0, NOW_NS)
    layout = start.header.layout
    assert (layout.instrument, layout.periods, layout.spectrum_numbers) == ("LOQ", [1, 2], [1, 2, 3, 4, 5, 6])
    assert layout.x == [10000.0, 10100.0, 10200.0, 10300.0, 10400.0]
    assert (layout.detector_ids, layout.detector_spectra) == (list(range(1, 10)), list(range(1, 10)))
    assert reading.header == Histogram(time_ns=NOW_NS, charge_uah=pytest.approx(3.14, rel=1e-6), shape=(2, 6, 4))
    assert reading.counts is not None
    assert (reading.counts.dtype, reading.counts.flags.writeable) == (np.int32, False)
    np.testing.assert_array_equal(reading.counts, server.dae.counts())


@pytest.mark.parametrize("spectra", [(5, 3, 2), (7, 7, 1), (1, 2, 3), (10,), (9, 1, 9, 2, 8, 8)])
def test_rows_come_in_the_order_asked_for_duplicates_included(
    spectra: tuple[int, ...], simulator: Callable[..., HistogramServer], open_listener: Callable[..., IsisHistogramListener]
) -> None:
    server = simulator(periods=2, growing=True)
    server.dae.add_frames(1000)
    start, reading = open_listener(server.address, spectra=spectra).read()
    assert isinstance(start.header, RunStart)
    assert start.header.layout.spectrum_numbers == list(spectra)
    np.testing.assert_array_equal(reading.counts, server.dae.counts()[:, np.array(spectra) - 1])


def test_periods_come_in_ascending_order_however_they_are_listed(
    simulator: Callable[..., HistogramServer], open_listener: Callable[..., IsisHistogramListener]
) -> None:
    server = simulator(periods=5)
    start, reading = open_listener(server.address, periods=(4, 2, 4)).read()
    assert isinstance(start.header, RunStart)
    assert start.header.layout.periods == [2, 4]
    np.testing.assert_array_equal(reading.counts, server.dae.counts()[[1, 3]])


def test_monitors_alone_are_read_with_their_own_bins(
    simulator: Callable[..., HistogramServer], open_listener: Callable[..., IsisHistogramListener]
) -> None:
    start, reading = open_listener(simulator(periods=2).address, spectra=(13, 11)).read()
    assert isinstance(start.header, RunStart)
    assert start.header.layout.x == [10000.0 + 10 * i for i in range(11)]
    np.testing.assert_array_equal(reading.counts, np.broadcast_to(np.array([[[13], [11]], [[1013], [1011]]]), (2, 2, 10)))


@pytest.mark.parametrize(
    ("settings", "complaint"),
    [
        ({"spectra": (14,)}, "spectrum 14 is asked for, but the source has spectra 1 to 13"),
        ({"spectra": (1, 12)}, r"12 \(a monitor, 10 bins\) and 1 \(5 bins\) are in different time regimes"),
        ({"periods": (3, 5)}, "period 5 is asked for, but the source has periods 1 to 4"),
    ],
)
def test_what_the_source_does_not_have_is_named(
    settings: dict[str, Any], complaint: str, simulator: Callable[..., HistogramServer], open_listener: Callable[..., IsisHistogramListener]
) -> None:
    with pytest.raises(ListenerError, match=complaint):
        open_listener(simulator(periods=4).address, **settings)


def test_blocks_join_to_the_same_counts(simulator: Callable[..., HistogramServer], open_listener: Callable[..., IsisHistogramListener]) -> None:
    server = simulator(spectra=300, bins=2000, growing=True)  # 131 spectra fill a block
    server.dae.add_frames(100)
    _, reading = open_listener(server.address).read()
    np.testing.assert_array_equal(reading.counts, server.dae.counts())


def test_a_spectrum_larger_than_a_block_is_read(
    simulator: Callable[..., HistogramServer], open_listener: Callable[..., IsisHistogramListener]
) -> None:
    server = simulator(spectra=2, bins=300_000)
    _, reading = open_listener(server.address).read()
    np.testing.assert_array_equal(reading.counts, server.dae.counts())


# --------------------------------------------------------------------------------------------------------- polls and runs


def test_nothing_comes_before_the_next_poll_is_due(
    simulator: Callable[..., HistogramServer], open_listener: Callable[..., IsisHistogramListener], clock: Clock
) -> None:
    server = simulator(growing=True)
    listener = open_listener(server.address, poll_s=30.0)
    assert len(listener.read()) == 2
    clock.now_s += 29.9
    assert listener.read() == []
    clock.now_s += 0.1
    server.dae.add_frames(7)
    (reading,) = listener.read()
    np.testing.assert_array_equal(reading.counts, server.dae.counts())
    assert isinstance(reading.header, Histogram)
    assert reading.header.charge_uah == server.dae.charge_uah


def test_counts_that_went_down_end_the_run(
    simulator: Callable[..., HistogramServer], open_listener: Callable[..., IsisHistogramListener], clock: Clock
) -> None:
    server = simulator(growing=True)
    server.dae.add_frames(1000)
    listener = open_listener(server.address)
    listener.read()
    server.dae.reset()
    server.dae.add_frames(10)
    clock.now_s += 30
    end, start, reading = listener.read()
    assert isinstance(end.header, RunEnd)
    assert end.header.reason.startswith("counts went down: period 1, spectrum 1, bin 1 from ")
    assert isinstance(start.header, RunStart)
    np.testing.assert_array_equal(reading.counts, server.dae.counts())
    clock.now_s += 30
    assert [type(record.header) for record in listener.read()] == [Histogram]


@pytest.mark.parametrize("change", [{"periods": 3}, {"spectra": 4}, {"bins": 9}])
def test_dimensions_that_change_end_the_run_and_the_next_one_has_the_new_layout(
    change: dict[str, int], simulator: Callable[..., HistogramServer], open_listener: Callable[..., IsisHistogramListener], clock: Clock
) -> None:
    server = simulator(periods=2)
    listener = open_listener(server.address)
    listener.read()
    server.dae.resize(**change)
    clock.now_s += 30
    end, start, reading = listener.read()
    assert isinstance(end.header, RunEnd)
    assert end.header.reason.startswith("dimensions changed: 2 periods, 10 spectra, 5 bins -> ")
    assert isinstance(start.header, RunStart)
    np.testing.assert_array_equal(reading.counts, server.dae.counts())
    assert (len(start.header.layout.periods), len(start.header.layout.spectrum_numbers), len(start.header.layout.x) - 1) == server.dae.counts().shape


def test_a_run_that_is_still_the_same_is_resumed(
    simulator: Callable[..., HistogramServer], open_listener: Callable[..., IsisHistogramListener]
) -> None:
    server = simulator(growing=True)
    server.dae.add_frames(50)
    first = open_listener(server.address)
    start, reading = first.read()
    first.close()
    server.dae.add_frames(50)
    again = open_listener(server.address)
    again.resume(start.header, reading.counts)  # type: ignore[union-attr, arg-type]
    (more,) = again.read()
    np.testing.assert_array_equal(more.counts, server.dae.counts())


@pytest.mark.parametrize(
    ("happen", "reason"), [(lambda dae: dae.reset(), "counts went down"), (lambda dae: dae.resize(bins=7), "dimensions changed")]
)
def test_a_run_that_changed_while_nobody_read_is_ended_and_the_new_one_begun(
    happen: Callable[[HistogramDae], None],
    reason: str,
    simulator: Callable[..., HistogramServer],
    open_listener: Callable[..., IsisHistogramListener],
) -> None:
    server = simulator(growing=True)
    server.dae.add_frames(50)
    listener = open_listener(server.address)
    start, reading = listener.read()
    listener.close()
    happen(server.dae)
    listener.connect()
    listener.resume(start.header, reading.counts)  # type: ignore[union-attr, arg-type]
    end, begin, new = listener.read()
    assert isinstance(end.header, RunEnd)
    assert end.header.reason.startswith(reason)
    assert isinstance(begin.header, RunStart)
    np.testing.assert_array_equal(new.counts, server.dae.counts())


def test_after_close_and_connect_without_resume_a_run_starts(
    simulator: Callable[..., HistogramServer], open_listener: Callable[..., IsisHistogramListener]
) -> None:
    listener = open_listener(simulator().address)
    listener.read()
    listener.close()
    listener.connect()
    assert [type(record.header) for record in listener.read()] == [RunStart, Histogram]


# ----------------------------------------------------------------------------------------------- a server made with struct


class Dae:
    """A DAE of two spectra and one monitor that comes first, written from the published layout with struct alone."""

    def __init__(self, **changes: bytes | None) -> None:
        one = {"NPER": 1, "NDET": 4, "NTC1": 2, "NSP1": 2, "NTC2": 0}
        self.answers: dict[str, bytes | None] = {name: dae_message(struct.pack("<i", value), kind=1, dims=(1,)) for name, value in one.items()}
        self.answers["UDET"] = dae_message(struct.pack("<4i", 1001, 1002, 2001, 2002), kind=1, dims=(4,))
        self.answers["SPEC"] = dae_message(struct.pack("<4i", 1, 1, 2, 2), kind=1, dims=(4,))
        self.answers["RTCB1"] = dae_message(struct.pack("<3f", 0.5, 10.5, 30.5), kind=2, dims=(3,))
        self.answers["RRPB"] = dae_message(struct.pack("<32f", *([0.0] * 8), 12.5, *([0.0] * 23)), kind=2, dims=(32,))
        self.answers["NAME"] = dae_message(b"GEM", kind=4, dims=(3,))
        self.answers["GETDAT"] = dae_message(struct.pack("<6i", 99, 1, 2, 98, 3, 4), kind=1, dims=(2, 3))
        self.answers |= changes
        self.asked: list[str] = []

    def __call__(self, client: socket.socket) -> None:
        exactly(client, 120)
        client.sendall(dae_message())
        while True:
            command, data = request_of(client)
            name = "GETDAT" if command == "GETDAT" else data.decode()
            self.asked.append(name)
            answer = self.answers.get(name, dae_message())
            if answer is None:
                return
            client.sendall(answer)


def test_a_server_written_by_somebody_else_is_read(peer: Callable[[Serve], str], open_listener: Callable[..., IsisHistogramListener]) -> None:
    dae = Dae()
    start, reading = open_listener(peer(dae)).read()
    assert isinstance(start.header, RunStart)
    assert start.header.layout == Layout(
        instrument="GEM",
        spectrum_numbers=[1, 2],
        periods=[1],
        x=[0.5, 10.5, 30.5],
        detector_ids=[1001, 1002, 2001, 2002],
        detector_spectra=[1, 1, 2, 2],
    )
    assert reading.counts is not None
    assert reading.counts.tolist() == [[[1, 2], [3, 4]]]
    assert isinstance(reading.header, Histogram)
    assert reading.header.charge_uah == 12.5
    assert "NSP2" not in dae.asked  # there is no second time regime to ask about


def test_a_server_that_knows_neither_name_nor_charge_is_read(
    peer: Callable[[Serve], str], open_listener: Callable[..., IsisHistogramListener]
) -> None:
    start, reading = open_listener(peer(Dae(NAME=dae_message(), RRPB=dae_message()))).read()
    assert isinstance(start.header, RunStart)
    assert start.header.layout.instrument == ""
    assert isinstance(reading.header, Histogram)
    assert math.isnan(reading.header.charge_uah)


def test_data_that_follow_a_refused_request_are_not_taken_for_the_next_reply(
    peer: Callable[[Serve], str], open_listener: Callable[..., IsisHistogramListener]
) -> None:
    late = dae_message() + dae_message(struct.pack("<32f", *([7.0] * 32)), kind=2, dims=(32,))
    listener = open_listener(peer(Dae(NAME=dae_message(b"GEM", kind=4, dims=(3,)) + late)))
    start, reading = listener.read()
    assert isinstance(start.header, RunStart)
    assert start.header.layout.instrument == "GEM"
    assert reading.counts is not None


@pytest.mark.parametrize(
    ("name", "answer", "error", "complaint"),
    [
        ("NPER", dae_message(), ListenerError, "refuses NPER"),
        ("GETDAT", dae_message(), ListenerError, "refuses GETDAT first 1, count 2"),
        ("NTC1", dae_message(bytes(4), kind=1, dims=(1,)), WireError, "NTC1 is 0; wanted 1 to"),
        ("NPER", dae_message(struct.pack("<i", -3), kind=1, dims=(1,)), WireError, "NPER is -3; wanted 1 to"),
        ("NSP1", dae_message(struct.pack("<i", 2**31 - 1), kind=1, dims=(1,)), WireError, "NSP1 is 2147483647; wanted 1 to"),
        ("UDET", dae_message(bytes(8), kind=1, dims=(2,)), WireError, "leaves 2 elements; wanted 4"),
        ("RTCB1", dae_message(struct.pack("<3f", 1, 3, 2), kind=2, dims=(3,)), WireError, r"RTCB1\[2\] is 2.0 after 3.0; wanted ascending"),
        ("RTCB1", dae_message(struct.pack("<3f", 1, math.nan, 2), kind=2, dims=(3,)), WireError, "wanted ascending"),
        ("RTCB1", dae_message(bytes(12), kind=1, dims=(3,)), WireError, "type at offset 4 is I32; wanted R32"),
        ("GETDAT", dae_message(bytes(20), kind=1, dims=(2, 3)), WireError, "leaves 5 elements; wanted 6"),
        ("GETDAT", dae_message(bytes(28), kind=1, dims=(2, 3)), WireError, "len at offset 0 is 116; wanted 88 to 112"),
        ("SPEC", None, ListenerError, "closed the connection.*reply to SPEC"),
    ],
)
def test_a_wrong_answer_is_told_with_what_came_and_what_was_wanted(
    name: str,
    answer: bytes | None,
    error: type[Exception],
    complaint: str,
    peer: Callable[[Serve], str],
    open_listener: Callable[..., IsisHistogramListener],
) -> None:
    address = peer(Dae(**{name: answer}))
    with pytest.raises(error, match=complaint):
        open_listener(address).read()


# ------------------------------------------------------------------------------------------------------------ bad manners


@pytest.mark.parametrize("case", dae_replies(), ids=lambda case: case.name)
@pytest.mark.parametrize("name", ["NPER", "RTCB1", "GETDAT"])
def test_hostile_replies_end_in_an_error_soon_and_are_kept(
    case: Case, name: str, peer: Callable[[Serve], str], open_listener: Callable[..., IsisHistogramListener]
) -> None:
    listener = open_listener(peer(Dae(**{name: case.data})), connect=False, timeout_s=0.3)
    begin = time.monotonic()
    outcome = error_of(listener)
    assert time.monotonic() - begin < 5
    assert isinstance(outcome, WireError | ListenerError) or not case.broken
    assert isinstance(outcome, WireError | ListenerError | None)
    assert len(listener.last_bytes()) <= 65536
    if isinstance(outcome, WireError):
        assert case.data[:88] in listener.last_bytes()


def error_of(listener: IsisHistogramListener) -> LiveReduceError | None:
    try:
        connect_and_read(listener)
    except LiveReduceError as error:
        return error
    return None


def connect_and_read(listener: IsisHistogramListener) -> None:
    listener.connect()
    listener.read()


def test_a_server_that_talks_without_end_does_not_hold_the_listener(
    peer: Callable[[Serve], str], open_listener: Callable[..., IsisHistogramListener]
) -> None:
    def talk(client: socket.socket) -> None:
        while True:
            client.sendall(bytes(65536))

    listener = open_listener(peer(talk), connect=False, timeout_s=1.0)
    with pytest.raises((WireError, ListenerError)):
        connect_and_read(listener)
    assert len(listener.last_bytes()) <= 65536


@pytest.mark.parametrize("after", [0, 50, 88, 200, 700, 1500])
@pytest.mark.parametrize("kind", ["refuse", "hang-up", "garbage", "stall", "absurd-length"])
def test_every_fault_of_the_simulator_ends_in_an_error(
    kind: str, after: int, simulator: Callable[..., HistogramServer], open_listener: Callable[..., IsisHistogramListener]
) -> None:
    server = simulator(spectra=20, bins=10)
    server.fault = Fault(kind=kind, after_bytes=after)
    listener = open_listener(server.address, connect=False, timeout_s=0.2)
    with pytest.raises((WireError, ListenerError)):
        connect_and_read(listener)
    listener.close()
    server.fault = None
    listener.connect()
    assert len(listener.read()) == 2


def test_a_silent_server_is_given_up_with_the_time_and_what_was_asked(
    simulator: Callable[..., HistogramServer], open_listener: Callable[..., IsisHistogramListener]
) -> None:
    server = simulator()
    server.fault = Fault(kind="stall", after_bytes=88)
    with pytest.raises(ListenerError, match=r"sends nothing.*at most 0.2 s. for the reply to NPER"):
        open_listener(server.address, timeout_s=0.2)


def test_a_server_that_drips_is_given_up_as_well(peer: Callable[[Serve], str], open_listener: Callable[..., IsisHistogramListener]) -> None:
    def drip(client: socket.socket) -> None:
        gone = threading.Event()
        for byte in dae_message():
            client.sendall(bytes([byte]))
            gone.wait(0.02)

    begin = time.monotonic()
    with pytest.raises(ListenerError, match="gave up"):
        open_listener(peer(drip), timeout_s=0.3)
    assert time.monotonic() - begin < 1.5


def test_a_port_where_nobody_listens_is_named(open_listener: Callable[..., IsisHistogramListener]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    with pytest.raises(ListenerError, match=rf"127.0.0.1:{port}: cannot connect: .*refused"):
        open_listener(f"127.0.0.1:{port}")


# -------------------------------------------------------------------------------------------------------------- interrupt


def test_interrupt_ends_a_read_that_waits_for_the_server(
    simulator: Callable[..., HistogramServer], open_listener: Callable[..., IsisHistogramListener]
) -> None:
    server = simulator()
    listener = open_listener(server.address, timeout_s=30)
    server.fault = Fault(kind="stall")
    assert seconds_to_end(listener.interrupt, lambda: fails(listener.read)) < PROMPT_S


def test_interrupt_ends_a_read_that_waits_for_the_next_poll(
    simulator: Callable[..., HistogramServer], open_listener: Callable[..., IsisHistogramListener]
) -> None:
    listener = open_listener(simulator().address)
    listener.read()
    listener.interrupt()
    begin = time.monotonic()
    assert listener.read() == []
    assert time.monotonic() - begin < PROMPT_S


def test_interrupt_ends_a_connect_and_holds_until_close(stack: ExitStack, open_listener: Callable[..., IsisHistogramListener]) -> None:
    mute = stack.enter_context(socket.create_server(("127.0.0.1", 0)))  # accepts in the kernel, never answers
    listener = open_listener(f"127.0.0.1:{mute.getsockname()[1]}", connect=False, timeout_s=30)
    assert seconds_to_end(listener.interrupt, lambda: fails(listener.connect)) < PROMPT_S
    with pytest.raises(ListenerError, match="interrupted"):
        listener.connect()


def fails(call: Callable[[], object]) -> None:
    with pytest.raises(ListenerError, match="interrupted"):
        call()


def seconds_to_end(interrupt: Callable[[], None], blocks: Callable[[], object]) -> float:
    """Time from the interruption to the end of `blocks`, which is given a moment to begin; also right if it has not begun by then."""
    ended: list[float] = []
    thread = threading.Thread(target=lambda: (blocks(), ended.append(time.monotonic())))
    thread.start()
    thread.join(0.05)
    assert thread.is_alive()
    begin = time.monotonic()
    interrupt()
    thread.join(5)
    return ended[0] - begin


# ---------------------------------------------------------------------------------------------------------------- settings


@pytest.mark.parametrize(
    ("options", "complaint"), [({"speed": 1}, "listener.options.speed: not known"), ({"reply_timeout_s": "soon"}, "wanted seconds above 0")]
)
def test_options_are_checked(options: dict[str, object], complaint: str) -> None:
    with pytest.raises(ConfigError, match=complaint):
        IsisHistogramListener(ListenerSettings(type="ISIS_Histogram", address="127.0.0.1:1", options=options))


def test_reading_before_connecting_is_told() -> None:
    with pytest.raises(ListenerError, match="not connected"):
        IsisHistogramListener(ListenerSettings(type="ISIS_Histogram", address="127.0.0.1:1")).read()
