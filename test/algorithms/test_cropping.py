from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from livereduce.algorithms.appending import append_spectra
from livereduce.algorithms.cropping import crop_workspace, extract_spectra
from livereduce.data.events import NO_PULSE_NS, EventKind, Events, EventWorkspace
from livereduce.data.workspace import Spectra, VerticalAxis, Workspace
from livereduce.errors import AlgorithmError


def histogram(rows: int, bins: int = 4, **fields: object) -> Workspace:
    y = np.arange(float(rows * bins)).reshape(rows, bins)
    values: dict[str, object] = {"x": np.arange(bins + 1.0), "spectra": Spectra.counted(rows), **fields}
    return Workspace(y=y, variance=y.copy(), **values)  # type: ignore[arg-type]


def neutrons(rows: list[list[float]]) -> EventWorkspace:
    events = [Events(tof=np.array(row, dtype=float), pulse_time_ns=np.full(len(row), NO_PULSE_NS)) for row in rows]
    return EventWorkspace.from_rows(events, [EventKind.TOF] * len(rows), x=np.arange(5.0), spectra=Spectra.counted(len(rows)))


@settings(max_examples=40, deadline=None)
@given(st.integers(2, 9), st.data())
def test_parts_appended_are_the_whole(rows: int, data: st.DataObject) -> None:
    cut = data.draw(st.integers(1, rows - 1))
    ws = histogram(rows)
    upper = crop_workspace(ws, end_workspace_index=cut - 1)
    whole = append_spectra(upper, crop_workspace(ws, start_workspace_index=cut))
    assert whole.y.tolist() == ws.y.tolist()
    assert whole.spectra.numbers.tolist() == ws.spectra.numbers.tolist()
    assert whole.has_common_x


@settings(max_examples=40, deadline=None)
@given(st.floats(-1, 5), st.floats(-1, 5), st.floats(-1, 5))
def test_cropping_twice_is_cropping_to_the_narrower_range(a: float, b: float, c: float) -> None:
    low, middle, high = sorted([a, b, c])
    ws = neutrons([[0.5, 1.5, 2.5, 3.5]])
    if not low < middle < high or middle < 0 or low > 4 or middle > 4 or high < 0:
        return
    once = crop_workspace(ws, x_min=middle, x_max=high)
    assert isinstance(once, EventWorkspace)
    inside = [t for t in (0.5, 1.5, 2.5, 3.5) if middle <= t <= high]
    assert once.events.tof.tolist() == inside


def test_cropping_to_the_whole_range_changes_nothing() -> None:
    ws = histogram(2)
    assert crop_workspace(ws) is ws
    assert crop_workspace(ws, x_min=-5, x_max=50).y.tolist() == ws.y.tolist()


def test_only_bins_wholly_inside_stay() -> None:
    part = crop_workspace(histogram(1), x_min=0.5, x_max=3.5)
    assert part.x.tolist() == [1, 2, 3]
    assert part.y.tolist() == [[1, 2]]


@pytest.mark.parametrize(
    ("limits", "message"),
    [
        ({"x_min": 3, "x_max": 1}, "XMin must be less than XMax"),
        ({"x_min": 10}, "leave nothing"),
        ({"x_min": 1.2, "x_max": 1.8}, "leave no bin"),
        ({"start_workspace_index": 2}, "out of range"),
        ({"start_workspace_index": 1, "end_workspace_index": 0}, "out of range"),
    ],
)
def test_ranges_that_leave_nothing_are_refused(limits: dict[str, float], message: str) -> None:
    with pytest.raises(AlgorithmError, match=message):
        crop_workspace(histogram(2), **limits)  # type: ignore[arg-type]


def test_resolution_and_labels_go_with_the_data() -> None:
    axis = VerticalAxis(values=np.zeros(3), labels=("a", "b", "c"))
    part = extract_spectra(histogram(3, dx=np.arange(5.0), vertical=axis), workspace_index_list=[2, 0], x_max=2)
    assert part.dx is not None
    assert part.dx.tolist() == [0, 1, 2]
    assert part.vertical is not None
    assert part.vertical.labels == ("c", "a")
    assert part.spectra.numbers.tolist() == [3, 1]


def test_edges_of_a_vertical_axis_stay_edges_where_rows_follow_each_other() -> None:
    ws = histogram(3, vertical=VerticalAxis(values=np.array([0.0, 1, 2, 3]), unit="MomentumTransfer"))
    together = extract_spectra(ws, start_workspace_index=1).vertical
    apart = extract_spectra(ws, workspace_index_list=[0, 2]).vertical
    assert together is not None
    assert together.values.tolist() == [1, 2, 3]
    assert apart is not None
    assert apart.values.tolist() == [0.5, 2.5]


def test_unknown_indices_and_detectors_are_named() -> None:
    with pytest.raises(AlgorithmError, match="index 7 is out of range"):
        extract_spectra(histogram(2), workspace_index_list=[0, 7])
    with pytest.raises(AlgorithmError, match="no spectrum counts"):
        extract_spectra(histogram(2), detector_list=[7])


def test_events_with_bins_of_their_own_are_cropped_too() -> None:
    ws = neutrons([[0.5, 3.5], [1.5]]).replace(x=np.array([[0.0, 4], [1.0, 4]]))
    part = crop_workspace(ws, x_min=1, x_max=4)
    assert isinstance(part, EventWorkspace)
    assert part.n_events == 2


def test_appended_spectra_are_renumbered_only_when_numbers_clash() -> None:
    clash = append_spectra(histogram(1), histogram(1), number=2)
    assert clash.spectra.numbers.tolist() == [0, 1, 2]
    other = histogram(1, spectra=Spectra.from_lists(np.array([9]), [np.array([4, 5])]))
    both = append_spectra(histogram(1), other)
    assert both.spectra.numbers.tolist() == [1, 9]
    assert both.spectra.detectors(1).tolist() == [4, 5]


def test_a_vertical_axis_is_continued_when_asked() -> None:
    a, b = (histogram(1, vertical=VerticalAxis(values=np.array([k]), labels=(name,))) for k, name in ((1.0, "a"), (2.0, "b")))
    axis = append_spectra(a, b, append_y_axis_labels=True).vertical
    assert axis is not None
    assert axis.labels == ("a", "b")
    assert append_spectra(a, b).vertical is None
    assert append_spectra(a, histogram(1), append_y_axis_labels=True).vertical is None


@pytest.mark.parametrize(
    ("second", "message"),
    [
        (histogram(1, bins=3), "must have the same number of bins"),
        (histogram(1, x_unit="Wavelength"), "x unit 'TOF' and 'Wavelength'"),
        (neutrons([[1.0]]), "Only event workspaces"),
    ],
)
def test_what_does_not_fit_is_not_appended(second: Workspace, message: str) -> None:
    with pytest.raises(AlgorithmError, match=message):
        append_spectra(histogram(1), second)
    with pytest.raises(AlgorithmError, match="wanted 1 or more"):
        append_spectra(histogram(1), histogram(1), number=0)
