"""Rebin: counts of old bins shared among new ones by overlap; events keep and are only looked at in new bins."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from types import MappingProxyType

import numpy as np

from livereduce import kernels
from livereduce.algorithms import parallel
from livereduce.algorithms.shape import convert_to_histogram, convert_to_point_data
from livereduce.data.events import EventWorkspace, SpectraWorkspace
from livereduce.data.workspace import FloatArray, MaskedBins, Workspace
from livereduce.errors import AlgorithmError

MAX_EDGES = 100_000_000
"""More edges than any detector has time channels; a slip in the width must not eat the memory."""

SHORTEST_LAST_BIN = 0.25
"""A last bin shorter than this part of its width joins the one before (Mantid, Rebin, version 1)."""


def rebin(
    input_workspace: SpectraWorkspace,
    params: Sequence[float],
    *,
    preserve_events: bool = True,
    full_bins_only: bool = False,
    ignore_bin_errors: bool = False,
) -> SpectraWorkspace:
    """Share each bin's counts among new bins by overlap.

    Parameters
    ----------
    input_workspace:
        Histograms, points or events over any unit.
    params:
        ``x0, width, x1, width, x2, ...`` in the unit of x; a negative width is logarithmic: each bin is ``-width`` of its
        lower edge wide. A single width takes x0 and x1 from the workspace.
    preserve_events:
        Keep events and only change the bins they are looked at in; otherwise the result is a histogram.
    full_bins_only:
        Leave out a last bin that is shorter than its width.
    ignore_bin_errors:
        Give zeros for a spectrum whose bins do not ascend, instead of raising.

    Raises
    ------
    AlgorithmError
        If `params` cannot be used or bins of the input do not ascend.
    """
    values = tuple(float(value) for value in params)
    check_params(values)
    new_edges = edges(_with_range(input_workspace, values), full_bins_only=full_bins_only)
    if isinstance(input_workspace, EventWorkspace):
        binned = input_workspace.replace(x=new_edges, dx=None, masked_bins=_shared_masks(input_workspace, new_edges))
        return binned if preserve_events else binned.histogram()
    if not input_workspace.is_histogram:
        whole = convert_to_histogram(input_workspace)
        assert isinstance(whole, Workspace)
        return convert_to_point_data(_rebinned(whole, new_edges, ignore_bin_errors))
    return _rebinned(input_workspace, new_edges, ignore_bin_errors)


def check_params(params: Sequence[float]) -> None:
    """Check that `params` are an odd number of boundaries and widths, boundaries ascending.

    Raises
    ------
    AlgorithmError
        Says what is wrong with them.
    """
    given = ",".join(f"{value:g}" for value in params)
    if len(params) == 0:
        raise AlgorithmError('Rebin: Params "": Enter values for this property; wanted x0, width, x1, ... or a width')
    if len(params) % 2 == 0:
        raise AlgorithmError(f'Rebin: Params "{given}": The number of bin boundary parameters provided must be odd; wanted x0, width, x1, ...')
    if not np.all(np.isfinite(params)) or any(width == 0 for width in (params[1::2] or params)):
        raise AlgorithmError(f'Rebin: Params "{given}": bin widths must be finite and not zero')
    if np.any(np.diff(params[0::2]) <= 0):
        raise AlgorithmError(f'Rebin: Params "{given}": Bin boundary values must be given in order of increasing value')
    for low, width in zip(params[0::2], params[1::2], strict=False):
        if width < 0 and low <= 0:
            raise AlgorithmError(f'Rebin: Params "{given}": logarithmic bins must begin above 0, not at {low:g}')


@lru_cache(maxsize=64)
def edges(params: tuple[float, ...], *, full_bins_only: bool = False) -> FloatArray:
    """Return the ascending edges that ``x0, width, x1, width, x2, ...`` describe; read-only.

    Raises
    ------
    AlgorithmError
        If there would be more than `MAX_EDGES`, or not one bin.
    """
    check_params(params)
    found = [params[0]]
    shortest = 0.0 if full_bins_only else SHORTEST_LAST_BIN
    for width, end in zip(params[1::2], params[2::2], strict=True):
        low = found[-1]
        expected = (end - low) / width if width > 0 else np.log(end / low) / np.log1p(-width)
        if len(found) + expected > MAX_EDGES:
            raise AlgorithmError(f"Rebin: width {width:g} between {low:g} and {end:g} makes {expected:.3g} bins; at most {MAX_EDGES} are made")
        while True:
            step = width if width > 0 else -width * low
            # An edge that misses the end only by rounding is the end.
            if low + step * (1 + shortest) > end * (1 + 1e-15 * np.sign(end)):
                break
            low += step
            found.append(low)
        if not full_bins_only and found[-1] < end:
            found.append(end)
    if len(found) < 2:
        raise AlgorithmError("Rebin: Params leave no full bin; wanted a width that fits the range")
    result = np.array(found)
    result.flags.writeable = False
    return result


def _with_range(ws: SpectraWorkspace, params: tuple[float, ...]) -> tuple[float, ...]:
    """Return `params` with the range of `ws` when they are only a width."""
    if len(params) > 1:
        return params
    return (float(np.nanmin(ws.x)), params[0], float(np.nanmax(ws.x)))


def _rebinned(ws: Workspace, new_edges: FloatArray, ignore_bin_errors: bool) -> Workspace:
    """Return histograms in new bins."""
    if ws.has_common_x and np.array_equal(ws.x, new_edges):
        return ws
    shape = (ws.n_spectra, len(new_edges) - 1)
    counted = ws.variance is ws.y and not ws.distribution
    y = np.empty(shape)
    variance = y if counted else np.empty(shape)
    for row, own in enumerate(np.atleast_2d(ws.x)):
        rows = slice(None) if ws.has_common_x else slice(row, row + 1)
        if not np.all(np.diff(own) > 0):
            if not ignore_bin_errors:
                raise AlgorithmError(f"Rebin: zero or negative bin widths in spectrum {ws.spectra.numbers[row]}; IgnoreBinErrors gives zeros instead")
            y[rows], variance[rows] = 0.0, 0.0
            continue
        old, new, width = kernels.share(own, new_edges)
        begin = np.searchsorted(new, np.arange(len(new_edges)))
        # A distribution's bin holds y * width counts; the share of them that moves is overlap / width.
        in_y = width if ws.distribution else width / np.diff(own)[old]
        in_variance = width * np.diff(own)[old] if ws.distribution else in_y
        arrays = (ws.y[rows], ws.variance[rows], y[rows], variance[rows])
        parallel.over_rows(kernels.gather_shares, arrays, old, begin, in_y, in_variance)
    if ws.distribution:
        y /= np.diff(new_edges)
        variance /= np.diff(new_edges) ** 2
    return ws.replace(x=new_edges, y=y, variance=variance, dx=None, masked_bins=_shared_masks(ws, new_edges))


def _shared_masks(ws: SpectraWorkspace, new_edges: FloatArray) -> Mapping[int, MaskedBins]:
    """Return the masks of old bins as parts of the new bins that they cover."""
    masks = {}
    for row, masked in ws.masked_bins.items():
        own = ws.x_of(row)
        weights = np.zeros(len(own) - 1)
        weights[masked.bins] = masked.weights
        old, new, width = kernels.share(own, new_edges)
        covered = np.zeros(len(new_edges) - 1)
        np.add.at(covered, new, weights[old] * width)
        covered /= np.diff(new_edges)
        bins = np.flatnonzero(covered)
        if len(bins):
            masks[row] = MaskedBins(bins=bins, weights=np.minimum(covered[bins], 1.0))
    return MappingProxyType(masks)
