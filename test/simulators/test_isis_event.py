"""The simulated event DAE against captures, a client written with struct alone, its own truth, and its own faults."""

from __future__ import annotations

import os
import signal
import socket
import struct
import subprocess
import sys
import threading
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

import numpy as np
import pytest
from hostile_wire import event_header, event_setup

from livereduce.errors import WireError
from livereduce.simulators import command
from livereduce.simulators.events import BATCH_PACKETS, EventDae
from livereduce.simulators.faults import Fault
from livereduce.simulators.isis_event import EventServer, _Pace, main
from livereduce.simulators.isis_histogram import DaeConversation, HistogramDae, Size
from livereduce.simulators.server import MAX_CLIENTS
from livereduce.wire.isis_event import EventReader, NeutronPackets, Setup

ROOT = Path(__file__).parent.parent.parent
CAPTURES = ROOT / "test" / "golden" / "captures"
SIZES = {"event-1period": (1, 10), "event-2periods": (2, 20), "event-single-event-packets": (1, 5)}
FAST = 0.01
"""A rate, ms."""

Packet = tuple[int, int, float, float, list[tuple[float, int]]]
"""Frame, period, protons, frame_time_zero, events."""


class Client:
    """A client written from the published layout with struct alone."""

    def __init__(self, server: EventServer) -> None:
        self.socket = socket.create_connection(("127.0.0.1", server.port), timeout=10)

    def __enter__(self) -> Client:
        return self

    def __exit__(self, *_: object) -> None:
        self.socket.close()

    def exactly(self, n: int) -> bytes:
        data = b""
        while len(data) < n:
            part = self.socket.recv(n - len(data))
            if not part:
                raise ConnectionError(f"hung up after {len(data)} of {n} bytes")
            data += part
        return data

    def setup(self) -> bytes:
        return self.exactly(80)

    def packet(self) -> Packet:
        head = self.exactly(44)
        assert head[:24] == event_header() + struct.pack("<I", 24)
        frame, period, protons, time_zero, n = struct.unpack("<2I2fI", head[24:])
        return frame, period, protons, time_zero, list(struct.iter_unpack("<fI", self.exactly(8 * n)))

    def packets(self) -> Iterator[Packet]:
        while True:
            yield self.packet()

    def until_quiet(self) -> list[Packet]:
        """Read Setup and all packets before the first empty one."""
        self.setup()
        found = []
        while (packet := self.packet())[4]:
            found.append(packet)
        return found


def counted(packets: list[Packet], periods: int, spectra: int) -> np.ndarray:
    counts = np.zeros((periods, spectra), np.int64)
    for _, period, _, _, events in packets:
        for _, spectrum in events:
            counts[period, spectrum] += 1
    return counts


# ------------------------------------------------------------------------------------------------------------ what it sends


def test_a_setup_comes_first_with_the_published_bytes() -> None:
    with EventServer() as server, Client(server) as client:
        assert client.setup() == event_setup(run=1234, name=b"MUSR")
    with EventServer(EventDae(run_number=7, start_time_s=9, instrument="X")) as server, Client(server) as client:
        assert client.setup() == event_setup(run=7, start=9, name=b"X")


def test_packets_have_the_size_they_were_told_and_values_in_their_range() -> None:
    with EventServer(EventDae(periods=3, spectra=7, events=50, rate_ms=FAST)) as server, Client(server) as client:
        client.setup()
        packets = list(islice(client.packets(), 200))
    assert {packet[:1] + packet[2:4] for packet in packets} == {(0, 0.0, 0.0)}
    assert {packet[1] for packet in packets} == {0, 1, 2}
    assert {len(packet[4]) for packet in packets} == {50}
    tofs, spectra = zip(*(event for packet in packets for event in packet[4]), strict=True)
    assert set(spectra) == set(range(7))
    assert 10_000 <= min(tofs) < 10_010
    assert 19_990 < max(tofs) < 20_000
    assert abs(np.mean(tofs) - 15_000) < 200


def test_each_client_gets_the_same_numbers_and_another_seed_gives_others() -> None:
    def first(dae: EventDae) -> list[Packet]:
        with EventServer(dae) as server, Client(server) as client:
            client.setup()
            return list(islice(client.packets(), 30))

    dae = EventDae(periods=4, events=5, rate_ms=FAST, seed=3)
    packets = first(dae)
    assert packets == first(dae) == first(EventDae(periods=4, events=5, rate_ms=FAST, seed=3))
    assert packets != first(EventDae(periods=4, events=5, rate_ms=FAST, seed=4))


@pytest.mark.parametrize("fast", [False, True])
@pytest.mark.parametrize(("events", "packets"), [(1, 3000), (100, 2000), (100_000, 7)])
def test_what_a_client_reads_is_the_truth(events: int, packets: int, fast: bool) -> None:
    dae = EventDae(periods=2, spectra=9, events=events, rate_ms=FAST, quiet_after=packets)
    read = np.zeros((2, 9), np.int64)
    with EventServer(dae, as_fast_as_possible=fast) as server, socket.create_connection(("127.0.0.1", server.port), timeout=10) as client:
        reader, n = EventReader(), 0
        while n <= packets:
            reader.filled(client.recv_into(reader.free()))
            while (message := reader.next_message()) is not None:
                if isinstance(message, NeutronPackets):
                    n += len(message)
                    for packet in message:
                        read[packet.period] += np.bincount(packet.events["spectrum"], minlength=9)
        truth = dae.sent_events()
    assert truth.sum() == events * packets
    np.testing.assert_array_equal(read, truth)


def test_the_truth_is_of_all_clients_together() -> None:
    dae = EventDae(periods=2, spectra=5, events=20, rate_ms=FAST, quiet_after=30)
    with EventServer(dae) as server, Client(server) as one, Client(server) as other:
        read = counted(one.until_quiet(), 2, 5) + counted(other.until_quiet(), 2, 5)
    assert read.sum() == 2 * 30 * 20
    np.testing.assert_array_equal(dae.sent_events(), read)


@pytest.mark.parametrize("fast", [False, True])
def test_empty_packets_keep_a_quiet_stream_alive(fast: bool) -> None:
    dae = EventDae(periods=2, events=10, rate_ms=1, quiet_after=2, frames=True)
    with EventServer(dae, as_fast_as_possible=fast) as server, Client(server) as client:
        client.setup()
        packets = list(islice(client.packets(), 12))
    assert [len(packet[4]) for packet in packets] == [10, 10, *[0] * 10]
    assert [packet[0] for packet in packets] == list(range(12))


def test_frames_are_numbered_and_timed_and_charged() -> None:
    with EventServer(EventDae(events=3, rate_ms=20, frames=True), as_fast_as_possible=True) as server, Client(server) as client:
        client.setup()
        packets = list(islice(client.packets(), BATCH_PACKETS + 10))
    assert [packet[0] for packet in packets] == list(range(BATCH_PACKETS + 10))
    np.testing.assert_array_equal([packet[3] for packet in packets], np.float32(0.02 * np.arange(len(packets))))
    assert {round(packet[2] * 3600 * 40) for packet in packets} == {160}


def test_frames_go_on_for_the_next_client() -> None:
    dae = EventDae(events=1, rate_ms=FAST, frames=True)
    with EventServer(dae) as server:
        with Client(server) as client:
            client.setup()
            last = list(islice(client.packets(), 5))[-1]
        with Client(server) as client:
            client.setup()
            assert client.packet()[0] > last[0]


def test_a_new_run_sends_a_setup_and_begins_at_frame_0() -> None:
    dae = EventDae(events=1, rate_ms=FAST, frames=True)
    with EventServer(dae) as server, socket.create_connection(("127.0.0.1", server.port), timeout=10) as client:
        reader = EventReader()
        setups: list[Setup] = []
        first_frames: list[int] = []
        while len(first_frames) < 2:
            reader.filled(client.recv_into(reader.free()))
            while (message := reader.next_message()) is not None:
                if isinstance(message, Setup):
                    setups.append(message)
                elif len(first_frames) < len(setups):
                    first_frames.append(int(message.table["frame"][0]))
                    if len(first_frames) == 1:
                        dae.begin_run(1235, start_time_s=60)
    assert setups == [Setup(run_number=1234, instrument="MUSR"), Setup(run_number=1235, start_time_s=60, instrument="MUSR", changed=3)]
    assert first_frames == [0, 0]


def test_a_late_client_gets_what_is_due_but_not_without_end() -> None:
    now = [10.0]
    pace = _Pace(0.02, monotonic_s=lambda: now[0])
    now[0] = 10.02
    assert pace.due(10) == 1
    assert pace.left_s() == pytest.approx(0.02)
    now[0] = 10.101
    assert pace.due(10) == 4
    now[0] = 100.0
    assert pace.due(10) == 10
    assert pace.due(100) == 51
    assert pace.due(10) == 1
    now[0] = 200.0
    pace.begin()
    assert pace.left_s() == pytest.approx(0.02)


# ---------------------------------------------------------------------------------------------------- its histogram DAE


@pytest.mark.parametrize("name", sorted(SIZES))
def test_its_histogram_dae_gives_the_captured_replies_byte_for_byte(name: str) -> None:
    periods, spectra = SIZES[name]
    with EventServer(EventDae(periods=periods, spectra=spectra)) as server:
        assert server.histogram.port == server.port + 1
        replies = DaeConversation(server.histogram.dae).answer((CAPTURES / f"{name}.port1.c2s.bin").read_bytes())
    assert b"".join(replies) == (CAPTURES / f"{name}.port1.s2c.bin").read_bytes()


def test_its_histogram_dae_answers_on_the_next_port() -> None:
    with EventServer(EventDae(periods=2, spectra=6)) as server, socket.create_connection(("127.0.0.1", server.port + 1), timeout=10) as client:
        sent = (CAPTURES / "event-2periods.port1.c2s.bin").read_bytes()
        client.sendall(sent[:212])
        client.shutdown(socket.SHUT_WR)
        reply = b""
        while part := client.recv(1000):
            reply += part
    assert reply == b"".join(DaeConversation(HistogramDae(Size(periods=2, spectra=6))).answer(sent[:212]))


# ------------------------------------------------------------------------------------------------------- clients and faults


def test_a_client_that_reads_nothing_holds_nobody_up() -> None:
    with EventServer(EventDae(events=100_000), as_fast_as_possible=True) as server, Client(server), Client(server) as reader:
        reader.setup()
        assert len(reader.packet()[4]) == 100_000


def test_stop_ends_it_while_a_client_reads_nothing() -> None:
    server = EventServer(EventDae(events=100_000), as_fast_as_possible=True)
    with Client(server) as idle:
        idle.setup()
        port = server.port
        server.stop()
        server.stop()
        for closed in (port, port + 1):
            with pytest.raises(ConnectionRefusedError):
                socket.create_connection(("127.0.0.1", closed), timeout=10)


def test_what_a_client_says_is_dropped() -> None:
    with EventServer(EventDae(events=1, rate_ms=1)) as server, Client(server) as client:
        client.socket.sendall(os.urandom(100_000))
        client.setup()
        assert len(list(islice(client.packets(), 20))) == 20


def test_a_client_that_hangs_up_makes_room_for_another() -> None:
    with EventServer(EventDae(rate_ms=3.6e6)) as server:
        for _ in range(MAX_CLIENTS + 10):
            client = Client(server)
            client.setup()
            client.socket.shutdown(socket.SHUT_WR)
            assert client.socket.recv(1) == b""
            client.socket.close()


def test_hang_up_drops_the_clients_and_takes_new_ones() -> None:
    with EventServer(EventDae(rate_ms=3.6e6)) as server:
        with Client(server) as dropped:
            dropped.setup()
            server.hang_up()
            assert dropped.socket.recv(1) == b""
        with Client(server) as again:
            again.setup()


@pytest.mark.parametrize("after", [0, 79, 80, 100, 204])
def test_a_server_hangs_up_after_so_many_bytes(after: int) -> None:
    server = EventServer(EventDae(events=10, rate_ms=FAST))
    with server:
        server.fault = Fault(kind="hang-up", after_bytes=after)
        with Client(server) as client:
            received = b""
            while part := client.socket.recv(1000):
                received += part
    assert len(received) == after


@pytest.mark.parametrize("fast", [False, True])
@pytest.mark.parametrize("kind", ["garbage", "absurd-length"])
@pytest.mark.parametrize(("after", "packets"), [(0, 0), (80, 1), (100, 1), (980, 8)])
def test_what_a_fault_makes_of_a_stream_is_refused_by_a_reader_and_what_came_before_is_not(kind: str, after: int, packets: int, fast: bool) -> None:
    reader = EventReader()
    with EventServer(EventDae(events=10, rate_ms=FAST), as_fast_as_possible=fast) as server:
        server.fault = Fault(kind=kind, after_bytes=after)
        with socket.create_connection(("127.0.0.1", server.port), timeout=10) as client, pytest.raises(WireError):
            read_on(client, reader)
    assert reader.packets == packets


def read_on(client: socket.socket, reader: EventReader, *, packets: int | None = None) -> None:
    """Read until so many packets came, or until it fails."""
    while packets is None or reader.packets < packets:
        n = client.recv_into(reader.free())
        if not n:
            raise ConnectionError("hung up")
        reader.filled(n)
        while reader.next_message() is not None:
            pass


@pytest.mark.parametrize("fast", [False, True])
def test_a_stalled_stream_goes_on_when_the_fault_is_gone(fast: bool) -> None:
    reader = EventReader()
    with (
        EventServer(EventDae(events=10, rate_ms=1), as_fast_as_possible=fast) as server,
        socket.create_connection(("127.0.0.1", server.port), timeout=10) as client,
    ):
        read_on(client, reader, packets=5)
        server.fault = Fault(kind="stall")
        client.settimeout(0.3)
        with pytest.raises(TimeoutError):
            read_on(client, reader)
        server.fault = None
        client.settimeout(10)
        read_on(client, reader, packets=reader.packets + 5)


def test_a_refusing_server_hangs_up_on_who_is_there_and_who_comes() -> None:
    with EventServer(EventDae(rate_ms=1)) as server:
        with socket.create_connection(("127.0.0.1", server.port), timeout=10) as client:
            reader = EventReader()
            read_on(client, reader, packets=2)
            server.fault = Fault(kind="refuse")
            with pytest.raises(ConnectionError):
                read_on(client, reader)
        with Client(server) as late:
            assert late.socket.recv(1) == b""


# ------------------------------------------------------------------------------------------------------------- ports, options


def test_two_servers_find_two_pairs_of_ports() -> None:
    with EventServer() as one, EventServer() as other:
        assert len({one.port, one.port + 1, other.port, other.port + 1}) == 4


def test_nothing_is_left_open_when_one_of_the_ports_is_taken() -> None:
    with EventServer() as first:
        for port in (first.port - 1, first.port):
            with pytest.raises(OSError, match=r"Address already in use"):
                EventServer(port=port)


@pytest.mark.parametrize(
    ("wrong", "complaint"),
    [
        ({"events": -1}, "events is -1"),
        ({"events": 2**24 + 1}, "wanted 0 to 16777216"),
        ({"rate_ms": 0}, "rate_ms is 0; wanted more than 0"),
        ({"rate_ms": float("nan")}, "rate_ms is nan"),
        ({"periods": 0}, "periods is 0"),
        ({"spectra": 0}, "spectra is 0"),
        ({"instrument": "n" * 40}, "at most 31"),
    ],
)
def test_a_dae_that_cannot_be_is_refused(wrong: dict[str, float], complaint: str) -> None:
    with pytest.raises(ValueError, match=complaint):
        EventDae(**wrong)  # type: ignore[arg-type]


def test_main_serves_until_it_is_told_to_stop(capsys: pytest.CaptureFixture[str]) -> None:
    stop = threading.Event()
    stop.set()
    assert main(["--port", "0", "--periods", "2", "--events", "5", "--frames"], stop=stop) == 0
    out = capsys.readouterr().out
    assert out.startswith("Simulated ISIS event DAE on 127.0.0.1:")
    assert out.endswith("(2 periods, 100 spectra, 5 events every 20 ms)\n")


def test_a_port_that_is_taken_is_told_in_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    with EventServer() as server:
        port = server.port
        assert main(["--port", str(port)], stop=threading.Event()) == 1
    assert capsys.readouterr().err.startswith(f"cannot listen on 127.0.0.1:{port} and the port after it: ")


@pytest.mark.parametrize(
    "wrong", ["--events -1", "--events 16777217", "--port 65535", "--fault explode", "--rate-ms 0", "--rate-ms nan", "--run-number x", "--seed -1"]
)
def test_wrong_options_end_with_2(wrong: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        command.main(["event", *wrong.split()])
    assert ended.value.code == 2
    assert wrong.split()[0] in capsys.readouterr().err


def test_a_name_that_does_not_fit_a_setup_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["--name", "n" * 32], stop=threading.Event())
    assert "Setup.instrument is 'nnn" in capsys.readouterr().err


def test_the_starter_runs_it_in_its_own_size_and_ends_cleanly_on_a_signal(tmp_path: Path) -> None:
    clean = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    arguments = [sys.executable, str(ROOT / "test" / "fake_server.py"), "event", "--port", "0", "--rate-ms", "1000"]
    with subprocess.Popen(arguments, cwd=tmp_path, env=clean, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert "(1 periods, 100 spectra, 1000000 events every 1000 ms)" in process.stdout.readline()
        process.send_signal(signal.SIGTERM)
        assert process.wait(10) == 0
