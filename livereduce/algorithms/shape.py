"""Edges to points and back."""

from __future__ import annotations

import numpy as np

from livereduce.data.events import EventWorkspace, SpectraWorkspace
from livereduce.data.workspace import FloatArray, Workspace


def convert_to_point_data(input_workspace: SpectraWorkspace) -> Workspace:
    """Return points at the middle of each bin; y stays as it is. Events become a histogram first."""
    ws = as_histogram(input_workspace)
    if not ws.is_histogram:
        return ws
    return ws.replace(x=0.5 * (ws.x[..., :-1] + ws.x[..., 1:]), dx=_bin_dx(ws))


def convert_to_histogram(input_workspace: SpectraWorkspace) -> SpectraWorkspace:
    """Return bins whose edges lie midway between points, the outer ones as far out as the inner ones are in; y stays as it is."""
    if input_workspace.is_histogram:
        return input_workspace
    return input_workspace.replace(x=edges_around(input_workspace.x))


def as_histogram(ws: SpectraWorkspace) -> Workspace:
    """Return events as the histogram over their bins; anything else unchanged."""
    return ws.histogram() if isinstance(ws, EventWorkspace) else ws


def edges_around(points: FloatArray) -> FloatArray:
    """Return edges (..., n + 1) around points (..., n); a lone point gets a bin of width 1."""
    if points.shape[-1] < 2:
        return np.concatenate([points - 0.5, points + 0.5], axis=-1)
    between = 0.5 * (points[..., :-1] + points[..., 1:])
    first = points[..., :1] - (between[..., :1] - points[..., :1])
    last = points[..., -1:] + (points[..., -1:] - between[..., -1:])
    return np.concatenate([first, between, last], axis=-1)


def _bin_dx(ws: Workspace) -> FloatArray | None:
    """Return dx with an entry per bin; one per edge is averaged."""
    if ws.dx is None or ws.dx.shape[-1] == ws.n_bins:
        return ws.dx
    return 0.5 * (ws.dx[..., :-1] + ws.dx[..., 1:])
