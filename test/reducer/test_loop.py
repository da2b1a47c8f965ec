"""The reducer's loop, on a real journal and a real board, with scripts that are functions and a clock that stands."""

from __future__ import annotations

import logging
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from livereduce.algorithms.appending import append_spectra
from livereduce.algorithms.arithmetic import plus
from livereduce.data.events import EventWorkspace
from livereduce.data.group import AnyWorkspace
from livereduce.data.workspace import Workspace
from livereduce.errors import ScriptError
from livereduce.reducer.accumulation import Accumulation, Method
from livereduce.reducer.loop import Reducer, ReducerSettings
from livereduce.reducer.report import Report
from livereduce.store.board import Board
from livereduce.store.journal import Journal
from livereduce.store.record import EVENT, PULSE, Events, Layout, Neutrons, Record
from livereduce.store.status import ReducerStatus, ScriptStatus
from test.fakes import Clock, FakeScripts, journal_in, layout, reading, run_end, run_start, wait_for

BINS = 6
"""Of each reading in these tests."""


class Bench:
    """A journal, a board and a clock, and reducers on them one after another."""

    def __init__(self, journal: Journal, board: Board) -> None:
        self.journal, self.board, self.clock = journal, board, Clock()
        self.thread: threading.Thread | None = None
        self.reducer: Reducer | None = None

    def append(self, *records: Record) -> None:
        for record in records:
            self.journal.append(record)

    def make(self, scripts: FakeScripts, *, method: Method = "Add", **changes: Any) -> Reducer:
        how = replace(ReducerSettings(method=method, update_every_s=30.0, recipe="r"), **changes)
        report = Report(generation=1, scripts=[ScriptStatus(role="processing", path="p", md5="m")])
        accumulation = Accumulation(method, append=append_spectra, add_events=plus)
        clocks = {"wall_ns": self.clock.wall_ns, "monotonic_s": self.clock.monotonic_s}
        return Reducer(how, self.journal, self.board, scripts, accumulation, report, **clocks)  # type: ignore[arg-type]

    @contextmanager
    def running(self, scripts: FakeScripts, **how: Any) -> Iterator[Reducer]:
        """Run a reducer; stop it at the end as the daemon does."""
        reducer = self.make(scripts, **how)
        thread = threading.Thread(target=reducer.run)
        thread.start()
        try:
            wait_for(lambda: reducer._doing != ("", ""), "it has looked where to begin")
            yield reducer
        finally:
            reducer.stop()
            thread.join(20)
        assert not thread.is_alive()

    @contextmanager
    def doomed(self, scripts: FakeScripts, **how: Any) -> Iterator[Callable[[], None]]:
        """Yield what makes a reducer look at the journal once; at the end it is left as ``kill -9`` leaves it: no stop, no checkpoint."""
        reducer = self.make(scripts, **how)
        reducer._post.open()
        reducer._begin()
        try:
            yield reducer._turn
        finally:
            reducer._post.close(20)

    @property
    def shown(self) -> float:
        """Counts in the published result; -1 before the first."""
        result = self.board.result("result")
        return -1.0 if result is None else float(result.y.sum())

    def status(self) -> ReducerStatus:
        status = self.board.status(ReducerStatus)
        assert isinstance(status, ReducerStatus)
        return status


@contextmanager
def bench_in(folder: Path) -> Iterator[Bench]:
    with journal_in(folder) as journal:
        board = Board(folder / "board")
        yield Bench(journal, board)
        board.close()


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    with bench_in(tmp_path) as made:
        yield made


def test_the_first_chunk_is_shown_at_once_and_later_ones_when_the_timer_says(bench: Bench) -> None:
    scripts = FakeScripts()
    with bench.running(scripts):
        bench.append(run_start(4), reading(1))
        wait_for(lambda: bench.shown == BINS)
        bench.append(reading(3))
        wait_for(lambda: len(scripts.chunks) == 2)
        assert len(scripts.posts) == 1
        bench.clock.turn(29.9)
        bench.append(reading(4))
        wait_for(lambda: len(scripts.chunks) == 3)
        assert len(scripts.posts) == 1
        bench.clock.turn(0.2)
        wait_for(lambda: bench.shown == 4 * BINS)
        assert len(scripts.posts) == 2
    about = bench.board.about()
    assert about is not None
    assert (about.run_number, about.chunk_first, about.chunk_last, about.chunks, about.final) == (4, 1, 3, 3, False)


def test_what_waited_in_the_journal_is_shown_once_when_all_of_it_is_done(bench: Bench) -> None:
    bench.append(run_start(1), reading(1), reading(2))
    scripts = FakeScripts()
    with bench.running(scripts):
        wait_for(lambda: bench.shown == 2 * BINS)
    assert len(scripts.posts) == 1


def test_nothing_new_is_not_post_processed_again(bench: Bench) -> None:
    scripts = FakeScripts()
    with bench.running(scripts):
        bench.append(run_start(1), reading(1))
        wait_for(lambda: bench.shown == BINS)
        for _ in range(5):
            bench.clock.turn(31)
        bench.append(reading(2))
        wait_for(lambda: bench.shown == 2 * BINS)
    assert len(scripts.posts) == 2


def test_a_run_that_ends_is_post_processed_once_more_whatever_the_timer_says(bench: Bench, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    scripts = FakeScripts()
    with bench.running(scripts):
        bench.append(run_start(4), reading(1, charge_uah=0.5))
        wait_for(lambda: bench.shown == BINS)
        bench.append(reading(3, charge_uah=1.5), run_end(4))
        wait_for(lambda: (about := bench.board.about()) is not None and about.final)
        about = bench.board.about()
        assert about is not None
        assert (about.run_number, bench.shown) == (4, 3 * BINS)
    assert "Run 4 ended: 2 chunks, 18 events, 1.5 uAh" in [record.getMessage() for record in caplog.records]


def test_each_run_begins_anew_and_has_its_own_last_result(bench: Bench) -> None:
    scripts = FakeScripts()
    with bench.running(scripts):
        for number in (1, 2, 3):
            bench.append(run_start(number), reading(number), run_end(number))
        wait_for(lambda: (about := bench.board.about()) is not None and about.final and about.run_number == 3)
    last = {snapshot.run.number: float(snapshot.y.sum()) for snapshot in scripts.posts if isinstance(snapshot, Workspace)}
    assert last == {1: BINS, 2: 2 * BINS, 3: 3 * BINS}


def test_a_run_whose_end_was_lost_is_post_processed_when_the_next_begins(bench: Bench) -> None:
    scripts = FakeScripts()
    with bench.running(scripts):
        bench.append(run_start(1), reading(5), run_start(2))
        wait_for(lambda: (about := bench.board.about()) is not None and about.final)
        about = bench.board.about()
        assert about is not None
        assert about.run_number == 1
        assert bench.shown == 5 * BINS


def test_a_chunk_whose_processing_failed_is_part_of_the_next_one(bench: Bench, caplog: pytest.LogCaptureFixture) -> None:
    def process(chunk: AnyWorkspace) -> AnyWorkspace:
        if len(scripts.chunks) == 2:
            raise ScriptError("proc.py:1: boom")
        return chunk

    scripts = FakeScripts(process)
    with bench.running(scripts):
        for k, value in enumerate((1, 3, 6), 1):
            bench.append(*([run_start(1)] if k == 1 else []), reading(value))
            wait_for(lambda k=k: len(scripts.chunks) == k)
        bench.append(run_end(1))
        wait_for(lambda: bench.shown == 6 * BINS)
    assert "Processing failed: proc.py:1: boom; chunk at 2 to 2 stays in the journal and is part of the next one" in caplog.text
    assert bench.status().proven


def test_a_failing_post_processing_script_leaves_the_result_before(bench: Bench) -> None:
    def post(snapshot: AnyWorkspace) -> AnyWorkspace:
        if len(scripts.posts) == 2:
            raise SystemExit(1)
        return snapshot

    scripts = FakeScripts(post=post)
    with bench.running(scripts):
        bench.append(run_start(1), reading(1))
        wait_for(lambda: bench.shown == BINS)
        bench.clock.turn(31)
        bench.append(reading(2))
        wait_for(lambda: bench.status().failure is not None)
        assert bench.shown == BINS
        bench.clock.turn(31)
        bench.append(reading(3))
        wait_for(lambda: bench.shown == 3 * BINS)
        wait_for(lambda: bench.status().failure is None)


def test_post_processing_does_not_hold_up_chunks(bench: Bench) -> None:
    let_go = threading.Event()

    def post(snapshot: AnyWorkspace) -> AnyWorkspace:
        assert let_go.wait(20)
        return snapshot

    scripts = FakeScripts(post=post)
    with bench.running(scripts):
        bench.append(run_start(1), reading(1))
        wait_for(lambda: len(scripts.posts) == 1)
        for k in range(2, 6):
            bench.append(reading(k))
            wait_for(lambda k=k: len(scripts.chunks) == k)
        assert len(scripts.posts) == 1
        let_go.set()
        wait_for(lambda: bench.shown == BINS)  # the snapshot as it was when it was taken


def test_a_chunk_that_does_not_fit_begins_the_accumulation_anew(bench: Bench, caplog: pytest.LogCaptureFixture) -> None:
    def process(chunk: AnyWorkspace) -> AnyWorkspace:
        assert isinstance(chunk, Workspace)
        return chunk if len(scripts.chunks) == 1 else chunk.replace(x=chunk.x * 2)

    scripts = FakeScripts(process)
    with bench.running(scripts):
        bench.append(run_start(1), reading(1))
        wait_for(lambda: bench.shown == BINS)
        bench.append(reading(5), run_end(1))
        wait_for(lambda: bench.shown == 5 * BINS)  # a cumulative source has told all of the run
    assert "Accumulation failed: the chunk has other bins" in caplog.text
    assert bench.status().restarts_of_accumulation == 1


def test_replace_shows_the_newest_reading(bench: Bench) -> None:
    scripts = FakeScripts()
    with bench.running(scripts, method="Replace"):
        bench.append(run_start(1), reading(1))
        wait_for(lambda: bench.shown == BINS)
        bench.append(reading(7), run_end(1))
        wait_for(lambda: bench.shown == 7 * BINS)


# --- stopping, dying, going on


def test_a_stop_writes_a_checkpoint_and_says_so(bench: Bench) -> None:
    scripts = FakeScripts()
    with bench.running(scripts):
        bench.append(run_start(1), reading(1))
        wait_for(lambda: bench.shown == BINS)
        bench.append(reading(2))
        wait_for(lambda: len(scripts.chunks) == 2)
    where = bench.board.checkpoint()
    assert where is not None
    assert (where.position, where.run_position, where.previous_position, where.chunks, where.first_position) == (3, 0, 2, 2, 1)
    assert (bench.status().state, bench.status().reason) == ("stopped", "asked to stop")


deaths = st.lists(st.tuples(st.integers(0, 6), st.sampled_from(["kill", "kill at checkpoint", "stop"])), max_size=4)


@settings(max_examples=40)
@given(growth=st.lists(st.integers(0, 9), min_size=1, max_size=12), ends=deaths)
def test_whenever_reducers_die_the_next_ones_come_to_the_same_totals(growth: list[int], ends: list[tuple[int, str]]) -> None:
    with tempfile.TemporaryDirectory() as folder, bench_in(Path(folder)) as bench:
        bench.append(run_start(1))
        readings = [reading(sum(growth[: k + 1])) for k in range(len(growth))]
        for looks, how in ends:
            with bench.doomed(FakeScripts()) as look:
                for _ in range(looks):
                    bench.append(*readings[:1])
                    del readings[:1]
                    if how == "kill at checkpoint":
                        bench.clock.turn(1.1)
                    look()
            if how == "stop":
                with bench.running(FakeScripts()):
                    pass
        scripts = FakeScripts()
        with bench.running(scripts):
            bench.append(*readings, run_end(1))
            wait_for(lambda: (about := bench.board.about()) is not None and about.final)
        assert bench.shown == sum(growth) * BINS


def test_a_reducer_that_goes_on_does_not_do_its_chunks_again(bench: Bench) -> None:
    bench.append(run_start(1), reading(1), reading(2))
    with bench.running(FakeScripts()):
        wait_for(lambda: bench.shown == 2 * BINS)
    again = FakeScripts()
    with bench.running(again):
        bench.append(reading(5))
        wait_for(lambda: bench.shown == 5 * BINS or len(again.chunks) == 1)
    (only,) = again.chunks
    assert isinstance(only, Workspace)
    assert only.y.sum() == 3 * BINS


def test_the_last_post_processing_of_a_run_is_done_again_when_death_came_before_its_end(bench: Bench) -> None:
    def post(snapshot: AnyWorkspace) -> AnyWorkspace:
        raise_in_time.wait(20)
        raise ScriptError("cut off")

    raise_in_time = threading.Event()
    bench.append(run_start(1), reading(4))
    with bench.doomed(FakeScripts(post=post)) as look:
        look()
        bench.append(run_end(1), run_start(2))
        bench.clock.turn(2.0)
        look()
        look()
        raise_in_time.set()
    scripts = FakeScripts()
    with bench.running(scripts):
        wait_for(lambda: bench.shown == 4 * BINS)
        wait_for(lambda: (about := bench.board.about()) is not None and about.final)


def test_other_scripts_begin_at_the_start_of_the_run(bench: Bench) -> None:
    bench.append(run_start(1), reading(9), run_end(1), run_start(2), reading(1), reading(2))
    with bench.running(FakeScripts()):
        wait_for(lambda: bench.shown == 2 * BINS)

    def doubled(chunk: AnyWorkspace) -> AnyWorkspace:
        assert isinstance(chunk, Workspace)
        return chunk.replace(y=chunk.y * 2)

    scripts = FakeScripts(doubled)
    with bench.running(scripts, recipe="another"):
        wait_for(lambda: bench.shown == 4 * BINS)
    (only,) = scripts.chunks
    assert isinstance(only, Workspace)
    assert only.run.number == 2


def test_a_reducer_that_begins_at_the_journals_end_leaves_what_waits_aside(bench: Bench) -> None:
    bench.append(run_start(3), reading(1), reading(2))
    scripts = FakeScripts()
    with bench.running(scripts, at_journal_end=True):
        wait_for(lambda: bench.board.status(ReducerStatus) is not None)
        assert scripts.chunks == []
        bench.append(reading(5))
        wait_for(lambda: bench.shown == 5 * BINS)  # a reading holds the run so far: nothing is lost
    assert len(scripts.chunks) == 1
    assert bench.status().run_number == 3


@pytest.mark.parametrize("position", [100, -5])
def test_a_checkpoint_that_does_not_belong_to_the_journal_is_left(bench: Bench, position: int) -> None:
    bench.append(run_start(1), reading(1))
    with bench.running(FakeScripts()):
        wait_for(lambda: bench.shown == BINS)
    where = bench.board.checkpoint()
    assert where is not None
    found = bench.board.checkpointed()
    assert found is not None
    bench.board.save_checkpoint(type(where)(**{**{f: getattr(where, f) for f in where.__struct_fields__}, "position": position}), found[1])
    scripts = FakeScripts()
    with bench.running(scripts):
        wait_for(lambda: len(scripts.posts) == 1)
    assert bench.shown == BINS


def test_a_checkpoint_whose_reading_was_given_up_starts_the_run_again(bench: Bench) -> None:
    bench.append(run_start(1), reading(1))
    with bench.running(FakeScripts()):
        wait_for(lambda: bench.shown == BINS)
    bench.append(reading(4))
    bench.journal._disk.drop([1])
    with bench.running(FakeScripts()):
        wait_for(lambda: bench.shown == 4 * BINS)


def test_records_that_cannot_be_read_do_not_stop_it(bench: Bench) -> None:
    bench.append(run_start(1), reading(1))
    bench.journal._disk.put(2, b"H", b"nonsense")
    bench.journal._next = 3
    bench.append(reading(2, of=layout()), run_end(1))
    with bench.running(FakeScripts()):
        wait_for(lambda: bench.shown == 2 * BINS)


def test_a_board_that_takes_no_checkpoint_is_no_end(bench: Bench, caplog: pytest.LogCaptureFixture) -> None:
    scripts = FakeScripts(lambda chunk: chunk.replace(title=object()))  # type: ignore[union-attr]
    with bench.running(scripts):
        bench.append(run_start(1), reading(1))
        wait_for(lambda: "Post-processing failed: a result cannot be kept on the board" in caplog.text)
        bench.clock.turn(2.0)
        wait_for(lambda: "Checkpoint not written: a result cannot be kept on the board" in caplog.text)


def test_the_status_tells_what_it_does(bench: Bench) -> None:
    with bench.running(FakeScripts()):
        bench.append(run_start(12, title="Ni"), reading(2, charge_uah=0.25))
        wait_for(lambda: bench.shown == 2 * BINS)
        wait_for(lambda: bench.status().post_count == 1)
        bench.clock.turn(1.0)
        wait_for(lambda: bench.status().state == "up to date" and bench.status().beat_s == bench.clock.now_s)
        status = bench.status()
    assert (status.run_number, status.run_title, status.chunks, status.position, status.lag_records) == (12, "Ni", 1, 2, 0)
    assert (status.accumulation, status.counts, status.charge_uah) == ("2 spectra x 3 bins", 12.0, 0.25)


def test_chunks_of_events_wait_for_their_time_unless_it_is_behind(bench: Bench) -> None:
    def events(n: int) -> Record:
        pulses = np.zeros(1, dtype=PULSE)
        pulses["n_events"] = n
        return Record(Events(time_ns=1, n_pulses=1, n_events=n), neutrons=Neutrons(pulses, np.zeros(n, dtype=EVENT)))

    of = Layout(spectrum_numbers=[1], periods=[1], x=[], detector_ids=[1], detector_spectra=[1])
    scripts = FakeScripts()
    with bench.doomed(scripts, chunk_every_s=100.0) as turn:
        bench.append(run_start(1, of=of), events(1))
        turn()
        bench.append(events(5_000_000), events(5_000_000), events(7))
        turn()
        assert len(scripts.chunks) == 1  # not yet
        bench.clock.turn(200.0)
        turn()
        turn()
        assert [one.n_events for one in scripts.chunks if isinstance(one, EventWorkspace)] == [1, 10_000_000, 7]


def test_events_that_have_no_place_are_counted_and_told_once(bench: Bench, caplog: pytest.LogCaptureFixture) -> None:
    pulses, events = np.zeros(1, dtype=PULSE), np.zeros(3, dtype=EVENT)
    pulses["n_events"], events["row"] = 3, (0, 1, 9)
    of = Layout(spectrum_numbers=[1], periods=[1], x=[], detector_ids=[1], detector_spectra=[1])
    record = Record(Events(time_ns=1, n_pulses=1, n_events=3), neutrons=Neutrons(pulses, events))
    with bench.running(FakeScripts(), chunk_every_s=0.001):
        bench.append(run_start(1, of=of), record)
        wait_for(lambda: bench.status().events_left_out == 2)
    assert "2 events of a chunk have a spectrum or period that the run does not have" in caplog.text
