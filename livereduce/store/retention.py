"""What the journal gives up when it is full. Pure: positions, kinds and sizes in, positions out."""

from __future__ import annotations

from collections.abc import Iterable

RUN_START = b"R"
RUN_END = b"E"
HISTOGRAM = b"H"
EVENTS = b"V"
GAP = b"G"


def victims(entries: Iterable[tuple[int, bytes, int]], to_free: int) -> list[int]:
    """Choose the records to drop.

    Readings that a later reading of their run supersedes go first, since counts are cumulative; then the oldest records of
    earlier runs; then the oldest of the present run. Its start, its newest reading and its end are never given up, nor the newest record of all:
    positions are counted on from it.

    Parameters
    ----------
    entries:
        (position, kind, bytes) of every record, oldest first.
    to_free:
        Bytes wanted.

    Returns
    -------
    list of int
        Positions, fewest that free `to_free` bytes in that order; fewer bytes when there is no more to give.
    """
    entries = list(entries)
    present = max((position for position, kind, _ in entries if kind == RUN_START), default=-1)
    superseded, newest = _superseded(entries)
    ended = {position for position, kind, _ in entries if kind == RUN_END and position > present}
    kept = {present, newest, *ended, *(position for position, _, _ in entries[-1:])}
    ranks = sorted(
        ((position not in superseded, position >= present, position), position, size) for position, _, size in entries if position not in kept
    )
    chosen, freed = [], 0
    for _, position, size in ranks:
        if freed >= to_free:
            break
        chosen.append(position)
        freed += size
    return chosen


def _superseded(entries: list[tuple[int, bytes, int]]) -> tuple[set[int], int]:
    """Return the readings followed by another of the same run, and the newest reading of all (-1 for none)."""
    superseded, last = set(), -1
    newest = -1
    for position, kind, _ in entries:
        if kind == RUN_START:
            last = -1
        elif kind == HISTOGRAM:
            if last >= 0:
                superseded.add(last)
            last = newest = position
    return superseded, newest
