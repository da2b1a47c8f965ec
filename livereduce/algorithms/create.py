"""Workspaces from bare numbers."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike

from livereduce.data.events import SpectraWorkspace
from livereduce.data.workspace import FloatArray, Spectra, VerticalAxis, Workspace
from livereduce.errors import AlgorithmError


def create_single_valued_workspace(data_value: float, error_value: float = 0.0) -> Workspace:
    """Return a workspace of one number, which arithmetic applies to every bin of the other side.

    It is one spectrum, numbered 0 and without detectors, of one point at x = 0 without unit.
    """
    return Workspace(
        x=np.zeros(1),
        y=np.full((1, 1), float(data_value)),
        variance=np.full((1, 1), float(error_value) ** 2),
        spectra=Spectra.from_lists(np.zeros(1, dtype=np.int32), [np.empty(0, dtype=np.int32)]),
        dx=np.zeros(1),
        x_unit="",
        y_unit="",
        distribution=True,
    )


def is_single_value(ws: SpectraWorkspace) -> bool:
    """Return whether `ws` is one number, as `create_single_valued_workspace` makes it."""
    return isinstance(ws, Workspace) and ws.y.shape == (1, 1) and not ws.is_histogram and ws.x_unit == ""


def create_workspace(
    data_x: ArrayLike,
    data_y: ArrayLike,
    *,
    data_e: ArrayLike = (),
    n_spec: int = 1,
    unit_x: str = "",
    vertical_axis_unit: str = "SpectraNumber",
    vertical_axis_values: Sequence[str] | Sequence[float] = (),
    distribution: bool = False,
    parent_workspace: SpectraWorkspace | None = None,
    y_unit_label: str = "",
    workspace_title: str = "",
    dx: ArrayLike = (),
) -> Workspace:
    """Return a workspace of the numbers given.

    Parameters
    ----------
    data_x:
        Edges or points, common to all spectra or of one spectrum after another.
    data_y, data_e:
        Counts and their standard deviations, one spectrum after another; without errors these are 0.
    n_spec:
        Number of spectra.
    unit_x:
        Unit id of x; without one x is a label.
    vertical_axis_unit, vertical_axis_values:
        Vertical axis: "SpectraNumber" counts the spectra, "Text" takes labels, any other unit numbers.
    distribution:
        y is per unit of x.
    parent_workspace:
        Where title, run, instrument and comment come from.
    y_unit_label, workspace_title, dx:
        What y is; title; resolution of x, shaped as `data_x` or as `data_y`.

    Raises
    ------
    AlgorithmError
        If the lengths do not fit each other; says which.
    """
    y: FloatArray = np.array(data_y, dtype=float).ravel()
    if n_spec < 1 or len(y) % n_spec or not len(y):
        raise AlgorithmError(f"CreateWorkspace: Length of DataY must be divisible by NSpec; got {len(y)} values for {n_spec} spectra")
    y = y.reshape(n_spec, -1)
    e = np.array(data_e, dtype=float).ravel()
    if e.size not in (0, y.size):
        raise AlgorithmError(f"CreateWorkspace: DataE (if provided) must be the same size as DataY; got {e.size} errors for {y.size} values")
    fields = {} if parent_workspace is None else {name: getattr(parent_workspace, name) for name in ("run", "instrument", "title", "comment")}
    if workspace_title:
        fields["title"] = workspace_title
    return Workspace(
        x=_x(data_x, y),
        y=y,
        variance=np.square(e).reshape(y.shape) if e.size else np.zeros_like(y),
        spectra=Spectra.counted(n_spec),
        dx=_x(dx, y) if np.size(dx) else None,
        x_unit=unit_x or "Label",
        y_unit=y_unit_label,
        distribution=distribution,
        vertical=_vertical(vertical_axis_unit, vertical_axis_values, n_spec),
        **fields,
    )


def _x(data_x: ArrayLike, y: FloatArray) -> FloatArray:
    """Return x as it fits `y`: common to the spectra or one row each."""
    x = np.array(data_x, dtype=float).ravel()
    spectra, bins = y.shape
    if len(x) in (bins, bins + 1):
        return x
    if len(x) in (spectra * bins, spectra * (bins + 1)):
        return x.reshape(spectra, -1)
    raise AlgorithmError(
        f"CreateWorkspace: x-y size mismatch, cannot determine whether x holds edges or points; got {len(x)} values of x, "
        f"wanted {bins + 1} edges or {bins} points for {bins} values of y, or that for each of {spectra} spectra"
    )


def _vertical(unit: str, values: Sequence[str] | Sequence[float], n_spec: int) -> VerticalAxis | None:
    """Return the vertical axis, None for the spectrum number."""
    if unit in ("", "SpectraNumber"):
        return None
    if len(values) not in (n_spec, n_spec + 1):
        raise AlgorithmError(f"CreateWorkspace: Number of y-axis labels must match number of histograms; got {len(values)} for {n_spec} spectra")
    if unit == "Text":
        return VerticalAxis(values=np.arange(n_spec, dtype=float), labels=tuple(str(value) for value in values))
    return VerticalAxis(values=np.array(values, dtype=float), unit=unit)
