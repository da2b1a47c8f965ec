"""Integration: the content of each spectrum between two values of x."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from livereduce.algorithms.selection import row_range
from livereduce.algorithms.shape import convert_to_histogram
from livereduce.data import events
from livereduce.data.events import EventWorkspace, SpectraWorkspace
from livereduce.data.workspace import FloatArray, Workspace
from livereduce.errors import AlgorithmError

NOTHING = (1.0, 2.0)
"""Edges of the result where a range is reversed or misses the data: what Mantid leaves in a bin that it did not fill."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Range:
    """Between which values of x to integrate."""

    lower: float
    """In the unit of x; -inf for from the start."""

    upper: float
    """In the unit of x; inf for to the end."""

    partial: bool
    """Whether bins that are only partly inside count by the part that is."""


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
    for these, one in _alike(whole, ranges):
        x[these], y[these, 0], variance[these, 0] = _sums(whole, rows[these], one, heights)
    return _result(whole.replace(distribution=heights), rows, x, y, variance)


def _ranges(n: int, lower: float | None, upper: float | None, lowers: Sequence[float], uppers: Sequence[float], partial: bool) -> list[Range]:
    """Return the range of each of `n` rows."""
    for name, values in (("RangeLowerList", lowers), ("RangeUpperList", uppers)):
        if len(values) not in (0, n):
            raise AlgorithmError(f"Integration: {name} has {len(values)} values for {n} spectra; wanted one for each")
    low = lowers if len(lowers) else [-np.inf if lower is None else lower] * n
    high = uppers if len(uppers) else [np.inf if upper is None else upper] * n
    return [Range(lower=float(a), upper=float(b), partial=partial) for a, b in zip(low, high, strict=True)]


def _alike(ws: Workspace, ranges: list[Range]) -> list[tuple[NDArray[np.intp] | slice, Range]]:
    """Return which rows can be summed together: all, when they share x and range."""
    if ws.has_common_x and len(set(ranges)) == 1:
        return [(slice(None), ranges[0])]
    return [(np.array([k]), one) for k, one in enumerate(ranges)]


def _sums(ws: Workspace, rows: NDArray[np.intp], within: Range, heights: bool) -> tuple[NDArray[np.float64], FloatArray, FloatArray]:
    """Return edges, sum and variance of `rows`, which share x and range."""
    x = ws.x_of(int(rows[0]))
    lower, upper = max(within.lower, x[0]), min(within.upper, x[-1])
    if within.lower > within.upper or lower > upper:
        return np.array(NOTHING), np.zeros(len(rows)), np.zeros(len(rows))
    ends = [within.lower if np.isfinite(within.lower) else lower, within.upper if np.isfinite(within.upper) else upper]
    if within.partial:
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


def _events_integrated(ws: EventWorkspace, ranges: list[Range]) -> Workspace:
    """Return the events between two values of x, whatever the bins; the whole range is that of the events."""
    low, high = _around(ws)
    x = np.array([[one.lower if np.isfinite(one.lower) else low, one.upper if np.isfinite(one.upper) else high] for one in ranges])
    x[x[:, 0] > x[:, 1]] = NOTHING
    y, variance = events.histogram(ws.events, ws.offsets, x)
    reversed_ = np.array([one.lower > one.upper for one in ranges])
    y[reversed_], variance[reversed_] = 0, 0
    return _result(ws.histogram(), np.arange(ws.n_spectra), x, y, variance)


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
    """Return the workspace of one bin for each of `rows`; one x for all where it is the same."""
    common = x[0].copy() if len(x) and np.all(x == x[0]) else x
    return ws.replace(x=common, y=y, variance=variance, dx=None, spectra=ws.spectra.take(rows), masked_bins={}, vertical=None)
