"""What is measured: pieces of work that ours and others do, and how they are timed."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from statistics import median
from typing import Any

Work = Callable[[], Any]
"""Something to be timed; what it returns is kept until the clock has stopped."""

OURS = "livereduce"
"""Name of our own contestant."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One row of the table."""

    name: str
    """What is done, for the eye; with `quick` other sizes than it says."""

    key: str
    """For programs; what `--only` looks at."""

    contestants: Callable[[], dict[str, Work]]
    """Makes the data and returns who does it: `OURS` first, then peers and limits by name."""

    figures: dict[str, str] = field(default_factory=dict)
    """Key of results.json for ``time of peer / our time``, by the name of the peer."""

    mantid_ms: float | None = None
    """What a real Mantid took; not measured here."""

    seconds: bool = False
    """The contestants time themselves and return seconds."""

    repeat: int | None = None
    """How often at least; the run's own number when None."""

    cores: tuple[str, ...] = ("1", "all")
    """On which of one core and all it is worth measuring."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Timing:
    """How long one contestant took."""

    name: str
    """Who."""

    median_ms: float
    """Median."""

    best_ms: float
    """Shortest."""

    n: int
    """How often."""


def timings(case: Case, repeat: int) -> list[Timing]:
    """Return the times of a case, who is ours first.

    Contestants take turns, so that what else the machine does meets all of them; each does its work once before the clock runs.
    """
    contestants = case.contestants()
    taken: dict[str, list[float]] = {name: [] for name in contestants}
    for turn in range((case.repeat or repeat) + (not case.seconds)):
        for name, work in contestants.items():
            begin = time.perf_counter()
            result = work()
            seconds = float(result) if case.seconds else time.perf_counter() - begin
            if turn > 0 or case.seconds:
                taken[name].append(seconds)
            # Giving hundreds of megabytes back is not the next contestant's business.
            del result
    return [Timing(name=name, median_ms=1e3 * median(own), best_ms=1e3 * min(own), n=len(own)) for name, own in taken.items()]
