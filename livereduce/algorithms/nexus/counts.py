"""Histograms and points: the group ``workspace`` with values, errors and axes."""

from __future__ import annotations

from typing import Any

import h5py
import numpy as np

from livereduce.algorithms.nexus.axes import counted, counted_unit, read_axes, write_axes
from livereduce.algorithms.nexus.field import LayoutError, get, layout
from livereduce.data.workspace import FloatArray, Workspace

BLOCK_BYTES = 8 * 1024 * 1024
"""Errors are made and written in blocks of this size, so that saving does not double the memory."""


def write_counts(group: h5py.Group, workspace: Workspace) -> None:
    """Write a histogram or points into `group`."""
    attributes = counted(workspace)
    values = group.create_dataset("values", data=np.asarray(workspace.y, dtype=np.float64), **layout(workspace.y.shape, 8))
    values.attrs.update({"signal": np.int32(1), "axes": "axis2,axis1", **attributes})
    errors = group.create_dataset("errors", shape=workspace.y.shape, dtype=np.float64, **layout(workspace.y.shape, 8))
    errors.attrs["units"] = attributes["units"]
    rows = max(1, BLOCK_BYTES // max(8, 8 * workspace.n_bins))
    for first in range(0, workspace.n_spectra if workspace.n_bins else 0, rows):
        errors[first : first + rows] = root(workspace.variance[first : first + rows])
    write_axes(group, workspace)
    # Readers of old files go by the attributes of the dataset. An x with a row for each spectrum is no axis by NeXus rules.
    group.attrs.update({"signal": "values", "axes": ["axis2", "axis1" if workspace.has_common_x else "."]})


def read_counts(group: h5py.Group) -> dict[str, Any]:
    """Return the fields of a workspace that `write_counts` wrote.

    Raises
    ------
    LayoutError
        If values, errors and axes do not fit each other.
    """
    values = get(group, "values", np.float64, (None, None))
    errors = get(group, "errors", np.float64, values.shape)
    fields = read_axes(group, len(values))
    if fields["x"].shape[-1] - values.shape[-1] not in (0, 1):
        raise LayoutError(f"{group.name}/axis1 has {fields['x'].shape[-1]} values for {values.shape[-1]} bins; wanted as many, or one more")
    return {**fields, "y": values, "variance": square(errors), "y_unit": counted_unit(group["values"])}


def root(variance: FloatArray) -> FloatArray:
    """Return standard deviations; NaN where a variance is negative."""
    with np.errstate(invalid="ignore"):
        return np.sqrt(variance)


def square(errors: FloatArray) -> FloatArray:
    """Return variances whose square root is `errors` again.

    The square of a root is off by the last bit; where a whole number has the same root, it is the number of counts that was saved.
    """
    with np.errstate(over="ignore", under="ignore"):
        variance = errors * errors
        whole = np.rint(variance)
        return np.where(np.sqrt(whole) == errors, whole, variance)
