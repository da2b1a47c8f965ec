"""What a script finds around it in the process, and what is put back after it: streams, working directory, search path.

All of these belong to the process, while both scripts of an instrument may run at once. They are set when the first of them
begins and put back when the last one ends.
"""

from __future__ import annotations

import contextlib
import logging
import os
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

from livereduce.scripting.output import Printer, RoutedStream

LOGGER = "livereduce.script"
"""Loggers of scripts are below this one, by the script's name without ``.py``."""


class Surroundings:
    """The surroundings of all scripts of a process.

    Parameters
    ----------
    script_dir:
        First on the search path, so that a script can import what lies beside it.
    """

    _lock = threading.Lock()
    _running = 0
    _streams: tuple[RoutedStream, RoutedStream] | None = None
    _folder = ""
    _bytecode = False

    def __init__(self, script_dir: Path) -> None:
        self._script_dir = str(script_dir.absolute())

    @contextlib.contextmanager
    def entered(self, script: Path) -> Iterator[None]:
        """Let the body's thread run a script: what it prints is logged at INFO under its name, what it writes to stderr at WARNING."""
        streams = self._enter()
        logger = logging.getLogger(f"{LOGGER}.{script.stem}")
        printers = Printer(logger, logging.INFO), Printer(logger, logging.WARNING)
        for stream, printer in zip(streams, printers, strict=True):
            stream.printer = printer
        try:
            yield
        finally:
            for stream, printer in zip(streams, printers, strict=True):
                stream.printer = None
                printer.finish()
            self._leave(streams)

    def _enter(self) -> tuple[RoutedStream, RoutedStream]:
        with Surroundings._lock:
            # Scripts that put a folder on the path do so at each execution: without the repetitions it stays short.
            sys.path[:] = dict.fromkeys([self._script_dir, *sys.path])
            if Surroundings._running == 0:
                self._set()
            Surroundings._running += 1
            assert Surroundings._streams is not None
            return Surroundings._streams

    def _set(self) -> None:
        Surroundings._streams = RoutedStream(sys.stdout), RoutedStream(sys.stderr)
        sys.stdout, sys.stderr = Surroundings._streams
        Surroundings._folder = _working_directory()
        # A compiled helper is taken for current when the second and the size agree: a quick edit would not reach the next reducer.
        Surroundings._bytecode, sys.dont_write_bytecode = sys.dont_write_bytecode, True

    def _leave(self, streams: tuple[RoutedStream, RoutedStream]) -> None:
        with Surroundings._lock:
            Surroundings._running -= 1
            if Surroundings._running:
                sys.stdout, sys.stderr = streams  # in case this script left something else there
                return
            sys.stdout, sys.stderr = (stream.fallback for stream in streams)
            sys.dont_write_bytecode = Surroundings._bytecode
            if Surroundings._folder and _working_directory() != Surroundings._folder:
                with contextlib.suppress(OSError):  # removed meanwhile; there is nothing better to go to
                    os.chdir(Surroundings._folder)


def _working_directory() -> str:
    """Return the working directory; nothing when it was removed."""
    try:
        return os.getcwd()
    except OSError:
        return ""
