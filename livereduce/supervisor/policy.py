"""How soon, and from where, a reducer that ended is started again. Pure: times and positions in, decisions out."""

from __future__ import annotations

from dataclasses import dataclass

FIRST_DELAY_S = 0.5
"""Wait after the second ending without progress."""

MAX_DELAY_S = 60.0
"""Longest wait."""

LONG_LIFE_S = 30.0
"""A reducer that took so long to reach the memory limit did its work: the next one starts at once."""

FAILURES_OF_NEW_SCRIPT = 3
"""Executions of a new script that fail before the last good one is back in charge."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Restart:
    """When and from where to start again."""

    delay_s: float
    """Wait, s."""

    at_journal_end: bool
    """Leave what the journal holds and begin with what comes next."""


class RestartPolicy:
    """Decides restarts by progress: a checkpoint that stands elsewhere than at the last ending.

    With progress the next reducer starts at once from the checkpoint. Without, each wait is twice the one before; and when it was
    memory that ended it, the accumulation itself may be too large or the very chunk may leak, so the next one begins at the journal's end.
    A script that reaches the limit again and again within `LONG_LIFE_S` is waited for as well: chunks that go on coming are no excuse.
    """

    def __init__(self) -> None:
        self._position: int | None = None
        self._in_vain = 0

    def after(self, position: int, *, memory: bool, lived_s: float = LONG_LIFE_S) -> Restart:
        """Return what to do after an ending.

        Parameters
        ----------
        position:
            Where the checkpoint stands.
        memory:
            Whether the limit was the cause.
        lived_s:
            How long the reducer had worked, s.
        """
        # Not only further: after a change of scripts the checkpoint goes back to the start of the run and moves on from there.
        first, progress = self._position is None, position != self._position
        self._position = position
        vain = not progress or (memory and not first and lived_s < LONG_LIFE_S)
        self._in_vain = self._in_vain + 1 if vain else 0
        if not vain:
            return Restart(delay_s=0.0, at_journal_end=False)
        # The exponent is bounded as well: a power of two of some thousand is no float any more.
        delay = min(FIRST_DELAY_S * 2 ** min(self._in_vain - 1, 10), MAX_DELAY_S)
        return Restart(delay_s=delay, at_journal_end=memory and not progress)

    def forget(self) -> None:
        """Start over, as after a change of scripts."""
        self._position, self._in_vain = None, 0
