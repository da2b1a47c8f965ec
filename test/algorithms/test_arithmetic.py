from __future__ import annotations

from types import MappingProxyType

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from livereduce.algorithms.arithmetic import divide, minus, multiply, plus, scale
from livereduce.algorithms.create import create_single_valued_workspace, is_single_value
from livereduce.data.events import NO_PULSE_NS, EventKind, Events, EventWorkspace
from livereduce.data.run import LogNumber, LogSeries, Run
from livereduce.data.workspace import Spectra, Workspace
from livereduce.errors import AlgorithmError


def histogram(y: list[list[float]], **fields: object) -> Workspace:
    counts = np.array(y, dtype=float)
    values: dict[str, object] = {"x": np.arange(counts.shape[1] + 1.0), "spectra": Spectra.counted(len(counts)), **fields}
    return Workspace(y=counts, variance=np.abs(counts), **values)  # type: ignore[arg-type]


def neutrons(rows: list[list[float]], **fields: object) -> EventWorkspace:
    events = [Events(tof=np.array(row, dtype=float), pulse_time_ns=np.full(len(row), NO_PULSE_NS)) for row in rows]
    values: dict[str, object] = {"x": np.array([0.0, 1, 2, 3]), "spectra": Spectra.counted(len(rows)), **fields}
    return EventWorkspace.from_rows(events, [EventKind.TOF] * len(rows), **values)


@settings(max_examples=40, deadline=None)
@given(st.lists(st.lists(st.lists(st.integers(0, 1000), min_size=3, max_size=3), min_size=2, max_size=2), min_size=2, max_size=6))
def test_adding_in_chunks_is_adding_at_once(chunks: list[list[list[int]]]) -> None:
    total = histogram(chunks[0])
    for chunk in chunks[1:]:
        total = plus(total, histogram(chunk))  # type: ignore[assignment]
    assert total.y.tolist() == np.sum(chunks, axis=0).tolist()
    assert total.variance.tolist() == np.sum(chunks, axis=0).tolist()


@settings(max_examples=30, deadline=None)
@given(st.lists(st.lists(st.floats(0, 2.99), max_size=8), min_size=1, max_size=5))
def test_counting_added_events_is_adding_what_was_counted(chunks: list[list[float]]) -> None:
    total, counted = neutrons([[]]), histogram([[0, 0, 0]])
    for chunk in chunks:
        total = plus(total, neutrons([chunk]))  # type: ignore[assignment]
        counted = plus(counted, neutrons([chunk]).histogram())  # type: ignore[assignment]
    assert isinstance(total, EventWorkspace)
    assert total.y.tolist() == counted.y.tolist()


def test_what_was_given_stays_as_it_was() -> None:
    a, b = histogram([[1, 2]]), histogram([[3, 4]])
    for operation in (plus, minus, multiply, divide):
        operation(a, b)
    assert a.y.tolist() == [[1, 2]]
    assert b.y.tolist() == [[3, 4]]


def test_errors_propagate_through_products_and_ratios() -> None:
    a, b = histogram([[100.0]]), histogram([[25.0]])
    assert multiply(a, b).errors[0, 0] / 2500 == pytest.approx(np.sqrt(1 / 100 + 1 / 25))
    assert divide(a, b).errors[0, 0] / 4 == pytest.approx(np.sqrt(1 / 100 + 1 / 25))


def test_a_single_value_stands_for_every_bin_on_either_side() -> None:
    ws, two = histogram([[1, 2], [3, 4]]), create_single_valued_workspace(2.0)
    assert plus(two, ws).y.tolist() == [[3, 4], [5, 6]]
    assert minus(two, ws).y.tolist() == [[1, 0], [-1, -2]]
    assert divide(two, ws).y[0].tolist() == [2, 1]
    assert divide(ws, two).y_unit == "Counts"
    assert is_single_value(multiply(two, two))


def test_one_spectrum_or_one_bin_stands_for_all() -> None:
    ws = histogram([[1, 2], [3, 4]])
    assert multiply(ws, histogram([[10, 100]])).y.tolist() == [[10, 200], [30, 400]]
    assert multiply(ws, histogram([[10], [100]], x=np.array([0.0, 2]))).y.tolist() == [[10, 20], [300, 400]]


def test_a_ratio_of_counts_has_no_unit_and_is_a_distribution() -> None:
    ratio = divide(histogram([[1.0]]), histogram([[2.0]]))
    assert ratio.y_unit == ""
    assert ratio.distribution


def test_a_number_can_be_added_or_multiplied() -> None:
    assert scale(histogram([[1, 2]]), factor=3).y.tolist() == [[3, 6]]
    assert scale(histogram([[1, 2]]), factor=3, operation="Add").y.tolist() == [[4, 5]]
    with pytest.raises(AlgorithmError, match="wanted Multiply or Add"):
        scale(histogram([[1.0]]), operation="Power")


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"x_unit": "Wavelength"}, "x is in TOF and Wavelength"),
        ({"y_unit": "Percent"}, "y counts Counts and Percent"),
        ({"distribution": True}, "a distribution"),
        ({"x": np.array([0.0, 1, 3])}, "x differs"),
    ],
)
def test_sums_of_what_does_not_fit_say_why(changes: dict[str, object], why: str) -> None:
    with pytest.raises(AlgorithmError, match=f"not compatible for algorithm Plus: .*{why}"):
        plus(histogram([[1, 2]]), histogram([[1, 2]], **changes))


def test_different_numbers_of_spectra_need_to_be_allowed() -> None:
    a, b = histogram([[1.0], [2.0], [3.0]]), histogram([[1.0], [2.0]])
    with pytest.raises(AlgorithmError, match="Got 3 and 2"):
        minus(a, b)
    detectors = a.spectra.from_lists(np.array([1, 2, 3]), [np.array([k]) for k in (1, 2, 3)])
    found = Spectra.from_lists(np.array([1, 2]), [np.array([3]), np.array([1])])
    result = minus(a.replace(spectra=detectors), b.replace(spectra=found), allow_different_number_spectra=True)
    assert result.y.ravel().tolist() == [-1, 0, 2]


def test_events_outside_the_bins_of_the_factor_get_weight_zero() -> None:
    result = multiply(neutrons([[0.5, 2.5, 9.0]]), histogram([[2, 3, 4]]))
    assert isinstance(result, EventWorkspace)
    assert result.events.weight is not None
    assert result.events.weight.tolist() == [2, 4, 0]


def test_events_meet_the_bins_of_their_own_spectrum() -> None:
    factor = histogram([[1, 2, 3], [4, 5, 6]], x=np.array([[0.0, 1, 2, 3], [0.0, 0.1, 0.2, 3]]))
    result = multiply(neutrons([[2.5], [0.15]]), factor)
    assert isinstance(result, EventWorkspace)
    assert result.events.weight is not None
    assert result.events.weight.tolist() == [3, 5]
    with pytest.raises(AlgorithmError, match="not by points"):
        multiply(neutrons([[2.5]]), histogram([[1, 2, 3]], x=np.arange(3.0)))


def test_events_divided_by_zero_are_not_a_number() -> None:
    result = divide(neutrons([[0.5, 1.5]]), histogram([[0, 2, 4]]))
    assert np.isnan(result.y[0, 0])
    assert result.y[0, 1] == 0.5


def test_subtracted_events_count_negative() -> None:
    result = minus(neutrons([[0.5, 0.6]]), neutrons([[0.7]]))
    assert result.y.tolist() == [[1, 0, 0]]
    assert result.variance.tolist() == [[3, 0, 0]]


def test_sums_continue_the_run() -> None:
    first = LogSeries(time_ns=np.array([1, 3]), values=np.array([1.0, 3.0]))
    second = LogSeries(time_ns=np.array([2]), values=np.array([2.0]))
    logs = [MappingProxyType({"t": series, "goodfrm": LogNumber(value=k), "s": LogNumber(value="x" * k)}) for k, series in ((1, first), (2, second))]
    a = histogram([[1.0]], run=Run(number=7, charge_uah=1.5, start_ns=5, end_ns=6, logs=logs[0]))
    b = histogram([[1.0]], run=Run(number=8, charge_uah=2.0, start_ns=1, logs=logs[1]))
    run = plus(a, b).run
    assert (run.number, run.charge_uah, run.start_ns, run.end_ns) == (7, 3.5, 1, 6)
    series = run.logs["t"]
    assert isinstance(series, LogSeries)
    assert series.values.tolist() == [1, 2, 3]
    assert run.logs["goodfrm"] == LogNumber(value=3)
    assert run.logs["s"] == LogNumber(value="x")
    assert plus(a, histogram([[1.0]])).run.charge_uah == 1.5


def test_logs_of_different_kinds_keep_the_first() -> None:
    a = histogram([[1.0]], run=Run(logs=MappingProxyType({"t": LogNumber(value=1)})))
    b = histogram([[1.0]], run=Run(logs=MappingProxyType({"t": LogNumber(value="x")})))
    assert plus(a, b).run.logs["t"] == LogNumber(value=1)
