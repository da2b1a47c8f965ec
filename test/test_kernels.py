from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from livereduce import kernels

ascending = st.lists(st.floats(0.1, 10), min_size=1, max_size=12).map(lambda widths: np.concatenate([[0.0], np.cumsum(widths)]))


@settings(max_examples=60, deadline=None)
@given(ascending, ascending, st.floats(-5, 5))
def test_overlaps_cover_what_both_cover_and_nothing_twice(edges: np.ndarray, new: np.ndarray, shift: float) -> None:
    new = new + shift
    old_bins, new_bins, width = kernels.share(edges, new)
    assert (width > 0).all()
    assert np.isclose(width.sum(), max(0.0, min(edges[-1], new[-1]) - max(edges[0], new[0])), atol=1e-9)
    assert (np.diff(old_bins) >= 0).all()
    assert (np.diff(new_bins) >= 0).all()
    assert len(set(zip(old_bins.tolist(), new_bins.tolist(), strict=True))) == len(width)


@settings(max_examples=80, deadline=None)
@given(ascending, st.lists(st.floats(0, 1, exclude_max=True), min_size=1, max_size=20))
def test_a_value_is_found_in_its_bin_however_uneven_bins_are(edges: np.ndarray, parts: list[float]) -> None:
    for value in [part * edges[-1] for part in parts] + edges[:-1].tolist():
        found = kernels.bin_of(value, edges, (len(edges) - 1) / (edges[-1] - edges[0]))
        assert edges[found] <= value < edges[found + 1]


def test_edges_at_infinity_are_edges() -> None:
    edges = np.array([-np.inf, 0.0, 1.0, np.inf])
    y = np.zeros((1, 3))
    kernels.count_events(np.array([-1e300, -1, 0, 0.5, 7, 1e300, np.nan]), np.array([0, 7]), edges[None, :], y)
    assert y.tolist() == [[2, 2, 2]]


def test_new_bins_without_overlap_are_zero() -> None:
    edges, new = np.array([0.0, 1, 2]), np.array([1.5, 2.5, 3.5])
    old, where, width = kernels.share(edges, new)
    y, result = np.array([[4.0, 6.0]]), np.full((1, 2), 99.0)
    begin = np.searchsorted(where, np.arange(3))
    kernels.gather_shares(y, y, result, result, old, begin, width, width)
    assert result.tolist() == [[3, 0]]


def test_a_kernel_works_where_compiled_code_cannot_be_kept() -> None:
    space: dict[str, object] = {}
    exec(compile("def twice(x):\n    return 2 * x\n", "<nowhere>", "exec"), space)
    twice = kernels._compiled(space["twice"])  # type: ignore[type-var]
    assert twice(4) == 8  # type: ignore[operator]
