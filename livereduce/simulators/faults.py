"""Ways in which a simulated DAQ misbehaves, for tests of whoever talks to it."""

from __future__ import annotations

from dataclasses import dataclass

FAULTS = ("refuse", "hang-up", "garbage", "stall", "absurd-length")
"""Kinds of faults."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """What goes wrong."""

    kind: str
    """``refuse``: connections are closed unanswered. ``hang-up``: a connection is closed after `after_bytes` sent. ``garbage``: replies after
    `after_bytes` sent are noise. ``stall``: nothing is sent after `after_bytes`. ``absurd-length``: lengths after `after_bytes` are near 2 GiB."""

    after_bytes: int = 0
    """Bytes sent on a connection before the fault sets in."""

    def __post_init__(self) -> None:
        if self.kind not in FAULTS:
            raise ValueError(f"fault {self.kind!r}; wanted one of {', '.join(FAULTS)}")
        if self.after_bytes < 0:
            raise ValueError(f"fault {self.kind} after {self.after_bytes} bytes; wanted 0 or more")

    @classmethod
    def parse(cls, text: str) -> Fault:
        """Return the fault that ``KIND`` or ``KIND:AFTER_BYTES`` names; ValueError if there is none."""
        kind, _, after = text.partition(":")
        return cls(kind=kind, after_bytes=int(after or 0))
