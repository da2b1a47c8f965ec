"""Every error livereduce raises on purpose.

LiveReduceError
├── ConfigError         the configuration file: key, what came, what is wanted
├── WireError           bytes from the network that break their layout
├── ListenerError       the source: refused, silent, gone
├── StoreError          journal or board: full, damaged, held by somebody else
├── ScriptError         the instrument's script; carries the script's own traceback
├── AlgorithmError      an algorithm was given what it cannot work on
├── AccumulationError   a chunk's output does not fit the accumulation
└── PublishError        a result could not be written

A message says where, what came, what was wanted and what happens next.
"""

from __future__ import annotations


class LiveReduceError(Exception):
    """Base of all errors that livereduce raises on purpose."""


class ConfigError(LiveReduceError):
    """The configuration cannot be used: file, key, what came, what is wanted."""


class WireError(LiveReduceError):
    """Bytes from the network break their layout.

    Parameters
    ----------
    message:
        What came and what is wanted.
    field:
        Name of the field in the layout.
    offset:
        Byte offset of the field in its packet.
    """

    def __init__(self, message: str, *, field: str = "", offset: int = 0) -> None:
        super().__init__(message)
        self.field = field
        self.offset = offset


class ListenerError(LiveReduceError):
    """The source cannot be read: refused, silent, gone, or it refuses a request."""


class StoreError(LiveReduceError):
    """Journal or board cannot be used: full, damaged or held by another process."""


class ScriptError(LiveReduceError):
    """An instrument script failed.

    Parameters
    ----------
    message:
        ``file:line: what happened``.
    traceback_text:
        The script's own traceback, without livereduce's frames.
    """

    def __init__(self, message: str, *, traceback_text: str = "") -> None:
        super().__init__(message)
        self.traceback_text = traceback_text


class AlgorithmError(LiveReduceError):
    """An algorithm was given what it cannot work on."""


class AccumulationError(LiveReduceError):
    """A chunk's output does not fit the accumulation."""


class PublishError(LiveReduceError):
    """A result could not be written."""
