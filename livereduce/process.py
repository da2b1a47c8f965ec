"""What every process of the service does first: its log, its signals, and the lifeline to the supervisor.

A lifeline is a pipe. The supervisor writes ``b"stop"`` into it to end a child; when the supervisor dies, in whatever way, the pipe
closes and the child ends at once: no orphan goes on writing to stores that a new daemon has opened.
"""

from __future__ import annotations

import logging
import logging.handlers
import os
import signal
import sys
import threading
from collections.abc import Callable
from contextlib import suppress
from multiprocessing.connection import Connection
from pathlib import Path
from typing import NoReturn, Protocol

from livereduce.errors import LiveReduceError

log = logging.getLogger(__name__)

LOG_FORMAT = "%(asctime)s - %(name)s - %(levelname)s - %(message)s"
"""What operators' scripts expect of each line."""

PACKAGE_ROOT = str(Path(__file__).resolve().parent.parent)
"""Folder that this package was found in."""

STOP = b"stop"
"""What the supervisor writes into a lifeline."""


class LogFile(logging.handlers.WatchedFileHandler):
    """The log file. It may be moved away, its folder too, and its disk may be full: the service goes on, and writes again when it can."""

    def emit(self, record: logging.LogRecord) -> None:
        """Write a line, if that can be done at all; the same line goes to stdout in any case."""
        try:
            super().emit(record)
        except OSError:
            self._begin_again()

    def handleError(self, record: logging.LogRecord) -> None:
        """Say nothing of a line that could not be written: it would be said for each one."""

    def _begin_again(self) -> None:
        with suppress(OSError):
            Path(self.baseFilename).parent.mkdir(parents=True, exist_ok=True)
            self.stream = self._open()
            self._statstream()


def open_log(path: Path | None) -> None:
    """Send the log of this process to stdout and to `path`, which log rotation may move away."""
    handlers: list[logging.Handler] = [logging.StreamHandler(sys.stdout)]
    if path is not None:
        handlers.append(LogFile(path, encoding="utf-8"))
    logging.basicConfig(level=logging.INFO, format=LOG_FORMAT, handlers=handlers, force=True)
    logging.getLogger("numba").setLevel(logging.WARNING)


def enter(lifeline: Connection, log_file: Path | None, stop: Callable[[], None]) -> None:
    """Set up a child process; `stop` is called, from another thread, when the supervisor says so."""
    # Ctrl-C and Ctrl-\ reach every process of the terminal: only the supervisor answers, then tells the others.
    for ignored in (signal.SIGINT, signal.SIGQUIT):
        signal.signal(ignored, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    forget_package_root()
    open_log(log_file)
    threading.Thread(target=_hold, args=(lifeline, stop), name="lifeline", daemon=True).start()


def forget_package_root() -> None:
    """Take back what `livereduce.supervisor.children.context` put into PYTHONPATH: what scripts start is to find its own packages."""
    first, _, rest = os.environ.get("PYTHONPATH", "").partition(os.pathsep)
    if first == PACKAGE_ROOT:
        os.environ.pop("PYTHONSAFEPATH", None)
        os.environ.pop("PYTHONPATH")
        if rest:
            os.environ["PYTHONPATH"] = rest


class Worker(Protocol):
    """What a child process is there for."""

    def run(self) -> None:
        """Work until `stop` is called."""

    def stop(self) -> None:
        """Ask it to end; called from another thread."""


def run_child(role: str, log_file: Path | None, lifeline: Connection, make: Callable[[], Worker]) -> NoReturn:
    """Be a child process: set up, make the worker and let it work until the lifeline says stop, then end.

    Whatever goes wrong is in the log, with its traceback when it is not an error raised on purpose.
    """
    made = threading.Event()
    workers: list[Worker] = []

    def stop() -> None:
        made.wait()
        workers[0].stop()

    enter(lifeline, log_file, stop)
    try:
        workers.append(make())
        made.set()
        workers[0].run()
    except LiveReduceError as error:
        log.critical("The %s ends: %s", role, error)
        leave(1)
    except BaseException:
        log.critical("The %s ends by an error that nobody foresaw", role, exc_info=True)
        leave(1)
    leave(0)


def leave(code: int) -> NoReturn:
    """End a child process now, whatever threads the user's code has left running."""
    logging.shutdown()
    sys.stdout.flush()
    os._exit(code)


def _hold(lifeline: Connection, stop: Callable[[], None]) -> None:
    try:
        while lifeline.recv_bytes() != STOP:
            pass
    except (EOFError, OSError):
        os._exit(1)
    stop()
