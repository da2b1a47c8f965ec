from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from livereduce.algorithms.integration import integration
from livereduce.data.events import NO_PULSE_NS, EventKind, Events, EventWorkspace
from livereduce.data.workspace import Spectra, Workspace
from livereduce.errors import AlgorithmError


def histogram(y: list[list[float]], **fields: object) -> Workspace:
    counts = np.array(y, dtype=float)
    values: dict[str, object] = {"x": np.arange(counts.shape[1] + 1.0), "spectra": Spectra.counted(len(y)), **fields}
    return Workspace(y=counts, variance=counts.copy(), **values)  # type: ignore[arg-type]


def neutrons(tof: list[float]) -> EventWorkspace:
    events = Events(tof=np.array(tof, dtype=float), pulse_time_ns=np.full(len(tof), NO_PULSE_NS))
    return EventWorkspace.from_rows([events], [EventKind.TOF], x=np.array([0.0, 10]), spectra=Spectra.counted(1))


@settings(max_examples=50, deadline=None)
@given(st.lists(st.integers(0, 100), min_size=1, max_size=8), st.floats(0, 8), st.floats(0, 8), st.floats(0, 8))
def test_parts_of_a_range_add_up_to_it(y: list[int], a: float, b: float, c: float) -> None:
    ws = histogram([[float(value) for value in y]])
    low, middle, high = sorted(min(value, float(len(y))) for value in (a, b, c))

    def part(lower: float, upper: float) -> float:
        return float(integration(ws, range_lower=lower, range_upper=upper, include_partial_bins=True).y[0, 0])

    assert part(low, middle) + part(middle, high) == pytest.approx(part(low, high))


def test_without_a_range_everything_counts() -> None:
    result = integration(histogram([[1, 2], [3, 4]]))
    assert result.y.tolist() == [[3], [7]]
    assert result.x.tolist() == [0, 2]


def test_a_range_for_each_spectrum() -> None:
    result = integration(histogram([[1, 2], [3, 4]]), range_lower_list=[0, 1], range_upper_list=[1, 2])
    assert result.y.tolist() == [[1], [4]]
    assert result.x.tolist() == [[0, 1], [1, 2]]
    with pytest.raises(AlgorithmError, match="RangeLowerList has 1 values for 2 spectra"):
        integration(histogram([[1], [2]]), range_lower_list=[0])


@pytest.mark.parametrize(("lower", "upper"), [(2, 1), (50, 60)])
def test_a_range_that_misses_the_data_gives_zero(lower: float, upper: float) -> None:
    assert integration(histogram([[1, 2]]), range_lower=lower, range_upper=upper).y.tolist() == [[0]]
    assert integration(neutrons([1.5]), range_lower=lower, range_upper=upper).y.tolist() == [[0]]


def test_events_count_one_by_one_whatever_the_bins() -> None:
    assert integration(neutrons([1, 2, 3]), range_lower=1.5, range_upper=2.5).y.tolist() == [[1]]


def test_the_whole_range_of_events_holds_them_all() -> None:
    for tof in ([1219.09267, 19826.687], [5.0], [0.0, 7.0], [123456.0, 200000.0]):
        result = integration(neutrons(tof))
        assert result.y.tolist() == [[len(tof)]]
        assert result.x[0] <= min(tof)
        assert result.x[1] > max(tof)
    assert integration(neutrons([])).y.tolist() == [[0]]


def test_points_and_distributions_are_integrated_as_heights() -> None:
    points = histogram([[2, 4, 2]], x=np.array([0.0, 2, 4]))
    assert integration(points).y.tolist() == [[16]]
    assert integration(points).distribution
