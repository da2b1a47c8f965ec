"""The processes under the supervisor: started from a warm server, told to stop through their lifeline, killed when they do not."""

from __future__ import annotations

import logging
import multiprocessing
import os
import signal
import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from multiprocessing.connection import Connection
from multiprocessing.context import ForkServerContext, ForkServerProcess
from typing import Any

from livereduce.errors import StoreError
from livereduce.process import PACKAGE_ROOT, STOP, forget_package_root

log = logging.getLogger(__name__)

LOST_EXIT_CODE = 255
"""What multiprocessing gives for a process whose server died before it did."""

PRELOAD = ["livereduce.receiver.process", "livereduce.reducer.process", "livereduce.reducer.warm"]
"""Imported once by the server that children are forked from: a new reducer is ready in tens of milliseconds."""

STOP_S = 1.2
"""Time a child has to end by itself; the whole service is down within 2 s, on a busy machine too."""

SERVER_S = 2.0
"""Time that the server children are forked from has to come back when somebody killed it."""


def context() -> ForkServerContext:
    """Start the server that children are forked from; call it before any signal handler is set.

    Ctrl-C and Ctrl-\\ reach every process of a terminal; the server, and with it the children, ignore them from birth.
    """
    ctx = multiprocessing.get_context("forkserver")
    ctx.set_forkserver_preload(PRELOAD)
    quiet = {number: signal.signal(number, signal.SIG_IGN) for number in (signal.SIGINT, signal.SIGQUIT)}
    path = os.environ.get("PYTHONPATH")
    # The server looks for what it preloads where a fresh interpreter does: it has to find this very package, not another one that is installed.
    os.environ["PYTHONPATH"] = PACKAGE_ROOT if path is None else f"{PACKAGE_ROOT}{os.pathsep}{path}"
    os.environ["PYTHONSAFEPATH"] = "1"  # and not in the working directory, where anything may lie
    try:
        multiprocessing.forkserver.ensure_running()  # type: ignore[attr-defined]
    finally:
        for number, handler in quiet.items():
            signal.signal(number, handler)
        forget_package_root()
    return ctx


class Child:
    """One process.

    Parameters
    ----------
    ctx:
        Where processes come from.
    role:
        What it is, for the log.
    target:
        Function it runs, given `settings` and the child's end of the lifeline.
    settings:
        What it needs to know; travels by pickle.
    """

    def __init__(self, ctx: ForkServerContext, role: str, target: Callable[[Any, Connection], None], settings: object) -> None:
        theirs, self._lifeline = ctx.Pipe(duplex=False)
        self.role = role
        self.started_s = time.monotonic()
        self._process = _started(lambda: ctx.Process(target=target, args=(settings, theirs), name=role, daemon=True))
        theirs.close()

    @property
    def pid(self) -> int:
        """Its process id."""
        return self._process.pid or 0

    @property
    def sentinel(self) -> int:
        """A descriptor that becomes readable when it ends."""
        return self._process.sentinel

    @property
    def alive(self) -> bool:
        """Whether it runs."""
        return self._process.is_alive()

    @property
    def ending(self) -> str:
        """How it ended, in words."""
        code = self._process.exitcode
        if code is not None and code < 0:
            return f"killed by {signal.Signals(-code).name}"
        return f"exit code {code}"

    def ask_to_stop(self) -> None:
        """Tell it to end."""
        try:
            self._lifeline.send_bytes(STOP)
        except OSError:
            log.debug("%s is gone already", self.role)

    def kill(self) -> None:
        """End it at once."""
        self._lifeline.close()
        self._process.kill()
        if self._process.exitcode == LOST_EXIT_CODE:
            # Only the server knew how it ended, and the server is gone: the process itself may live on.
            with suppress(ProcessLookupError):
                os.kill(self.pid, signal.SIGKILL)
        self._process.join(1.0)


def _started(make: Callable[[], ForkServerProcess]) -> ForkServerProcess:
    """Start a process; when the server is just gone, with the server that comes in its place."""
    deadline = time.monotonic() + SERVER_S
    while True:
        process = make()
        try:
            process.start()
            return process
        except (EOFError, OSError) as error:
            _leave_removed_folder()
            if time.monotonic() > deadline:
                raise StoreError(f"no process can be started: {error or type(error).__name__}") from error
            time.sleep(SERVER_S / 20)


def _leave_removed_folder() -> None:
    """Go to the root when the working directory is gone: processes are told to start there."""
    try:
        os.getcwd()
    except FileNotFoundError:
        log.warning("The working directory was removed; the service goes on in /")
        os.chdir("/")


def stop_all(children: Iterable[Child], within_s: float = STOP_S) -> list[str]:
    """End children together; return the roles of those that had to be killed."""
    children = [child for child in children if child.alive]
    for child in children:
        child.ask_to_stop()
    deadline = time.monotonic() + within_s
    for child in children:
        child._process.join(max(0.0, deadline - time.monotonic()))
    late = [child.role for child in children if child.alive]
    for child in children:
        child.kill()
    return late
