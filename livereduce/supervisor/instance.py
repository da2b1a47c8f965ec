"""One daemon for an instrument: a lock on its state folder, with the pid of the holder in it."""

from __future__ import annotations

import fcntl
import os
from contextlib import suppress
from pathlib import Path
from typing import IO

from livereduce.errors import ConfigError, StoreError

PID_WIDTH = 20
"""Characters kept for the pid, always written in full, so that a full disk has nothing new to find room for."""


class Lock:
    """Held by a running daemon; the kernel gives it back however the daemon ends.

    Parameters
    ----------
    path:
        The lock file.

    Raises
    ------
    StoreError
        If another daemon holds it; names its pid.
    ConfigError
        If the folder cannot be written.
    """

    def __init__(self, path: Path) -> None:
        try:
            path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            # Not inherited: a child that outlives the daemon must not keep the next one from starting.
            self._file: IO[str] = os.fdopen(os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600), "r+", encoding="utf-8")
        except OSError as error:
            raise ConfigError(f"state_dir: {path}: cannot be written: {error.strerror}; wanted a folder of this user") from error
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            holder = self._file.read().strip() or "unknown"
            self._file.close()
            raise StoreError(f"another livereduce runs for {path.parent.name} with pid {holder}; this one does not start") from error
        self._note(str(os.getpid()))

    def release(self) -> None:
        """Give it back."""
        self._note("")
        self._file.close()

    def _note(self, holder: str) -> None:
        # Who holds it is a courtesy to the next one; the lock holds without.
        with suppress(OSError):
            os.pwrite(self._file.fileno(), f"{holder:<{PID_WIDTH}}\n".encode(), 0)
