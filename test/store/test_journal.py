"""The journal, on real files and in real processes."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from livereduce.errors import StoreError
from livereduce.store.journal import Journal
from livereduce.store.record import Gap, Histogram, Record, RunStart
from livereduce.store.shelf import Shelf
from test.fakes import fill, gap, journal_in, layout, reading, run_end, run_start, wait_for

ROOT = Path(__file__).resolve().parents[2]


def python(code: str, *args: object) -> subprocess.Popen[str]:
    """Start `code` in another process, its output readable."""
    words = [sys.executable, "-c", code, *map(str, args)]
    return subprocess.Popen(words, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


def lines_of(process: subprocess.Popen[str]) -> list[str]:
    out, _ = process.communicate(timeout=60)
    return out.split()


def numbers(journal: Journal) -> list[int]:
    """Run numbers of the run starts that the journal holds, from its start."""
    found, position = [], 0
    while (batch := journal.read(position)).records:
        found += [record.header.number for _, record in batch.records if isinstance(record.header, RunStart)]
        position = batch.next
    return found


READER = """
import sys
from pathlib import Path
from livereduce.store.journal import Journal
folder, wanted = Path(sys.argv[1]), int(sys.argv[2])
journal = Journal(folder / "journal", folder / "overflow", max_bytes=10**8, readonly=True)
position, seen = 0, []
print("open", flush=True)
while len(seen) < wanted:
    batch = journal.read(position)
    seen += [str(at) for at, _ in batch.records]
    position = batch.next
print(*seen)
journal.close()
"""


def test_records_are_read_in_the_order_in_which_they_were_appended(tmp_path: Path) -> None:
    records = [run_start(5), reading(1), reading(2), gap(), run_end(5)]
    with journal_in(tmp_path, records=records) as journal:
        batch = journal.read(0)
    assert [position for position, _ in batch.records] == [0, 1, 2, 3, 4]
    assert [type(record.header) for _, record in batch.records] == [type(record.header) for record in records]
    assert batch.next == 5


def test_an_empty_journal_has_nothing_to_read_and_stays_where_it_is(tmp_path: Path) -> None:
    with journal_in(tmp_path) as journal:
        assert (journal.read(0).records, journal.read(0).next, journal.read(7).next) == ((), 0, 7)
        assert (journal.extent().start, journal.extent().end, journal.extent().records) == (0, 0, 0)
        assert journal.last_run() is None
        assert journal.present_run() is None


def test_a_limited_read_gives_at_least_one_record_and_goes_on_where_it_stopped(tmp_path: Path) -> None:
    with journal_in(tmp_path, records=[reading(k) for k in range(5)]) as journal:
        first = journal.read(0, limit_bytes=1)
        rest = journal.read(first.next)
    assert len(first.records) == 1
    assert [position for position, _ in rest.records] == [1, 2, 3, 4]


def test_positions_go_on_after_a_new_start(tmp_path: Path) -> None:
    with journal_in(tmp_path, records=[run_start(1), reading(1)]):
        pass
    with journal_in(tmp_path) as journal:
        assert journal.append(reading(2)) == 2
        assert journal.extent().end == 3


def test_the_version_changes_with_each_append_and_only_then(tmp_path: Path) -> None:
    with journal_in(tmp_path) as journal:
        before = journal.version()
        assert journal.version() == before
        journal.append(gap())
        assert journal.version() != before


def test_the_newest_run_start_is_found_without_reading(tmp_path: Path) -> None:
    with journal_in(tmp_path, records=[run_start(1), reading(1), run_end(1), run_start(2), reading(1)]) as journal:
        assert journal.last_run() == 3


@pytest.mark.parametrize(
    ("records", "number", "counts"),
    [
        ([run_start(1)], 1, None),
        ([run_start(1), reading(3), reading(4)], 1, 4),
        ([run_start(1), reading(3), run_end(1), run_start(2), gap()], 2, None),
        ([run_start(1), reading(3), run_end(1)], None, None),
        ([reading(3)], None, None),
    ],
)
def test_the_present_run_is_the_one_that_has_not_ended(tmp_path: Path, records: list[Record], number: int | None, counts: int | None) -> None:
    with journal_in(tmp_path, records=records) as journal:
        present = journal.present_run()
    if number is None:
        assert present is None
        return
    assert present is not None
    assert present[0].number == number
    newest = present[1]
    assert (None if newest is None or newest.counts is None else newest.counts.max()) == counts


def test_several_processes_read_while_one_writes(tmp_path: Path) -> None:
    with journal_in(tmp_path) as journal:
        readers = [python(READER, tmp_path, 200) for _ in range(2)]
        for reader in readers:
            assert reader.stdout is not None
            assert reader.stdout.readline() == "open\n"
        for k in range(200):
            journal.append(reading(k))
        seen = [lines_of(reader) for reader in readers]
    assert seen == [[str(k) for k in range(200)]] * 2


WRITER = """
import sys
from pathlib import Path
from livereduce.store.journal import Journal
from livereduce.store.record import Gap, Record
folder = Path(sys.argv[1])
journal = Journal(folder / "journal", folder / "overflow", max_bytes=10**8)
while True:
    print(journal.append(Record(Gap(time_ns=0, reason='x' * 1000))), flush=True)
"""


def test_what_was_appended_survives_the_writers_sudden_death(tmp_path: Path) -> None:
    writer = python(WRITER, tmp_path)
    assert writer.stdout is not None
    for _ in range(50):
        writer.stdout.readline()
    os.kill(writer.pid, signal.SIGKILL)
    said = [line for line in writer.stdout.read().split("\n")[:-1] if line]  # complete lines only
    writer.communicate()
    last = int(said[-1]) if said else 49
    with journal_in(tmp_path) as journal:
        held = [position for position, _ in journal.read(0).records]
        assert held[: last + 1] == list(range(last + 1))
        assert journal.append(gap()) == len(held)


def test_a_killed_reader_does_not_hold_old_pages_for_ever(tmp_path: Path) -> None:
    with journal_in(tmp_path, records=[gap()]) as journal:
        code = READER.replace("print(*seen)", "txn = journal._disk._env.begin(); print('held', flush=True); sys.stdin.read()")
        reader = python(code, tmp_path, 1)
        assert reader.stdout is not None
        assert [reader.stdout.readline(), reader.stdout.readline()] == ["open\n", "held\n"]
        os.kill(reader.pid, signal.SIGKILL)
        reader.communicate()
        journal.sync()
        for k in range(300):  # pages are used again: the file does not grow with what was dropped
            journal.append(reading(k))
        assert journal._disk.clear_dead_readers() == 0


def test_a_journal_stays_within_its_bound_and_keeps_the_present_run(tmp_path: Path) -> None:
    of = layout(spectra=10, bins=1000)
    with journal_in(tmp_path, max_bytes=2_000_000) as journal:
        journal.append(run_start(1, of=of))
        for k in range(300):
            journal.append(reading(k, of=of))
            assert journal.extent().bytes <= 2_000_000
        present = journal.present_run()
        assert present is not None
        assert present[0].number == 1
        assert present[1] is not None
        assert present[1].counts is not None
        assert present[1].counts.max() == 299
        assert journal.extent().end == 301
        assert journal.lost_records == 0
    assert (tmp_path / "journal" / "data.mdb").stat().st_blocks * 512 < 8_000_000


def test_an_ended_run_does_not_seem_to_go_on_when_the_journal_was_full(tmp_path: Path) -> None:
    of = layout(spectra=10, bins=1000)
    with journal_in(tmp_path, max_bytes=300_000) as journal:
        for record in [run_start(1, of=of), *(reading(k, of=of) for k in range(40)), run_end(1)]:
            journal.append(record)
        for _ in range(2000):
            journal.append(gap("x" * 200))
        assert journal.present_run() is None
        end = journal.extent().end
    with journal_in(tmp_path, max_bytes=300_000) as journal:
        assert journal.extent().end == end
        assert journal.append(gap()) == end


def test_a_record_that_cannot_be_read_is_skipped_and_counted(tmp_path: Path) -> None:
    with journal_in(tmp_path, records=[run_start(1), reading(1)]) as journal:
        journal._disk.put(2, b"H", b"nonsense")
        journal._next = 3
        journal.append(reading(3))
        batch = journal.read(0)
        assert [position for position, _ in batch.records] == [0, 1, 3]
        assert journal.undecodable == 1
        assert journal.read(2, limit_bytes=1).next == 3
        assert journal.at(2) is None


def test_a_present_run_whose_start_cannot_be_read_is_none(tmp_path: Path) -> None:
    with journal_in(tmp_path) as journal:
        journal._disk.put(0, b"R", b"nonsense")
        assert journal.present_run() is None


def test_a_damaged_journal_is_set_aside_and_an_empty_one_started(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    for _ in range(2):  # twice within a second: each keeps its own name
        (tmp_path / "journal").mkdir()
        (tmp_path / "journal" / "data.mdb").write_bytes(b"\x13" * 40_000)
        with journal_in(tmp_path, records=[run_start(4)]) as journal:
            assert numbers(journal) == [4]
        (tmp_path / "journal" / "lock.mdb").unlink()
        (tmp_path / "journal" / "data.mdb").unlink()
        (tmp_path / "journal").rmdir()
    kept = sorted(tmp_path.glob("journal.damaged-*"))
    assert len(kept) == 2
    assert all((folder / "data.mdb").read_bytes() == b"\x13" * 40_000 for folder in kept)
    assert f"it is kept as {kept[0]} and an empty one is started" in caplog.text


def test_a_reader_does_not_set_a_damaged_journal_aside(tmp_path: Path) -> None:
    (tmp_path / "journal").mkdir()
    (tmp_path / "journal" / "data.mdb").write_bytes(b"\x13" * 40_000)
    with pytest.raises(StoreError, match=r"journal: cannot be opened: "):
        Journal(tmp_path / "journal", tmp_path / "overflow", max_bytes=10**6, readonly=True)
    assert (tmp_path / "journal" / "data.mdb").exists()


def test_a_journal_that_cannot_be_opened_for_another_reason_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "journal").mkdir()
    (tmp_path / "journal" / "data.mdb").mkdir()
    with pytest.raises(StoreError, match=r"journal: cannot be opened: .*directory"):
        Journal(tmp_path / "journal", tmp_path / "overflow", max_bytes=10**6)
    assert not list(tmp_path.glob("*.damaged-*"))


def test_a_position_that_is_in_use_is_refused_and_nothing_is_lost_silently(tmp_path: Path) -> None:
    shelf = Shelf(tmp_path / "shelf", map_bytes=10**7)
    shelf.put(4, b"G", b"one")
    with pytest.raises(StoreError, match="position 4 is not above all in use; the record is not stored"):
        shelf.put(4, b"G", b"two")
    assert shelf.read(0, 100) == [(4, b"one")]
    shelf.close()


# --- a disk that is full


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of 4 MB."""
    disk = tmp_path / "disk"
    disk.mkdir()
    if os.geteuid() != 0:
        pytest.skip("a small disk is a mounted tmpfs, and mounting needs root")
    done = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=4m", "tmpfs", str(disk)], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        pytest.skip(f"mounting a tmpfs is not allowed here: {done.stderr.strip()}")
    try:
        yield disk
    finally:
        subprocess.run(["umount", "--lazy", str(disk)], check=True)


BIG = layout(spectra=10, bins=1000)


def come_back(journal: Journal) -> int:
    """Append until the journal is back on its disk; return how many that took."""
    appended = 0

    def back() -> bool:
        nonlocal appended
        journal._retry_at = 0.0
        journal.append(gap("while coming back"))
        appended += 1
        return not journal.disk_is_full

    wait_for(back, "the journal is back on its disk")
    return appended


def test_a_full_disk_sends_the_journal_to_memory_and_back_in_order(small_disk: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    journal = Journal(small_disk / "journal", tmp_path / "overflow", max_bytes=10**9)
    for record in [run_start(1, of=BIG), *(reading(k, of=BIG) for k in range(5))]:
        journal.append(record)
    ballast = fill(small_disk)
    for k in range(5, 60):
        assert journal.append(reading(k, of=BIG)) == k + 1
    assert journal.disk_is_full
    assert journal.lost_records == 0
    batch = journal.read(0)
    assert [position for position, _ in batch.records] == list(range(61))
    assert [record.counts.max() for _, record in batch.records[1:] if record.counts is not None] == list(range(60))
    present = journal.present_run()
    assert present is not None
    assert present[1] is not None
    assert present[1].counts is not None
    assert present[1].counts.max() == 59
    ballast.unlink()
    appended = come_back(journal)
    assert journal._memory.count() == 0
    after = journal.read(0)
    assert [position for position, _ in after.records] == list(range(61 + appended))
    assert journal.lost_records == 0
    assert "Journal stopped on disk" in caplog.text
    assert "Journal is back on disk" in caplog.text
    journal.close()


def test_a_journal_that_was_closed_while_its_disk_was_full_goes_on_where_it_was(small_disk: Path, tmp_path: Path) -> None:
    journal = Journal(small_disk / "journal", tmp_path / "overflow", max_bytes=10**9)
    journal.append(run_start(1, of=BIG))
    ballast = fill(small_disk)
    for k in range(20):
        journal.append(reading(k, of=BIG))
    journal.close()
    again = Journal(small_disk / "journal", tmp_path / "overflow", max_bytes=10**9)
    assert again.append(reading(20, of=BIG)) == 21
    assert [position for position, _ in again.read(0).records] == list(range(22))
    assert not list(small_disk.glob("*.damaged*"))
    ballast.unlink()
    come_back(again)
    assert again._memory.count() == 0
    assert [position for position, _ in again.read(0).records][:22] == list(range(22))
    again.close()


def test_a_reader_misses_nothing_while_records_move_from_memory_to_the_disk(small_disk: Path, tmp_path: Path) -> None:
    (tmp_path / "journal").symlink_to(small_disk / "journal")
    journal = Journal(small_disk / "journal", tmp_path / "overflow", max_bytes=10**9)
    small = layout()
    journal.append(run_start(1, of=small))
    ballast = fill(small_disk)
    count = 1
    while not journal.disk_is_full or count < 400:
        count = journal.append(reading(count, of=small)) + 1
    reader = python(READER.replace("print(*seen)", "print(*seen); sys.stdout.flush()"), tmp_path, count + 200)
    assert reader.stdout is not None
    assert reader.stdout.readline() == "open\n"
    ballast.unlink()
    journal._retry_at = 0.0
    for k in range(200):
        journal.append(reading(k, of=small))
    assert lines_of(reader) == [str(position) for position in range(count + 200)]
    journal.close()


def test_a_record_that_was_moved_but_not_taken_out_of_memory_is_not_read_twice_and_does_not_stop_the_return(tmp_path: Path) -> None:
    with journal_in(tmp_path, records=[run_start(1), reading(1)]) as journal:
        at_1 = journal._disk.read(1, 1)
        journal._memory.put(1, b"H", at_1[0][1])  # as kill -9 between the two steps leaves it
        journal._memory.put(2, b"G", journal._disk.read(0, 1)[0][1])
    with journal_in(tmp_path) as journal:
        assert [position for position, _ in journal.read(0).records] == [0, 1, 2]
        assert journal.append(gap()) == 3
        assert journal._memory.count() == 0
        assert [position for position, _ in journal.read(0).records] == [0, 1, 2, 3]


def test_what_neither_disk_nor_memory_takes_is_counted(small_disk: Path, caplog: pytest.LogCaptureFixture) -> None:
    journal = Journal(small_disk / "journal", small_disk / "overflow", max_bytes=10**9)
    fill(small_disk)
    refused = 0
    for k in range(60):
        try:
            journal.append(reading(k, of=BIG))
        except StoreError:
            refused += 1
    assert refused > 0
    assert journal.lost_records == refused
    held = [position for position, _ in journal.read(0).records]
    assert held == list(range(60 - refused))
    journal.close()


def test_positions_of_headers_and_counts_fit_together(tmp_path: Path) -> None:
    with journal_in(tmp_path, records=[run_start(1), reading(np.arange(6, dtype=np.int32).reshape(1, 2, 3))]) as journal:
        record = journal.at(1)
        assert record is not None
        assert isinstance(record.header, Histogram)
        assert record.counts is not None
        assert record.counts.tolist() == [[[0, 1, 2], [3, 4, 5]]]
        assert not isinstance(record.header, Gap)
