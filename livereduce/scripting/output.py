"""What scripts print goes to the log, line by line; two scripts in two threads do not mix."""

from __future__ import annotations

import io
import logging
import threading
from typing import TextIO

MAX_LINES = 200
"""Lines of one stream that one execution may log; the rest is counted."""

MAX_LINE = 10_000
"""Characters of a line that are shown; a line without end is logged when it is so long."""


class Printer:
    """One stream of one execution on its way to the log.

    Parameters
    ----------
    logger:
        Where lines go.
    level:
        At which level.
    """

    def __init__(self, logger: logging.Logger, level: int) -> None:
        self._logger = logger
        self._level = level
        self._begun = ""
        self._cut = 0
        self._lines = 0

    def write(self, text: str) -> None:
        """Log the lines that `text` completes and keep the rest."""
        *complete, rest = text.split("\n")
        for end in complete:
            self._append(end)
            self._log()
        self._append(rest)

    def finish(self) -> None:
        """Log what has no end of line, and how much was not shown."""
        if self._begun:
            self._log()
        if self._lines > MAX_LINES:
            self._logger.log(self._level, "… %d further lines not shown", self._lines - MAX_LINES)
        self._lines = 0

    def _append(self, text: str) -> None:
        """Add to the line begun; what is beyond the longest line is only counted."""
        if len(self._begun) == MAX_LINE and "\r" not in text:
            self._cut += len(text)
            return
        # A progress bar writes over itself: its last state is what a terminal would show. A carriage return at the very end may belong to a line end.
        line = self._begun + text
        line = line[line.rfind("\r", 0, len(line) - 1) + 1 :]
        self._cut += max(len(line) - MAX_LINE, 0)
        self._begun = line[:MAX_LINE]

    def _log(self) -> None:
        self._lines += 1
        if self._lines <= MAX_LINES:
            line = self._begun.removesuffix("\r")
            self._logger.log(self._level, "%s", f"{line}… ({len(line) + self._cut} characters)" if self._cut else line)
        self._begun, self._cut = "", 0


class RoutedStream(io.TextIOBase):
    """Stands in for ``sys.stdout`` or ``sys.stderr``: a thread that runs a script writes to its printer, all others where they always did."""

    def __init__(self, fallback: TextIO) -> None:
        self.fallback = fallback
        """The stream that it stands in for."""
        self._here = threading.local()

    @property
    def printer(self) -> Printer | None:
        """Where this thread's text goes; None for the fallback."""
        found: Printer | None = getattr(self._here, "printer", None)
        return found

    @printer.setter
    def printer(self, printer: Printer | None) -> None:
        self._here.printer = printer

    @property
    def encoding(self) -> str:  # type: ignore[override]  # typeshed has it writable, Python has not
        """Encoding of the fallback."""
        return self.fallback.encoding

    def writable(self) -> bool:
        """Return True."""
        return True

    def isatty(self) -> bool:
        """Return False: nobody sees colours or moving bars in a log."""
        return False

    def fileno(self) -> int:
        """Return the fallback's descriptor, for programs that a script starts."""
        return self.fallback.fileno()

    def write(self, text: str) -> int:
        """Write a text; returns its length."""
        printer = self.printer
        if printer is None:
            return self.fallback.write(text)
        if not isinstance(text, str):
            raise TypeError(f"write() argument must be str, not {type(text).__name__}")
        self.printer = None  # a log handler that writes to this very stream gets the fallback, not itself
        try:
            printer.write(text)
        finally:
            self.printer = printer
        return len(text)

    def flush(self) -> None:
        """Flush the fallback; a script's line is logged when it is complete."""
        if self.printer is None:
            self.fallback.flush()
