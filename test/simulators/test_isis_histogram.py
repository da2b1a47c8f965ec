"""The simulated histogram DAE against captures, a client written with struct alone, hostile clients, and its own faults."""

from __future__ import annotations

import os
import signal
import socket
import struct
import subprocess
import sys
import threading
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hostile_wire import Case, dae_message, dae_open, dae_requests
from hypothesis import given
from hypothesis import strategies as st

from livereduce.errors import WireError
from livereduce.simulators import command
from livereduce.simulators.faults import FAULTS, Fault
from livereduce.simulators.isis_histogram import DaeConversation, HistogramDae, HistogramServer, Size, main
from livereduce.simulators.server import MAX_CLIENTS

ALL = [1, 2, 3, 4, 5, 6, 7]
ROOT = Path(__file__).parent.parent.parent
CAPTURES = ROOT / "test" / "golden" / "captures"
SIZES = {
    "histo-1period": Size(periods=1, spectra=10, bins=5),
    "histo-3periods-all": Size(periods=3, spectra=6, bins=8),
    "histo-spectralist": Size(periods=1, spectra=12, bins=6),
    "histo-periodlist": Size(periods=3, spectra=6, bins=8),
}


class Client:
    """A client written from the published layout with struct alone."""

    def __init__(self, server: HistogramServer, *, opening: bytes | None = None) -> None:
        self.socket = socket.create_connection(("127.0.0.1", server.port), timeout=10)
        self.socket.sendall(dae_open() if opening is None else opening)
        if opening is None:
            assert self.reply() == dae_message()

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

    def reply(self) -> bytes:
        head = self.exactly(4)
        return head + self.exactly(struct.unpack("<i", head)[0] - 4)

    def parameter(self, name: str, command: bytes = b"GETPARI32") -> bytes:
        self.socket.sendall(dae_message(name.encode(), kind=4, dims=(len(name),), command=command))
        return self.reply()

    def data(self, first: int, count: int) -> bytes:
        self.socket.sendall(dae_message(struct.pack("<2i", first, count), kind=1, dims=(2,), command=b"GETDAT"))
        return self.reply()


@pytest.fixture
def server() -> Iterator[HistogramServer]:
    with HistogramServer(HistogramDae(Size(periods=2, spectra=4, bins=3))) as running:
        yield running


@pytest.fixture
def client(server: HistogramServer) -> Iterator[Client]:
    with Client(server) as connected:
        yield connected


@pytest.mark.parametrize("name", sorted(SIZES))
@pytest.mark.parametrize("size", [1, 88, 1000, 10**6])
def test_captured_requests_get_the_captured_replies_byte_for_byte(name: str, size: int) -> None:
    conversation = DaeConversation(HistogramDae(SIZES[name]))
    sent = (CAPTURES / f"{name}.port0.c2s.bin").read_bytes()
    replies = [reply for at in range(0, len(sent), size) for reply in conversation.answer(sent[at : at + size])]
    assert b"".join(replies) == (CAPTURES / f"{name}.port0.s2c.bin").read_bytes()


@given(cuts=st.lists(st.integers(0, 2708), max_size=30))
def test_replies_do_not_depend_on_where_the_requests_were_cut(cuts: list[int]) -> None:
    sent = (CAPTURES / "histo-1period.port0.c2s.bin").read_bytes()
    conversation = DaeConversation(HistogramDae(SIZES["histo-1period"]))
    at = [0, *sorted(cuts), len(sent)]
    replies = [reply for start, end in pairwise(at) for reply in conversation.answer(sent[start:end])]
    assert b"".join(replies) == (CAPTURES / "histo-1period.port0.s2c.bin").read_bytes()


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("NPER", [2]),
        ("NSP1", [4]),
        ("NSP2", [3]),
        ("NTC1", [3]),
        ("NTC2", [6]),
        ("NDET", [7]),
        ("NMON", [3]),
        ("MDET", [5, 6, 7]),
        ("UDET", ALL),
        ("SPEC", ALL),
    ],
)
def test_integers_are_answered_as_published(client: Client, name: str, values: list[int]) -> None:
    assert client.parameter(name) == dae_message(struct.pack(f"<{len(values)}i", *values), kind=1, dims=(len(values),))


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("RTCB1", [10000, 10100, 10200, 10300]),
        ("RTCB2", [10000, 10010, 10020, 10030, 10040, 10050, 10060]),
        ("RTCB_1", [10000, 10010, 10020, 10030, 10040, 10050, 10060]),
        ("RRPB", [0] * 8 + [3.14] + [0] * 23),
    ],
)
def test_reals_are_answered_as_published(client: Client, name: str, values: list[float]) -> None:
    assert client.parameter(name, b"GETPARR32") == dae_message(struct.pack(f"<{len(values)}f", *values), kind=2, dims=(len(values),))


def test_the_name_is_text(client: Client) -> None:
    assert client.parameter("NAME", b"GETPARC08") == dae_message(b"MUSR", kind=4, dims=(4,))


@pytest.mark.parametrize("name", ["NOPE", "RTCB_", "nper", "RTCB"])
def test_an_unknown_name_gets_a_bare_ok(client: Client, name: str) -> None:
    assert client.parameter(name) == dae_message()


def test_a_name_is_looked_at_whatever_the_command_says(client: Client) -> None:
    assert client.parameter("NPER", b"ANYTHING") == dae_message(struct.pack("<i", 2), kind=1, dims=(1,))


def test_a_request_without_data_gets_a_bare_ok_and_holds_nobody_up(client: Client) -> None:
    for text in (b"GETPARI32", b"GETDAT", b"PING"):
        client.socket.sendall(dae_message(kind=4 if text == b"GETPARI32" else 1, command=text))
        assert client.reply() == dae_message()


def test_data_say_which_period_and_spectrum_they_are(client: Client) -> None:
    second_period = 8  # 4 spectra, 3 monitors and spectrum 0
    assert client.data(2, 2) == dae_message(struct.pack("<8i", *[2] * 4, *[3] * 4), kind=1, dims=(2, 4))
    assert client.data(second_period + 1, 1) == dae_message(struct.pack("<4i", *[1001] * 4), kind=1, dims=(1, 4))
    assert client.data(0, 1) == dae_message(bytes(16), kind=1, dims=(1, 4))


def test_monitors_have_twice_the_bins_and_the_wrong_dims_that_clients_know(client: Client) -> None:
    assert client.data(5, 2) == dae_message(struct.pack("<14i", *[5] * 7, *[6] * 7), kind=1, dims=(2, 4))


@pytest.mark.parametrize(("first", "count"), [(16, 1), (1, 8), (-1, 1), (1, -1), (2**31 - 1, 2**31 - 1), (8, 9)])
def test_data_out_of_range_get_a_bare_ok_and_nothing_after_it(client: Client, first: int, count: int) -> None:
    assert client.data(first, count) == dae_message()
    assert client.parameter("NPER") == dae_message(struct.pack("<i", 2), kind=1, dims=(1,))


def test_many_clients_are_served_at_once(server: HistogramServer) -> None:
    clients = [Client(server) for _ in range(20)]
    for each in clients:
        each.socket.sendall(dae_message(b"NPER", kind=4, dims=(4,), command=b"GETPARI32"))
    assert {each.reply() for each in reversed(clients)} == {dae_message(struct.pack("<i", 2), kind=1, dims=(1,))}
    for each in clients:
        each.socket.close()


def test_a_client_too_many_is_turned_away(server: HistogramServer) -> None:
    clients = [Client(server) for _ in range(MAX_CLIENTS)]
    with Client(server, opening=b"") as late:
        assert late.socket.recv(1) == b""
    for each in clients:
        each.socket.close()


@pytest.mark.parametrize("case", dae_requests(), ids=lambda case: case.name)
def test_hostile_clients_are_hung_up_on_and_the_next_one_is_served(server: HistogramServer, case: Case) -> None:
    with Client(server, opening=case.data) as hostile:
        rest = b""
        try:
            hostile.socket.shutdown(socket.SHUT_WR)  # it may be hung up on already
            while part := hostile.socket.recv(65536):
                rest += part
        except OSError:
            pass
        assert len(rest) < 1000
    with Client(server) as honest:
        assert honest.parameter("NPER") == dae_message(struct.pack("<i", 2), kind=1, dims=(1,))


def test_stop_ends_it_while_clients_are_connected() -> None:
    server = HistogramServer()
    with Client(server) as idle:
        server.stop()
        server.stop()
        assert idle.socket.recv(1) == b""


def test_hang_up_drops_the_clients_and_takes_new_ones(server: HistogramServer) -> None:
    with Client(server) as dropped:
        server.hang_up()
        assert dropped.socket.recv(1) == b""
    with Client(server) as again:
        assert again.parameter("NOPE") == dae_message()


# ------------------------------------------------------------------------------------------------------------------ growing


@given(frames=st.lists(st.integers(0, 10**7), min_size=2, max_size=6), seed=st.integers(0, 2**32))
def test_growing_counts_never_go_down_and_neither_does_the_charge(frames: list[int], seed: int) -> None:
    dae = HistogramDae(Size(periods=2, spectra=5, bins=40), growing=True, seed=seed)
    before, charge = dae.counts(), dae.charge_uah
    for n in frames:
        dae.add_frames(n)
        after = dae.counts()
        assert (after >= before).all()
        assert dae.charge_uah >= charge
        before, charge = after, dae.charge_uah


def test_growing_counts_scatter_as_counting_does() -> None:
    dae = HistogramDae(Size(spectra=200, bins=500), growing=True)
    dae.add_frames(4_000_000)
    smooth = dae.counts()[0].astype(float) / 4_000_000
    dae.reset()
    dae.add_frames(1000)
    expected = smooth * 1000
    pull = (dae.counts()[0] - expected) / np.sqrt(expected)
    assert abs(pull[expected > 20].std() - 1) < 0.05


def test_growing_counts_stay_in_32_bits() -> None:
    dae = HistogramDae(Size(spectra=3, bins=20), growing=True)
    dae.add_frames(10**13)
    assert dae.counts().min() >= 0
    assert dae.counts().max() == 2**31 - 1


def test_what_a_client_reads_is_the_truth_and_the_same_for_the_same_seed() -> None:
    one, other = (HistogramDae(Size(periods=2, spectra=4, bins=9), growing=True, seed=3) for _ in range(2))
    one.add_frames(500)
    for _ in range(5):
        other.add_frames(100)
    np.testing.assert_array_equal(one.counts(), other.counts())
    with HistogramServer(one) as server, Client(server) as client:
        read = np.frombuffer(client.data(9, 4)[88:], "<i4").reshape(4, 10)[:, 1:]
        charge = struct.unpack_from("<f", client.parameter("RRPB", b"GETPARR32"), 88 + 4 * 8)[0]
    np.testing.assert_array_equal(read, one.counts()[1])
    assert charge == one.charge_uah > 0


def test_frames_follow_the_clock_and_start_anew_with_reset_and_resize() -> None:
    now = [50.0]
    dae = HistogramDae(Size(spectra=4, bins=9), growing=True, rate=10.0, monotonic_s=lambda: now[0])
    now[0] = 52.0
    assert dae.frames == 20
    dae.add_frames(5)
    assert dae.frames == 25
    dae.reset()
    assert (dae.frames, dae.counts().sum(), dae.charge_uah) == (0, 0, 0.0)
    now[0] = 53.0
    dae.resize(bins=4, spectra=2, periods=3)
    assert (dae.frames, dae.counts().shape) == (0, (3, 2, 4))


def test_a_size_of_nothing_is_refused() -> None:
    with pytest.raises(ValueError, match="bins is 0; wanted 1 or more"):
        Size(bins=0)


# ------------------------------------------------------------------------------------------------------------------- faults


def test_a_refusing_server_hangs_up_unanswered(server: HistogramServer) -> None:
    server.fault = Fault(kind="refuse")
    with Client(server, opening=b"") as refused:
        assert received(refused.socket) == b""


def received(connected: socket.socket) -> bytes:
    try:
        return connected.recv(1)
    except ConnectionResetError:
        return b""


@pytest.mark.parametrize("after", [88, 90, 150, 179])
def test_a_server_hangs_up_after_so_many_bytes(server: HistogramServer, after: int) -> None:
    server.fault = Fault(kind="hang-up", after_bytes=after)
    with Client(server) as client, pytest.raises(ConnectionError, match=r"hung up"):
        client.parameter("NPER")


def test_garbage_has_the_length_of_the_reply_and_begins_where_it_was_told(server: HistogramServer) -> None:
    server.fault = Fault(kind="garbage", after_bytes=100)
    with Client(server) as client:
        client.socket.sendall(dae_message(b"NPER", kind=4, dims=(4,), command=b"GETPARI32"))
        honest = dae_message(struct.pack("<i", 2), kind=1, dims=(1,))
        reply = client.exactly(92)
    assert reply[:12] == honest[:12]
    assert reply[12:] != honest[12:]


def test_a_stalled_server_goes_on_when_the_fault_is_gone(server: HistogramServer, client: Client) -> None:
    server.fault = Fault(kind="stall")
    client.socket.settimeout(0.1)
    with pytest.raises(TimeoutError):
        client.parameter("NPER")
    server.fault = None
    client.socket.settimeout(10)
    assert client.parameter("NTC1") == dae_message(struct.pack("<i", 3), kind=1, dims=(1,))


def test_an_absurd_length_is_near_2_gib(server: HistogramServer) -> None:
    server.fault = Fault(kind="absurd-length", after_bytes=88)
    with Client(server) as client:
        client.socket.sendall(dae_message(b"NPER", kind=4, dims=(4,), command=b"GETPARI32"))
        assert struct.unpack("<i", client.exactly(4))[0] > 2**31 - 100


@pytest.mark.parametrize("kind", FAULTS)
def test_a_fault_is_read_from_text(kind: str) -> None:
    assert (Fault.parse(kind), Fault.parse(f"{kind}:7")) == (Fault(kind=kind), Fault(kind=kind, after_bytes=7))


@pytest.mark.parametrize("text", ["explode", "stall:-1", "stall:soon"])
def test_an_unknown_fault_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"wanted|invalid literal"):
        Fault.parse(text)


def test_a_conversation_ends_with_the_first_broken_request() -> None:
    conversation = DaeConversation(HistogramDae())
    conversation.answer(dae_open())
    with pytest.raises(WireError, match="wanted 88"):
        conversation.answer(bytes(200))


@pytest.mark.parametrize(
    "opening",
    [b"hello", bytes(120), struct.pack("<3i", 120, 2, 7) + b"\xff" * 108, bytes(1024)],
    ids=["short", "zeros", "another version, no NUL", "long"],
)
def test_what_stands_in_an_opening_is_nobodys_business(server: HistogramServer, opening: bytes) -> None:
    with Client(server, opening=opening) as client:
        assert client.reply() == dae_message()
        assert client.parameter("NPER") == dae_message(struct.pack("<i", 2), kind=1, dims=(1,))


# ------------------------------------------------------------------------------------------------------------- command line


def test_main_serves_until_it_is_told_to_stop(capsys: pytest.CaptureFixture[str]) -> None:
    stop = threading.Event()
    stop.set()
    assert main(["--port", "0", "--periods", "2", "--growing", "--rate", "5"], stop=stop) == 0
    out = capsys.readouterr().out
    assert out.startswith("Simulated ISIS histogram DAE on 127.0.0.1:")
    assert out.endswith("(2 periods, 100 spectra + 3 monitors, 30 bins, growing, 5 frames/s)\n")


def test_a_port_that_is_taken_is_told_in_one_line(server: HistogramServer, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--port", str(server.port)], stop=threading.Event()) == 1
    assert capsys.readouterr().err.startswith(f"cannot listen on 127.0.0.1:{server.port}: ")


@pytest.mark.parametrize("wrong", ["--bins 0", "--port 70000", "--fault explode", "--periods x", "--rate -1", "--rate nan"])
def test_wrong_options_end_with_2(wrong: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(wrong.split())
    assert ended.value.code == 2
    assert wrong.split()[0] in capsys.readouterr().err


def test_the_kinds_of_simulators_are_told(capsys: pytest.CaptureFixture[str]) -> None:
    assert command.main(["--help"]) == 0
    assert command.main(["nonsense"]) == 2
    assert "histogram" in capsys.readouterr().out


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_the_starter_runs_from_anywhere_with_its_own_size_and_ends_cleanly_on_a_signal(number: signal.Signals, tmp_path: Path) -> None:
    process = start([str(ROOT / "test" / "fake_server.py"), "--port", "0", "--bins", "7"], tmp_path)
    with process:
        assert process.stdout is not None
        line = process.stdout.readline()
        assert "(5 periods, 10 spectra + 3 monitors, 7 bins, constant)" in line
        process.send_signal(number)
        assert process.wait(10) == 0


def start(arguments: list[str], folder: Path) -> subprocess.Popen[str]:
    clean: dict[str, str] = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    return subprocess.Popen([sys.executable, *arguments], cwd=folder, env=clean, stdout=subprocess.PIPE, text=True)
