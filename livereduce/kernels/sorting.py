"""Events in the order they came to events sorted by spectrum: a counting sort, two passes, stable."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from livereduce.kernels.compiling import compiled


@compiled
def count_rows(
    row: NDArray[np.uint32],
    many: NDArray[np.uint32],
    first_row: NDArray[np.uint32],
    period: NDArray[np.uint32],
    wanted: int,
    counts: NDArray[np.int64],
) -> None:
    """Count the events of each row in one period.

    Parameters
    ----------
    row:
        (events,), row of each event as the source counts them.
    many, first_row, period:
        (pulses,), events of each pulse, the row that its source counts from, and its period.
    wanted:
        The period.
    counts:
        (rows,), zeros; grows by the events of each row. Events of other rows are left out.
    """
    at = 0
    for pulse in range(len(many)):
        end = at + many[pulse]
        if period[pulse] == wanted:
            first = np.int64(first_row[pulse])
            for k in range(at, end):
                r = np.int64(row[k]) - first
                if 0 <= r < len(counts):
                    counts[r] += 1
        at = end


@compiled
def sort_events(
    row: NDArray[np.uint32],
    tof: NDArray[np.float32],
    many: NDArray[np.uint32],
    when: NDArray[np.int64],
    first_row: NDArray[np.uint32],
    period: NDArray[np.uint32],
    wanted: int,
    place: NDArray[np.int64],
    tof_sorted: NDArray[np.float64],
    when_sorted: NDArray[np.int64],
) -> None:
    """Put the events that `count_rows` counted into their places.

    Parameters
    ----------
    row, many, first_row, period, wanted:
        As for `count_rows`.
    tof:
        (events,), time of flight.
    when:
        (pulses,), time of each pulse.
    place:
        (rows,), where the next event of each row goes; moves on with each.
    tof_sorted, when_sorted:
        (events of that period,), filled: time of flight and time of the pulse.
    """
    at = 0
    for pulse in range(len(many)):
        end = at + many[pulse]
        if period[pulse] == wanted:
            first, time = np.int64(first_row[pulse]), when[pulse]
            for k in range(at, end):
                r = np.int64(row[k]) - first
                if 0 <= r < len(place):
                    to = place[r]
                    tof_sorted[to], when_sorted[to] = tof[k], time
                    place[r] = to + 1
        at = end
