"""What histograms and events share: x, the vertical axis, the resolution of x and the masked bins."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

import h5py
import numpy as np
from numpy.typing import NDArray

from livereduce.algorithms.nexus.field import LayoutError, as_text, get, get_texts, put, put_text, put_texts
from livereduce.algorithms.nexus.units import label, per, quantity
from livereduce.data.events import SpectraWorkspace
from livereduce.data.workspace import FloatArray, MaskedBins, VerticalAxis

SPECTRUM_UNIT = "spectraNumber"
TEXT_UNIT = "TextAxis"
MASK_NOTE = "spectra index,offset in masked_bins and mask_weights"


def write_axes(group: h5py.Group, workspace: SpectraWorkspace) -> None:
    """Write x as ``axis1``, the vertical axis as ``axis2``, and ``xerrors`` and masked bins where there are any."""
    put(group, "axis1", workspace.x, units=workspace.x_unit, distribution=str(int(workspace.distribution)), **trimmed(workspace))
    _write_vertical(group, workspace)
    if workspace.dx is not None:
        _write_resolution(group, workspace, workspace.dx)
    if workspace.masked_bins:
        _write_masks(group, workspace.masked_bins)


def read_axes(group: h5py.Group, n_spectra: int) -> dict[str, Any]:
    """Return the fields of a workspace that `write_axes` wrote.

    Raises
    ------
    LayoutError
        If an axis is missing or does not fit the number of spectra.
    """
    axis = group.get("axis1")
    if not isinstance(axis, h5py.Dataset) or axis.ndim not in (1, 2):
        raise LayoutError(f"{group.name}/axis1 is missing or has no rows; wanted (bins + 1,) or (spectra, bins + 1) numbers")
    return {
        "x": get(group, "axis1", np.float64, (None,) if axis.ndim == 1 else (n_spectra, None)),
        "x_unit": as_text(axis.attrs.get("units", "")),
        "distribution": as_text(axis.attrs.get("distribution", "0")) == "1",
        "vertical": _read_vertical(group, n_spectra),
        "dx": _read_resolution(group, n_spectra),
        "masked_bins": _read_masks(group, n_spectra),
    }


def counted(workspace: SpectraWorkspace) -> dict[str, Any]:
    """Return the attributes of a dataset that holds what `workspace` counts."""
    over = quantity(workspace.x_unit, "x")
    unit = per(workspace.y_unit, over.unit) if workspace.distribution else workspace.y_unit
    words = f"{workspace.y_unit} per {over.unit}" if workspace.distribution and over.unit else workspace.y_unit
    return {"units": unit, "unit_label": words, "y_unit": workspace.y_unit}


def counted_unit(dataset: h5py.Dataset) -> str:
    """Return what a dataset counts: the y unit of its workspace."""
    return as_text(dataset.attrs.get("y_unit", dataset.attrs.get("units", "")))


def trimmed(workspace: SpectraWorkspace) -> dict[str, Any]:
    """Return the attributes by which viewers that know only points see the lower edges of bins.

    NeXus allows an axis to have one value more than the signal; silx does not, unless ``last_good`` ends the axis where the signal ends.
    """
    return {"first_good": 0, "last_good": workspace.n_bins - 1} if workspace.is_histogram and workspace.has_common_x else {}


def _write_vertical(group: h5py.Group, workspace: SpectraWorkspace) -> None:
    vertical = workspace.vertical
    if vertical is None:
        numbers = workspace.spectra.numbers.astype(np.float64)
        put(group, "axis2", numbers, units=SPECTRUM_UNIT, caption="Spectrum", label="", long_name="Spectrum")
    elif vertical.labels:
        put_text(group, "axis2", "\n".join(vertical.labels), units=TEXT_UNIT)
        put_texts(group, "axis2_labels", list(vertical.labels))
        put(group, "axis2_values", vertical.values, units=vertical.unit)
    else:
        known = quantity(vertical.unit, "vertical")
        put(group, "axis2", vertical.values, units=vertical.unit, long_name=label(known.title, known.unit))


def _read_vertical(group: h5py.Group, n_spectra: int) -> VerticalAxis | None:
    axis = group.get("axis2")
    unit = as_text(axis.attrs.get("units", "")) if isinstance(axis, h5py.Dataset) else SPECTRUM_UNIT
    if unit == SPECTRUM_UNIT:
        return None
    if unit == TEXT_UNIT:
        return _read_labels(group, n_spectra)
    values = get(group, "axis2", np.float64, (None,))
    if len(values) not in (n_spectra, n_spectra + 1):
        raise LayoutError(f"{group.name}/axis2 has {len(values)} values for {n_spectra} spectra; wanted as many, or one more")
    return VerticalAxis(values=values, unit=unit)


def _read_labels(group: h5py.Group, n_spectra: int) -> VerticalAxis:
    labels = get_texts(group, "axis2_labels") or "".join(get_texts(group, "axis2")).split("\n")
    if len(labels) != n_spectra:
        raise LayoutError(f"{group.name}/axis2 has {len(labels)} labels for {n_spectra} spectra; wanted as many")
    if "axis2_values" not in group:
        return VerticalAxis(values=np.arange(n_spectra, dtype=np.float64), labels=tuple(labels))
    values = get(group, "axis2_values", np.float64, (None,))
    return VerticalAxis(values=values, unit=as_text(group["axis2_values"].attrs.get("units", "")), labels=tuple(labels))


def _write_resolution(group: h5py.Group, workspace: SpectraWorkspace, dx: FloatArray) -> None:
    # Mantid's files have a row for each spectrum; ``shared`` says that the rows are one.
    rows = np.broadcast_to(dx, (workspace.n_spectra, dx.shape[-1])) if dx.ndim == 1 else dx
    shared: dict[str, Any] = {"shared": 1} if dx.ndim == 1 and workspace.n_spectra else {}
    put(group, "xerrors", rows, units=workspace.x_unit, **shared)


def _read_resolution(group: h5py.Group, n_spectra: int) -> FloatArray | None:
    if "xerrors" not in group:
        return None
    rows = get(group, "xerrors", np.float64, (n_spectra, None))
    return rows[0].copy() if "shared" in group["xerrors"].attrs and n_spectra else rows


def _write_masks(group: h5py.Group, masks: Mapping[int, MaskedBins]) -> None:
    rows = sorted(masks)
    many = [len(masks[row].bins) for row in rows]
    offsets = np.concatenate([[0], np.cumsum(many[:-1])])
    put(group, "masked_spectra", np.column_stack([rows, offsets]).astype(np.int32), description=MASK_NOTE)
    put(group, "masked_bins", np.concatenate([masks[row].bins for row in rows]).astype(np.uint64))
    put(group, "mask_weights", np.concatenate([masks[row].weights for row in rows]).astype(np.float64))


def _read_masks(group: h5py.Group, n_spectra: int) -> Mapping[int, MaskedBins]:
    if "masked_spectra" not in group:
        return MappingProxyType({})
    table = get(group, "masked_spectra", np.int64, (None, 2))
    bins = get(group, "masked_bins", np.intp, (None,))
    weights = get(group, "mask_weights", np.float64, (len(bins),))
    ends = _ends(group, table, n_spectra, len(bins))
    parts = zip(table[:, 0].tolist(), table[:, 1].tolist(), ends, strict=True)
    return MappingProxyType({row: MaskedBins(bins=bins[start:end], weights=weights[start:end]) for row, start, end in parts})


def _ends(group: h5py.Group, table: NDArray[np.int64], n_spectra: int, n_bins: int) -> list[int]:
    ends = [*table[1:, 1].tolist(), n_bins]
    rows = table[:, 0]
    if np.any((rows < 0) | (rows >= n_spectra)) or np.any(table[:, 1] < 0) or np.any(table[:, 1] > np.array(ends)):
        raise LayoutError(f"{group.name}/masked_spectra points outside of {n_spectra} spectra and {n_bins} masked bins")
    return ends
