"""A simulated ADARA server (SMS) of SNS: one hello in, then a stream of packets out, to as many clients as come.

What a client gets is what a real server sends: a state file (Sync, RunStatus STATE, the prologue with everything that describes the
beamline and the present values), and then data files, each with its own RunStatus and the prologue once more. With ``--replay`` it is
the packets of a recorded stream instead.
"""

from __future__ import annotations

import argparse
import logging
import select
import socket
import sys
import threading
import time
from collections.abc import Generator, Sequence
from contextlib import closing
from pathlib import Path
from typing import Final, Protocol

from livereduce.errors import WireError
from livereduce.simulators.adara_beamline import Beamline
from livereduce.simulators.adara_history import IDLE_S
from livereduce.simulators.adara_pulses import Neutrons
from livereduce.simulators.adara_recording import Recording
from livereduce.simulators.adara_sms import PULSE_NS, Plan, Sms
from livereduce.simulators.arguments import add_fault, end_on_signals, number, real
from livereduce.simulators.server import RECEIVE_BYTES, Server, spoil
from livereduce.wire.adara import CLIENT_PAYLOAD_LIMIT, Reader
from livereduce.wire.adara_control import ClientHello
from livereduce.wire.adara_packets import SECOND_NS

log = logging.getLogger(__name__)

DEFAULT_PORT: Final = 31415
"""Where clients of ADARA look for a server."""

HELLO_S: Final = 30.0
"""Longest time until a client has said its hello, s."""

TURN_S: Final = 0.01
"""How often pulses are made that are due, s."""

TURN_PULSES: Final = 1000
"""Most pulses made at once, so that a machine that fell behind does not stop answering."""

FREE_PULSES: Final = 10
"""Pulses made at once when clients take all there are."""

MAX_RATE: Final = 10_000.0
"""Most pulses per second."""


class Source(Protocol):
    """What a server sends."""

    def stream(self, hello: ClientHello) -> Generator[bytes, None, None]:
        """Yield whole packets for one client, and empty bytes now and then while there are none."""


class AdaraServer(Server):
    """A simulated ADARA server on a port.

    Parameters
    ----------
    source:
        What it sends; an `Sms` or a `Recording`.
    host, port:
        To listen on; port 0 takes a free one.
    """

    def __init__(self, source: Source, *, host: str = "127.0.0.1", port: int = 0) -> None:
        self.source = source
        """What it sends."""
        super().__init__(host=host, port=port)

    def __enter__(self) -> AdaraServer:
        return self

    def _talk(self, client: socket.socket) -> None:
        if self._refuses():
            return
        hello = _hello(client)
        if hello is None:
            return
        sent = 0
        try:
            with closing(self.source.stream(hello)) as stream:
                for data in stream:
                    sent = self._send(client, data, sent)
                    if not data and _gone(client):
                        return
        except LookupError as error:
            log.warning("client hung up on: %s", error)

    def _send(self, client: socket.socket, data: bytes, sent: int) -> int:
        """Send `data` as well as the fault lets, and return the bytes sent on this connection; OSError if it is over.

        What stalls is held back, not lost: it goes when the fault is gone.
        """
        while data:
            out, go_on = spoil(data, self.fault, sent)
            client.sendall(out)
            sent, data = sent + len(out), data[len(out) :]
            if not go_on or (data and _gone(client, IDLE_S)):
                raise ConnectionAbortedError(f"over after {sent} bytes")
        return sent


class Beam:
    """Makes an `Sms` go: pulses at a rate, or as fast as its clients read.

    Parameters
    ----------
    sms:
        What goes.
    rate:
        Pulses per second; 0 for as many as clients read, and none while there is no client.
    """

    def __init__(self, sms: Sms, *, rate: float) -> None:
        self._sms, self._rate = sms, rate
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="simulated beam", daemon=True)

    def __enter__(self) -> Beam:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()

    def _run(self) -> None:
        began_s, done = time.monotonic(), 0
        while not self._stop.is_set():
            if not self._rate:
                if self._sms.history.wait_for_readers(TURN_S):
                    self._sms.add_pulses(FREE_PULSES)
                continue
            due = min(int((time.monotonic() - began_s) * self._rate) - done, TURN_PULSES)
            self._sms.add_pulses(due)
            done += due
            self._stop.wait(TURN_S)


def _hello(client: socket.socket) -> ClientHello | None:
    """Return what the client says first, None if it goes before that; WireError if it is anything but a hello."""
    reader, end_s = Reader(payload_limit=CLIENT_PAYLOAD_LIMIT), time.monotonic() + HELLO_S
    message = None
    while message is None:
        client.settimeout(max(0.001, end_s - time.monotonic()))
        n = client.recv_into(reader.space())
        if not n:
            return None
        reader.filled(n)
        message = reader.next_message()
    if not isinstance(message, ClientHello):
        raise WireError(f"first packet of a client is {message}; wanted a hello", field="packet type", offset=4)
    client.settimeout(None)
    return message


def _gone(client: socket.socket, timeout_s: float = 0.0) -> bool:
    """Return whether the client has hung up or does so within `timeout_s`; what else it says is dropped."""
    ready, _, _ = select.select([client], [], [], timeout_s)
    return bool(ready) and not client.recv(RECEIVE_BYTES)


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
        source = _source(chosen)
    except ValueError as error:
        parser.error(str(error))
    except (OSError, WireError) as error:
        print(f"cannot replay {chosen.replay}: {error}", file=sys.stderr)
        return 1
    try:
        server = AdaraServer(source, host=chosen.host, port=chosen.port)
    except OSError as error:
        print(f"cannot listen on {chosen.host}:{chosen.port}: {error}", file=sys.stderr)
        return 1
    with server:
        server.fault = chosen.fault
        print(f"Simulated ADARA server on {server.address} ({_describe(chosen)})", flush=True)
        if isinstance(source, Sms):
            with Beam(source, rate=chosen.rate):
                stop.wait()
        else:
            stop.wait()
    return 0


def _source(chosen: argparse.Namespace) -> Sms | Recording:
    """Return what the options ask for; ValueError if they do not go together."""
    if chosen.replay is not None:
        return Recording.read(chosen.replay, speed=chosen.speed, loop=chosen.loop)
    beamline = Beamline(name=chosen.name, banks=chosen.banks, pixels=chosen.pixels, monitors=chosen.monitors, tof_offset_100ns=chosen.tof_offset)
    per_s = chosen.rate or SECOND_NS / PULSE_NS
    run, gap, every, pause = (round(s * per_s) for s in (chosen.run_seconds, chosen.gap_seconds, chosen.pause_every, chosen.pause_seconds))
    return Sms(
        beamline,
        Neutrons(beamline, events=chosen.events, stray=chosen.stray, states=chosen.states, seed=chosen.seed),
        plan=Plan(run=run, gap=gap, pause_every=every, pause=pause if every else 0, first_run_number=chosen.run_number),
        start_ns=time.time_ns(),
        pulse_ns=round(SECOND_NS / per_s),
    )


def _describe(chosen: argparse.Namespace) -> str:
    if chosen.replay is not None:
        speed = f"{chosen.speed:g} times as fast" if chosen.speed else "as fast as clients read"
        return f"{chosen.replay}, {speed}{', in a loop' if chosen.loop else ''}"
    rate = f"{chosen.rate:g} pulses/s" if chosen.rate else "as many pulses as clients read"
    return f"{chosen.banks} banks, {chosen.pixels} pixels, {chosen.monitors} monitors, {rate}, {chosen.events} events each"


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="livereduce fake adara", description="A simulated ADARA server.", formatter_class=argparse.ArgumentDefaultsHelpFormatter
    )
    seconds = real(0, 1e7, "seconds")
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on; 0.0.0.0 for all")
    parser.add_argument("--port", type=number(0, 65535), default=DEFAULT_PORT, help="port to listen on; 0 for a free one")
    parser.add_argument("--rate", type=real(0, MAX_RATE, "pulses per second"), default=60.0, help="pulses per second; 0: as many as clients read")
    parser.add_argument("--events", type=number(0, 4_000_000), default=1000, help="mean number of events in a pulse")
    parser.add_argument("--banks", type=number(1, 10_000), default=4, help="detector banks")
    parser.add_argument("--pixels", type=number(1, 16_000_000), default=4096, help="pixels of all banks")
    parser.add_argument("--monitors", type=number(0, 100), default=2, help="beam monitors")
    parser.add_argument("--name", default="SIMSNS", help="name of the instrument")
    parser.add_argument("--run-number", type=number(1, 10**9), default=1, help="number of the first run")
    parser.add_argument("--run-seconds", type=seconds, default=600.0, help="length of a run; 0: endless")
    parser.add_argument("--gap-seconds", type=seconds, default=2.0, help="between runs")
    parser.add_argument("--pause-every", type=seconds, default=0.0, help="seconds from one pause to the next; 0: no pauses")
    parser.add_argument("--pause-seconds", type=seconds, default=5.0, help="length of a pause")
    parser.add_argument("--states", type=number(0, 100), default=0, help="states of the sample environment that pulses go through in turn")
    parser.add_argument("--stray", type=number(0, 100_000), default=0, help="events of unmapped pixels in each pulse")
    parser.add_argument("--tof-offset", type=number(0, 160_000), default=0, help="offset that one source leaves to clients to add, in 100 ns")
    parser.add_argument("--seed", type=int, default=0, help="of all scatter")
    parser.add_argument("--replay", type=Path, metavar="FILE", help="send the recorded bytes of a stream instead")
    parser.add_argument("--speed", type=real(0, 1e6, "times"), default=1.0, help="of the replay; 0: as fast as clients read")
    parser.add_argument("--loop", action="store_true", help="begin the replay again after its end")
    add_fault(parser)
    return parser


if __name__ == "__main__":
    sys.exit(main())
