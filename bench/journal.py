"""The journal beside a bare copy in memory."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import numpy as np

from bench.cases import OURS, Case, Work
from livereduce.store.journal import Journal
from livereduce.store.record import Histogram, Record

RECORDS = 64
"""Records of one turn."""


def cases(*, quick: bool, threads: int) -> Iterator[Case]:
    """Append and read; the file is in the folder for temporary files, whatever disk that is."""
    size = (1, 10, 100) if quick else (1, 1000, 1000)
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="livereduce-bench-")))
        one = Record(Histogram(time_ns=0, charge_uah=1.0, shape=size), np.ones(size, np.int32))
        small = Record(Histogram(time_ns=0, charge_uah=1.0, shape=(1, 16, 1000)), np.ones((1, 16, 1000), np.int32))
        yield Case(
            name="journal: append 64 records of 4 MB",
            key="journal_append",
            contestants=lambda: _appending(stack, folder / "append", one),
            cores=("all",),
        )
        yield Case(
            name="journal: append 64 records of 64 kB",
            key="journal_append_small",
            contestants=lambda: _appending(stack, folder / "small", small),
            cores=("all",),
        )
        yield Case(
            name="journal: read 64 records of 4 MB", key="journal_read", contestants=lambda: _reading(stack, folder / "read", one), cores=("all",)
        )


def _journal(stack: ExitStack, folder: Path, record: Record) -> Journal:
    """Open a journal that has turned over, so that pages are used again as in a service that has run for a while."""
    assert record.counts is not None
    journal = Journal(folder, folder.with_suffix(".overflow"), max_bytes=4 * RECORDS * record.counts.nbytes)
    stack.callback(journal.close)
    for _ in range(5 * RECORDS):
        journal.append(record)
    return journal


def _copies(record: Record) -> Work:
    assert record.counts is not None
    one = record.counts.ravel()
    there = np.empty((RECORDS, one.size), np.int32)

    def copy() -> None:
        for row in there:
            row[:] = one

    return copy


def _appending(stack: ExitStack, folder: Path, record: Record) -> dict[str, Work]:
    journal = _journal(stack, folder, record)

    def append() -> None:
        for _ in range(RECORDS):
            journal.append(record)

    return {OURS: append, "limit: copy in memory": _copies(record)}


def _reading(stack: ExitStack, folder: Path, record: Record) -> dict[str, Work]:
    journal = _journal(stack, folder, record)
    end = journal.extent().end

    def read() -> None:
        position = end - RECORDS
        while (batch := journal.read(position)).records:
            position = batch.next

    return {OURS: read, "limit: copy in memory": _copies(record)}
