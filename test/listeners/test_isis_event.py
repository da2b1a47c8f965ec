"""The ISIS event listener, on the simulator and on a server of bare sockets."""

from __future__ import annotations

import socket
import struct
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import pytest

from livereduce.errors import ConfigError, ListenerError, WireError
from livereduce.listeners.isis_event import IsisEventListener
from livereduce.listeners.registry import listener_settings
from livereduce.simulators.events import EventDae
from livereduce.simulators.isis_event import EventServer
from livereduce.simulators.isis_histogram import HistogramDae, HistogramServer, Size
from livereduce.store.record import Events, Record, RunEnd, RunStart

NOW_NS = 1_800_000_000 * 10**9


def listener(address: str, **options: object) -> IsisEventListener:
    return IsisEventListener(listener_settings("ISIS_Event", address, options=options), wall_ns=lambda: NOW_NS)


def some(one: IsisEventListener, wanted: int, *, pulses: int = 0) -> list[Record]:
    """Read until there are `wanted` records and in them `pulses` pulses: what is sent at once may come in pieces."""
    found: list[Record] = []
    for _ in range(200):
        found += one.read()
        if len(found) >= wanted and sum(len(record.neutrons.pulses) for record in found if record.neutrons is not None) >= pulses:
            return found
    raise AssertionError(f"{len(found)} records; wanted {wanted}")


def setup(run: int = 7, start_s: int = 1_700_000_000) -> bytes:
    return struct.pack("<5I4xIIqii32s", 0xFFFFFFFF, 0xFFFFFFFF, 0x10000, 20, 1, 0, 56, start_s, run, 2, b"LOQ")


def packet(events: list[tuple[float, int]], *, period: int = 0, since_s: float = 0.0, protons: float = 0.5) -> bytes:
    head = struct.pack("<8I2fI", 0xFFFFFFFF, 0xFFFFFFFF, 0x10000, 20, 2, 24, 1, period, protons, since_s, len(events))
    return head + b"".join(struct.pack("<fI", *event) for event in events)


@contextmanager
def bare(*parts: bytes) -> Iterator[str]:
    """Send `parts` to each client of a port beside which a histogram DAE answers."""
    for _ in range(50):
        with socket.create_server(("127.0.0.1", 0)) as server:
            port = server.getsockname()[1]
            try:
                dae = HistogramServer(HistogramDae(Size(periods=2, spectra=5)), port=port + 1)
            except OSError:
                continue

            def serve(server: socket.socket = server) -> None:
                try:
                    while True:
                        client, _ = server.accept()
                        with client:
                            for part in parts:
                                client.sendall(part)
                            client.recv(1)
                except OSError:
                    return

            with dae:
                threading.Thread(target=serve, daemon=True).start()
                yield f"127.0.0.1:{port}"
                server.shutdown(socket.SHUT_RDWR)
            return


def test_a_run_starts_with_the_setup_and_events_come_as_they_were_sent() -> None:
    sent = [(100.5, 0), (200.25, 4), (300.0, 9)]
    with bare(setup(), packet(sent, period=1, since_s=2.5)) as address:
        one = listener(address)
        one.connect()
        start, events = some(one, 2)
        one.close()
    assert isinstance(start.header, RunStart)
    assert (start.header.number, start.header.time_ns, start.header.layout.instrument) == (7, 1_700_000_000 * 10**9, "LOQ")
    assert (start.header.layout.spectrum_numbers, start.header.layout.periods, start.header.layout.x) == ([1, 2, 3, 4, 5], [1, 2], [])
    assert isinstance(events.header, Events)
    assert events.neutrons is not None
    assert events.neutrons.events.tolist() == sent
    (pulse,) = events.neutrons.pulses
    assert (pulse["time_ns"], pulse["charge_uah"], pulse["period"], pulse["n_events"]) == (1_700_000_002_500_000_000, 0.5, 1, 3)


def test_another_setup_ends_the_run_and_the_same_one_does_not() -> None:
    with bare(setup(7), packet([(1.0, 1)]), setup(7), packet([(2.0, 1)]), setup(8), packet([(3.0, 1)])) as address:
        one = listener(address)
        one.connect()
        kinds = [type(record.header) for record in some(one, 6)]
        one.close()
    assert kinds == [RunStart, Events, Events, RunEnd, RunStart, Events]


def test_a_run_that_goes_on_is_not_begun_again() -> None:
    with bare(setup(7), packet([(1.0, 1)])) as address:
        one = listener(address)
        one.connect()
        start = some(one, 2)[0].header
        one.close()
        assert isinstance(start, RunStart)
        one.connect()
        one.resume(start, None)
        assert isinstance(some(one, 1)[0].header, Events)
        one.close()


def test_times_that_cannot_be_are_put_within_bounds() -> None:
    with bare(setup(start_s=0), packet([(1.0, 1)], since_s=float("inf")), packet([(1.0, 1)], since_s=-5.0, protons=float("nan"))) as address:
        one = listener(address)
        one.connect()
        records = some(one, 2, pulses=2)
        one.close()
    assert records[0].header.time_ns == NOW_NS
    pulses = np.concatenate([record.neutrons.pulses for record in records[1:] if record.neutrons is not None])
    assert pulses["time_ns"].tolist() == [NOW_NS, NOW_NS]
    assert pulses["charge_uah"].tolist() == [0.5, 0.0]


@pytest.mark.parametrize("cut", [0, 1, 40])
def test_a_broken_packet_is_a_wire_error_with_its_bytes(cut: int) -> None:
    broken = b"\0" * 60
    with bare(setup(), packet([(1.0, 1)]), broken[:cut], broken[cut:]) as address:
        one = listener(address)
        one.connect()
        with pytest.raises(WireError, match="wanted"):
            some(one, 1000)
        assert one.last_bytes().startswith(b"\0" * 20)
        one.close()


def test_a_silent_source_is_waited_for_and_one_that_hangs_up_is_gone() -> None:
    with EventServer(EventDae(rate_ms=3.6e6)) as server:
        one = listener(server.address)
        one.connect()
        assert isinstance(some(one, 1)[0].header, RunStart)
        assert one.read() == []
        server.hang_up()
        with pytest.raises(ListenerError, match="closed the connection"):
            some(one, 1)
        one.close()


def test_nobody_there_is_told() -> None:
    with pytest.raises(ListenerError, match="cannot connect"):
        listener("127.0.0.1:1").connect()


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({"spectra": [1]}, "spectra: cannot be chosen"),
        ({"periods": [1]}, "periods: cannot be chosen"),
        ({"options": {"first_spectrum": 2}}, "wanted 0 or 1"),
        ({"options": {"first": 1}}, "not known to ISIS_Event"),
        ({"options": {"reply_timeout_s": 0}}, "wanted seconds above 0"),
    ],
)
def test_settings_that_it_cannot_take_are_refused(more: dict[str, object], said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        IsisEventListener(listener_settings("ISIS_Event", "127.0.0.1:1", **more))  # type: ignore[arg-type]
