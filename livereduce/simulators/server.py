"""A TCP server for simulated DAQs: a thread for each client, a fault when one is wanted, a stop that leaves nothing behind."""

from __future__ import annotations

import logging
import random
import select
import socket
import threading
from collections.abc import Callable
from typing import Protocol

from livereduce.errors import WireError
from livereduce.simulators.faults import Fault

log = logging.getLogger(__name__)

MAX_CLIENTS = 64
"""Clients at once; one more is turned away, so that a client that reconnects in a loop does not eat the machine's threads."""

RECEIVE_BYTES = 4096
"""Received at once: requests are small."""

ACCEPT_PAUSE_S = 0.1
"""Pause after a client could not be accepted."""

ABSURD_LENGTH = (0x7FFFFFF0).to_bytes(4, "little")
"""A length near 2 GiB."""


class Conversation(Protocol):
    """What a server says to one client."""

    def answer(self, data: bytes) -> list[bytes]:
        """Return the replies to what came; WireError if it breaks the layout."""


class Server:
    """Listens on a port and serves each client in a thread, the way its ``_talk`` says.

    Parameters
    ----------
    host, port:
        To listen on; port 0 takes a free one.

    Raises
    ------
    OSError
        If the port is taken or the host is not this machine's.
    """

    def __init__(self, *, host: str = "127.0.0.1", port: int = 0) -> None:
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        self._socket = socket.create_server((host, port), family=family, backlog=MAX_CLIENTS)
        self._stop_reader, self._stop_writer = socket.socketpair()
        self._lock = threading.Lock()
        self._clients: dict[threading.Thread, socket.socket] = {}
        self._stopping = False
        self._thread = threading.Thread(target=self._accept, name=f"simulated DAQ {self.port}", daemon=True)
        self.fault: Fault | None = None
        """What goes wrong from now on, on connections that are there too; None for nothing."""
        self._thread.start()

    @property
    def host(self) -> str:
        """Address it listens on."""
        return str(self._socket.getsockname()[0])

    @property
    def port(self) -> int:
        """Port it listens on."""
        return int(self._socket.getsockname()[1])

    @property
    def address(self) -> str:
        """host:port for a client."""
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"

    def hang_up(self) -> None:
        """Close all connections; clients may connect again."""
        with self._lock:
            clients = list(self._clients.values())
        for client in clients:
            _shut(client)

    def stop(self) -> None:
        """Close everything and wait for the threads; may be called twice."""
        with self._lock:
            if self._stopping:
                return
            self._stopping = True
        self._stop_writer.send(b"!")
        self._thread.join()
        self.hang_up()
        with self._lock:
            threads = list(self._clients)
        for thread in threads:
            thread.join()
        for one in (self._socket, self._stop_reader, self._stop_writer):
            one.close()

    def __enter__(self) -> Server:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def _accept(self) -> None:
        while True:
            ready, _, _ = select.select([self._socket, self._stop_reader], [], [])
            if self._stop_reader in ready:
                return
            try:
                client, _ = self._socket.accept()
            except OSError as error:  # the client is gone already, or no descriptor is free: then trying again at once would only burn time
                log.warning("client not accepted: %s", error)
                select.select([self._stop_reader], [], [], ACCEPT_PAUSE_S)
                continue
            self._begin(client)

    def _begin(self, client: socket.socket) -> None:
        with self._lock:
            if len(self._clients) >= MAX_CLIENTS:
                client.close()
                return
            thread = threading.Thread(target=self._serve, args=(client,), name=f"simulated DAQ {self.port} client", daemon=True)
            self._clients[thread] = client
            thread.start()

    def _serve(self, client: socket.socket) -> None:
        try:
            client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self._talk(client)
        except OSError as error:
            log.debug("client gone: %s", error)
        except WireError as error:
            log.warning("client hung up on: %s", error)
        finally:
            with self._lock:
                del self._clients[threading.current_thread()]
                client.close()

    def _talk(self, client: socket.socket) -> None:
        """Serve `client` until it is gone; `hang_up` shuts its socket down."""
        raise NotImplementedError

    def _refuses(self) -> bool:
        return self.fault is not None and self.fault.kind == "refuse"


class AnsweringServer(Server):
    """A server that speaks when it is spoken to.

    Parameters
    ----------
    converse:
        Makes the conversation with a new client.
    host, port:
        As for `Server`.
    """

    def __init__(self, converse: Callable[[], Conversation], *, host: str = "127.0.0.1", port: int = 0) -> None:
        self._converse = converse
        super().__init__(host=host, port=port)

    def _talk(self, client: socket.socket) -> None:
        conversation, sent = self._converse(), 0
        while not self._refuses() and (data := client.recv(RECEIVE_BYTES)):
            for reply in conversation.answer(data):
                out, go_on = spoil(reply, self.fault, sent)
                client.sendall(out)
                sent += len(out)
                if not go_on:
                    return


def spoil(reply: bytes, fault: Fault | None, sent: int, *, length_at: int = 0) -> tuple[bytes, bool]:
    """Return what is sent instead of `reply` after `sent` bytes, and whether the connection goes on; its length stands at byte `length_at`."""
    if fault is None or sent + len(reply) <= fault.after_bytes:
        return reply, True
    keep = max(0, fault.after_bytes - sent)
    match fault.kind:
        case "stall":
            return reply[:keep], True
        case "garbage":
            return reply[:keep] + random.Random(sent).randbytes(len(reply) - keep), True
        case "absurd-length":
            return reply[:length_at] + ABSURD_LENGTH + reply[length_at + 4 :], True
        case _:
            return reply[:keep], False


def _shut(client: socket.socket) -> None:
    """Wake the thread that reads from `client`; it closes the socket itself."""
    try:
        client.shutdown(socket.SHUT_RDWR)
    except OSError:
        log.debug("client was gone already")
