"""The receiver as a process: opens its stores and its source, then runs the loop."""

from __future__ import annotations

import logging
import threading
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path

from livereduce.errors import LiveReduceError
from livereduce.listeners.registry import make_listener
from livereduce.listeners.source import ListenerSettings
from livereduce.process import enter, leave
from livereduce.receiver.loop import Receiver
from livereduce.store.board import Board
from livereduce.store.journal import Journal
from livereduce.store.places import Places

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class ReceiverSettings:
    """What a receiver needs to know."""

    listener: ListenerSettings
    """The source."""

    places: Places
    """Where the stores are."""

    journal_max_bytes: int
    """Bound on the journal."""

    log_file: Path | None
    """Log, None for stdout alone."""


def main(settings: ReceiverSettings, lifeline: Connection) -> None:
    """Run a receiver until the lifeline says stop."""
    ready = threading.Event()
    running: list[Receiver] = []

    def stop() -> None:
        ready.wait()
        running[0].stop()

    enter(lifeline, settings.log_file, stop)
    try:
        journal = Journal(settings.places.journal, settings.places.overflow, max_bytes=settings.journal_max_bytes)
        board = Board(settings.places.board)
        source = f"{settings.listener.type} {settings.listener.address}"
        running.append(Receiver(make_listener(settings.listener), source, journal, board, settings.places.evidence))
        ready.set()
        running[0].run()
        journal.close()
        board.close()
    except LiveReduceError as error:
        log.critical("The receiver ends: %s", error)
        leave(1)
    leave(0)
