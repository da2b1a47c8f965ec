"""One LMDB environment of numbered records: what the journal is made of, on disk and in memory."""

from __future__ import annotations

import errno
import os
import time
from collections.abc import Iterator
from itertools import chain, count
from pathlib import Path

import lmdb

from livereduce.errors import StoreError

_DAMAGE = (lmdb.InvalidError, lmdb.CorruptedError, lmdb.PageNotFoundError, lmdb.VersionMismatchError)


class DamagedError(StoreError):
    """The files of a store are not what LMDB wrote; opening them again does not help."""


def opening_error(folder: Path, error: Exception) -> StoreError:
    """Return what to raise when the environment in `folder` cannot be opened: `DamagedError` when its content is why."""
    kind = DamagedError if isinstance(error, _DAMAGE) else StoreError
    return kind(f"{folder}: cannot be opened: {error}")


def set_aside(folder: Path) -> Path:
    """Rename a damaged store out of the way; return its new name."""
    stem = f"{folder.name}.damaged-{time.strftime('%Y%m%dT%H%M%S')}"
    names = chain([stem], (f"{stem}-{n}" for n in count(2)))
    aside = next(path for path in map(folder.with_name, names) if not path.exists())
    folder.rename(aside)
    return aside


LEAST_ROOM_BYTES = 2**20
"""A new store takes less; below this its files cannot be mapped, which a process does not survive."""


def check_room(folder: Path) -> None:
    """Make sure that a new store finds room in `folder`; one that is there already has its own.

    Raises
    ------
    OSError
        ENOSPC, with words.
    """
    if (folder / "data.mdb").exists():
        return
    disk = os.statvfs(folder)
    if (free := disk.f_bavail * disk.f_frsize) < LEAST_ROOM_BYTES:
        raise OSError(errno.ENOSPC, f"the disk is full: {free // 1024} kB free, wanted {LEAST_ROOM_BYTES // 1024} kB")


class Shelf:
    """Records by position, in order, with an index of where runs start.

    Several processes may have it open; one writes. After ``kill -9`` of any of them what was committed is there.

    Parameters
    ----------
    folder:
        Where the environment lies; made if it is absent (mode 0700).
    map_bytes:
        Address space for it; more cannot be stored.
    readonly:
        Open to read; the folder has to exist.

    Raises
    ------
    StoreError
        If it cannot be opened.
    """

    def __init__(self, folder: Path, *, map_bytes: int, readonly: bool = False) -> None:
        self.folder = folder
        self._map_bytes = map_bytes
        self._readonly = readonly
        self._open()

    def _open(self) -> None:
        try:
            if not self._readonly:
                self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
                check_room(self.folder)
            # Unsynced commits survive the death of processes, not of the machine: `sync` is called once a second.
            self._env = lmdb.open(
                str(self.folder), map_size=self._map_bytes, max_dbs=3, mode=0o600,
                sync=False, metasync=False, readahead=False, readonly=self._readonly, max_readers=512,
            )  # fmt: skip
            self._inode = self._found_inode()
            self._records = self._env.open_db(b"records", create=not self._readonly)
            self._runs = self._env.open_db(b"runs", create=not self._readonly)
        except (lmdb.Error, OSError) as error:
            raise opening_error(self.folder, error) from error

    def is_replaced(self) -> bool:
        """Return whether its file was removed, or another stands in its place: what is written here then is seen by nobody else."""
        return self._found_inode() != self._inode

    def _found_inode(self) -> int:
        try:
            return (self.folder / "data.mdb").stat().st_ino
        except OSError:
            return -1

    def close(self) -> None:
        """Give the files back."""
        self._env.close()

    def reopen(self) -> None:
        """Close and open again: the only way out after a failed write of the meta page."""
        self._env.close()
        self._open()

    def put(self, position: int, kind: bytes, data: bytes, *, drop: list[int] | None = None) -> None:
        """Store one record, dropping others in the same transaction.

        Parameters
        ----------
        position:
            Where; above all positions in use.
        kind:
            One byte that tells what it is without decoding; ``b"R"`` goes to the run index.
        data:
            The record.
        drop:
            Positions to remove.

        Raises
        ------
        StoreError
            If there is no room; nothing has changed then.
        """
        key = position.to_bytes(8, "big")
        try:
            with self._env.begin(write=True) as txn:
                for old in drop or ():
                    self._drop(txn, old)
                # LMDB says so, and no more, when a key to append is not the greatest: a second writer, a position counted wrong.
                if not txn.put(key, kind + data, db=self._records, append=True):
                    raise StoreError(f"{self.folder}: position {position} is not above all in use; the record is not stored")
                if kind == b"R":
                    txn.put(key, b"", db=self._runs, append=True)
        except (lmdb.Error, OSError) as error:
            raise StoreError(f"{self.folder}: cannot write: {error}") from error

    def drop(self, positions: list[int]) -> None:
        """Remove records."""
        try:
            with self._env.begin(write=True) as txn:
                for position in positions:
                    self._drop(txn, position)
        except (lmdb.Error, OSError) as error:
            raise StoreError(f"{self.folder}: cannot write: {error}") from error

    def _drop(self, txn: lmdb.Transaction, position: int) -> None:
        key = position.to_bytes(8, "big")
        txn.delete(key, db=self._records)
        txn.delete(key, db=self._runs)

    def read(self, position: int, limit_bytes: int) -> list[tuple[int, bytes]]:
        """Return records from `position` on, up to about `limit_bytes` but at least one when there is one."""
        found: list[tuple[int, bytes]] = []
        size = 0
        with self._env.begin() as txn, txn.cursor(db=self._records) as cursor:
            more = cursor.set_range(position.to_bytes(8, "big"))
            while more and (size < limit_bytes or not found):
                data = cursor.value()
                found.append((int.from_bytes(cursor.key(), "big"), data[1:]))
                size += len(data)
                more = cursor.next()
        return found

    def kinds(self, position: int = 0) -> Iterator[tuple[int, bytes, int]]:
        """Yield (position, kind, bytes) of every record from `position` on, oldest first, without reading them."""
        with self._env.begin(buffers=True) as txn, txn.cursor(db=self._records) as cursor:
            more = cursor.set_range(position.to_bytes(8, "big"))
            while more:
                value = cursor.value()
                yield int.from_bytes(cursor.key(), "big"), bytes(value[:1]), len(value)
                more = cursor.next()

    def span(self) -> tuple[int, int]:
        """Return (first position, position after the last); (0, 0) when empty."""
        with self._env.begin() as txn, txn.cursor(db=self._records) as cursor:
            if not cursor.first():
                return 0, 0
            first = int.from_bytes(cursor.key(), "big")
            cursor.last()
            return first, int.from_bytes(cursor.key(), "big") + 1

    def last_run(self) -> int | None:
        """Return the position of the newest run start; None when there is none."""
        with self._env.begin() as txn, txn.cursor(db=self._runs) as cursor:
            return int.from_bytes(cursor.key(), "big") if cursor.last() else None

    def count(self) -> int:
        """Return the number of records."""
        with self._env.begin() as txn:
            return int(txn.stat(self._records)["entries"])

    def used_bytes(self) -> int:
        """Return the bytes that records take, pages that wait for reuse not counted."""
        with self._env.begin() as txn:
            stat = txn.stat(self._records)
        return int(stat["psize"] * (stat["branch_pages"] + stat["leaf_pages"] + stat["overflow_pages"]))

    def version(self) -> int:
        """Return a number that grows with each write by any process; reading it costs a microsecond."""
        return int(self._env.info()["last_txnid"])

    def sync(self) -> None:
        """Make what was written survive a power cut."""
        try:
            self._env.sync(True)
        except lmdb.Error as error:
            raise StoreError(f"{self.folder}: cannot sync: {error}") from error

    def clear_dead_readers(self) -> int:
        """Free the places of readers that were killed; they would hold old pages for ever."""
        return int(self._env.reader_check())
