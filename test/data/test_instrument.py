from __future__ import annotations

import numpy as np
import pytest

from livereduce.data.instrument import Instrument


def instrument(ids: list[int]) -> Instrument:
    n = len(ids)
    return Instrument(
        source=np.array([0.0, 0, -10]),
        sample=np.zeros(3),
        detector_ids=np.array(ids, dtype=np.int32),
        positions=np.zeros((n, 3)),
        monitor=np.zeros(n, dtype=bool),
        masked=np.zeros(n, dtype=bool),
    )


def test_l1_is_the_distance_from_source_to_sample() -> None:
    assert instrument([1]).l1 == 10


def test_rows_of_detectors_leave_out_unknown_ones() -> None:
    assert instrument([2, 5, 9]).rows(np.array([9, 2, 7], dtype=np.int32)).tolist() == [0, 2]


def test_detector_ids_must_ascend() -> None:
    with pytest.raises(ValueError, match="ascend"):
        instrument([2, 2])


def test_masking_leaves_the_instrument_it_came_from_alone() -> None:
    first = instrument([1, 2])
    second = first.with_masked(np.array([True, False]))
    assert second.masked.tolist() == [True, False]
    assert not first.masked.any()


def test_every_detector_needs_a_position() -> None:
    one = instrument([1, 2])
    with pytest.raises(ValueError, match="2 detectors need positions"):
        Instrument(
            source=one.source, sample=one.sample, detector_ids=one.detector_ids, positions=np.zeros((1, 3)), monitor=one.monitor, masked=one.masked
        )
