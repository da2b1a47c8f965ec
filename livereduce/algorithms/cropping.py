"""Parts of a workspace: some of its spectra, some of its x."""

from __future__ import annotations

from collections.abc import Sequence
from types import MappingProxyType

import numpy as np

from livereduce.algorithms.selection import Rows, row_list, row_range
from livereduce.data.events import EventWorkspace, SpectraWorkspace
from livereduce.data.workspace import FloatArray, MaskedBins, VerticalAxis, Workspace
from livereduce.errors import AlgorithmError

ROUNDING = 1e-12
"""An edge that misses a limit relatively by less than this lies on it."""


def crop_workspace(
    input_workspace: SpectraWorkspace,
    *,
    x_min: float | None = None,
    x_max: float | None = None,
    start_workspace_index: int | None = 0,
    end_workspace_index: int | None = None,
) -> SpectraWorkspace:
    """Return the bins and points that lie wholly between two values of x, of some spectra; events one by one.

    Where x differs between spectra the others stay and become 0, since all spectra have as many bins.

    Parameters
    ----------
    x_min, x_max:
        Limits in the unit of x, both included; None is no limit.
    start_workspace_index, end_workspace_index:
        Rows, both included; to the last when the end is None.

    Raises
    ------
    AlgorithmError
        If limits or rows are the wrong way round or outside the workspace.
    """
    rows = row_range(input_workspace, start_workspace_index, end_workspace_index)
    return _between(take(input_workspace, rows), x_min, x_max)


def extract_spectra(
    input_workspace: SpectraWorkspace,
    *,
    x_min: float | None = None,
    x_max: float | None = None,
    start_workspace_index: int | None = 0,
    end_workspace_index: int | None = None,
    workspace_index_list: Sequence[int] = (),
    detector_list: Sequence[int] = (),
) -> SpectraWorkspace:
    """Return some spectra, in the order listed, cropped as `crop_workspace` does.

    Parameters
    ----------
    workspace_index_list:
        Rows, instead of a range.
    detector_list:
        Detector ids, instead of rows: the spectra that count one of them.
    """
    ws = input_workspace
    if len(detector_list):
        counted = np.isin(ws.spectra.detector_ids, np.asarray(detector_list))
        owner = np.repeat(np.arange(ws.n_spectra), np.diff(ws.spectra.detector_offsets))
        rows = np.unique(owner[counted])
        if not len(rows):
            raise AlgorithmError(f"ExtractSpectra: no spectrum counts one of the detectors {list(detector_list)[:5]}")
    elif len(workspace_index_list):
        rows = row_list(ws, workspace_index_list)
    else:
        rows = row_range(ws, start_workspace_index, end_workspace_index)
    return _between(take(ws, rows), x_min, x_max)


def take(ws: SpectraWorkspace, rows: Rows) -> SpectraWorkspace:
    """Return the spectra of `rows`, in that order; masks and labels go with them."""
    if np.array_equal(rows, np.arange(ws.n_spectra)):
        return ws
    if isinstance(ws, EventWorkspace):
        return ws.take(rows).replace(vertical=_axis_of(ws, rows))
    masked = {new: ws.masked_bins[int(old)] for new, old in enumerate(rows) if int(old) in ws.masked_bins}
    return ws.replace(
        x=ws.x if ws.x.ndim == 1 else ws.x[rows],
        y=ws.y[rows],
        variance=ws.variance[rows],
        dx=ws.dx if ws.dx is None or ws.dx.ndim == 1 else ws.dx[rows],
        spectra=ws.spectra.take(rows),
        masked_bins=MappingProxyType(masked),
        vertical=_axis_of(ws, rows),
    )


def _axis_of(ws: SpectraWorkspace, rows: Rows) -> VerticalAxis | None:
    """Return the vertical axis of `rows`; edges stay edges where rows follow each other."""
    axis = ws.vertical
    if axis is None:
        return None
    labels = tuple(axis.labels[int(row)] for row in rows) if axis.labels else ()
    if len(axis.values) == ws.n_spectra:
        return VerticalAxis(values=axis.values[rows], unit=axis.unit, labels=labels)
    if np.all(np.diff(rows) == 1):
        return VerticalAxis(values=axis.values[rows[0] : rows[-1] + 2], unit=axis.unit, labels=labels)
    return VerticalAxis(values=0.5 * (axis.values[rows] + axis.values[rows + 1]), unit=axis.unit, labels=labels)


def _between(ws: SpectraWorkspace, x_min: float | None, x_max: float | None) -> SpectraWorkspace:
    """Return `ws` between two values of x."""
    if x_min is None and x_max is None:
        return ws
    low, high = -np.inf if x_min is None else x_min, np.inf if x_max is None else x_max
    if low >= high:
        raise AlgorithmError(f"XMin must be less than XMax; got {low:g} and {high:g}")
    if low > np.nanmax(ws.x) or high < np.nanmin(ws.x):
        raise AlgorithmError(f"XMin {low:g} and XMax {high:g} leave nothing; x goes from {np.nanmin(ws.x):g} to {np.nanmax(ws.x):g}")
    if isinstance(ws, EventWorkspace):
        return _events_between(ws, low, high)
    return _common_between(ws, low, high) if ws.has_common_x else _ragged_between(ws, low, high)


def _inside(x: FloatArray, low: float, high: float) -> tuple[int, int]:
    """Return the first of `x` that is inside and the first after it that is not."""
    first = int(np.searchsorted(x, low - abs(low) * ROUNDING if np.isfinite(low) else low, side="left"))
    return first, int(np.searchsorted(x, high + abs(high) * ROUNDING if np.isfinite(high) else high, side="right"))


def _common_between(ws: Workspace, low: float, high: float) -> Workspace:
    """Return the bins inside, of a workspace with one x."""
    first, after = _inside(ws.x, low, high)
    last = after - 1 if ws.is_histogram else after
    if last <= first:
        raise AlgorithmError(f"XMin {low:g} and XMax {high:g} leave no {'bin' if ws.is_histogram else 'point'}; widen the range")
    bins = slice(first, last)
    dx = ws.dx if ws.dx is None else ws.dx[..., first:after] if ws.dx.shape[-1] == len(ws.x) else ws.dx[..., bins]
    masked = {row: kept for row, one in ws.masked_bins.items() if (kept := _masks_inside(one, bins)) is not None}
    return ws.replace(x=ws.x[first:after], y=ws.y[:, bins], variance=ws.variance[:, bins], dx=dx, masked_bins=MappingProxyType(masked))


def _masks_inside(masked: MaskedBins, bins: slice) -> MaskedBins | None:
    """Return the masked bins inside, counted from the first."""
    kept = (masked.bins >= bins.start) & (masked.bins < bins.stop)
    return MaskedBins(bins=masked.bins[kept] - bins.start, weights=masked.weights[kept]) if kept.any() else None


def _ragged_between(ws: Workspace, low: float, high: float) -> Workspace:
    """Return all bins, those not wholly inside emptied."""
    y, variance = np.zeros_like(ws.y), np.zeros_like(ws.variance)
    for row in range(ws.n_spectra):
        first, after = _inside(ws.x[row], low, high)
        bins = slice(first, after - 1 if ws.is_histogram else after)
        y[row, bins], variance[row, bins] = ws.y[row, bins], ws.variance[row, bins]
    return ws.replace(y=y, variance=variance)


def _events_between(ws: EventWorkspace, low: float, high: float) -> EventWorkspace:
    """Return the events inside, over the edges inside; over the limits where these are not two."""
    kept = ws.select((ws.events.tof >= low) & (ws.events.tof <= high))
    if not ws.has_common_x:
        return kept
    first, after = _inside(ws.x, low, high)
    masked = {row: one for row, old in ws.masked_bins.items() if (one := _masks_inside(old, slice(first, after - 1))) is not None}
    x = ws.x[first:after] if after - first >= 2 else np.array([max(low, ws.x[0]), min(high, ws.x[-1])])
    return kept.replace(x=x, dx=None, masked_bins=MappingProxyType(masked))
