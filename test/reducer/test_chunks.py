"""Journal records to chunks."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from livereduce.data.group import WorkspaceGroup
from livereduce.data.run import LogNumber
from livereduce.data.workspace import Workspace
from livereduce.reducer.chunks import Chunk, ChunkMaker, Piece, RunBegan, RunOver
from livereduce.store.record import Histogram, Record
from test.fakes import gap, layout, reading, run_end, run_start


def numbered(records: list[Record], start: int = 0) -> list[tuple[int, Record]]:
    return list(enumerate(records, start))


def pieces(records: list[Record], *, increments: bool = True, start: int = 0, maker: ChunkMaker | None = None) -> list[Piece]:
    return list((maker or ChunkMaker(increments=increments)).pieces(numbered(records, start)))


def kinds(found: list[Piece]) -> str:
    return "".join({RunBegan: "R", Chunk: "c", RunOver: "E"}[type(piece)] for piece in found)


def counts_of(piece: Piece) -> float:
    assert isinstance(piece, Chunk)
    assert isinstance(piece.value, Workspace)
    return float(piece.value.y[0, 0])


def test_of_readings_that_wait_only_the_newest_is_a_chunk() -> None:
    began, chunk = pieces([run_start(1), reading(1), reading(5), reading(7, at_s=3.0)])
    assert isinstance(chunk, Chunk)
    assert counts_of(chunk) == 7
    assert (chunk.first, chunk.last) == (1, 3)
    assert chunk.data_ns == reading(0, at_s=3.0).header.time_ns
    assert isinstance(began, RunBegan)
    assert (began.position, began.start.number) == (0, 1)


def test_a_chunk_is_what_came_since_the_reading_before() -> None:
    maker = ChunkMaker(increments=True)
    first = pieces([run_start(1), reading(3, charge_uah=1.0)], maker=maker)
    maker.taken()
    second = pieces([reading(10, charge_uah=1.5)], maker=maker, start=2)
    maker.taken()
    assert [counts_of(first[1]), counts_of(second[0])] == [3, 7]
    chunk = second[0]
    assert isinstance(chunk, Chunk)
    assert isinstance(chunk.value, Workspace)
    assert chunk.value.run.charge_uah == pytest.approx(0.5)
    assert maker.previous_position == 2


def test_without_increments_a_chunk_is_the_whole_run_so_far() -> None:
    maker = ChunkMaker(increments=False)
    pieces([run_start(1), reading(3)], maker=maker)
    assert counts_of(pieces([reading(10)], maker=maker, start=2)[0]) == 10
    assert maker.previous_position == -1


def test_run_edges_within_a_batch_part_the_chunks() -> None:
    found = pieces([run_start(1), reading(1), reading(2), run_end(1, reason="x"), run_start(2), reading(5), run_start(3), reading(6)])
    assert kinds(found) == "RcERcRc"
    assert [counts_of(piece) for piece in found if isinstance(piece, Chunk)] == [2, 5, 6]
    over = found[2]
    assert isinstance(over, RunOver)
    assert (over.position, over.end.reason) == (3, "x")


def test_what_stands_between_runs_or_is_no_reading_makes_no_chunk() -> None:
    assert kinds(pieces([reading(1), run_start(1), gap(), run_end(1), reading(9), gap()])) == "RE"


def test_a_reading_that_does_not_fit_its_run_is_skipped_and_said(caplog: pytest.LogCaptureFixture) -> None:
    found = pieces([run_start(1), reading(1), reading(4, of=layout(spectra=3)), reading(2)])
    assert kinds(found) == "Rc"
    assert counts_of(found[1]) == 2
    assert "Journal position 2: a reading of (1, 3, 3) (periods, spectra, bins) in a run of (1, 2, 3); it is skipped" in caplog.text


@given(st.lists(st.tuples(st.integers(0, 1000), st.booleans()), min_size=1, max_size=20))
def test_increments_add_up_to_the_newest_reading_however_the_batches_are_cut(grown: list[tuple[int, bool]]) -> None:
    maker, total, sofar = ChunkMaker(increments=True), 0.0, 0
    batch: list[tuple[int, Record]] = [(0, run_start(1))]
    for position, (more, cut) in enumerate(grown, 1):
        sofar += more
        batch.append((position, reading(sofar)))
        if cut or position == len(grown):
            for piece in maker.pieces(batch):
                if isinstance(piece, Chunk):
                    total += counts_of(piece)
                    maker.taken()
            assert total == sofar
            batch = []


def test_a_chunk_that_was_not_taken_is_part_of_the_next_one() -> None:
    maker = ChunkMaker(increments=True)
    pieces([run_start(1), reading(3)], maker=maker)
    maker.taken()
    assert counts_of(pieces([reading(10)], maker=maker, start=2)[0]) == 7
    assert counts_of(pieces([reading(12)], maker=maker, start=3)[0]) == 9
    assert maker.previous_position == 1


def test_a_counter_that_went_down_begins_anew_with_the_whole_reading() -> None:
    maker = ChunkMaker(increments=True)
    pieces([run_start(1), reading(30)], maker=maker)
    maker.taken()
    (chunk,) = pieces([reading(4)], maker=maker, start=2)
    assert isinstance(chunk, Chunk)
    assert chunk.anew
    assert counts_of(chunk) == 4


def test_the_whole_of_a_chunk_is_its_reading_since_the_start_of_the_run() -> None:
    maker = ChunkMaker(increments=True)
    pieces([run_start(1), reading(3)], maker=maker)
    maker.taken()
    (chunk,) = pieces([reading(10)], maker=maker, start=2)
    assert isinstance(chunk, Chunk)
    assert counts_of(chunk) == 7
    assert counts_of(maker.whole(chunk)) == 10


def test_increments_may_be_larger_than_32_bits() -> None:
    maker = ChunkMaker(increments=True)
    pieces([run_start(1), reading(-(2**31))], maker=maker)
    maker.taken()
    assert counts_of(pieces([reading(2**31 - 1)], maker=maker, start=2)[0]) == 2**32 - 1


def test_increments_go_on_from_a_reading_that_is_given() -> None:
    start, before = run_start(1).header, reading(4)
    maker = ChunkMaker(increments=True)
    maker.begin(start)  # type: ignore[arg-type]
    assert isinstance(before.header, Histogram)
    assert before.counts is not None
    maker.resume(17, before.header, before.counts)
    assert maker.previous_position == 17
    assert counts_of(pieces([reading(9)], maker=maker, start=18)[0]) == 5


def test_increments_do_not_touch_what_the_journal_gave() -> None:
    first, second = reading(4), reading(9)
    for record in (first, second):
        assert record.counts is not None
        record.counts.flags.writeable = False
    pieces([run_start(1), first])
    pieces([run_start(1), second])


def test_one_period_is_a_workspace_several_are_a_group() -> None:
    of = layout(periods=2)
    counts = np.arange(12, dtype=np.int32).reshape(2, 2, 3)
    chunk = pieces([run_start(1, of=of), reading(counts, of=of)])[1]
    assert isinstance(chunk, Chunk)
    assert isinstance(chunk.value, WorkspaceGroup)
    for period, member in enumerate(chunk.value.members, 1):
        np.testing.assert_array_equal(member.y, counts[period - 1])
        log = member.run.logs["current_period"]
        assert isinstance(log, LogNumber)
        assert log.value == period


def test_a_chunk_carries_bins_spectra_detectors_run_and_poisson_variances() -> None:
    chunk = pieces([run_start(77, title="Ni"), reading(4, charge_uah=math.nan)])[1]
    assert isinstance(chunk, Chunk)
    assert isinstance(chunk.value, Workspace)
    value = chunk.value
    assert value.x.tolist() == [0.0, 100.0, 200.0, 300.0]
    assert (value.x_unit, value.title, value.run.number, value.run.start_ns) == ("TOF", "Ni", 77, run_start().header.time_ns)
    assert value.spectra.numbers.tolist() == [1, 2]
    assert [value.spectra.detectors(row).tolist() for row in (0, 1)] == [[10], [20]]
    np.testing.assert_array_equal(value.variance, value.y)
    assert math.isnan(value.run.charge_uah)
