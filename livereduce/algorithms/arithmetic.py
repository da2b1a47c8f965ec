"""Plus, Minus, Multiply, Divide: what the four have in common is pairing, what differs is one formula each.

Pairing makes the right side fit the left: a single value, one spectrum or one bin stands for all; spectra may be found by their detectors. Then
either two histograms meet bin by bin, or events meet the value of the bin that they fall into, or events join events.
"""

from __future__ import annotations

from collections.abc import Callable
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from livereduce.algorithms import pairing
from livereduce.algorithms.create import create_single_valued_workspace, is_single_value
from livereduce.algorithms.runs import merged
from livereduce.algorithms.shape import as_histogram
from livereduce.data.events import EventKind, Events, EventWorkspace, SpectraWorkspace
from livereduce.data.workspace import FloatArray, Workspace
from livereduce.errors import AlgorithmError

Values = tuple[FloatArray, FloatArray]
Singles = NDArray[np.float32]
Formula = Callable[[FloatArray, FloatArray, FloatArray, FloatArray], Values]
EventFormula = Callable[[Singles, Singles, FloatArray, FloatArray], tuple[Any, FloatArray]]


def plus(
    lhs_workspace: SpectraWorkspace,
    rhs_workspace: SpectraWorkspace,
    *,
    allow_different_number_spectra: bool = False,
    clear_rhs_workspace: bool = False,
) -> SpectraWorkspace:
    """Return the sum; variances add, charges add, logs merge, events join events.

    Parameters
    ----------
    lhs_workspace, rhs_workspace:
        Of the same size, or one of them a single value, one spectrum, or one bin for each spectrum.
    allow_different_number_spectra:
        Not for sums: the number of spectra must fit.
    clear_rhs_workspace:
        Without effect: workspaces are immutable and share their arrays, so there is nothing to clear.

    Raises
    ------
    AlgorithmError
        If sizes, bins or units do not fit; says how.
    """
    lhs, rhs = _larger_first(lhs_workspace, rhs_workspace)
    if isinstance(lhs, EventWorkspace) and isinstance(rhs, EventWorkspace):
        pair = pairing.paired("Plus", lhs, rhs, sums=True)
        joined = _joined(lhs, rhs, sign=1)
        result: SpectraWorkspace = pairing.without_masked(joined, pair)
    else:
        result = _bin_by_bin("Plus", lhs, rhs, _sum, sums=True)
    return result.replace(run=merged(lhs_workspace.run, rhs_workspace.run))


def minus(
    lhs_workspace: SpectraWorkspace,
    rhs_workspace: SpectraWorkspace,
    *,
    allow_different_number_spectra: bool = False,
    clear_rhs_workspace: bool = False,
) -> SpectraWorkspace:
    """Return the difference; variances add, events of the right side join with their weight's sign turned. Otherwise as `plus`.

    Parameters
    ----------
    allow_different_number_spectra:
        Find the right side's spectra by detector; spectra without a partner become 0 and masked.
    """
    lhs, rhs = lhs_workspace, rhs_workspace
    if isinstance(lhs, EventWorkspace) and isinstance(rhs, EventWorkspace):
        pair = pairing.paired("Minus", lhs, rhs, sums=True)
        return pairing.without_masked(_joined(lhs, rhs, sign=-1), pair)
    return _bin_by_bin("Minus", lhs, rhs, _difference, sums=True, by_detector=allow_different_number_spectra)


def multiply(
    lhs_workspace: SpectraWorkspace,
    rhs_workspace: SpectraWorkspace,
    *,
    allow_different_number_spectra: bool = False,
    clear_rhs_workspace: bool = False,
) -> SpectraWorkspace:
    """Return the product, variances by propagation; a distribution when both are. Otherwise as `minus`.

    Events are multiplied by the value of the bin that they fall into; outside the bins by 0.
    """
    lhs, rhs = _larger_first(lhs_workspace, rhs_workspace)
    if isinstance(lhs, EventWorkspace):
        return _weighed("Multiply", lhs, rhs, _event_product, by_detector=allow_different_number_spectra)
    result = _bin_by_bin("Multiply", lhs, rhs, _product, by_detector=allow_different_number_spectra)
    single = is_single_value(rhs) and not is_single_value(lhs)
    return result.replace(distribution=lhs.distribution and (single or rhs.distribution))


def divide(
    lhs_workspace: SpectraWorkspace,
    rhs_workspace: SpectraWorkspace,
    *,
    allow_different_number_spectra: bool = False,
    clear_rhs_workspace: bool = False,
    warn_on_zero_divide: bool = True,
) -> SpectraWorkspace:
    """Return the ratio, variances by propagation; of two alike it has no unit and is a distribution. Otherwise as `minus`.

    Events are divided by the value of the bin that they fall into: NaN where it is 0, and 0 outside the bins.

    Parameters
    ----------
    warn_on_zero_divide:
        Without effect: a division by 0 shows in the result as NaN or infinity.
    """
    lhs, rhs = lhs_workspace, rhs_workspace
    if isinstance(lhs, EventWorkspace):
        formula = _event_quotient if rhs.n_bins == 1 else _event_ratio
        result: SpectraWorkspace = _weighed("Divide", lhs, rhs, formula, by_detector=allow_different_number_spectra)
    else:
        result = _bin_by_bin("Divide", lhs, rhs, _ratio, by_detector=allow_different_number_spectra)
    if not lhs.y_unit or not rhs.y_unit or not pairing.same_bins(lhs, rhs):
        return result
    return result.replace(y_unit="" if lhs.y_unit == rhs.y_unit else f"{lhs.y_unit}/{rhs.y_unit}", distribution=True)


def scale(input_workspace: SpectraWorkspace, *, factor: float = 1.0, operation: str = "Multiply") -> SpectraWorkspace:
    """Return the workspace multiplied by `factor`, or with it added; `factor` has no error.

    Raises
    ------
    AlgorithmError
        If `operation` is neither Multiply nor Add.
    """
    number = create_single_valued_workspace(factor)
    if operation == "Multiply":
        return multiply(input_workspace, number)
    if operation == "Add":
        return plus(input_workspace, number)
    raise AlgorithmError(f"Scale: Operation {operation!r} is not known; wanted Multiply or Add")


def _sum(y: FloatArray, variance: FloatArray, other: FloatArray, other_variance: FloatArray) -> Values:
    return y + other, variance + other_variance


def _difference(y: FloatArray, variance: FloatArray, other: FloatArray, other_variance: FloatArray) -> Values:
    return y - other, variance + other_variance


def _product(y: FloatArray, variance: FloatArray, other: FloatArray, other_variance: FloatArray) -> Values:
    return y * other, variance * other**2 + other_variance * y**2


def _ratio(y: FloatArray, variance: FloatArray, other: FloatArray, other_variance: FloatArray) -> Values:
    return y / other, (variance + y**2 * (other_variance / other**2)) / other**2


def _event_product(weight: Singles, error2: Singles, value: FloatArray, variance: FloatArray) -> tuple[Singles, FloatArray]:
    """As `_product`, rounded where Mantid rounds: weights are single precision."""
    _, new_error2 = _product(weight.astype(float), error2.astype(float), value, variance)
    return weight * value.astype(np.float32), new_error2


def _event_ratio(weight: Singles, error2: Singles, value: FloatArray, variance: FloatArray) -> Values:
    """As `_ratio`, rounded where Mantid rounds; NaN wherever `value` is 0: an infinite weight would spread over its whole bin."""
    ratio = weight.astype(float) / value
    # (error / weight)^2 is single precision in Mantid, the rest double.
    relative = (error2 / (weight * weight)).astype(float)
    new_error2 = np.where(weight == 0, error2 / value**2, (relative + variance / value**2) * ratio**2)
    return np.where(value == 0, np.nan, ratio), np.where(value == 0, np.nan, new_error2)


def _event_quotient(weight: Singles, error2: Singles, value: FloatArray, variance: FloatArray) -> tuple[Singles, FloatArray]:
    """As `_event_ratio` where one value stands for a whole spectrum: Mantid multiplies by its inverse."""
    product, new_error2 = _event_product(weight, error2, 1.0 / value, variance / value**4)
    return np.where(value == 0, np.float32(np.nan), product), np.where(value == 0, np.nan, new_error2)


def _larger_first(lhs: SpectraWorkspace, rhs: SpectraWorkspace) -> tuple[SpectraWorkspace, SpectraWorkspace]:
    """Return both sides, the one that stands for all on the right; sums and products do not mind."""
    smaller = lhs.n_spectra < rhs.n_spectra or (lhs.n_spectra == rhs.n_spectra and lhs.n_bins < rhs.n_bins)
    return (rhs, lhs) if smaller else (lhs, rhs)


def _bin_by_bin(
    name: str, lhs: SpectraWorkspace, rhs: SpectraWorkspace, formula: Formula, *, sums: bool = False, by_detector: bool = False
) -> Workspace:
    """Return the result of two histograms, events seen as such."""
    a, b = as_histogram(lhs), as_histogram(rhs)
    if is_single_value(a) and not is_single_value(b):
        whole, y, variance = b, np.broadcast_to(a.y, b.y.shape), np.broadcast_to(a.variance, b.y.shape)
        pair = pairing.Pair.alone(b)
        other, other_variance = b.y, b.variance
    else:
        pair = pairing.paired(name, a, b, sums=sums, by_detector=by_detector)
        whole, y, variance = a, a.y, a.variance
        other, other_variance = pair.rows_of(b.y), pair.rows_of(b.variance)
    with np.errstate(all="ignore"):
        new_y, new_variance = formula(y, variance, other, other_variance)
    result = whole.replace(y=new_y, variance=new_variance, masked_bins=pairing.masked_bins(a, b, pair))
    return pairing.without_masked(result, pair)


def _weighed(name: str, lhs: EventWorkspace, rhs: SpectraWorkspace, formula: EventFormula, *, by_detector: bool) -> EventWorkspace:
    """Return events with their weights changed by the value of the bin of `rhs` that they fall into."""
    b = as_histogram(rhs)
    pair = pairing.paired(name, lhs, b, by_detector=by_detector)
    row_of_event = lhs.event_rows()
    rows = pair.partner[row_of_event]
    if b.n_bins == 1:
        bins, inside = np.zeros(len(rows), dtype=np.intp), np.ones(len(rows), dtype=bool)
    else:
        bins, inside = _bins_of_events(lhs, b, pair)
    events = lhs.events.weighted()
    assert events.weight is not None
    assert events.error2 is not None
    with np.errstate(all="ignore"):
        weight, error2 = formula(events.weight, events.error2, b.y[rows, bins], b.variance[rows, bins])
        columns: dict[str, Any] = {"weight": np.where(inside, weight, 0).astype(np.float32), "error2": np.where(inside, error2, 0).astype(np.float32)}
    changed = Events(tof=events.tof, pulse_time_ns=events.pulse_time_ns, **columns)
    kinds = np.maximum(lhs.kinds, EventKind.WEIGHTED).astype(np.uint8)
    result = lhs.replace(events=changed, kinds=kinds, masked_bins=pairing.masked_bins(lhs, b, pair))
    return pairing.without_masked(result, pair)


def _bins_of_events(lhs: EventWorkspace, rhs: Workspace, pair: pairing.Pair) -> tuple[Any, Any]:
    """Return the bin of its partner's spectrum that each event falls into, and whether it falls into any."""
    x = rhs.x if rhs.is_histogram else np.empty(0)
    if x.size == 0:
        raise AlgorithmError("events can be multiplied or divided by histograms, not by points; use ConvertToHistogram first")
    bins = np.empty(lhs.n_events, dtype=np.intp)
    if x.ndim == 1:
        bins = np.searchsorted(x, lhs.events.tof, side="right") - 1
    else:
        for row in range(lhs.n_spectra):
            own = slice(lhs.offsets[row], lhs.offsets[row + 1])
            bins[own] = np.searchsorted(x[pair.partner[row]], lhs.events.tof[own], side="right") - 1
    inside = (bins >= 0) & (bins < rhs.n_bins)
    return np.where(inside, bins, 0), inside


def _joined(lhs: EventWorkspace, rhs: EventWorkspace, *, sign: int) -> EventWorkspace:
    """Return the events of both, row by row; those of `rhs` with their weight times `sign`."""
    added, kinds = rhs.events, np.maximum(lhs.kinds, rhs.kinds)
    if sign < 0:
        weighted = added.weighted()
        assert weighted.weight is not None
        added = Events(tof=weighted.tof, pulse_time_ns=weighted.pulse_time_ns, weight=-weighted.weight, error2=weighted.error2)
        kinds = np.maximum(lhs.kinds, np.uint8(EventKind.WEIGHTED))
    masks = MappingProxyType({**rhs.masked_bins, **lhs.masked_bins})
    return lhs.joined(added, rhs.offsets, kinds).replace(masked_bins=masks)
