"""The simulated ADARA server against a client written with struct alone, its own truth, hostile clients, and its own faults."""

from __future__ import annotations

import signal
import socket
import struct
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import closing, suppress
from itertools import islice
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest
from adara_bytes import SAMPLES, packet
from fakes import wait_for
from hostile_wire import Case, adara_hellos

from livereduce.errors import WireError
from livereduce.simulators.adara import AdaraServer, Beam, main
from livereduce.simulators.adara_beamline import Beamline, geometry
from livereduce.simulators.adara_history import WINDOW_BYTES, History
from livereduce.simulators.adara_pulses import CHARGE_PC, Neutrons, Truth
from livereduce.simulators.adara_recording import Recording
from livereduce.simulators.adara_sms import Plan, Sms
from livereduce.simulators.faults import Fault
from livereduce.simulators.server import Server
from livereduce.wire.adara import Message, Reader
from livereduce.wire.adara_control import START_NOW, START_OF_RUN, Annotation, ClientHello, Marker, PausedData, RunState, RunStatus, Sync
from livereduce.wire.adara_documents import read_device, read_run
from livereduce.wire.adara_events import BankedEvents, BankedStateEvents
from livereduce.wire.adara_metadata import BeamlineInfo, DeviceDescriptor, Geometry, RunInfo
from livereduce.wire.adara_monitors import MonitorEvents
from livereduce.wire.adara_packets import seconds_of
from livereduce.wire.adara_pixels import PixelMappingAlt
from livereduce.wire.adara_variables import VariableValue

SMALL = Beamline(banks=3, pixels=30, monitors=2, tof_offset_100ns=6000)
CAPTURE = Path(__file__).parent.parent / "golden" / "captures" / "adara-basic.s2c.bin"
NOW = struct.pack("<5I", 4, 0x400600, 1_100_000_000, 0, 0)
ALL = struct.pack("<5I", 4, 0x400600, 1_100_000_000, 0, 1)


def sms(
    *, events: int = 50, stray: int = 0, states: int = 0, seed: int = 1, plan: Plan | None = None, beamline: Beamline = SMALL, **more: int
) -> Sms:
    neutrons = Neutrons(beamline, events=events, stray=stray, states=states, seed=seed)
    return Sms(beamline, neutrons, plan=plan or Plan(gap=0), **more)


def heard(source: Sms | Recording, *, start: int = START_OF_RUN, paused: PausedData = PausedData.AGNOSTIC) -> list[Message]:
    """What a client gets until there is nothing more."""
    reader, found = Reader(), []
    with closing(source.stream(ClientHello(start=start, paused_data=paused))) as stream:
        for data in stream:
            if not data:
                break
            found += reader.receive(data)
    assert reader.unknown_packets == 0
    return [message for message in found if isinstance(message, Message)]


def states(messages: list[Message]) -> list[tuple[RunState, int]]:
    return [(message.state, message.run_number) for message in messages if isinstance(message, RunStatus)]


def counted(messages: list[Message], beamline: Beamline = SMALL) -> Truth:
    """The truth as a client would have it."""
    truth = Truth(run_number=0, start_ns=0, counts=np.zeros(beamline.pixels, np.int64))
    names: dict[int, str] = {}
    for message in messages:
        match message:
            case BankedEvents():
                tof, pixel = message.columns()
                truth.counts += np.bincount(pixel, minlength=beamline.pixels)
                truth.tof_sum_100ns += int(tof.sum(dtype=np.int64))
                truth.charge_pc += message.charge_pc
                truth.pulses += 1
                truth.stray_events += message.n_left_out
            case MonitorEvents():
                for section in message.sections:
                    truth.monitor_counts[section.monitor] = truth.monitor_counts.get(section.monitor, 0) + len(section.words)
            case DeviceDescriptor():
                names = {one.id: one.name for one in read_device(message.xml).variables}
            case VariableValue():
                entry = (message.time_ns, message.value if np.isscalar(message.value) else message.value.tolist())  # type: ignore[union-attr]
                if entry not in truth.values[names[message.variable]]:
                    truth.values[names[message.variable]].append(entry)
    return truth


def assert_same(got: Truth, truth: Truth) -> None:
    np.testing.assert_array_equal(got.counts, truth.counts)
    for name in ("tof_sum_100ns", "charge_pc", "pulses", "stray_events", "monitor_counts"):
        assert getattr(got, name) == getattr(truth, name), name


class Client:
    """A client written from the published layout with struct alone."""

    def __init__(self, server: Server, hello: bytes) -> None:
        self.socket = socket.create_connection(("127.0.0.1", server.port), timeout=10)
        self.socket.sendall(hello)

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

    def packet(self) -> tuple[int, int, bytes]:
        """Type, time (s since 1990) and payload of the next packet."""
        length, format_, seconds, _ = struct.unpack("<4I", self.exactly(16))
        return format_ >> 8, seconds, self.exactly(length)

    def until(self, type_: int) -> bytes:
        while True:
            found, _, payload = self.packet()
            if found == type_:
                return payload


@pytest.fixture
def server() -> Iterator[AdaraServer]:
    with AdaraServer(sms()) as running:
        yield running


# ------------------------------------------------------------------------------------------------------------ what is said


def test_a_client_written_with_struct_alone_counts_what_there_was() -> None:
    source = sms(stray=2)
    source.add_pulses(20)
    counts, charge, pulses = Counter[int](), 0, 0
    with AdaraServer(source) as server, Client(server, ALL) as client:
        while pulses < 20:
            type_, _, payload = client.packet()
            if type_ != 0x4000:
                continue
            pulses += 1
            charge += 10 * struct.unpack_from("<I", payload)[0]
            at = 16
            while at < len(payload):
                banks = struct.unpack_from("<4I", payload, at)[3]
                at += 16
                for _ in range(banks):
                    bank, n = struct.unpack_from("<2I", payload, at)
                    if bank < 0xFFFFFFFE:
                        counts.update(struct.unpack_from(f"<{2 * n}I", payload, at + 8)[1::2])
                    at += 8 + 8 * n
    assert [counts[pixel] for pixel in range(30)] == source.truth.counts.tolist()
    assert charge == source.truth.charge_pc == 20 * CHARGE_PC


@pytest.mark.parametrize("n_states", [0, 3])
def test_what_a_client_hears_is_the_truth(n_states: int) -> None:
    source = sms(stray=1, states=n_states)
    source.add_pulses(130)
    messages = heard(source)
    assert_same(counted(messages), source.truth)
    assert source.truth.events > 130 * 40
    kinds = Counter(type(message) for message in messages)
    assert kinds[BankedStateEvents] == (0 if n_states == 0 else 86)
    assert kinds[BankedEvents] + kinds[BankedStateEvents] == kinds[MonitorEvents] == 130


def test_values_of_variables_are_those_of_the_truth() -> None:
    source = sms(plan=Plan(gap=0, values=7))
    source.add_pulses(30)
    source.set_value("SIM:Temperature", 4.2)
    truth = {name: [(at, value if np.isscalar(value) else value.tolist()) for at, value in values] for name, values in source.truth.values.items()}
    assert counted(heard(source)).values == truth
    assert truth["SIM:Temperature"][-1] == (source.now_ns, 4.2)
    with pytest.raises(KeyError):
        source.set_value("nobody", 1)


def test_a_stream_begins_with_the_state_and_everything_that_describes_the_beamline() -> None:
    source = sms()
    source.add_pulses(1)
    source.scan(4)
    source.pause("tea")
    messages = heard(source, start=START_NOW)
    assert [type(message) for message in messages] == [
        Sync,
        RunStatus,
        PixelMappingAlt,
        RunInfo,
        Geometry,
        BeamlineInfo,
        *[type(message) for message in messages[6:8]],
        DeviceDescriptor,
        *[VariableValue] * 5,
        Annotation,
        Annotation,
    ]
    assert states(messages) == [(RunState.STATE, 1)]
    assert [message.marker for message in messages if isinstance(message, Annotation)] == [Marker.SCAN_START, Marker.PAUSE]
    assert next(read_run(message.xml) for message in messages if isinstance(message, RunInfo)).title == "Simulated run 1"
    pixels = next(message for message in messages if isinstance(message, PixelMappingAlt))
    assert [pixel for section in pixels.sections() for pixel in section.logical] == list(range(30))


def test_a_client_that_asks_for_now_gets_what_comes_from_then_on() -> None:
    source = sms()
    source.add_pulses(10)
    with closing(source.stream(ClientHello(start=START_NOW))) as stream:
        first = next(stream)
        source.add_pulses(5)
        rest = list(islice(stream, 5))
    kinds = Counter(type(message) for message in Reader().receive(first + b"".join(rest)))
    assert kinds[BankedEvents] == 5


def test_a_client_that_asks_for_the_run_gets_it_from_its_start_with_the_state_before() -> None:
    source = sms(plan=Plan(run=20, gap=5, file=8))
    source.add_pulses(5 + 20 + 5 + 17)
    assert states(heard(source)) == [
        (RunState.STATE, 2),
        (RunState.NEW_RUN, 2),
        (RunState.RUN_EOF, 2),
        (RunState.RUN_BOF, 2),
        (RunState.RUN_EOF, 2),
        (RunState.RUN_BOF, 2),
    ]
    assert_same(counted(heard(source)), source.truth)


def test_between_runs_a_client_that_asks_for_the_run_gets_what_came_since_the_last() -> None:
    source = sms(plan=Plan(run=10, gap=100))
    source.add_pulses(100 + 10 + 3)
    assert states(heard(source)) == [(RunState.STATE, 0), (RunState.NO_RUN, 0)]
    assert_same(counted(heard(source)), source.truth)
    assert source.truth.pulses == 3


def test_a_client_that_asks_for_a_time_gets_the_file_that_was_written_then() -> None:
    source = sms(plan=Plan(gap=0, file=60))
    source.add_pulses(60 * 5)
    wanted = seconds_of(source.now_ns) - 2
    pulses = [message.time_ns for message in heard(source, start=wanted) if isinstance(message, BankedEvents)]
    assert seconds_of(pulses[0]) in (wanted, wanted - 1)
    assert len(pulses) in (120, 180)
    early = [message for message in heard(source, start=2) if isinstance(message, BankedEvents)]
    assert len(early) == 300


def test_runs_follow_each_other_as_planned_and_each_has_its_truth() -> None:
    source = sms(plan=Plan(run=10, gap=4, first_run_number=70))
    with closing(source.stream(ClientHello(start=START_OF_RUN))) as stream:
        stream_data = [next(stream)]
        source.add_pulses(4 + 10 + 4 + 10 + 1)
        for data in stream:
            if not data:
                break
            stream_data.append(data)
    messages = [message for message in Reader().receive(b"".join(stream_data)) if isinstance(message, Message)]
    assert states(messages) == [
        (RunState.STATE, 0),
        (RunState.NO_RUN, 0),
        (RunState.NEW_RUN, 70),
        (RunState.END_RUN, 70),
        (RunState.NO_RUN, 0),
        (RunState.NEW_RUN, 71),
        (RunState.END_RUN, 71),
        (RunState.NO_RUN, 0),
    ]
    assert [(truth.run_number, truth.pulses) for truth in source.truths] == [(0, 4), (70, 10), (0, 4), (71, 10), (0, 1)]
    assert sum(truth.counts for truth in source.truths).tolist() == counted(messages).counts.tolist()  # type: ignore[union-attr]
    assert all(truth.end_ns for truth in source.truths[:-1])


def test_pauses_are_marked_and_their_data_left_out_for_who_does_not_want_them() -> None:
    source = sms(plan=Plan(gap=0, pause_every=10, pause=3))
    source.add_pulses(25)
    without, both = heard(source, paused=PausedData.WITHOUT), heard(source)
    marks = [message.marker for message in without if isinstance(message, Annotation)]
    assert marks == [Marker.PAUSE, Marker.RESUME, Marker.PAUSE, Marker.RESUME]
    assert_same(counted(without), source.truth)
    truth = source.truth
    assert (truth.pulses, truth.paused_pulses) == (19, 6)
    assert counted(both).events == truth.events + truth.paused_events


def test_ending_a_run_ends_its_pause() -> None:
    source = sms()
    source.add_pulses(1)
    source.pause()
    assert source.begin_run() == 2
    source.add_pulses(1)
    assert source.truth.pulses == 1


def test_scans_are_marked_with_their_number() -> None:
    source = sms()
    source.add_pulses(1)
    for index in (1, 2, 0):
        source.scan(index)
    marks = [(message.marker, message.scan_index, message.reset_hint) for message in heard(source) if isinstance(message, Annotation)]
    assert marks == [(Marker.SCAN_START, 1, True), (Marker.SCAN_STOP, 1, True), (Marker.SCAN_START, 2, True), (Marker.SCAN_STOP, 2, True)]


def test_the_same_seed_makes_the_same_stream() -> None:
    one, same, other = (sms(seed=seed) for seed in (4, 4, 5))
    for source in (one, same, other):
        source.add_pulses(9)
    assert one.truth.counts.tolist() == same.truth.counts.tolist() != other.truth.counts.tolist()


def test_the_geometry_has_every_pixel_and_monitor_once() -> None:
    root = ElementTree.fromstring(geometry(Beamline(banks=5, pixels=50, monitors=3)).encode())
    lists = {one.get("idname"): one for one in root.iter("idlist")}
    ids = [pixel for i in range(1, 6) for one in lists[f"bank{i}"] for pixel in range(int(one.get("start", "")), int(one.get("end", "")) + 1)]
    assert ids == list(range(50))
    assert [one.get("val") for one in lists["monitors"]] == ["-1", "-2", "-3"]
    assert len(root.findall("./component[@type='bank']")) == 5
    assert len(root.findall("./type[@name='bank']/component/location")) == 10


@pytest.mark.parametrize(
    ("wrong", "message"), [({"banks": 0}, "banks is 0"), ({"banks": 3, "pixels": 10}, "as many for each"), ({"banks": 3, "pixels": 2}, "pixels is 2")]
)
def test_a_beamline_that_cannot_be_is_refused(wrong: dict[str, int], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Beamline(**wrong)  # type: ignore[arg-type]


def test_a_plan_that_cannot_be_is_refused() -> None:
    with pytest.raises(ValueError, match="run is -1 pulses; wanted 0 or more"):
        Plan(run=-1)
    with pytest.raises(ValueError, match="wanted a shorter one"):
        Plan(pause_every=3, pause=3)


# ----------------------------------------------------------------------------------------------------------------- history


def test_history_beyond_its_limit_is_let_go_and_the_reader_that_wanted_it_is_told() -> None:
    history = History(limit_bytes=100)
    with history.reader(0) as slow:
        for i in range(50):
            history.append(bytes([i]) * 10)
        assert history.end - history.first == 11
        with pytest.raises(LookupError, match="block 0 is gone, the oldest is 39"):
            slow.read(0)
    with history.reader(0) as late:
        assert late.read(0)[0].data == b"\x27" * 10


def test_history_before_the_run_stays_as_long_as_somebody_reads_it() -> None:
    history = History()
    with history.reader(0) as reader:
        for i in range(5):
            history.append(bytes([i]))
        history.keep_from(4)
        assert [block.data[0] for block in reader.read(0)] == [0, 1, 2, 3, 4]
    assert history.first == 4


def test_a_history_waits_for_the_slowest_reader() -> None:
    history = History()
    assert not history.wait_for_readers(0)
    with history.reader(0) as slow, history.reader(0) as fast:
        history.append(bytes(WINDOW_BYTES))
        fast.read(0)
        assert not history.wait_for_readers(0)
        slow.read(0)
        assert history.wait_for_readers(0)


def test_a_run_whose_beginning_is_gone_is_sent_from_where_it_is_there() -> None:
    source = sms(history_bytes=20_000)
    source.add_pulses(200)
    got = counted(heard(source))
    assert 0 < got.pulses < 200


# ------------------------------------------------------------------------------------------------------------------ network


def test_many_clients_hear_the_same(server: AdaraServer) -> None:
    source = server.source
    assert isinstance(source, Sms)
    source.add_pulses(3)
    clients = [Client(server, ALL) for _ in range(8)]
    streams = [[client.until(0x4000) for _ in range(3)] for client in clients]
    assert all(stream == streams[0] for stream in streams)
    for client in clients:
        client.socket.close()


def test_a_beam_makes_pulses_at_its_rate(server: AdaraServer) -> None:
    assert isinstance(server.source, Sms)
    with Beam(server.source, rate=200), Client(server, NOW) as client:
        for _ in range(20):
            client.until(0x4000)
    assert server.source.truth.pulses >= 20


def test_a_free_beam_waits_for_clients_and_loses_nothing() -> None:
    source = sms(plan=Plan(gap=0, run=0))
    with AdaraServer(source) as server, Beam(source, rate=0):
        with Client(server, NOW) as client:
            for _ in range(500):
                client.until(0x4000)
        made = source.truth.pulses
        assert made >= 500
        with Client(server, ALL) as client:
            for _ in range(600):
                client.until(0x4000)


def test_a_client_that_has_gone_is_noticed_while_there_is_nothing_to_send(server: AdaraServer) -> None:
    with Client(server, NOW) as client:
        client.until(0x8003)
        wait_for(lambda: len(server._clients) == 1)
    wait_for(lambda: not server._clients)


def test_stop_ends_it_while_clients_are_connected() -> None:
    server = AdaraServer(sms())
    with Client(server, NOW) as idle, Client(server, b"") as silent:
        idle.until(0x8003)
        server.stop()
        assert silent.socket.recv(1) == b""


@pytest.mark.parametrize("case", adara_hellos(), ids=lambda case: case.name)
def test_hostile_clients_are_hung_up_on_and_the_next_one_is_served(server: AdaraServer, case: Case) -> None:
    with Client(server, case.data) as hostile, suppress(OSError):  # it may be hung up on already
        hostile.socket.shutdown(socket.SHUT_WR)
        assert hostile.socket.recv(65536) == b""
    with Client(server, NOW) as honest:
        assert honest.packet()[0] == 0x4008


def test_a_hello_may_come_in_pieces_and_more_after_it_is_dropped(server: AdaraServer) -> None:
    with Client(server, NOW[:7]) as client:
        client.socket.sendall(NOW[7:])
        assert client.packet()[0] == 0x4008
        client.socket.sendall(NOW)
        assert isinstance(server.source, Sms)
        server.source.add_pulses(1)
        client.until(0x4000)


# ------------------------------------------------------------------------------------------------------------------- faults


def test_a_refusing_server_hangs_up_unanswered(server: AdaraServer) -> None:
    server.fault = Fault(kind="refuse")
    with Client(server, b"") as refused:
        assert refused.socket.recv(1) == b""


def test_a_server_hangs_up_after_so_many_bytes(server: AdaraServer) -> None:
    server.fault = Fault(kind="hang-up", after_bytes=1000)
    with Client(server, NOW) as client, pytest.raises(ConnectionError, match="hung up after 1000 of 2000"):
        client.exactly(2000)


def test_a_stalled_server_goes_on_where_it_stopped(server: AdaraServer) -> None:
    server.fault = Fault(kind="stall", after_bytes=50)
    with Client(server, NOW) as client:
        client.exactly(44)  # the Sync
        client.exactly(6)
        client.socket.settimeout(0.1)
        with pytest.raises(TimeoutError):
            client.exactly(1)
        server.fault = None
        client.socket.settimeout(10)
        client.exactly(20 + 16 - 6)  # the rest of the run status
        assert client.packet()[0] == 0x4102


@pytest.mark.parametrize("kind", ["garbage", "absurd-length"])
def test_what_a_broken_server_sends_is_refused(server: AdaraServer, kind: str) -> None:
    assert isinstance(server.source, Sms)
    server.fault = Fault(kind=kind, after_bytes=6000)
    with Client(server, NOW) as client:
        client.until(0x8005)
        server.source.add_pulses(50)
        with pytest.raises(WireError):
            read_until_refused(client.socket)


def read_until_refused(connected: socket.socket) -> None:
    reader = Reader()
    while data := connected.recv(4096):
        reader.receive(data)


# ------------------------------------------------------------------------------------------------------------------- replay


def test_a_recording_is_played_byte_for_byte() -> None:
    data = CAPTURE.read_bytes()
    recording = Recording.read(CAPTURE, speed=0)
    with AdaraServer(recording) as server, Client(server, NOW) as client:
        assert client.exactly(len(data)) == data
        assert client.socket.recv(1) == b""


def test_a_recording_goes_with_the_times_of_its_pulses() -> None:
    recording = Recording.read(CAPTURE)
    due = [due_s for due_s, _, _ in recording.pulses]
    assert due[0] == 0.0
    assert np.allclose(np.diff(due), 1 / 60, atol=1e-6)
    assert len(due) == 22


def test_a_recording_waits_until_a_pulse_is_due() -> None:
    now = [0.0]

    def clock() -> float:
        now[0] += 0.004
        return now[0]

    recording = Recording(CAPTURE.read_bytes(), speed=2.0, monotonic_s=clock)
    with closing(recording.stream(ClientHello())) as stream:
        parts = list(stream)
    assert b"".join(parts) == CAPTURE.read_bytes()
    assert parts.count(b"") >= 21
    assert now[0] >= 21 / 60 / 2


def test_a_recording_in_a_loop_begins_again() -> None:
    data = SAMPLES["RunStatus v1"] + SAMPLES["Heartbeat"]
    with closing(Recording(data, loop=True).stream(ClientHello())) as stream:
        assert list(islice(stream, 3)) == [data] * 3


def test_the_cut_end_of_a_recording_is_not_played(caplog: pytest.LogCaptureFixture) -> None:
    data = SAMPLES["Heartbeat"]
    with closing(Recording(data + SAMPLES["Sync"][:-1]).stream(ClientHello())) as stream:
        assert list(stream) == [data]
    assert "its last 43 bytes are not played" in caplog.text


@pytest.mark.parametrize("data", [b"", b"\0" * 15, packet(0, 0, b"", length=3), packet(0, 0, b"", length=0x7FFFFFF0)])
def test_what_is_no_recording_is_refused(data: bytes) -> None:
    with pytest.raises(WireError, match="wanted"):
        Recording(data)


# ------------------------------------------------------------------------------------------------------------- command line


def test_main_serves_until_it_is_told_to_stop(capsys: pytest.CaptureFixture[str]) -> None:
    stop = threading.Event()
    stop.set()
    assert main(["--port", "0", "--banks", "2", "--pixels", "10", "--pause-every", "9"], stop=stop) == 0
    out = capsys.readouterr().out
    assert out.startswith("Simulated ADARA server on 127.0.0.1:")
    assert out.endswith("(2 banks, 10 pixels, 2 monitors, 60 pulses/s, 1000 events each)\n")


def test_main_replays(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    stop = threading.Event()
    stop.set()
    assert main(["--port", "0", "--replay", str(CAPTURE), "--speed", "0", "--loop"], stop=stop) == 0
    assert "as fast as clients read, in a loop)" in capsys.readouterr().out
    assert main(["--replay", str(tmp_path / "none")], stop=stop) == 1
    assert capsys.readouterr().err.startswith(f"cannot replay {tmp_path / 'none'}: ")


def test_a_port_that_is_taken_is_told_in_one_line(server: AdaraServer, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--port", str(server.port)], stop=threading.Event()) == 1
    assert capsys.readouterr().err.startswith(f"cannot listen on 127.0.0.1:{server.port}: ")


@pytest.mark.parametrize("wrong", ["--banks 0", "--rate -1", "--fault explode", "--pixels 10", "--speed x", "--pause-every 1"])
def test_wrong_options_end_with_2(wrong: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(wrong.split(), stop=threading.Event())
    assert ended.value.code == 2
    assert "error: " in capsys.readouterr().err


def test_it_runs_as_a_command_and_ends_cleanly_on_a_signal() -> None:
    arguments = [sys.executable, "-m", "livereduce", "fake", "adara", "--port", "0", "--rate", "0"]
    with subprocess.Popen(arguments, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert "as many pulses as clients read" in process.stdout.readline()
        process.send_signal(signal.SIGTERM)
        assert process.wait(10) == 0
