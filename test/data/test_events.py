from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from livereduce.data.events import NO_PULSE_NS, EventKind, Events, EventWorkspace
from livereduce.data.group import WorkspaceGroup
from livereduce.data.workspace import Spectra


def events(tof: list[float], weight: list[float] | None = None) -> Events:
    pulse = np.full(len(tof), NO_PULSE_NS)
    if weight is None:
        return Events(tof=np.array(tof, dtype=float), pulse_time_ns=pulse)
    weights = np.array(weight, dtype=np.float32)
    return Events(tof=np.array(tof, dtype=float), pulse_time_ns=pulse, weight=weights, error2=weights**2)


def workspace(rows: list[Events], x: list[float] | None = None) -> EventWorkspace:
    kinds = [EventKind.TOF if row.weight is None else EventKind.WEIGHTED for row in rows]
    return EventWorkspace.from_rows(rows, kinds, x=np.array(x or [0.0, 1, 2, 3]), spectra=Spectra.counted(len(rows)))


def test_a_bin_has_its_lower_edge_and_not_its_upper() -> None:
    ws = workspace([events([0, 1, 1, 2.5, 3, -1])])
    assert ws.y.tolist() == [[1, 2, 1]]
    assert ws.errors.tolist() == [[1, np.sqrt(2), 1]]


def test_weights_and_their_squared_errors_are_summed() -> None:
    ws = workspace([events([0.5, 0.6], [2.0, 0.5])])
    assert ws.y[0, 0] == 2.5
    assert ws.variance[0, 0] == 4.25


def test_rows_with_and_without_weights_stand_side_by_side() -> None:
    ws = workspace([events([0.5]), events([0.5], [3.0]), events([])])
    assert ws.y[:, 0].tolist() == [1, 3, 0]
    assert [EventKind(int(kind)).name for kind in ws.kinds] == ["TOF", "WEIGHTED", "TOF"]
    assert len(ws.events_of(2)) == 0


def test_every_row_may_have_its_own_bins() -> None:
    ws = workspace([events([0.5]), events([0.5])]).replace(x=np.array([[0.0, 1, 2], [1.0, 2, 3]]))
    assert ws.y.tolist() == [[1, 0], [0, 0]]
    assert not ws.has_common_x
    assert ws.x_of(1).tolist() == [1, 2, 3]


def test_the_histogram_is_made_once_and_cannot_be_written_to() -> None:
    ws = workspace([events([0.5])])
    assert ws.histogram() is ws.histogram()
    with pytest.raises(ValueError, match="read-only"):
        ws.y[0, 0] = 7
    with pytest.raises(ValueError, match="read-only"):
        ws.events.tof[0] = 7


def test_taken_rows_keep_their_events() -> None:
    ws = workspace([events([0.1]), events([1.1, 1.2]), events([2.1])])
    part = ws.take(np.array([2, 1]))
    assert part.n_events == 3
    assert part.events_of(0).tof.tolist() == [2.1]
    assert part.spectra.numbers.tolist() == [3, 2]
    assert ws.take(np.array([], dtype=np.intp)).n_events == 0


def test_selected_events_stay_in_their_rows() -> None:
    ws = workspace([events([0.1, 0.2]), events([0.3])])
    part = ws.select(np.array([False, True, True]))
    assert [len(part.events_of(row)) for row in range(2)] == [1, 1]


def test_changing_bins_shares_the_events() -> None:
    ws = workspace([events([0.5, 2.5])])
    other = ws.replace(x=np.array([0.0, 3.0]))
    assert other.events is ws.events
    assert other.y.tolist() == [[2]]
    assert ws.y.shape == (1, 3)


def test_columns_of_different_length_are_refused() -> None:
    with pytest.raises(ValueError, match="1 and 2 entries"):
        Events(tof=np.zeros(1), pulse_time_ns=np.zeros(2, dtype=np.int64))
    with pytest.raises(ValueError, match="both or none"):
        Events(tof=np.zeros(1), pulse_time_ns=np.zeros(1, dtype=np.int64), weight=np.ones(1, dtype=np.float32))


def test_offsets_must_cover_the_events() -> None:
    with pytest.raises(ValueError, match="offsets end at 0 for 1 events"):
        workspace([events([0.5])]).replace(offsets=np.array([0, 0]))
    with pytest.raises(ValueError, match="1 spectra need"):
        workspace([events([0.5])]).replace(kinds=np.zeros(2, dtype=np.uint8))
    with pytest.raises(ValueError, match="x has 2 rows"):
        workspace([events([0.5])]).replace(x=np.zeros((2, 3)))


def test_a_group_maps_over_events() -> None:
    group = WorkspaceGroup(members=(workspace([events([0.5])]),))
    assert group.map(lambda ws: ws.replace(title="x")).members[0].title == "x"
    assert group.nbytes > 0


@settings(max_examples=50, deadline=None)
@given(st.lists(st.floats(-1, 4), max_size=40), st.lists(st.integers(0, 2), max_size=40))
def test_the_histogram_is_what_numpy_counts(tof: list[float], rows: list[int]) -> None:
    pairs = list(zip(tof, rows, strict=False))
    ws = workspace([events([t for t, r in pairs if r == row]) for row in range(3)])
    for row in range(3):
        inside = np.array([t for t, r in pairs if r == row and t < 3])
        assert ws.y[row].tolist() == np.histogram(inside, bins=ws.x)[0].tolist()
