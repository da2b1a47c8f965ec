"""A TCP connection to a source: waits have an end, another thread can cut them short, and the latest bytes are kept."""

from __future__ import annotations

import os
import select
import socket
import threading
import time
from collections import deque
from typing import Any

from livereduce.errors import ListenerError

CONNECT_TIMEOUT_S = 10.0
"""A machine on the same site answers within milliseconds; beyond this it is off or a firewall swallows the packets."""

READ_TIMEOUT_S = 30.0
"""A source that was asked and is silent for so long is stuck: DAQs answer at once, and a lost packet is sent again within seconds."""

LAST_BYTES = 64 * 1024
"""How much of what was received is kept for a report."""

CHUNK_BYTES = 256 * 1024
"""Received at once: large enough that the calls do not matter, small enough to stay in the cache."""


class Connection:
    """One TCP connection, used from one thread except for `interrupt`.

    Parameters
    ----------
    host, port:
        Of the source.
    connect_timeout_s:
        Longest wait for the connection.
    """

    def __init__(self, host: str, port: int, *, connect_timeout_s: float = CONNECT_TIMEOUT_S) -> None:
        self._host, self._port = host, port
        self._connect_timeout_s = connect_timeout_s
        self._socket: socket.socket | None = None
        self._lock = threading.Lock()
        self._wakers: tuple[socket.socket, socket.socket] | None = None
        self._interrupted = threading.Event()
        self._last: deque[bytes] = deque()
        self._last_size = 0

    @property
    def where(self) -> str:
        """host:port for messages."""
        return f"{self._host}:{self._port}"

    @property
    def is_open(self) -> bool:
        """True from `connect` to `close`."""
        return self._socket is not None

    def connect(self) -> None:
        """Connect.

        Raises
        ------
        ListenerError
            If nobody is there, it takes too long, or `interrupt` was called.
        """
        self._drop()
        with self._lock:
            self._wakers = socket.socketpair()
        self._last.clear()
        self._last_size = 0
        deadline = time.monotonic() + self._connect_timeout_s
        try:
            family, kind, protocol, _, address = socket.getaddrinfo(self._host, self._port, type=socket.SOCK_STREAM)[0]
            self._socket = socket.socket(family, kind, protocol)
            self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)  # a peer whose machine lost power is noticed
            self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)  # requests are small and waited for
            self._socket.setblocking(False)
            self._finish_connect(self._socket, address, deadline)
        except OSError as error:
            self._drop()
            raise ListenerError(f"{self.where}: cannot connect: {error}") from error
        except ListenerError:
            self._drop()
            raise

    def send(self, data: bytes, deadline: float) -> None:
        """Send all of `data` before `deadline`, s of the monotonic clock.

        Raises
        ------
        ListenerError
            If the connection is gone, the time is over, or `interrupt` was called.
        """
        rest = memoryview(data)
        while rest:
            ready = self._wait(select.POLLOUT, deadline, "takes nothing")
            try:
                rest = rest[ready.send(rest) :]
            except BlockingIOError:
                continue
            except OSError as error:
                raise ListenerError(f"{self.where}: connection lost while sending: {error}") from error

    def receive(self, deadline: float) -> bytes:
        """Return what came, at least one byte, before `deadline`, s of the monotonic clock.

        Raises
        ------
        ListenerError
            If the connection is gone, the time is over, or `interrupt` was called.
        """
        while True:
            ready = self._wait(select.POLLIN, deadline, "sends nothing")
            try:
                data = ready.recv(CHUNK_BYTES)
            except BlockingIOError:
                continue
            except OSError as error:
                raise ListenerError(f"{self.where}: connection lost: {error}") from error
            if not data:
                raise ListenerError(f"{self.where}: the source closed the connection")
            self._keep(data)
            return data

    def receive_into(self, room: memoryview, seconds: float) -> int:
        """Put what comes within `seconds` into `room`, without keeping it for a report; return how many bytes, 0 when nothing came.

        Raises
        ------
        ListenerError
            If the connection is gone, or `interrupt` was called.
        """
        socket_ = self._ready(select.POLLIN, time.monotonic() + seconds)
        if socket_ is None:
            return 0
        try:
            got = socket_.recv_into(room)
        except BlockingIOError:
            return 0
        except OSError as error:
            raise ListenerError(f"{self.where}: connection lost: {error}") from error
        if not got:
            raise ListenerError(f"{self.where}: the source closed the connection")
        return got

    def drain(self, limit: int = CHUNK_BYTES) -> int:
        """Throw away what can be read without waiting, at most about `limit` bytes; return how much it was.

        The bound keeps a peer that sends without end from holding the caller here. A connection that is gone is left for `receive` to find.
        """
        count = 0
        while count < limit and self._socket is not None:
            try:
                data = self._socket.recv(CHUNK_BYTES)
            except OSError:
                break
            if not data:
                break
            self._keep(data)
            count += len(data)
        return count

    def sleep(self, seconds: float) -> bool:
        """Wait, return True if `interrupt` cut it short."""
        return self._interrupted.wait(seconds)

    def interrupt(self) -> None:
        """End the present wait and all later ones, until `close`; may be called from any thread."""
        self._interrupted.set()
        with self._lock:
            if self._wakers:
                self._wakers[1].send(b"!")

    def close(self) -> None:
        """Close; `connect` works again afterwards."""
        self._drop()
        self._interrupted.clear()

    def last_bytes(self) -> bytes:
        """Return the latest bytes received, at most `LAST_BYTES`; they outlive `close`."""
        return b"".join(self._last)[-LAST_BYTES:]

    def _finish_connect(self, new: socket.socket, address: Any, deadline: float) -> None:
        new.connect_ex(address)
        self._wait(select.POLLOUT, deadline, "does not answer")
        if error := new.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR):
            raise OSError(error, os.strerror(error))

    def _wait(self, event: int, deadline: float, what: str) -> socket.socket:
        """Block until the socket is ready for `event`; return it."""
        ready = self._ready(event, deadline)
        if ready is None:
            raise ListenerError(f"{self.where}: {what}; gave up waiting")
        return ready

    def _ready(self, event: int, deadline: float) -> socket.socket | None:
        """Block until the socket is ready for `event`; return it, None when it was not before `deadline`."""
        if self._socket is None or self._wakers is None:
            raise ListenerError(f"{self.where}: not connected")
        poll = select.poll()
        poll.register(self._wakers[0], select.POLLIN)
        poll.register(self._socket, event)
        ready = poll.poll(max(0.0, deadline - time.monotonic()) * 1000)
        if self._interrupted.is_set():
            raise ListenerError(f"{self.where}: interrupted")
        return self._socket if ready and time.monotonic() <= deadline else None

    def _keep(self, data: bytes) -> None:
        self._last.append(data)
        self._last_size += len(data)
        while self._last_size - len(self._last[0]) >= LAST_BYTES:
            self._last_size -= len(self._last.popleft())

    def _drop(self) -> None:
        if self._socket is not None:
            self._socket.close()
            self._socket = None
        with self._lock:
            wakers, self._wakers = self._wakers, None
        for waker in wakers or ():
            waker.close()
