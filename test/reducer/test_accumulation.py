"""Combining chunks' outputs."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from livereduce.algorithms.appending import append_spectra
from livereduce.algorithms.arithmetic import plus
from livereduce.data.events import EventKind, Events, EventWorkspace
from livereduce.data.group import AnyWorkspace, WorkspaceGroup
from livereduce.data.run import Run
from livereduce.data.workspace import Spectra, Workspace
from livereduce.errors import AccumulationError
from livereduce.reducer.accumulation import Accumulation, Method, describe, total_counts
from test.fakes import workspace


def accumulation(method: Method = "Add") -> Accumulation:
    return Accumulation(method, append=append_spectra, add_events=plus)


def group(*values: float) -> WorkspaceGroup:
    return WorkspaceGroup(members=tuple(workspace([[value, 0.0]]) for value in values))


def events(*tofs: float, bins: int = 2) -> EventWorkspace:
    own = Events(tof=np.array(tofs), pulse_time_ns=np.zeros(len(tofs), dtype=np.int64))
    return EventWorkspace.from_rows([own], [EventKind.TOF], x=np.arange(bins + 1) * 100.0, spectra=Spectra.counted(1))


def y_of(value: AnyWorkspace | None) -> list[list[float]]:
    assert isinstance(value, Workspace | EventWorkspace)
    return [[float(one) for one in row] for row in value.y]


counts = hnp.arrays(np.float64, (2, 3), elements=st.integers(0, 10**6).map(float))


@given(chunks=st.lists(st.tuples(counts, st.floats(0, 10)), min_size=1, max_size=8), data=st.data())
def test_any_chunking_gives_what_all_at_once_gives(chunks: list[tuple[np.ndarray, float]], data: st.DataObject) -> None:
    added = accumulation()
    for y, charge in chunks:
        added.add(workspace(y, run=Run(charge_uah=charge)))
        if data.draw(st.booleans()):
            added.snapshot()
    whole = sum(y for y, _ in chunks)
    value = added.value
    assert isinstance(value, Workspace)
    np.testing.assert_array_equal(value.y, whole)
    np.testing.assert_array_equal(value.variance, whole)
    assert value.run.charge_uah == pytest.approx(sum(charge for _, charge in chunks))
    assert added.chunks == len(chunks)


@given(chunks=st.lists(counts, min_size=1, max_size=5), method=st.sampled_from(["Add", "Replace", "Append"]))
def test_what_is_handed_in_is_never_changed_and_snapshots_never_change_later(chunks: list[np.ndarray], method: Method) -> None:
    added = accumulation(method)
    handed = [workspace(y) for y in chunks]
    snapshots: list[tuple[AnyWorkspace, np.ndarray]] = []
    for chunk in handed:
        added.add(chunk)
        snapshot = added.snapshot()
        assert isinstance(snapshot, Workspace)
        assert not snapshot.y.flags.writeable
        snapshots.append((snapshot, snapshot.y.copy()))
    for chunk, y in zip(handed, chunks, strict=True):
        np.testing.assert_array_equal(chunk.y, y)
        np.testing.assert_array_equal(chunk.variance, y)
    for snapshot, then in snapshots:
        assert isinstance(snapshot, Workspace)
        np.testing.assert_array_equal(snapshot.y, then)


def test_adding_takes_no_new_memory_once_it_has_its_own() -> None:
    added = accumulation()
    for _ in range(2):
        added.add(workspace([[1.0, 2.0]]))
    before = added.value
    added.add(workspace([[1.0, 2.0]]))
    after = added.value
    assert isinstance(before, Workspace)
    assert isinstance(after, Workspace)
    assert after.y is before.y


def test_variance_and_counts_that_share_an_array_do_not_add_twice() -> None:
    y = np.array([[1.0, 2.0]])
    shared = Workspace(x=np.array([0.0, 1, 2]), y=y, variance=y, spectra=Spectra.counted(1))
    added = accumulation()
    for _ in range(3):
        added.add(shared)
    assert y_of(added.value) == [[3.0, 6.0]]
    assert y.tolist() == [[1.0, 2.0]]


def test_replace_keeps_the_newest() -> None:
    added = accumulation("Replace")
    for value in (workspace([[1.0]]), workspace([[2.0, 3.0]])):
        added.add(value)
    assert y_of(added.value) == [[2.0, 3.0]]


def test_append_puts_spectra_below_the_others() -> None:
    added = accumulation("Append")
    for k in (1.0, 2.0, 3.0):
        added.add(workspace([[k, 0.0]]))
    assert y_of(added.value) == [[1.0, 0.0], [2.0, 0.0], [3.0, 0.0]]


def test_events_are_put_together() -> None:
    added = accumulation()
    for tof in (10.0, 150.0, 160.0):
        added.add(events(tof))
    assert y_of(added.value) == [[1.0, 2.0]]
    assert total_counts(added.value) == 3
    assert describe(added.value) == "1 spectra, 3 events"


def test_groups_are_combined_member_by_member() -> None:
    added = accumulation()
    for _ in range(3):
        added.add(group(1.0, 10.0))
    assert isinstance(added.value, WorkspaceGroup)
    assert [y_of(member) for member in added.value.members] == [[[3.0, 0.0]], [[30.0, 0.0]]]
    snapshot = added.snapshot()
    added.add(group(1.0, 1.0))
    assert isinstance(snapshot, WorkspaceGroup)
    assert total_counts(snapshot) == 33.0


TWO_BINS = "1 spectra x 2 bins"


@pytest.mark.parametrize(
    ("have", "new", "message"),
    [
        (
            workspace([[1, 2]]),
            workspace([[1, 2, 3]]),
            f"the chunk has 1 spectra x 3 bins, the accumulation {TWO_BINS}; wanted the same (use fixed Rebin Params)",
        ),
        (
            workspace([[1, 2]]),
            workspace([[1, 2], [3, 4]]),
            f"the chunk has 2 spectra x 2 bins, the accumulation {TWO_BINS}; wanted the same (use fixed Rebin Params)",
        ),
        (
            workspace([[1, 2]]),
            workspace([[1, 2]], x=[0, 100, 201]),
            "the chunk has other bins (0 to 201 TOF) than the accumulation (0 to 200 TOF); wanted the same (use fixed Rebin Params)",
        ),
        (workspace([[1, 2]]), workspace([[1, 2]], x_unit="Wavelength"), "the chunk is in Wavelength, the accumulation in TOF; wanted the same"),
        (
            workspace([[1, 2]]),
            workspace([[1, 2]]).replace(distribution=True),
            "the chunk is per unit of x (a distribution), the accumulation is per bin; wanted the same",
        ),
        (
            workspace([[1, 2]]),
            group(1.0),
            f"the chunk is a group of 1, each {TWO_BINS}, the accumulation is {TWO_BINS}; wanted two groups or two workspaces",
        ),
        (group(1.0, 2.0), group(1.0), "the chunk is a group of 1, the accumulation a group of 2; wanted as many members"),
    ],
)
def test_what_does_not_fit_is_refused_and_changes_nothing(have: AnyWorkspace, new: AnyWorkspace, message: str) -> None:
    added = accumulation()
    added.add(have)
    added.add(have)
    before = added.snapshot()
    with pytest.raises(AccumulationError) as caught:
        added.add(new)
    assert str(caught.value) == message
    assert added.chunks == 2
    assert total_counts(added.value) == total_counts(before) == 2 * total_counts(have)


@pytest.mark.parametrize("method", ["Add", "Append"])
def test_what_the_algorithms_refuse_is_an_error_of_the_accumulation(method: Method) -> None:
    added = accumulation(method)
    added.add(events(10.0))
    two = EventWorkspace.from_rows([events(1.0).events] * 2, [EventKind.TOF] * 2, x=np.array([0.0, 1.0, 2.0]), spectra=Spectra.counted(2))
    new = two if method == "Add" else workspace([[1.0, 2.0, 3.0]])
    with pytest.raises(AccumulationError, match=r"^the chunk does not fit the accumulation: "):
        added.add(new)
    assert total_counts(added.value) == 1


def test_a_group_of_which_one_member_is_refused_stays_as_it_was() -> None:
    added = accumulation()
    added.add(WorkspaceGroup(members=(workspace([[1.0, 1.0]]), events(1.0))))
    added.add(WorkspaceGroup(members=(workspace([[1.0, 1.0]]), events(1.0))))
    two = EventWorkspace.from_rows([events(1.0).events] * 2, [EventKind.TOF] * 2, x=np.array([0.0, 100.0, 200.0]), spectra=Spectra.counted(2))
    with pytest.raises(AccumulationError):
        added.add(WorkspaceGroup(members=(workspace([[1.0, 1.0]]), two)))
    assert total_counts(added.value) == 4 + 2


def test_bins_that_differ_by_rounding_fit() -> None:
    added = accumulation()
    added.add(workspace([[1.0]], x=[0.1, 0.3]))
    added.add(workspace([[1.0]], x=[0.1, 0.1 + 0.2]))
    assert y_of(added.value) == [[2.0]]


def test_a_restored_accumulation_goes_on_and_leaves_what_it_was_given_alone() -> None:
    given_back = workspace([[5.0, 6.0]])
    added = accumulation()
    added.restore(given_back, 7)
    added.add(workspace([[1.0, 1.0]]))
    assert y_of(added.value) == [[6.0, 7.0]]
    assert added.chunks == 8
    assert y_of(given_back) == [[5.0, 6.0]]


def test_an_empty_accumulation_has_nothing() -> None:
    added = accumulation()
    assert (added.value, added.snapshot(), added.chunks, describe(None), total_counts(None)) == (None, None, 0, "empty", 0.0)
    assert describe(WorkspaceGroup(members=())) == "an empty group"
    added.add(workspace([[1.0]]))
    added.clear()
    assert added.value is None


def test_counts_that_are_no_number_do_not_spoil_the_total() -> None:
    assert total_counts(workspace([[1.0, math.nan]])) == 1.0
