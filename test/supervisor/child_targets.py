"""What the child processes of `test_children` run. Stands by itself: a child cannot import the tests."""

from __future__ import annotations

import os
import signal
import threading
from multiprocessing.connection import Connection
from pathlib import Path

from livereduce.process import enter, leave


def obedient(note: Path, lifeline: Connection) -> None:
    """End when told to."""
    told = threading.Event()
    enter(lifeline, None, told.set)
    note.write_text(str(os.getpid()))
    told.wait()
    note.with_suffix(".ended").write_text("in good order")
    leave(0)


def deaf(note: Path, lifeline: Connection) -> None:
    """Do not end, whatever is said."""
    enter(lifeline, None, lambda: None)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    note.write_text(str(os.getpid()))
    threading.Event().wait()


def failing(note: Path, lifeline: Connection) -> None:
    """End at once with a code."""
    leave(3)


def brittle(note: Path, lifeline: Connection) -> None:
    """Die of a signal."""
    os.kill(os.getpid(), signal.SIGSEGV)
