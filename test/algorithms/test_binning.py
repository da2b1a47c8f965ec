from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from livereduce.algorithms.binning import edges, rebin
from livereduce.algorithms.sums import sum_spectra
from livereduce.data.events import NO_PULSE_NS, EventKind, Events, EventWorkspace
from livereduce.data.workspace import MaskedBins, Spectra, Workspace
from livereduce.errors import AlgorithmError


def histogram(y: list[list[float]], x: list[float] | list[list[float]], **fields: object) -> Workspace:
    counts = np.array(y, dtype=float)
    return Workspace(x=np.array(x, dtype=float), y=counts, variance=np.abs(counts), spectra=Spectra.counted(len(counts)), **fields)  # type: ignore[arg-type]


def neutrons(tof: list[float], edges_: list[float]) -> EventWorkspace:
    events = Events(tof=np.array(tof, dtype=float), pulse_time_ns=np.full(len(tof), NO_PULSE_NS))
    return EventWorkspace.from_rows([events], [EventKind.TOF], x=np.array(edges_), spectra=Spectra.counted(1))


ascending = st.lists(st.integers(1, 50), min_size=1, max_size=25).map(lambda widths: np.concatenate([[0.0], np.cumsum(widths)]))


@settings(max_examples=60, deadline=None)
@given(ascending, st.floats(0.3, 40), st.data())
def test_counts_and_variance_are_kept_where_old_and_new_edges_overlap(old: np.ndarray, width: float, data: st.DataObject) -> None:
    n = len(old) - 1
    y = np.array([data.draw(st.lists(st.floats(0, 1e6), min_size=n, max_size=n)) for _ in range(2)])
    ws = Workspace(x=old, y=y, variance=3 * y, spectra=Spectra.counted(2))
    end = float(old[-1]) + 5
    result = rebin(ws, (-5.0, width, end))
    np.testing.assert_allclose(result.y.sum(axis=1), ws.y.sum(axis=1), rtol=1e-9, atol=1e-9)
    np.testing.assert_allclose(result.variance.sum(axis=1), ws.variance.sum(axis=1), rtol=1e-9, atol=1e-9)


@settings(max_examples=40, deadline=None)
@given(ascending)
def test_a_distribution_keeps_its_integral(old: np.ndarray) -> None:
    y = np.arange(1.0, len(old))[None, :]
    ws = Workspace(x=old, y=y, variance=y.copy(), spectra=Spectra.counted(1), distribution=True)
    result = rebin(ws, (0.0, 7.5, float(old[-1])))
    assert (result.y * np.diff(result.x)).sum() == pytest.approx((y * np.diff(old)).sum())


@settings(max_examples=30, deadline=None)
@given(ascending, st.floats(0.5, 20))
def test_rebinning_a_sum_is_summing_what_was_rebinned(old: np.ndarray, width: float) -> None:
    y = np.outer([1.0, 2.0, 5.0], np.arange(1.0, len(old)))
    ws = Workspace(x=old, y=y, variance=y.copy(), spectra=Spectra.counted(3))
    params = (0.0, width, float(old[-1]))
    np.testing.assert_allclose(rebin(sum_spectra(ws), params).y, sum_spectra(rebin(ws, params)).y, rtol=1e-12)


def test_rebinning_to_the_same_bins_changes_nothing() -> None:
    ws = histogram([[1, 2, 3]], [0, 1, 2, 3])
    assert rebin(ws, (0, 1, 3)) is ws


def test_rebinning_does_not_change_what_it_was_given() -> None:
    ws = histogram([[4, 8]], [0, 2, 4])
    result = rebin(ws, (0, 1, 4))
    assert result.y.tolist() == [[2, 2, 4, 4]]
    assert ws.y.tolist() == [[4, 8]]


def test_many_rows_are_rebinned_as_few_are() -> None:
    y = np.random.default_rng(7).poisson(9, (1500, 1000)).astype(float)
    ws = Workspace(x=np.linspace(0, 100, 1001), y=y, variance=2 * y, spectra=Spectra.counted(1500))
    few = ws.replace(y=y[700:702], variance=2 * y[700:702], spectra=Spectra.counted(2))
    params = (0.05, 0.37, 99)
    assert rebin(ws, params).y[700:702].tolist() == rebin(few, params).y.tolist()


def test_a_short_last_bin_joins_the_one_before() -> None:
    assert edges((0.0, 10.0, 102.0)).tolist() == [0, 10, 20, 30, 40, 50, 60, 70, 80, 90, 102]
    assert edges((0.0, 10.0, 103.0)).tolist()[-2:] == [100, 103]


def test_full_bins_only_leaves_the_rest_out() -> None:
    assert edges((0.0, 10.0, 35.0), full_bins_only=True).tolist() == [0, 10, 20, 30]


def test_a_negative_width_is_logarithmic() -> None:
    found = edges((1.0, -1.0, 16.0))
    assert found.tolist() == [1, 2, 4, 8, 16]


def test_a_single_width_takes_the_range_of_the_workspace() -> None:
    assert rebin(histogram([[1, 1]], [0, 1, 4]), (2,)).x.tolist() == [0, 2, 4]


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ((), "Enter values for this property"),
        ((1, 2), "must be odd"),
        ((20, 1, 10), "in order of increasing value"),
        ((0, 0, 10), "finite and not zero"),
        ((0, math.nan, 10), "finite and not zero"),
        ((0, -0.1, 10), "must begin above 0"),
        ((0, 1e-9, 1000), "at most"),
    ],
)
def test_params_that_cannot_be_used_say_why(params: tuple[float, ...], message: str) -> None:
    with pytest.raises(AlgorithmError, match=message):
        rebin(histogram([[1, 1]], [1, 2, 3]), params)


def test_a_range_without_a_full_bin_is_refused() -> None:
    with pytest.raises(AlgorithmError, match="no full bin"):
        edges((0.0, 10.0, 5.0), full_bins_only=True)


def test_bins_that_do_not_ascend_are_refused_or_give_zeros() -> None:
    ws = histogram([[1, 1], [1, 1]], [[0, 1, 1], [0, 1, 2]])
    with pytest.raises(AlgorithmError, match="spectrum 1"):
        rebin(ws, (0, 0.5, 2))
    assert rebin(ws, (0, 0.5, 2), ignore_bin_errors=True).y.tolist() == [[0, 0, 0, 0], [0.5, 0.5, 0.5, 0.5]]


def test_masks_cover_the_new_bins_by_the_part_that_was_masked() -> None:
    ws = histogram([[1, 1]], [0, 1, 2], masked_bins={0: MaskedBins(bins=np.array([1]), weights=np.array([1.0]))})
    masked = rebin(ws, (0, 1.5, 3)).masked_bins[0]
    assert masked.bins.tolist() == [0, 1]
    assert masked.weights == pytest.approx([1 / 3, 1 / 3])


def test_events_outside_the_new_bins_are_kept() -> None:
    ws = rebin(neutrons([0.5, 1.5, 9.5], [0, 10]), (1, 1, 3))
    assert isinstance(ws, EventWorkspace)
    assert ws.n_events == 3
    assert ws.y.tolist() == [[1, 0]]
    assert rebin(ws, (0, 5, 10)).y.tolist() == [[2, 1]]


def test_events_become_a_histogram_when_asked() -> None:
    ws = rebin(neutrons([0.5, 1.5], [0, 10]), (0, 1, 2), preserve_events=False)
    assert isinstance(ws, Workspace)
    assert ws.y.tolist() == [[1, 1]]
