"""SumSpectra: many spectra to one."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from livereduce.algorithms import cropping
from livereduce.algorithms.selection import Rows, masked_rows, monitor_rows, row_list, row_range
from livereduce.algorithms.shape import as_histogram
from livereduce.data.events import EventKind, EventWorkspace, SpectraWorkspace
from livereduce.data.run import LogNumber
from livereduce.data.workspace import FloatArray, IntArray, Spectra, Workspace
from livereduce.errors import AlgorithmError


def sum_spectra(
    input_workspace: SpectraWorkspace,
    *,
    start_workspace_index: int | None = 0,
    end_workspace_index: int | None = None,
    list_of_workspace_indices: Sequence[int] = (),
    include_monitors: bool = True,
    weighted_sum: bool = False,
    multiply_by_spectra: bool = True,
    remove_special_values: bool = False,
    use_fractional_area: bool = True,
) -> SpectraWorkspace:
    """Add spectra up into one, which counts the detectors of all of them; masked spectra are left out.

    Parameters
    ----------
    input_workspace:
        Histograms, points or events with the same x in every spectrum.
    start_workspace_index, end_workspace_index:
        Rows to add, both included; to the last when the end is None.
    list_of_workspace_indices:
        Rows to add besides; alone when neither start nor end is given.
    include_monitors:
        False leaves out rows whose detectors are monitors.
    weighted_sum:
        Average with 1/variance as weight, bin by bin, leaving out values without error.
    multiply_by_spectra:
        Multiply a weighted average by the number of spectra that had an error in the bin.
    remove_special_values:
        Take 0 for NaN and infinity.
    use_fractional_area:
        Without effect: it concerns workspaces of fractional areas, which do not exist here.

    Raises
    ------
    AlgorithmError
        If spectra have different x, or an index is out of range.
    """
    ws = input_workspace
    common = _common_x(ws)
    chosen = _chosen(ws, start_workspace_index, end_workspace_index, list_of_workspace_indices)
    number = ws.spectra.numbers[chosen[:1]]
    if not include_monitors:
        chosen = chosen[~monitor_rows(ws)[chosen]]
    masked = masked_rows(ws)[chosen]
    rows = chosen[~masked]
    result: SpectraWorkspace
    if isinstance(ws, EventWorkspace) and not weighted_sum:
        result, zeros = _events_summed(ws, rows), 0
    else:
        result, zeros = _histograms_summed(as_histogram(ws), rows, weighted_sum, multiply_by_spectra, remove_special_values)
    run = ws.run
    for name, value in (("NumAllSpectra", len(rows)), ("NumMaskSpectra", int(masked.sum())), ("NumZeroSpectra", zeros)):
        run = run.with_log(name, LogNumber(value=value))
    together = _together(number, ws.spectra, rows)
    return result.replace(run=run, x=common, dx=None, spectra=together, masked_bins={}, vertical=None)


def _chosen(ws: SpectraWorkspace, start: int | None, end: int | None, indices: Sequence[int]) -> Rows:
    """Return the rows asked for, ascending, each once."""
    if not len(indices):
        return row_range(ws, start, end)
    extra = row_list(ws, indices)
    if end is None:
        return np.unique(extra)
    return np.unique(np.concatenate([extra, row_range(ws, start, end)]))


def _common_x(ws: SpectraWorkspace) -> FloatArray:
    """Return the x that all spectra share."""
    if ws.x.ndim > 1 and not np.array_equal(ws.x, np.broadcast_to(ws.x[:1], ws.x.shape)):
        raise AlgorithmError("SumSpectra: the workspace must have common bin boundaries for all histograms; use Rebin first")
    return ws.x if ws.x.ndim == 1 else ws.x[0].copy()


def _together(number: IntArray, spectra: Spectra, rows: Rows) -> Spectra:
    """Return one spectrum: the number of the first one asked for, the detectors of all `rows`."""
    wanted = np.zeros(len(spectra), dtype=bool)
    wanted[rows] = True
    counted = np.repeat(wanted, np.diff(spectra.detector_offsets))
    return Spectra.from_lists(number, [np.unique(spectra.detector_ids[counted])])


def _events_summed(ws: EventWorkspace, rows: Rows) -> EventWorkspace:
    """Return one spectrum with the events of `rows`, row after row."""
    part = ws.take(rows)
    kind = np.array([part.kinds.max(initial=EventKind.TOF)], dtype=np.uint8)
    return part.replace(x=part.x_of(0), dx=None, offsets=np.array([0, part.n_events]), kinds=kind, spectra=Spectra.counted(1))


def _histograms_summed(ws: Workspace, rows: Rows, weighted: bool, multiply: bool, remove_special: bool) -> tuple[Workspace, int]:
    """Return the sum of `rows`, and how many values a weighted sum left out for want of an error."""
    part = cropping.take(ws, rows)
    y, variance = part.y, part.variance
    if remove_special:
        bad = ~(np.isfinite(y) & np.isfinite(variance))
        y, variance = np.where(bad, 0.0, y), np.where(bad, 0.0, variance)
    without_error = 0
    with np.errstate(invalid="ignore", divide="ignore"):
        if weighted:
            usable = np.isfinite(variance) & (variance > 0)
            weight = np.where(usable, 1.0 / variance, 0.0)
            many = usable.sum(axis=0)
            total = weight.sum(axis=0)
            mean = np.where(usable, y * weight, 0.0).sum(axis=0) / np.where(many > 0, total, 1.0)
            y_sum = mean * many if multiply else mean
            variance_sum = np.where(usable, variance, 0.0).sum(axis=0)
            if not multiply:
                variance_sum = np.where(many > 0, 1.0 / np.where(many > 0, total, 1.0), 0.0)
            without_error = int((~usable).sum())
        else:
            y_sum, variance_sum = y.sum(axis=0), variance.sum(axis=0)
    return ws.replace(x=ws.x_of(0), dx=None, y=y_sum[None, :], variance=variance_sum[None, :], spectra=Spectra.counted(1)), without_error
