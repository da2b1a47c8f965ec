"""What ends the supervisor's wait: a signal, or a script that may have changed."""

from __future__ import annotations

import contextlib
import os
import signal
from types import FrameType

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGQUIT, signal.SIGHUP)
"""Those that ask the service to end."""


class Wake:
    """A descriptor that becomes readable when something happened, and the signals that came."""

    def __init__(self) -> None:
        self._read, self._write = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
        self.signals: list[int] = []

    def catch_signals(self) -> None:
        """Note signals from now on instead of ending; only a flag is set, everything else happens in the loop."""
        for number in SIGNALS:
            if signal.getsignal(number) is not signal.SIG_IGN:  # nohup means what it says
                signal.signal(number, self._caught)

    def _caught(self, number: int, _frame: FrameType | None) -> None:
        self.signals.append(number)
        self.set()

    def set(self) -> None:
        """End the wait; may be called from any thread and any signal handler."""
        with contextlib.suppress(BlockingIOError):
            os.write(self._write, b"!")

    def clear(self) -> None:
        """Forget that something happened."""
        with contextlib.suppress(BlockingIOError):
            os.read(self._read, 4096)

    def fileno(self) -> int:
        """Return the descriptor to wait for."""
        return self._read

    def close(self) -> None:
        """Give the descriptors back."""
        os.close(self._read)
        os.close(self._write)
