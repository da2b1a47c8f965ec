from __future__ import annotations

import numpy as np
import pytest

from livereduce.algorithms.sums import sum_spectra
from livereduce.data.events import NO_PULSE_NS, EventKind, Events, EventWorkspace
from livereduce.data.instrument import Instrument
from livereduce.data.run import LogNumber
from livereduce.data.workspace import Spectra, Workspace
from livereduce.errors import AlgorithmError


def histogram(y: list[list[float]], variance: list[list[float]] | None = None, **fields: object) -> Workspace:
    counts = np.array(y, dtype=float)
    spectra = Spectra.from_lists(np.arange(1, len(y) + 1), [np.array([k]) for k in range(1, len(y) + 1)])
    values: dict[str, object] = {"x": np.arange(counts.shape[1] + 1.0), "spectra": spectra, **fields}
    return Workspace(y=counts, variance=np.array(variance if variance is not None else y, dtype=float), **values)  # type: ignore[arg-type]


def instrument(*, monitor: list[int] | None = None, masked: list[int] | None = None) -> Instrument:
    ids = np.array([1, 2, 3], dtype=np.int32)
    flags = [np.isin(ids, chosen or []) for chosen in (monitor, masked)]
    return Instrument(source=np.zeros(3), sample=np.zeros(3), detector_ids=ids, positions=np.zeros((3, 3)), monitor=flags[0], masked=flags[1])


def test_the_sum_counts_the_detectors_of_all() -> None:
    result = sum_spectra(histogram([[1, 2], [3, 4], [5, 6]]))
    assert result.y.tolist() == [[9, 12]]
    assert result.spectra.detectors(0).tolist() == [1, 2, 3]
    assert result.run.logs["NumAllSpectra"] == LogNumber(value=3)


def test_a_list_alone_is_the_list_and_with_an_end_is_joined_by_the_range() -> None:
    ws = histogram([[1], [10], [100], [1000]])
    assert sum_spectra(ws, list_of_workspace_indices=[0, 3, 3]).y.tolist() == [[1001]]
    assert sum_spectra(ws, list_of_workspace_indices=[0], start_workspace_index=2, end_workspace_index=3).y.tolist() == [[1101]]


def test_masked_spectra_and_unwanted_monitors_are_left_out() -> None:
    ws = histogram([[1], [10], [100]], instrument=instrument(monitor=[1], masked=[3]))
    assert sum_spectra(ws).y.tolist() == [[11]]
    result = sum_spectra(ws, include_monitors=False)
    assert result.y.tolist() == [[10]]
    assert result.run.logs["NumMaskSpectra"] == LogNumber(value=1)


def test_the_sum_of_nothing_is_zero() -> None:
    ws = histogram([[1], [10], [100]], instrument=instrument(masked=[1, 2, 3]))
    assert sum_spectra(ws).y.tolist() == [[0]]
    assert sum_spectra(ws).spectra.detectors(0).tolist() == []


def test_special_values_count_as_zero_when_removed() -> None:
    ws = histogram([[np.nan, 1], [2, np.inf]], [[1, 1], [1, 1]])
    assert np.isnan(sum_spectra(ws).y[0, 0])
    assert sum_spectra(ws, remove_special_values=True).y.tolist() == [[2, 1]]


def test_a_weighted_average_leaves_out_values_without_error() -> None:
    ws = histogram([[2], [4], [99]], [[1], [1], [0]])
    assert sum_spectra(ws, weighted_sum=True).y.tolist() == [[6]]
    alone = sum_spectra(ws, weighted_sum=True, multiply_by_spectra=False)
    assert alone.y.tolist() == [[3]]
    assert alone.variance.tolist() == [[0.5]]
    assert alone.run.logs["NumZeroSpectra"] == LogNumber(value=1)
    assert sum_spectra(histogram([[5]], [[0]]), weighted_sum=True, multiply_by_spectra=False).y.tolist() == [[0]]


def test_spectra_with_different_bins_cannot_be_added() -> None:
    ws = histogram([[1], [2]], x=np.array([[0.0, 1], [0.0, 2]]))
    with pytest.raises(AlgorithmError, match="common bin boundaries"):
        sum_spectra(ws)
    same = ws.replace(x=np.array([[0.0, 1], [0.0, 1]]))
    assert sum_spectra(same).x.tolist() == [0, 1]


@pytest.mark.parametrize("rows", [{"end_workspace_index": 5}, {"list_of_workspace_indices": [5]}, {"start_workspace_index": -1}])
def test_indices_out_of_range_are_refused(rows: dict[str, object]) -> None:
    with pytest.raises(AlgorithmError, match="out of range"):
        sum_spectra(histogram([[1], [2]]), **rows)  # type: ignore[arg-type]


def test_events_of_all_spectra_come_together_with_the_weights_they_need() -> None:
    plain = Events(tof=np.array([0.5]), pulse_time_ns=np.array([NO_PULSE_NS]))
    ws = EventWorkspace.from_rows([plain, plain.weighted()], [EventKind.TOF, EventKind.WEIGHTED], x=np.array([0.0, 1]), spectra=Spectra.counted(2))
    result = sum_spectra(ws)
    assert isinstance(result, EventWorkspace)
    assert result.n_events == 2
    assert result.kinds.tolist() == [EventKind.WEIGHTED]
    assert result.y.tolist() == [[2]]
    assert isinstance(sum_spectra(ws, weighted_sum=True), Workspace)
