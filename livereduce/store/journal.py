"""The journal: everything the source sent, in order, until a reducer has no more use for it.

Records have positions 0, 1, 2, ...; a reader that knows a position can start there. The journal is bounded (`retention`)
and, when its disk takes no more, goes on in memory until the disk is back: nothing that came is dropped while there is room anywhere.
"""

from __future__ import annotations

import logging
import shutil
import time
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

from livereduce.errors import StoreError
from livereduce.store.record import Events, Gap, Header, Histogram, Record, RunEnd, RunStart, decode, encode
from livereduce.store.retention import EVENTS, GAP, HISTOGRAM, RUN_END, RUN_START, victims
from livereduce.store.shelf import DamagedError, Shelf, set_aside

log = logging.getLogger(__name__)

_KINDS: dict[type[Header], bytes] = {RunStart: RUN_START, RunEnd: RUN_END, Histogram: HISTOGRAM, Events: EVENTS, Gap: GAP}

OVERFLOW_BYTES = 512 * 2**20
"""Memory that the journal may take while its disk is full: some minutes of a large instrument, a small part of any machine."""

MAP_SLACK = 2**30
"""Address space above the bound, so that pages waiting for reuse never make the map full."""

KEPT_FRACTION = 0.9
"""A full journal is emptied to this fraction, so that the choice is not made for each record."""

RETRY_S = 1.0
"""How often a full disk is tried again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """Records read in one go."""

    records: tuple[tuple[int, Record], ...]
    """(position, record), oldest first."""

    next: int
    """Position to read from next."""

    cut: bool
    """Whether the limit ended it: there may be more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Extent:
    """How much the journal holds."""

    start: int
    """First position."""

    end: int
    """Position after the last."""

    records: int
    """Records on disk and in memory."""

    bytes: int
    """Bytes they take."""


class Journal:
    """Append records, read them from a position.

    One process writes, any number read; what is appended is seen by the others at once and survives ``kill -9`` of each of them.

    Parameters
    ----------
    folder:
        Where it lies on disk.
    overflow:
        Folder in memory to go on in when the disk takes no more.
    max_bytes:
        Bound on what is kept.
    readonly:
        Open to read.

    Raises
    ------
    StoreError
        If it cannot be opened. A damaged one is set aside by a writer, which starts an empty one.
    """

    def __init__(self, folder: Path, overflow: Path, *, max_bytes: int, readonly: bool = False) -> None:
        self.folder = folder
        self.max_bytes = max_bytes
        self._disk = _open_disk(folder, max_bytes, readonly)
        self._memory = Shelf(overflow, map_bytes=OVERFLOW_BYTES * 2, readonly=readonly)
        self._next = max(self._disk.span()[1], self._memory.span()[1])
        self._disk_full_since: float | None = None
        self._retry_at = 0.0
        self.lost_records = 0
        self.undecodable = 0

    @property
    def disk_is_full(self) -> bool:
        """True while records go to memory because the disk takes no more."""
        return self._disk_full_since is not None

    def append(self, record: Record) -> int:
        """Store `record`; return its position.

        Raises
        ------
        StoreError
            If neither disk nor memory takes it; it is counted in `lost_records`.
        """
        position, kind, data = self._next, _KINDS[type(record.header)], encode(record)
        if not self._memory_is_in_use() or self._return_to_disk():
            try:
                self._disk.put(position, kind, data, drop=self._excess(self._disk, len(data), self.max_bytes))
                self._next = position + 1
                return position
            except StoreError as error:
                self._leave_disk(error)
        try:
            self._memory.put(position, kind, data, drop=self._excess_in_memory(len(data)))
        except StoreError:
            self.lost_records += 1
            raise
        self._next = position + 1
        return position

    def read(self, position: int, *, limit_bytes: int = 64 * 2**20) -> Batch:
        """Return what stands from `position` on, up to about `limit_bytes`, at least one record when there is one."""
        found = self._disk.read(position, limit_bytes)
        if _size(found) < limit_bytes:
            found += self._after_disk(found[-1][0] + 1 if found else position, limit_bytes)
        records = tuple((at, record) for at, data in found if (record := self._decoded(at, data)) is not None)
        return Batch(records=records, next=found[-1][0] + 1 if found else max(position, 0), cut=_size(found) >= limit_bytes)

    def _after_disk(self, position: int, limit_bytes: int) -> list[tuple[int, bytes]]:
        """Return what stands in memory from `position` on.

        The writer may be moving it to the disk at this moment: what was moved between the look at the disk and the look at memory is
        on the disk now. Memory is looked at first, so that nothing falls between the two.
        """
        waiting = self._memory.read(position, limit_bytes)
        moved = self._disk.read(position, limit_bytes)
        if _size(moved) >= limit_bytes:
            return moved
        after = moved[-1][0] + 1 if moved else position
        return moved + [(at, data) for at, data in waiting if at >= after]

    def extent(self) -> Extent:
        """Return how much there is."""
        disk, memory = self._disk.span(), self._memory.span()
        return Extent(
            start=disk[0] if disk[1] else memory[0],
            end=max(disk[1], memory[1]),
            records=self._disk.count() + self._memory.count(),
            bytes=self._disk.used_bytes() + self._memory.used_bytes(),
        )

    def last_run(self) -> int | None:
        """Return the position of the newest run start, None when there is none."""
        found = self._memory.last_run()
        return self._disk.last_run() if found is None else found

    def present_run(self) -> tuple[RunStart, Record | None] | None:
        """Return the start and the newest reading of a run that has not ended, None when there is no such run."""
        start = self.last_run()
        if start is None:
            return None
        newest = -1
        for position, kind, _ in chain(self._disk.kinds(start), self._memory.kinds(start)):
            if kind == RUN_END:
                return None
            if kind == HISTOGRAM:
                newest = position
        head = self.at(start)
        reading = self.at(newest) if newest >= 0 else None
        return (head.header, reading) if head is not None and isinstance(head.header, RunStart) else None

    def at(self, position: int) -> Record | None:
        """Return the record at `position`; None when it was given up or cannot be read."""
        found = self.read(position, limit_bytes=1).records
        return found[0][1] if found and found[0][0] == position else None

    def bytes_from(self, position: int) -> int:
        """Return about how many bytes the records from `position` on take: their share of all, by number."""
        extent = self.extent()
        waiting = max(0, extent.end - max(position, extent.start))
        return int(extent.bytes * min(1.0, waiting / max(1, extent.records)))

    def version(self) -> int:
        """Return a number that changes when anything is written; cheap enough to ask every few milliseconds."""
        return self._disk.version() + self._memory.version()

    def sync(self) -> None:
        """Make the records survive a power cut; call it about once a second."""
        self._disk.clear_dead_readers()
        self._disk.sync()

    def check(self) -> None:
        """Make sure that this is still the journal that the others have; call it about once a second.

        Raises
        ------
        StoreError
            If its files were removed or replaced.
        """
        for shelf in (self._disk, self._memory):
            if shelf.is_replaced():
                raise StoreError(f"{shelf.folder}: was removed or replaced while it was open; the process ends, the next one opens what is there")

    def close(self) -> None:
        """Give the files back."""
        self._disk.close()
        self._memory.close()

    def _decoded(self, position: int, data: bytes) -> Record | None:
        try:
            return decode(data)
        except StoreError as error:
            self.undecodable += 1
            log.error("Journal position %d: %s", position, error)
            return None

    def _excess(self, shelf: Shelf, incoming: int, limit: int) -> list[int]:
        over = shelf.used_bytes() + incoming - limit
        return victims(shelf.kinds(), int(over + (1 - KEPT_FRACTION) * limit)) if over > 0 else []

    def _excess_in_memory(self, incoming: int) -> list[int]:
        chosen = self._excess(self._memory, incoming, OVERFLOW_BYTES)
        kinds = {position: kind for position, kind, _ in self._memory.kinds()} if chosen else {}
        self.lost_records += sum(kinds[position] != HISTOGRAM for position in chosen)
        return chosen

    def _memory_is_in_use(self) -> bool:
        return self._disk_full_since is not None or self._memory.count() > 0

    def _leave_disk(self, error: StoreError) -> None:
        if self._disk_full_since is None:
            self._disk_full_since = time.monotonic()
            log.error("Journal stopped on disk: %s; chunks go on from memory (%d MB at most)", error, OVERFLOW_BYTES // 2**20)
        self._retry_at = time.monotonic() + RETRY_S
        self._disk.reopen()

    def _return_to_disk(self) -> bool:
        """Move what waits in memory to the disk when it takes it again; return whether all of it went."""
        if time.monotonic() < self._retry_at:
            return False
        while waiting := self._memory.read(0, 2**20):
            kinds = {position: kind for position, kind, _ in self._memory.kinds()}
            on_disk = self._disk.span()[1]
            try:
                for position, data in waiting:
                    if position < on_disk:  # moved, but the writer was killed before it was taken out of memory
                        self._memory.drop([position])
                        continue
                    self._disk.put(position, kinds[position], data, drop=self._excess(self._disk, len(data), self.max_bytes))
                    self._memory.drop([position])
            except StoreError as error:
                self._leave_disk(error)
                return False
        if self._disk_full_since is not None:
            log.warning("Journal is back on disk after %.0f s, %d records lost", time.monotonic() - self._disk_full_since, self.lost_records)
            self._disk_full_since = None
        return True


def _open_disk(folder: Path, max_bytes: int, readonly: bool) -> Shelf:
    map_bytes = 2 * max_bytes + MAP_SLACK
    try:
        return Shelf(folder, map_bytes=map_bytes, readonly=readonly)
    except DamagedError as error:
        if readonly:
            raise
        aside = set_aside(folder)
        log.error("%s; it is kept as %s and an empty one is started", error, aside)
        return Shelf(folder, map_bytes=map_bytes)


def _size(found: list[tuple[int, bytes]]) -> int:
    return sum(len(data) for _, data in found)


def discard_overflow(overflow: Path) -> None:
    """Remove the folder in memory of a journal that no process has open, unless records wait there for the disk."""
    if not overflow.is_dir():
        return
    shelf = Shelf(overflow, map_bytes=OVERFLOW_BYTES * 2)
    waiting = shelf.count()
    shelf.close()
    if not waiting:
        shutil.rmtree(overflow, ignore_errors=True)
