"""Where in the journal a reducer begins: at the checkpoint when one fits, else at the start of the run, or at the journal's end."""

from __future__ import annotations

from dataclasses import dataclass

from livereduce.data.group import AnyWorkspace
from livereduce.store.board import Checkpoint
from livereduce.store.journal import Journal
from livereduce.store.record import Record, RunStart


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Beginning:
    """What a reducer knows before it reads its first record."""

    position: int
    """Journal position of that record."""

    run: RunStart | None = None
    """The run that goes on there; None between runs, and when the first record is its start."""

    run_position: int = -1
    """Journal position of the run's start, -1 without one."""

    reading: Record | None = None
    """The reading that the next increment is taken from; None for none."""

    checkpoint: Checkpoint | None = None
    """The checkpoint it goes on from; None when it begins anew."""

    accumulation: AnyWorkspace | None = None
    """The accumulation at the checkpoint; None when that is empty."""


def at_journal_end(journal: Journal) -> Beginning:
    """Begin with what comes next."""
    end, present, start = journal.extent().end, journal.present_run(), journal.last_run()
    if present is None or start is None:
        return Beginning(position=end)
    return Beginning(position=end, run=present[0], run_position=start)


def at_run_start(journal: Journal) -> Beginning:
    """Begin at the start of the newest run, or with the oldest record when no start is known."""
    start = journal.last_run()
    return Beginning(position=journal.extent().start if start is None else start)


def at_checkpoint(journal: Journal, saved: tuple[Checkpoint, AnyWorkspace | None] | None, recipe: str) -> Beginning | None:
    """Go on from `saved`; None when it was made by another recipe, or the journal does not hold any more what it needs."""
    extent = journal.extent()
    if saved is None or saved[0].recipe != recipe or not extent.start <= saved[0].position <= extent.end:
        return None
    where, value = saved
    before = journal.at(where.position - 1)
    if before is None or before.header.time_ns != where.record_ns:
        return None
    if where.run_position < 0:
        return Beginning(position=where.position, checkpoint=where, accumulation=value)
    start = journal.at(where.run_position)
    reading = journal.at(where.previous_position) if where.previous_position >= 0 else None
    if start is None or not isinstance(start.header, RunStart) or (where.previous_position >= 0 and (reading is None or reading.counts is None)):
        return None
    return Beginning(
        position=where.position, run=start.header, run_position=where.run_position, reading=reading, checkpoint=where, accumulation=value
    )
