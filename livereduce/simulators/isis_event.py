"""A simulated ISIS event DAE: the stream that Mantid's FakeISISEventDAE sends, and the histogram DAE that belongs to it on the next port.

A client gets a Setup packet and then a neutron packet every `rate_ms`, for ever: times of flight even over 10 to 20 ms, spectra even over
0 .. n - 1, the period of each packet drawn anew. It differs from that one in this:

- The numbers are not the same ones: they come from numpy's generator, not from Boost's. Every client gets the same ones, though, as there.
- Events are drawn in advance, for as many packets as there is memory for, and then come again (`livereduce.simulators.events`).
- A packet that a socket takes in pieces is sent right.
- It listens on this machine alone unless told otherwise.

Frame numbers, times and charges are 0 as there, unless `frames` asks for true ones.
"""

from __future__ import annotations

import argparse
import select
import socket
import sys
import threading
import time
from collections.abc import Callable, Sequence
from typing import Final

from livereduce.simulators.arguments import add_fault, end_on_signals, number, real
from livereduce.simulators.events import EventDae, EventStream
from livereduce.simulators.faults import Fault
from livereduce.simulators.isis_histogram import HistogramDae, HistogramServer
from livereduce.simulators.server import RECEIVE_BYTES, Server, spoil
from livereduce.wire.isis_event import MAX_EVENTS

DEFAULT_PORT: Final = 59876
"""Where clients of the simulated DAE look for it; its histogram DAE is on the port after it."""

STALL_S: Final = 0.05
"""How long a server that stalls waits before it looks whether it still has to."""

MOST_LAG_S: Final = 1.0
"""What a client read too late by more than this is not made up for."""

PORT_ATTEMPTS: Final = 20
"""How often two free ports beside each other are looked for."""

_SETUP_LENGTH_AT: Final = 28
_N_EVENTS_AT: Final = 40


class EventServer(Server):
    """A simulated event DAE on a port, and its histogram DAE on the next.

    Parameters
    ----------
    dae:
        What it serves; Mantid's default size when None.
    host, port:
        To listen on; port 0 takes two free ones that follow each other.
    as_fast_as_possible:
        Send what a client takes, instead of a packet every ``rate_ms``; empty packets keep their time.

    Raises
    ------
    OSError
        If a port is taken or the host is not this machine's.
    """

    def __init__(self, dae: EventDae | None = None, *, host: str = "127.0.0.1", port: int = 0, as_fast_as_possible: bool = False) -> None:
        self.dae = dae or EventDae()
        """What it serves."""
        self._fast = as_fast_as_possible
        for left in reversed(range(1 if port else PORT_ATTEMPTS)):
            self.histogram = HistogramServer(HistogramDae(self.dae.size, name=self.dae.setup.instrument), host=host, port=port and port + 1)
            """The histogram DAE, where clients ask for periods, spectra and detectors."""
            try:
                super().__init__(host=host, port=port or self.histogram.port - 1)
                return
            except OSError:
                self.histogram.stop()
                if not left:
                    raise

    def stop(self) -> None:
        """Close everything and wait for the threads; may be called twice."""
        super().stop()
        self.histogram.stop()

    def __enter__(self) -> EventServer:
        return self

    def _talk(self, client: socket.socket) -> None:
        stream, pace, sent, go_on = EventStream(self.dae), _Pace(1e-3 * self.dae.rate_ms), 0, True
        while go_on and not self._refuses():
            fault = self.fault
            if setup := stream.setup():
                out, go_on = _say(client, setup, fault, sent, length_at=_SETUP_LENGTH_AT)
                sent += len(out)
            elif (n := self._due(client, stream, pace, 1 if fault else self.dae.batch)) == 0:
                return
            elif fault:
                out, go_on = _say_packet(client, stream, fault, sent)
                sent += len(out)
            else:
                sent += _send_all(client, stream.packets(n))
                stream.sent()

    def _due(self, client: socket.socket, stream: EventStream, pace: _Pace, most: int) -> int:
        """Wait until packets are due; return how many, 0 when `client` hung up."""
        if self._fast and not stream.quiet:
            pace.begin()
            return most
        return 0 if _gone(client, pace.left_s()) else pace.due(most)


class _Pace:
    """Says when packets are due that follow each other in `interval_s`."""

    def __init__(self, interval_s: float, *, monotonic_s: Callable[[], float] = time.monotonic) -> None:
        self._interval_s, self._monotonic_s = interval_s, monotonic_s
        self._next_s = monotonic_s() + interval_s

    def left_s(self) -> float:
        """Time until a packet is due, s; below 0 when it is late."""
        return self._next_s - self._monotonic_s()

    def due(self, most: int) -> int:
        """Return how many packets are due, one at least, and take them as sent."""
        now = self._monotonic_s()
        n = min(most, 1 + max(0, int((now - self._next_s) / self._interval_s)))
        self._next_s = max(self._next_s + n * self._interval_s, now - MOST_LAG_S)
        return n

    def begin(self) -> None:
        """Forget what was due before now."""
        self._next_s = self._monotonic_s() + self._interval_s


def _say(client: socket.socket, data: bytes, fault: Fault | None, sent: int, *, length_at: int) -> tuple[bytes, bool]:
    """Send `data`, or what `fault` makes of them after `sent` bytes; return what was sent, and whether the connection goes on."""
    out, go_on = spoil(data, fault, sent, length_at=length_at)
    client.sendall(out)
    return out, go_on


def _say_packet(client: socket.socket, stream: EventStream, fault: Fault, sent: int) -> tuple[bytes, bool]:
    """Do the same with the next packet; a server that stalls takes its time."""
    packet = b"".join(stream.packets(1))
    out, go_on = _say(client, packet, fault, sent, length_at=_N_EVENTS_AT)
    if out == packet:
        stream.sent()
    else:
        stream.passed_over()
    return out, go_on and not (not out and _gone(client, STALL_S))


def _send_all(client: socket.socket, parts: list[memoryview]) -> int:
    """Send `parts` one behind the other; return how many bytes they have."""
    total, sent = sum(len(part) for part in parts), client.sendmsg(parts)
    if sent < total:  # a signal came between
        client.sendall(b"".join(parts)[sent:])
    return total


def _gone(client: socket.socket, wait_s: float) -> bool:
    """Wait, and drop what the client says; return at once and True when it hangs up."""
    end_s = time.monotonic() + wait_s
    while (left_s := end_s - time.monotonic()) > 0:
        ready, _, _ = select.select([client], [], [], left_s)
        if ready and not client.recv(RECEIVE_BYTES):
            return True
    return False


def main(argv: Sequence[str] | None = None, *, stop: threading.Event | None = None) -> int:
    """Serve until SIGINT, SIGTERM or `stop`; return the exit code.

    Parameters
    ----------
    argv:
        Arguments; those of the process when None.
    stop:
        Ends it when set; without one, signals do.
    """
    parser = _parser()
    chosen = parser.parse_args(argv)
    stop = stop or end_on_signals()  # before anybody can know that we are there
    try:
        dae = _dae(chosen)
    except ValueError as error:
        parser.error(str(error))
    try:
        server = EventServer(dae, host=chosen.host, port=chosen.port, as_fast_as_possible=chosen.as_fast_as_possible)
    except OSError as error:
        print(f"cannot listen on {chosen.host}:{chosen.port} and the port after it: {error}", file=sys.stderr)
        return 1
    with server:
        server.fault = chosen.fault
        pace = "as fast as possible" if chosen.as_fast_as_possible else f"every {dae.rate_ms:g} ms"
        size = f"{dae.size.periods} periods, {dae.size.spectra} spectra, {dae.events} events {pace}"
        print(f"Simulated ISIS event DAE on {server.address}, its histogram DAE on {server.histogram.address} ({size})", flush=True)
        stop.wait()
    return 0


def _dae(chosen: argparse.Namespace) -> EventDae:
    return EventDae(
        periods=chosen.periods,
        spectra=chosen.spectra,
        events=chosen.events,
        rate_ms=chosen.rate_ms,
        run_number=chosen.run_number,
        start_time_s=int(time.time()) if chosen.frames else 0,
        instrument=chosen.name,
        frames=chosen.frames,
        quiet_after=chosen.quiet_after,
        seed=chosen.seed,
    )


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="livereduce fake event",
        description="A simulated ISIS event DAE, and its histogram DAE on the next port.",
        formatter_class=argparse.ArgumentDefaultsHelpFormatter,
    )
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on; 0.0.0.0 for all")
    parser.add_argument("--port", type=number(0, 65534), default=DEFAULT_PORT, help="port to listen on, with the next one; 0 for free ones")
    parser.add_argument("--periods", type=number(1, 10_000), default=1, help="number of periods")
    parser.add_argument("--spectra", type=number(1, 4_000_000), default=100, help="number of spectra")
    parser.add_argument("--events", type=number(0, MAX_EVENTS), default=1000, help="events in a packet")
    parser.add_argument("--rate-ms", type=real(0.001, 3.6e6, "ms"), default=20.0, help="time from one packet to the next, ms")
    parser.add_argument("--as-fast-as-possible", action="store_true", help="do not keep to that time")
    parser.add_argument("--quiet-after", type=number(0, 2**62), default=None, metavar="N", help="send a client empty packets after N others")
    parser.add_argument("--frames", action="store_true", help="true frame numbers, times and charges instead of 0")
    parser.add_argument("--run-number", type=number(-(2**31), 2**31 - 1), default=1234, help="number of the run")
    parser.add_argument("--name", default="MUSR", help="name of the instrument")
    parser.add_argument("--seed", type=number(0, 2**63 - 1), default=0, help="of the events")
    add_fault(parser)
    return parser


if __name__ == "__main__":
    sys.exit(main())
