"""Some rows of a workspace, with everything that goes with them."""

from __future__ import annotations

from types import MappingProxyType

import numpy as np

from livereduce.algorithms.selection import Rows
from livereduce.data.events import EventWorkspace, SpectraWorkspace
from livereduce.data.workspace import VerticalAxis, Workspace


def take(workspace: SpectraWorkspace, rows: Rows) -> SpectraWorkspace:
    """Return the workspace of `rows`, in that order, with their spectra, masked bins and part of the vertical axis."""
    vertical = None if workspace.vertical is None else _take_vertical(workspace.vertical, rows, workspace.n_spectra)
    if isinstance(workspace, EventWorkspace):
        return workspace.take(rows).replace(vertical=vertical)
    return _take_counts(workspace, rows).replace(vertical=vertical)


def _take_counts(workspace: Workspace, rows: Rows) -> Workspace:
    masks = workspace.masked_bins
    dx = workspace.dx
    return workspace.replace(
        x=workspace.x if workspace.has_common_x else workspace.x[rows],
        y=workspace.y[rows],
        variance=workspace.variance[rows],
        dx=dx if dx is None or dx.ndim == 1 else dx[rows],
        spectra=workspace.spectra.take(rows),
        masked_bins=MappingProxyType({new: masks[old] for new, old in enumerate(rows.tolist()) if old in masks}),
    )


def _take_vertical(axis: VerticalAxis, rows: Rows, n_spectra: int) -> VerticalAxis:
    labels = tuple(axis.labels[row] for row in rows.tolist()) if axis.labels else ()
    if len(axis.values) == n_spectra:
        return VerticalAxis(values=axis.values[rows], unit=axis.unit, labels=labels)
    if len(rows) and np.all(np.diff(rows) == 1):
        return VerticalAxis(values=axis.values[rows[0] : rows[-1] + 2], unit=axis.unit, labels=labels)
    # Rows that do not touch have no common edges left: their centres stay.
    return VerticalAxis(values=0.5 * (axis.values[rows] + axis.values[rows + 1]), unit=axis.unit, labels=labels)
