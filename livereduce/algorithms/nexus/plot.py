"""The default plot: a small NXdata beside Mantid's group, with axes in real units.

Mantid writes unit ids such as "TOF" where NeXus wants "microsecond". So there are two groups over the same counts;
the counts are stored once and linked.
"""

from __future__ import annotations

from typing import Any

import h5py
import numpy as np
from numpy.typing import NDArray

from livereduce.algorithms.nexus.axes import counted, trimmed
from livereduce.algorithms.nexus.counts import root
from livereduce.algorithms.nexus.field import put, put_texts
from livereduce.algorithms.nexus.units import SPECTRUM, Quantity, label, quantity
from livereduce.data.events import EventWorkspace, SpectraWorkspace

BIN = "bin"


def write_plot(entry: h5py.Group, workspace: SpectraWorkspace, title: str) -> None:
    """Write the NXdata ``data`` of an entry and make it the default."""
    group = entry.create_group("data")
    over, across = quantity(workspace.x_unit, "x"), _across(workspace)
    group.attrs.update({"NX_class": "NXdata", "signal": "values"})
    group["title"] = title
    _link_counts(entry, group, workspace)
    axes = [_write_across(group, workspace, across), _write_over(group, workspace, over)]
    group.attrs["axes"] = axes
    entry.attrs["default"] = "data"


def _across(workspace: SpectraWorkspace) -> Quantity:
    if workspace.vertical is None or workspace.vertical.labels:
        return SPECTRUM
    known = quantity(workspace.vertical.unit, "vertical")
    return known if known.field != quantity(workspace.x_unit, "x").field else Quantity("vertical", known.title, known.unit)


def _link_counts(entry: h5py.Group, group: h5py.Group, workspace: SpectraWorkspace) -> None:
    if isinstance(workspace, EventWorkspace):
        put(group, "values", workspace.y, **counted(workspace))
        put(group, "values_errors", root(workspace.variance), units=counted(workspace)["units"])
    else:
        group["values"] = entry["workspace/values"]
        group["values_errors"] = entry["workspace/errors"]
    group["values"].attrs["long_name"] = counted(workspace)["unit_label"] or "values"
    group["values"].attrs["interpretation"] = "spectrum" if workspace.n_spectra == 1 else "image"


def _write_across(group: h5py.Group, workspace: SpectraWorkspace, across: Quantity) -> str:
    vertical = workspace.vertical
    values: NDArray[Any] = workspace.spectra.numbers if vertical is None or vertical.labels else vertical.values
    edges: dict[str, Any] = {"first_good": 0, "last_good": workspace.n_spectra - 1} if len(values) > workspace.n_spectra else {}
    put(group, across.field, values, units=across.unit, long_name=label(across.title, across.unit), **edges)
    group.attrs[f"{across.field}_indices"] = np.array([0])
    if vertical is not None and vertical.labels:
        put_texts(group, "labels", list(vertical.labels))
        group.attrs["labels_indices"] = np.array([0])
    return across.field


def _write_over(group: h5py.Group, workspace: SpectraWorkspace, over: Quantity) -> str:
    put(group, over.field, workspace.x, units=over.unit, long_name=label(over.title, over.unit), **trimmed(workspace))
    along = np.array([1] if workspace.has_common_x else [0, 1])
    group.attrs[f"{over.field}_indices"] = along
    if workspace.dx is not None and workspace.dx.shape == workspace.x.shape:
        put(group, f"{over.field}_errors", workspace.dx, units=over.unit)
        group.attrs[f"{over.field}_errors_indices"] = along
    return over.field if workspace.has_common_x else _write_bins(group, workspace.n_bins)


def _write_bins(group: h5py.Group, n_bins: int) -> str:
    # An axis is one row for all; where each spectrum has its own x, the axis is the number of the bin, and x a coordinate along both.
    put(group, BIN, np.arange(n_bins), units="", long_name="Bin")
    group.attrs[f"{BIN}_indices"] = np.array([1])
    return BIN
