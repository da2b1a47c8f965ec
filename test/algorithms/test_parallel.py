from __future__ import annotations

import threading

import numpy as np

from livereduce.algorithms.parallel import SMALLEST, over_rows


def double(values: np.ndarray, result: np.ndarray, seen: list[int]) -> None:
    np.multiply(values, 2, out=result)
    seen.append(len(values))


def test_every_row_is_worked_on_once_and_threads_are_gone_afterwards() -> None:
    values = np.arange(SMALLEST, dtype=float).reshape(7, -1) if SMALLEST % 7 == 0 else np.ones((7, SMALLEST // 7 + 1))
    result, seen, before = np.zeros_like(values), list[int](), threading.active_count()
    over_rows(double, (values, result), seen)
    assert sum(seen) == 7
    assert (result == 2 * values).all()
    assert threading.active_count() == before


def test_small_work_and_no_work_stay_on_the_caller() -> None:
    for rows in (3, 0):
        values, seen = np.ones((rows, 2)), list[int]()
        over_rows(double, (values, np.zeros_like(values)), seen)
        assert seen == [rows]
