"""Which spectra are asked for in which blocks."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from livereduce.errors import ListenerError
from livereduce.listeners.isis_geometry import BLOCK_BYTES, Dimensions, Tables, blocks, select


@given(numbers=st.sets(st.integers(1, 400), min_size=1), bins=st.sampled_from([1, 1000, 5000, 20_000, 262_143, 1_000_000]))
def test_blocks_hold_each_number_once_in_order_and_keep_to_the_limit(numbers: set[int], bins: int) -> None:
    plan = blocks(np.array(sorted(numbers), dtype=np.int32), bins)
    assert [number for first, count in plan for number in range(first, first + count)] == sorted(numbers)
    assert all(count == 1 or 4 * count * (bins + 1) <= BLOCK_BYTES for _, count in plan)


@given(numbers=st.sets(st.integers(1, 400), min_size=1))
def test_neighbours_that_fit_share_a_block(numbers: set[int]) -> None:
    plan = blocks(np.array(sorted(numbers), dtype=np.int32), 10)
    assert all(first + count < following for (first, count), (following, _) in pairwise(plan))


@pytest.mark.parametrize(("bins", "limit"), [(5, 43690), (30, 8456), (262_143, 1), (300_000, 1)])
def test_the_limit_counts_the_integer_that_comes_with_the_bins(bins: int, limit: int) -> None:
    plan = blocks(np.arange(1, limit + 2, dtype=np.int32), bins)
    assert plan == [(1, limit), (limit + 1, 1)]


def test_a_reading_too_large_is_refused_before_it_is_made() -> None:
    dimensions = Dimensions(periods=1000, bins=1_000_000, spectra=1_000_000, monitor_bins=0, monitor_spectra=0)
    nothing = np.empty(0, dtype=np.int32)
    tables = Tables(detector_ids=nothing, detector_spectra=nothing, x=np.arange(1_000_001, dtype=np.float32))
    with pytest.raises(ListenerError, match=r"4000000000000000 bytes; wanted at most 4294967296; name 'spectra' or 'periods'"):
        select(dimensions, tables, None, None)
