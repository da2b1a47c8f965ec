"""The receiver as a process: opens its stores and its source, then runs the loop."""

from __future__ import annotations

from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path

from livereduce.listeners.registry import make_listener
from livereduce.listeners.source import ListenerSettings
from livereduce.process import run_child
from livereduce.receiver.loop import Receiver
from livereduce.store.board import Board
from livereduce.store.journal import Journal
from livereduce.store.places import Places


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
    run_child("receiver", settings.log_file, lifeline, lambda: _receiver(settings))


def _receiver(settings: ReceiverSettings) -> Receiver:
    places = settings.places
    journal = Journal(places.journal, places.overflow, max_bytes=settings.journal_max_bytes)
    source = f"{settings.listener.type} {settings.listener.address}"
    return Receiver(make_listener(settings.listener), source, journal, Board(places.board), places.evidence)
