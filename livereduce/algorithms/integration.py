"""Integration: the content of each spectrum between two values of x."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from livereduce.algorithms.selection import row_range
from livereduce.algorithms.shape import convert_to_histogram
from livereduce.data.events import EventWorkspace, SpectraWorkspace
from livereduce.data.workspace import FloatArray, Workspace
from livereduce.errors import AlgorithmError

NOTHING = (1.0, 2.0)
"""Edges of the result where a range is reversed or misses the data: what Mantid leaves in a bin that it did not fill."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Ranges:
    """Between which values of x to integrate each row."""

    lower: FloatArray
    """(rows,), in the unit of x; -inf for from the start."""

    upper: FloatArray
    """(rows,), in the unit of x; inf for to the end."""

    partial: bool
    """Whether bins that are only partly inside count by the part that is."""

    @property
    def alike(self) -> bool:
        """True when all rows have the same."""
        return bool(np.all(self.lower == self.lower[0]) and np.all(self.upper == self.upper[0]))


def integration(
    input_workspace: SpectraWorkspace,
    *,
    range_lower: float | None = None,
    range_upper: float | None = None,
    start_workspace_index: int | None = 0,
    end_workspace_index: int | None = None,
    include_partial_bins: bool = False,
    range_lower_list: Sequence[float] = (),
    range_upper_list: Sequence[float] = (),
) -> Workspace:
    """Return one bin for each spectrum: the sum over a range, of a distribution the integral.

    Parameters
    ----------
    input_workspace:
        Histograms, events, or points, which are taken as the height of a bin around each.
    range_lower, range_upper:
        Range, in the unit of x; None is the end of the data. Events are taken one by one, whatever the bins.
    start_workspace_index, end_workspace_index:
        Rows, both included.
    include_partial_bins:
        Count bins that are only partly in the range by that part; otherwise leave them out.
    range_lower_list, range_upper_list:
        A range for each row instead.

    Raises
    ------
    AlgorithmError
        If rows are out of range, or a list does not have a value for each of them.
    """
    rows = row_range(input_workspace, start_workspace_index, end_workspace_index)
    ranges = _ranges(len(rows), range_lower, range_upper, range_lower_list, range_upper_list, include_partial_bins)
    if isinstance(input_workspace, EventWorkspace):
        return _events_integrated(input_workspace.take(rows), ranges)
    whole = convert_to_histogram(input_workspace)
    assert isinstance(whole, Workspace)
    heights = whole.distribution or not input_workspace.is_histogram
    x, y, variance = np.empty((len(rows), 2)), np.empty((len(rows), 1)), np.empty((len(rows), 1))
    together = whole.has_common_x and ranges.alike
    for these in [slice(None)] if together else [slice(k, k + 1) for k in range(len(rows))]:
        x[these], y[these, 0], variance[these, 0] = _sums(whole, rows[these], ranges, these.start or 0, heights)
    return _result(whole.replace(distribution=heights), rows, x, y, variance)


def _ranges(n: int, lower: float | None, upper: float | None, lowers: Sequence[float], uppers: Sequence[float], partial: bool) -> Ranges:
    """Return the range of each of `n` rows."""
    for name, values in (("RangeLowerList", lowers), ("RangeUpperList", uppers)):
        if len(values) not in (0, n):
            raise AlgorithmError(f"Integration: {name} has {len(values)} values for {n} spectra; wanted one for each")
    low = np.array(lowers, dtype=float) if len(lowers) else np.full(n, -np.inf if lower is None else lower)
    high = np.array(uppers, dtype=float) if len(uppers) else np.full(n, np.inf if upper is None else upper)
    return Ranges(lower=low, upper=high, partial=partial)


def _sums(ws: Workspace, rows: NDArray[np.intp], ranges: Ranges, at: int, heights: bool) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Return edges, sum and variance of `rows`, which share x and the range of row `at`."""
    x = ws.x_of(int(rows[0]))
    asked = float(ranges.lower[at]), float(ranges.upper[at])
    lower, upper = max(asked[0], x[0]), min(asked[1], x[-1])
    if asked[0] > asked[1] or lower > upper:
        return np.array(NOTHING), np.zeros(len(rows)), np.zeros(len(rows))
    ends = [asked[0] if np.isfinite(asked[0]) else lower, asked[1] if np.isfinite(asked[1]) else upper]
    if ranges.partial:
        first, last = int(np.searchsorted(x, lower, side="right")) - 1, int(np.searchsorted(x, upper, side="left"))
        inside = np.minimum(x[first + 1 : last + 1], upper) - np.maximum(x[first:last], lower)
    else:
        first, last = int(np.searchsorted(x, lower, side="left")), int(np.searchsorted(x, upper, side="right")) - 1
        ends = [x[first], x[last]]
        inside = np.diff(x[first : last + 1])
    part = slice(first, max(last, first))
    width = np.diff(x)[part]
    share = inside / width
    in_y = inside if heights else share
    # A part of a bin has that part of its error, not of its variance: the bin is taken as one measured number.
    return np.array(ends), (ws.y[rows, part] * in_y).sum(axis=1), (ws.variance[rows, part] * in_y**2).sum(axis=1)


def _events_integrated(ws: EventWorkspace, ranges: Ranges) -> Workspace:
    """Return the events between two values of x, whatever the bins; the whole range is that of the events."""
    low, high = _around(ws)
    x = np.stack([np.where(np.isfinite(ranges.lower), ranges.lower, low), np.where(np.isfinite(ranges.upper), ranges.upper, high)], axis=1)
    empty = x[:, 0] > x[:, 1]
    x[empty] = NOTHING
    counted = ws.replace(x=x, dx=None, masked_bins={}, vertical=None).histogram()
    y, variance = np.where(empty[:, None], 0.0, counted.y), np.where(empty[:, None], 0.0, counted.variance)
    return counted.replace(x=_common(x), y=y, variance=variance)


def _around(ws: EventWorkspace) -> tuple[float, float]:
    """Return limits around all events, six digits each, rounded outward so that the last event lies inside too."""
    if ws.n_events == 0:
        return float(ws.x.min()), float(ws.x.max())
    low, high = float(ws.events.tof.min()), float(ws.events.tof.max())
    unit_low, unit_high = _sixth_digit(low), _sixth_digit(high)
    below, above = np.floor(low / unit_low) * unit_low, np.ceil(high / unit_high) * unit_high
    return float(below), float(above if above > high else above + unit_high)


def _sixth_digit(value: float) -> float:
    """Return what one step of the sixth digit of `value` is worth."""
    return 10.0 ** (np.floor(np.log10(abs(value))) - 5) if value else 1e-6


def _result(ws: Workspace, rows: NDArray[np.intp], x: FloatArray, y: FloatArray, variance: FloatArray) -> Workspace:
    """Return the workspace of one bin for each of `rows`."""
    return ws.replace(x=_common(x), y=y, variance=variance, dx=None, spectra=ws.spectra.take(rows), masked_bins={}, vertical=None)


def _common(x: FloatArray) -> FloatArray:
    """Return one x for all where it is the same."""
    return x[0].copy() if np.all(x == x[0]) else x
