"""Which spectrum of the right side belongs to which of the left, and whether the two may meet at all."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import TypeVar

import numpy as np

from livereduce.algorithms.create import is_single_value
from livereduce.algorithms.selection import Flags, Rows, masked_rows
from livereduce.data.events import EventWorkspace, SpectraWorkspace
from livereduce.data.instrument import Instrument
from livereduce.data.workspace import FloatArray, MaskedBins, Workspace
from livereduce.errors import AlgorithmError

AnySpectra = TypeVar("AnySpectra", Workspace, EventWorkspace)

SAME_X = 1e-6
"""Edges that differ relatively by less than this are the same: files and unit conversions round."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Pair:
    """How the spectra of two workspaces meet."""

    partner: Rows
    """(spectra of the left side,), row of the right side that each meets."""

    lost: Flags
    """(spectra of the left side,), True where one of the two is masked or there is no partner."""

    @classmethod
    def alone(cls, ws: SpectraWorkspace) -> Pair:
        """Return the pair of a workspace with a single value."""
        return cls(partner=np.zeros(ws.n_spectra, dtype=np.intp), lost=masked_rows(ws))

    def rows_of(self, array: FloatArray) -> FloatArray:
        """Return the rows of the right side's `array` as the left side meets them; without a copy where they lie so already."""
        if len(array) == 1:
            return array
        in_place = len(array) == len(self.partner) and np.array_equal(self.partner, np.arange(len(array)))
        return array if in_place else array[self.partner]


def paired(name: str, lhs: SpectraWorkspace, rhs: SpectraWorkspace, *, sums: bool = False, by_detector: bool = False) -> Pair:
    """Return how the spectra of `rhs` meet those of `lhs`.

    Parameters
    ----------
    name:
        The algorithm, for messages.
    sums:
        Require the same y unit on both sides, and bins that both or neither are distributions.
    by_detector:
        Find spectra by detector when there are not as many on both sides.

    Raises
    ------
    AlgorithmError
        If numbers of spectra, bins or units do not fit.
    """
    if is_single_value(rhs):
        return Pair.alone(lhs)
    both_events = isinstance(lhs, EventWorkspace) and isinstance(rhs, EventWorkspace)
    _check_units(name, lhs, rhs, sums)
    _check_x(name, lhs, rhs, free=isinstance(lhs, EventWorkspace) and (not sums or both_events))
    if rhs.n_spectra == lhs.n_spectra:
        partner, found = np.arange(lhs.n_spectra), np.ones(lhs.n_spectra, dtype=bool)
    elif rhs.n_spectra == 1 and not (sums and both_events):
        partner, found = np.zeros(lhs.n_spectra, dtype=np.intp), np.ones(lhs.n_spectra, dtype=bool)
    elif by_detector:
        partner, found = _by_detector(lhs, rhs)
    else:
        raise AlgorithmError(
            f"{name}: Number of histograms not identical. Left and right sides should contain the same amount of spectra or the right side "
            f"should contain only one spectra. Got {lhs.n_spectra} and {rhs.n_spectra}"
        )
    return Pair(partner=partner, lost=masked_rows(lhs) | masked_rows(rhs)[partner] | ~found)


def same_bins(lhs: SpectraWorkspace, rhs: SpectraWorkspace) -> bool:
    """Return whether the first spectra of both have the same x."""
    return lhs.x.shape[-1] == rhs.x.shape[-1] and np.allclose(lhs.x_of(0), rhs.x_of(0), rtol=SAME_X, atol=0, equal_nan=True)


def masked_bins(lhs: SpectraWorkspace, rhs: SpectraWorkspace, pair: Pair) -> Mapping[int, MaskedBins]:
    """Return the bins masked on either side, with the larger weight."""
    masks = dict(lhs.masked_bins)
    if not rhs.masked_bins or rhs.n_bins != lhs.n_bins:
        return MappingProxyType(masks)
    for row, partner in enumerate(pair.partner):
        other = rhs.masked_bins.get(int(partner))
        if other is not None:
            masks[row] = _union(masks[row], other) if row in masks else other
    return MappingProxyType(masks)


def without_masked(ws: AnySpectra, pair: Pair) -> AnySpectra:
    """Return `ws` with the lost spectra emptied and their detectors masked."""
    if not pair.lost.any():
        return ws
    instrument = _masking(ws, pair.lost)
    if isinstance(ws, EventWorkspace):
        return ws.select(~pair.lost[ws.event_rows()]).replace(instrument=instrument)
    y, variance = ws.y.copy(), ws.variance.copy()
    y[pair.lost], variance[pair.lost] = 0, 0
    return ws.replace(y=y, variance=variance, instrument=instrument)


def _masking(ws: SpectraWorkspace, rows: Flags) -> Instrument | None:
    """Return the instrument with the detectors of `rows` masked."""
    if ws.instrument is None:
        return None
    ids = [ws.spectra.detectors(int(row)) for row in np.flatnonzero(rows)]
    masked = ws.instrument.masked.copy()
    masked[ws.instrument.rows(np.concatenate(ids))] = True
    return ws.instrument.with_masked(masked)


def _union(first: MaskedBins, second: MaskedBins) -> MaskedBins:
    """Return the bins of both, with the larger weight."""
    bins, place = np.unique(np.concatenate([first.bins, second.bins]), return_inverse=True)
    weights = np.zeros(len(bins))
    np.maximum.at(weights, place, np.concatenate([first.weights, second.weights]))
    return MaskedBins(bins=bins, weights=weights)


def _check_units(name: str, lhs: SpectraWorkspace, rhs: SpectraWorkspace, sums: bool) -> None:
    """Check that both sides count the same thing over the same quantity."""
    if lhs.x_unit != rhs.x_unit and "" not in (lhs.x_unit, rhs.x_unit):
        raise AlgorithmError(_refusal(name, f"x is in {lhs.x_unit} and {rhs.x_unit}"))
    if sums and lhs.y_unit != rhs.y_unit:
        raise AlgorithmError(_refusal(name, f"y counts {lhs.y_unit or 'nothing named'} and {rhs.y_unit or 'nothing named'}"))
    if sums and lhs.distribution != rhs.distribution and not is_single_value(lhs):
        raise AlgorithmError(_refusal(name, "one side is a distribution and the other is not"))


def _check_x(name: str, lhs: SpectraWorkspace, rhs: SpectraWorkspace, *, free: bool) -> None:
    """Check that both sides have the same x; one bin on the right, and events, fit any."""
    if rhs.n_bins == 1 or free:
        return
    if not same_bins(lhs, rhs):
        raise AlgorithmError(_refusal(name, f"x differs: {lhs.n_bins} and {rhs.n_bins} bins; use Rebin or RebinToWorkspace first"))


def _refusal(name: str, why: str) -> str:
    return f"The two workspaces are not compatible for algorithm {name}: {why}"


def _by_detector(lhs: SpectraWorkspace, rhs: SpectraWorkspace) -> tuple[Rows, Flags]:
    """Return for each row of `lhs` the row of `rhs` that has its first detector, and whether there is one."""
    row_of = {int(detector): row for row in range(rhs.n_spectra) for detector in rhs.spectra.detectors(row)}
    first = [own[0] if len(own) else -1 for own in map(lhs.spectra.detectors, range(lhs.n_spectra))]
    rows = np.array([row_of.get(int(detector), -1) for detector in first], dtype=np.intp)
    return np.where(rows < 0, 0, rows), rows >= 0
