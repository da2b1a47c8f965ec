"""The board: newest results, what the processes say of themselves, and the reducer's checkpoint.

Readers see a whole set of results or the whole set before it: each `publish` is one transaction.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeVar

import lmdb
import msgspec

from livereduce.errors import StoreError
from livereduce.store.freeze import freeze, thaw
from livereduce.store.shelf import DamagedError, check_room, opening_error, set_aside
from livereduce.store.status import Status

log = logging.getLogger(__name__)

T = TypeVar("T")

MAP_BYTES = 64 * 2**30
"""Address space; pages are taken from the disk only as results need them."""

RESERVE_BYTES = 16 * 2**20
"""Taken when the board is made and given back to it at once, so that status can be written on a full disk."""


class About(msgspec.Struct, kw_only=True, frozen=True):
    """What a published result was made from."""

    run_number: int
    """Run."""

    chunk_first: int
    """Journal position of the first record in it."""

    chunk_last: int
    """Journal position of the last record in it."""

    chunks: int
    """Chunks in it."""

    data_ns: int
    """Time of the newest data in it, ns since 1970-01-01 UTC."""

    published_ns: int
    """When it was published, ns since 1970-01-01 UTC."""

    final: bool = False
    """True for the one made at run end."""

    scripts: dict[str, str] = msgspec.field(default_factory=dict)
    """md5 of the scripts by role."""


class Checkpoint(msgspec.Struct, kw_only=True, frozen=True):
    """Where a reducer can go on: one transaction holds all of it."""

    position: int
    """Journal position of the next record to process."""

    record_ns: int
    """Time of the record before that position, ns since 1970-01-01 UTC: positions are used again when a journal is lost, times are not."""

    run_position: int
    """Journal position of the start of the run."""

    first_position: int
    """Journal position of the first record in the accumulation."""

    recipe: str
    """Hash of scripts and settings that made the accumulation; another recipe starts anew."""

    chunks: int
    """Chunks in the accumulation."""

    previous_position: int
    """Journal position of the reading that the next increment is taken from; -1 for none."""

    data_ns: int
    """Time of the newest data in the accumulation, ns since 1970-01-01 UTC."""


class Board:
    """Results, status and checkpoint, shared by all processes.

    Parameters
    ----------
    folder:
        Where it lies; made if it is absent (mode 0700).
    readonly:
        Open to read; the folder has to exist.

    Raises
    ------
    StoreError
        If it cannot be opened; here and below, if it cannot be written. A damaged one is set aside by a writer, which starts an empty one.
    """

    def __init__(self, folder: Path, *, readonly: bool = False) -> None:
        self.folder = folder
        try:
            self._open(readonly)
        except DamagedError as error:
            if readonly:
                raise
            aside = set_aside(folder)
            log.error("%s; it is kept as %s and an empty one is started, the run is reduced again from the journal", error, aside)
            self._open(readonly)

    def _open(self, readonly: bool) -> None:
        folder = self.folder
        fresh = not (folder / "data.mdb").exists()
        try:
            if not readonly:
                folder.mkdir(parents=True, exist_ok=True, mode=0o700)
                check_room(folder)
            self._env = lmdb.open(
                str(folder), map_size=MAP_BYTES, max_dbs=8, mode=0o600, sync=False, metasync=False, readonly=readonly, max_readers=512
            )  # fmt: skip
            self._inode = self._found_inode()
            self._db = {name: self._env.open_db(name.encode(), create=not readonly) for name in ("status", "results", "about", "checkpoint")}
        except (lmdb.Error, OSError) as error:
            raise opening_error(folder, error) from error
        if fresh and not readonly:
            self._reserve()

    def _reserve(self) -> None:
        try:
            self._write("status", {b"reserve": bytes(RESERVE_BYTES)})
        except StoreError as error:
            needs = f"{RESERVE_BYTES // 2**20} MB"
            log.error("%s: the disk has no %s to spare (%s): status and results may not be written until it has", self.folder, needs, error)
            return
        self._write("status", {b"reserve": None})

    def close(self) -> None:
        """Give the files back."""
        self._env.close()

    def publish(self, results: Mapping[str, object], about: About) -> None:
        """Put `results` (name to workspace or group) in place of all earlier ones."""
        frozen = {name.encode(): freeze(value) for name, value in results.items()}
        try:
            with self._env.begin(write=True) as txn:
                txn.drop(self._db["results"], delete=False)
                for name, data in frozen.items():
                    txn.put(name, data, db=self._db["results"])
                txn.put(b"about", msgspec.msgpack.encode(about), db=self._db["about"])
        except (lmdb.Error, OSError) as error:
            raise StoreError(f"{self.folder}: results cannot be published: {error}") from error

    def names(self) -> list[str]:
        """Return the names of the published results."""
        with self._env.begin() as txn, txn.cursor(db=self._db["results"]) as cursor:
            return [bytes(key).decode() for key in cursor.iternext(values=False)]

    def result(self, name: str) -> Any:
        """Return one published workspace or group, None when there is none of that name."""
        data = self._read("results", name.encode())
        return None if data is None else thaw(data)

    def about(self) -> About | None:
        """Return what the published results were made from, None before the first."""
        return _decoded(self._read("about", b"about"), About)

    def set_status(self, status: Status) -> None:
        """Say what a process does; replaces what that role said before."""
        self._write("status", {str(status.__struct_config__.tag).encode(): msgspec.msgpack.encode(status)})

    def status(self, role: type[Any]) -> Any:
        """Return what `role` (a status class) said last, None when it never did or said it in another version's words."""
        return _decoded(self._read("status", str(role.__struct_config__.tag).encode()), role)

    def forget_status(self) -> None:
        """Forget what the processes of an earlier daemon said."""
        self._write("status", dict.fromkeys((b"receiver", b"reducer", b"supervisor")))

    def save_checkpoint(self, checkpoint: Checkpoint, accumulation: object) -> None:
        """Keep the accumulation and the position that belongs to it, in one transaction."""
        self._write("checkpoint", {b"where": msgspec.msgpack.encode(checkpoint), b"accumulation": freeze(accumulation)})

    def checkpoint(self) -> Checkpoint | None:
        """Return where the last checkpoint was taken, None when there is none or another version took it."""
        return _decoded(self._read("checkpoint", b"where"), Checkpoint)

    def checkpointed(self) -> tuple[Checkpoint, Any] | None:
        """Return the last checkpoint and its accumulation, None when there is none or another version took it."""
        with self._env.begin(db=self._db["checkpoint"]) as txn:
            where, data = _decoded(txn.get(b"where"), Checkpoint), txn.get(b"accumulation")
        if where is None or data is None:
            return None
        try:
            return where, thaw(data)
        except StoreError as error:
            log.warning("The checkpoint is of no use, the run is reduced again from the journal: %s", error)
            return None

    def forget_checkpoint(self) -> None:
        """Forget the checkpoint: the next reducer starts anew."""
        self._write("checkpoint", {b"where": None, b"accumulation": None})

    def version(self) -> int:
        """Return a number that changes when anything is written."""
        return int(self._env.info()["last_txnid"])

    def check(self) -> None:
        """Make sure that this is still the board that the others have; raises `StoreError` if its files were removed or replaced."""
        if self._found_inode() != self._inode:
            raise StoreError(f"{self.folder}: was removed or replaced while it was open; the process ends, the next one opens what is there")

    def _found_inode(self) -> int:
        try:
            return (self.folder / "data.mdb").stat().st_ino
        except OSError:
            return -1

    def sync(self) -> None:
        """Make what was written survive a power cut."""
        try:
            self._env.reader_check()
            self._env.sync(True)
        except lmdb.Error as error:
            raise StoreError(f"{self.folder}: cannot sync: {error}") from error

    def _read(self, db: str, key: bytes) -> bytes | None:
        with self._env.begin(db=self._db[db]) as txn:
            data: bytes | None = txn.get(key)
        return data

    def _write(self, db: str, items: Mapping[bytes, bytes | None]) -> None:
        try:
            with self._env.begin(write=True, db=self._db[db]) as txn:
                for key, value in items.items():
                    if value is None:
                        txn.delete(key)
                    else:
                        txn.put(key, value)
        except (lmdb.Error, OSError) as error:
            raise StoreError(f"{self.folder}: cannot write {db}: {error}") from error


def _decoded(data: bytes | None, wanted: type[T]) -> T | None:
    """Return `data` as `wanted`; None when there is none, or when it is in another version's words."""
    try:
        return None if data is None else msgspec.msgpack.decode(data, type=wanted)
    except msgspec.DecodeError:
        return None
