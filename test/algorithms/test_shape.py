from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from livereduce.algorithms.create import create_workspace
from livereduce.algorithms.shape import convert_to_histogram, convert_to_point_data


@settings(max_examples=40, deadline=None)
@given(st.integers(1, 9), st.floats(0.1, 10), st.floats(-100, 100))
def test_even_bins_survive_the_way_to_points_and_back(bins: int, width: float, start: float) -> None:
    x = start + width * np.arange(bins + 1)
    ws = create_workspace(x, np.ones(bins))
    back = convert_to_histogram(convert_to_point_data(ws))
    if bins > 1:
        assert back.x == pytest.approx(x)
    assert back.y.tolist() == ws.y.tolist()


def test_resolution_at_edges_is_averaged_over_bins() -> None:
    ws = create_workspace([0, 1, 2], [1, 1], dx=[1, 3, 5])
    dx = convert_to_point_data(ws).dx
    assert dx is not None
    assert dx.tolist() == [2, 4]


def test_what_is_so_already_stays_the_same() -> None:
    ws = create_workspace([0, 1, 2], [1, 1])
    assert convert_to_histogram(ws) is ws
    points = convert_to_point_data(ws)
    assert convert_to_point_data(points) is points
