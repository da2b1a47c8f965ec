"""Notifications from the operating system that something happened in a folder. A convenience: nothing may rely on them."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable
from pathlib import Path

from watchdog.events import FileSystemEvent, FileSystemEventHandler
from watchdog.observers import Observer
from watchdog.observers.api import BaseObserver, ObservedWatch

log = logging.getLogger(__name__)

TELLING = frozenset({"created", "modified", "moved", "deleted", "closed"})
"""Kinds of events that may mean a new content; reading, which we do ourselves, is none of them."""

Identity = tuple[int, int]


class FolderAlarm:
    """Calls somebody when a Python file in one of some folders was written, made, moved or removed.

    Parameters
    ----------
    wake:
        Called from another thread; must be quick.
    """

    def __init__(self, wake: Callable[[], None]) -> None:
        self._handler = _Handler(wake)
        self._followed: dict[Path, tuple[Identity, ObservedWatch]] = {}
        self._complained = False
        self._observer: BaseObserver = Observer()
        self._observer.start()

    def follow(self, folders: set[Path]) -> None:
        """Listen to these folders from now on; one that is missing, or was made anew since, is taken up when it is there."""
        for folder in [one for one, (identity, _) in self._followed.items() if one not in folders or _identity(one) != identity]:
            _, watch = self._followed.pop(folder)
            self._observer.unschedule(watch)
        for folder in folders - self._followed.keys():
            identity = _identity(folder)
            if identity is not None:
                self._take_up(folder, identity)

    def stop(self) -> None:
        """End the threads."""
        self._observer.stop()
        self._observer.join()

    def _take_up(self, folder: Path, identity: Identity) -> None:
        try:
            self._followed[folder] = identity, self._observer.schedule(self._handler, str(folder))
        except OSError as error:  # the system's number of watches is used up, or the folder went away just now
            if not self._complained:
                log.warning("%s cannot be watched: %s; changes are noticed by looking each second", folder, error)
            self._complained = True


class _Handler(FileSystemEventHandler):
    def __init__(self, wake: Callable[[], None]) -> None:
        self._wake = wake

    def on_any_event(self, event: FileSystemEvent) -> None:
        """Wake for what may be a new content of a module; other files, perhaps our own log, may be written often."""
        if event.event_type in TELLING and any(os.fsdecode(path).endswith(".py") for path in (event.src_path, event.dest_path)):
            self._wake()


def _identity(folder: Path) -> Identity | None:
    """Return which folder stands under the path now; None when there is none."""
    try:
        found = folder.stat()
    except OSError:
        return None
    return (found.st_dev, found.st_ino) if folder.is_dir() else None
