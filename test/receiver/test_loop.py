"""The receiver's loop, with a source that does as it is told and clocks that stand."""

from __future__ import annotations

import logging
import re
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest

from livereduce.errors import ListenerError, StoreError, WireError
from livereduce.receiver.loop import FIRST_BACK_OFF_S, MAX_BACK_OFF_S, Clocks, Receiver
from livereduce.store.board import Board
from livereduce.store.journal import Journal
from livereduce.store.record import Gap, Histogram, Record, RunStart
from livereduce.store.status import ReceiverStatus, ReducerStatus
from test.fakes import Clock, FakeListener, gap, journal_in, layout, reading, run_end, run_start, wait_for


@contextmanager
def board_in(folder: Path) -> Iterator[Board]:
    board = Board(folder / "board")
    yield board
    board.close()


class HurriedClock(Clock):
    """Turns by more than the longest wait whenever it is looked at: waits are over at once."""

    def monotonic_s(self) -> float:
        self.turn(2 * MAX_BACK_OFF_S)
        return self.now_s


def receive(folder: Path, listener: FakeListener, journal: Journal, clock: Clock | None = None) -> ReceiverStatus:
    """Run a receiver until `listener` has nothing more to say; return its last status."""
    clock = clock or HurriedClock()
    with board_in(folder) as board:
        receiver = Receiver(
            listener, "fake host:1", journal, board, folder / "evidence", Clocks(wall_ns=clock.wall_ns, monotonic_s=clock.monotonic_s)
        )
        thread = threading.Thread(target=receiver.run)
        thread.start()
        assert listener.idle.wait(20)
        receiver.stop()
        thread.join(20)
        assert not thread.is_alive()
        status = board.status(ReceiverStatus)
        assert isinstance(status, ReceiverStatus)
        return status


def held(journal: Journal) -> list[Record]:
    return [record for _, record in journal.read(0).records]


def waits(caplog: pytest.LogCaptureFixture) -> list[float]:
    """The waits that the log tells of."""
    return [float(found[1]) for record in caplog.records if (found := re.search(r"retrying in ([\d.]+) s$", record.getMessage()))]


def refused(n: int) -> list[Exception | None]:
    return [ListenerError(f"refused {k}") for k in range(n)]


def test_what_the_source_sends_stands_in_the_journal_in_order(tmp_path: Path) -> None:
    records = [run_start(3), reading(1), reading(2), run_end(3)]
    with journal_in(tmp_path) as journal:
        status = receive(tmp_path, FakeListener([records[:1], [], records[1:]]), journal)
        assert [type(record.header) for record in held(journal)] == [type(record.header) for record in records]
    assert status.records == 4


def test_waits_double_up_to_a_bound(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    with journal_in(tmp_path) as journal:
        listener = FakeListener(connects=refused(8))
        receive(tmp_path, listener, journal)
    assert waits(caplog) == [0.5, 1.0, 2.0, 4.0, 8.0, 10.0, 10.0, 10.0]
    assert (FIRST_BACK_OFF_S, MAX_BACK_OFF_S) == (0.5, 10.0)
    assert listener.connected == 9


def test_a_success_makes_the_next_wait_short_again(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    with journal_in(tmp_path) as journal:
        receive(tmp_path, FakeListener([[gap()], ListenerError("gone")], refused(3)), journal)
    assert waits(caplog) == [0.5, 1.0, 2.0, 0.5]


def test_a_source_that_takes_connections_and_breaks_each_at_once_is_tried_less_and_less(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    with journal_in(tmp_path) as journal:
        receive(tmp_path, FakeListener([ListenerError("gone")] * 3), journal)
    assert waits(caplog) == [0.5, 1.0, 2.0]


def test_the_wait_lasts_as_long_as_it_says(tmp_path: Path) -> None:
    clock = Clock()
    listener = FakeListener(connects=refused(1))
    with journal_in(tmp_path) as journal, board_in(tmp_path) as board:
        receiver = Receiver(listener, "fake", journal, board, tmp_path, Clocks(wall_ns=clock.wall_ns, monotonic_s=clock.monotonic_s))
        thread = threading.Thread(target=receiver.run)
        thread.start()
        wait_for(lambda: (status := board.status(ReceiverStatus)) is not None and status.state == "waiting to reconnect")
        clock.turn(FIRST_BACK_OFF_S - 0.01)
        assert not listener.idle.wait(0.7)  # longer than one look at the clock
        assert listener.connected == 1
        clock.turn(0.02)
        assert listener.idle.wait(20)
        receiver.stop()
        thread.join(20)


def test_the_diary_says_where_it_is_connected_to_and_why_no_more(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    with journal_in(tmp_path) as journal:
        receive(tmp_path, FakeListener([ListenerError("the peer closed")]), journal)
    said = [record.getMessage() for record in caplog.records]
    assert said[:3] == ["Connected to fake host:1", "Connection lost: the peer closed; retrying in 0.5 s", "Connected to fake host:1"]


def test_the_same_loss_over_and_over_is_logged_less_and_less(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    with journal_in(tmp_path) as journal:
        receive(tmp_path, FakeListener(connects=[ListenerError("refused")] * 40), journal)
    lost = [record.getMessage() for record in caplog.records if "Connection lost" in record.getMessage()]
    assert len(lost) == 8
    assert "(32 times in a row)" in lost[-1]


def test_newlines_and_control_letters_from_the_network_do_not_reach_log_or_status(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    nasty = "no\n2026-01-01 - x - INFO - Run 5 started\r\x1b[2Jend\u2028"
    reasons: list[str] = []
    listener = FakeListener(connects=[ListenerError(nasty)])
    with journal_in(tmp_path) as journal, board_in(tmp_path) as board:
        clock = Clock()
        receiver = Receiver(listener, "fake", journal, board, tmp_path, Clocks(wall_ns=clock.wall_ns, monotonic_s=clock.monotonic_s))
        thread = threading.Thread(target=receiver.run)
        thread.start()
        wait_for(lambda: (status := board.status(ReceiverStatus)) is not None and status.state == "waiting to reconnect")
        reasons.append(board.status(ReceiverStatus).reason)
        receiver.stop()
        thread.join(20)
    wanted = "no 2026-01-01 - x - INFO - Run 5 started ?[2Jend"
    assert reasons == [wanted]
    assert f"Connection lost: {wanted}; retrying in 0.5 s" in [record.getMessage() for record in caplog.records]


# --- runs go on


def test_a_run_goes_on_after_a_new_connection_and_after_a_new_receiver(tmp_path: Path) -> None:
    of = layout()
    with journal_in(tmp_path) as journal:
        first = FakeListener([[run_start(1, of=of), reading(1, of=of), reading(2, of=of)], ListenerError("gone"), [reading(3, of=of)]])
        receive(tmp_path, first, journal)
        assert [(found, counts.max()) for found, counts in first.resumed] == [(of, 2)]
        second = FakeListener([[reading(4, of=of)]])
        status = receive(tmp_path, second, journal)
        assert [(found, counts.max()) for found, counts in second.resumed] == [(of, 3)]
        assert status.run_number == 1
        starts = [record for record in held(journal) if isinstance(record.header, RunStart)]
        assert len(starts) == 1


@pytest.mark.parametrize("records", [[], [run_start(1)], [run_start(1), reading(1), run_end(1)]])
def test_nothing_is_resumed_where_no_run_has_a_reading(tmp_path: Path, records: list[Record]) -> None:
    with journal_in(tmp_path, records=records) as journal:
        listener = FakeListener()
        receive(tmp_path, listener, journal)
    assert listener.resumed == []


# --- bad packets


def test_bytes_that_break_the_layout_are_kept_and_named(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    listener = FakeListener([WireError("got 7, wanted at most 5", field="periods", offset=12)])
    listener.packet = bytes(range(256)) * 1000
    with journal_in(tmp_path) as journal:
        status = receive(tmp_path, listener, journal)
    (kept,) = (tmp_path / "evidence").iterdir()
    assert kept.read_bytes() == listener.packet[: 64 * 1024]
    assert kept.stat().st_mode & 0o777 == 0o600
    assert status.bad_packets == 1
    lost = next(record.getMessage() for record in caplog.records if "Connection lost" in record.getMessage())
    assert lost == f"Connection lost: packet broke its layout: periods at byte 12: got 7, wanted at most 5 (bytes kept in {kept}); retrying in 0.5 s"


def test_a_source_that_sends_nonsense_for_long_fills_neither_disk_nor_log(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    with journal_in(tmp_path) as journal:
        status = receive(tmp_path, FakeListener([WireError("no", field="f", offset=1)] * 50), journal)
    assert len(list((tmp_path / "evidence").iterdir())) == 20
    assert status.bad_packets == 50


# --- no room


class ShortOfRoom(Journal):
    """A journal that refuses some records, as it does when disk and memory are full."""

    refuse: Callable[[Record], bool] = staticmethod(lambda _: False)

    def append(self, record: Record) -> int:
        if self.refuse(record):
            self.lost_records += 1
            raise StoreError("no room anywhere")
        return super().append(record)


def short_of_room(tmp_path: Path, refuse: Callable[[Record], bool]) -> ShortOfRoom:
    journal = ShortOfRoom(tmp_path / "journal", tmp_path / "overflow", max_bytes=10**8)
    journal.refuse = refuse
    return journal


def test_lost_records_are_counted_and_a_gap_is_noted_when_there_is_room_again(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.WARNING)
    full = {2, 3, 4}
    journal = short_of_room(
        tmp_path, lambda record: isinstance(record.header, Histogram) and record.counts is not None and record.counts.max() in full
    )
    status = receive(tmp_path, FakeListener([[run_start(1)], *([reading(k)] for k in range(1, 7))]), journal)
    kept = held(journal)
    gaps = [record.header for record in kept if isinstance(record.header, Gap)]
    assert [(found.reason, found.lost_records) for found in gaps] == [("no room for the journal", 3)]
    assert [int(np.max(record.counts)) for record in kept if record.counts is not None] == [1, 5, 6]
    assert status.lost_records == 3
    assert [record.getMessage() for record in caplog.records] == [
        "A record is lost: no room anywhere",
        "The journal takes records again; 3 were lost",
    ]
    journal.close()


def test_a_gap_that_finds_no_room_itself_is_noted_later(tmp_path: Path) -> None:
    refusals = iter([False, True, False, True, False, False, False])  # run start, reading; reading, its gap; reading, its gap
    journal = short_of_room(tmp_path, lambda _: next(refusals, False))
    receive(tmp_path, FakeListener([[run_start(1)], [reading(1)], [reading(2)], [reading(3)]]), journal)
    gaps = [record.header.lost_records for record in held(journal) if isinstance(record.header, Gap)]
    assert gaps == [1]
    journal.close()


# --- stopping


@pytest.mark.parametrize("where", ["connecting", "reading"])
def test_it_stops_at_once_while_the_source_blocks(tmp_path: Path, where: str) -> None:
    listener = FakeListener()
    listener.block_in_connect = where == "connecting"
    with journal_in(tmp_path) as journal:
        status = receive(tmp_path, listener, journal)
    assert status.state == "stopped"
    assert listener.closed >= 1


def test_it_stops_at_once_while_it_waits(tmp_path: Path) -> None:
    clock = Clock()
    with journal_in(tmp_path) as journal, board_in(tmp_path) as board:
        receiver = Receiver(FakeListener(connects=refused(1)), "fake", journal, board, tmp_path, Clocks(monotonic_s=clock.monotonic_s))
        thread = threading.Thread(target=receiver.run)
        thread.start()
        wait_for(lambda: (status := board.status(ReceiverStatus)) is not None and status.state == "waiting to reconnect")
        receiver.stop()
        thread.join(2.0)  # the clock stands: only the stop ends the wait
        assert not thread.is_alive()
        assert board.status(ReceiverStatus).state == "stopped"


def test_an_error_after_the_stop_is_no_loss(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    class Torn(FakeListener):
        def read(self) -> list[Record]:
            self._block()
            raise ListenerError("interrupted")

    with journal_in(tmp_path) as journal:
        receive(tmp_path, Torn(), journal)
    assert "Connection lost" not in caplog.text


# --- status


def test_the_status_tells_what_came(tmp_path: Path) -> None:
    clock = Clock(50.0)
    entries = [[run_start(8)], [reading(1, at_s=1.0)], [reading(3, at_s=2.0)]]

    class Ticking(FakeListener):
        def read(self) -> list[Record]:
            clock.turn(2.0)
            return super().read()

    ticking = Ticking(entries, connects=[])
    with journal_in(tmp_path) as journal:
        status = receive(tmp_path, ticking, journal, clock)
        assert status.journal_end == 3
    assert (status.source, status.state, status.reason) == ("fake host:1", "stopped", "asked to stop")
    assert (status.run_number, status.records, status.connections, status.bad_packets) == (8, 3, 1, 0)
    assert status.counts == 3 * 6
    assert status.counts_per_s == pytest.approx(2 * 6 / 2.0)
    assert status.last_record_ns == reading(3, at_s=2.0).header.time_ns
    assert (status.journal_records, status.lost_records, status.disk_full) == (3, 0, False)
    assert status.journal_bytes > 0
    assert status.journal_max_bytes == 10**8
    assert status.beat_s == clock.now_s


def test_between_runs_there_is_no_run_number(tmp_path: Path) -> None:
    with journal_in(tmp_path) as journal:
        assert receive(tmp_path, FakeListener([[run_start(8), reading(1), run_end(8)]]), journal).run_number is None


def test_the_diary_says_once_that_a_run_started(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    with journal_in(tmp_path) as journal:
        receive(tmp_path, FakeListener([[run_start(8), reading(1)], ListenerError("gone"), [reading(2)]]), journal)
    assert [record.getMessage() for record in caplog.records if "started" in record.getMessage()] == ["Run 8 started"]


def test_a_source_is_left_unread_while_too_much_waits_for_the_reducer(tmp_path: Path) -> None:
    large = layout(spectra=1000)
    with journal_in(tmp_path, max_bytes=200_000) as journal, board_in(tmp_path) as board:
        board.set_status(ReducerStatus(pid=1, position=0))
        listener = FakeListener([[run_start(1, of=large)], *([reading(k, of=large)] for k in range(1, 12))])
        clock = HurriedClock()
        receiver = Receiver(listener, "fake host:1", journal, board, tmp_path, Clocks(wall_ns=clock.wall_ns, monotonic_s=clock.monotonic_s))
        thread = threading.Thread(target=receiver.run)
        thread.start()
        wait_for(lambda: board.status(ReceiverStatus) is not None and board.status(ReceiverStatus).state == "holding back")
        assert listener.reads
        board.set_status(ReducerStatus(pid=1, position=10**6))
        assert listener.idle.wait(20)
        receiver.stop()
        thread.join(20)
    assert not listener.reads
