"""AppendSpectra: the spectra of one workspace below those of another."""

from __future__ import annotations

from types import MappingProxyType

import numpy as np

from livereduce.algorithms.cropping import take
from livereduce.algorithms.runs import merged
from livereduce.data.events import Events, EventWorkspace, SpectraWorkspace
from livereduce.data.workspace import FloatArray, Spectra, VerticalAxis, Workspace
from livereduce.errors import AlgorithmError


def append_spectra(
    input_workspace1: SpectraWorkspace,
    input_workspace2: SpectraWorkspace,
    *,
    validate_inputs: bool = True,
    number: int = 1,
    merge_logs: bool = False,
    append_y_axis_labels: bool = False,
) -> SpectraWorkspace:
    """Return the spectra of the first and below them those of the second, both histograms or both events.

    Spectrum numbers stay when none occurs twice; otherwise spectra are numbered from 0.

    Parameters
    ----------
    validate_inputs:
        Require the same units, and the same instrument where both name one.
    number:
        How many times the second is appended.
    merge_logs:
        Continue the first's run by the second's; otherwise the first's stays as it is.
    append_y_axis_labels:
        Continue a vertical axis of text or numbers too; otherwise it is dropped.

    Raises
    ------
    AlgorithmError
        If the two differ in kind, number of bins or, when validated, units.
    """
    first, second = input_workspace1, input_workspace2
    if number < 1:
        raise AlgorithmError(f"AppendSpectra: Number is {number}; wanted 1 or more")
    if validate_inputs:
        _validate(first, second)
    _check_kind(first, second)
    second = take(second, np.tile(np.arange(second.n_spectra), number))
    run = merged(first.run, second.run) if merge_logs else first.run
    result = _events_below(first, second) if isinstance(first, EventWorkspace) else _histograms_below(first, second)
    masks = {first.n_spectra + row: one for row, one in second.masked_bins.items()}
    return result.replace(
        run=run,
        spectra=_numbered(first.spectra, second.spectra),
        masked_bins=MappingProxyType({**first.masked_bins, **masks}),
        vertical=_axis(first.vertical, second.vertical) if append_y_axis_labels else None,
    )


def _validate(first: SpectraWorkspace, second: SpectraWorkspace) -> None:
    """Check units and instrument."""
    facts = [("x unit", first.x_unit, second.x_unit), ("y unit", first.y_unit, second.y_unit)]
    if first.instrument is not None and second.instrument is not None:
        facts.append(("instrument", first.instrument.name, second.instrument.name))
    for what, one, other in facts:
        if one != other:
            raise AlgorithmError(f"The input workspaces are not compatible: {what} {one!r} and {other!r}; ValidateInputs=False appends all the same")


def _check_kind(first: SpectraWorkspace, second: SpectraWorkspace) -> None:
    """Check that both are events or both are not, with as many bins."""
    if isinstance(first, EventWorkspace) != isinstance(second, EventWorkspace):
        raise AlgorithmError("Only event workspaces can be appended to event workspaces; use ConvertToMatrixWorkspace on the other first")
    if first.x.shape[-1] != second.x.shape[-1] or first.n_bins != second.n_bins:
        raise AlgorithmError(f"Workspace2D's must have the same number of bins. Got {first.n_bins} and {second.n_bins}; use Rebin first")


def _x_below(first: SpectraWorkspace, second: SpectraWorkspace) -> FloatArray:
    """Return the x of both: common where it is the same."""
    if first.has_common_x and second.has_common_x and np.array_equal(first.x, second.x):
        return first.x
    return np.concatenate([first.x_rows(), second.x_rows()])


def _histograms_below(first: SpectraWorkspace, second: SpectraWorkspace) -> Workspace:
    """Return the histograms of both; spectra are numbered later."""
    assert isinstance(first, Workspace)
    return first.replace(
        x=_x_below(first, second),
        y=np.concatenate([first.y, second.y]),
        variance=np.concatenate([first.variance, second.variance]),
        dx=None,
        spectra=Spectra.counted(first.n_spectra + second.n_spectra),
        vertical=None,
    )


def _events_below(first: EventWorkspace, second: SpectraWorkspace) -> EventWorkspace:
    """Return the events of both; spectra are numbered later."""
    assert isinstance(second, EventWorkspace)
    return first.replace(
        x=_x_below(first, second),
        events=Events.concatenate([first.events, second.events]),
        offsets=np.concatenate([first.offsets, first.offsets[-1] + second.offsets[1:]]),
        kinds=np.concatenate([first.kinds, second.kinds]),
        dx=None,
        spectra=Spectra.counted(first.n_spectra + second.n_spectra),
        vertical=None,
    )


def _numbered(first: Spectra, second: Spectra) -> Spectra:
    """Return the spectra of both, numbered from 0 when a number would occur twice."""
    numbers = np.concatenate([first.numbers, second.numbers])
    if len(np.unique(numbers)) < len(numbers):
        numbers = np.arange(len(numbers), dtype=np.int32)
    return Spectra(
        numbers=numbers,
        detector_ids=np.concatenate([first.detector_ids, second.detector_ids]),
        detector_offsets=np.concatenate([first.detector_offsets, first.detector_offsets[-1] + second.detector_offsets[1:]]),
    )


def _axis(first: VerticalAxis | None, second: VerticalAxis | None) -> VerticalAxis | None:
    """Return the axis of both; None unless both have one."""
    if first is None or second is None:
        return None
    labels = first.labels + second.labels if first.labels and second.labels else ()
    return VerticalAxis(values=np.concatenate([first.values, second.values]), unit=first.unit, labels=labels)
