"""Events: the group ``event_workspace`` with a column for each thing known of an event."""

from __future__ import annotations

from typing import Any

import h5py
import numpy as np
from numpy.typing import NDArray

from livereduce.algorithms.nexus.axes import counted, counted_unit, read_axes, write_axes
from livereduce.algorithms.nexus.field import LayoutError, get, put
from livereduce.data.events import NO_PULSE_NS, EventKind, Events, EventWorkspace
from livereduce.data.run import EPOCH_1990_NS


def write_events(group: h5py.Group, workspace: EventWorkspace, *, deflate: bool) -> None:
    """Write events into `group`: ``indices`` says where each spectrum begins in the columns; pulse times are ns since 1990."""
    events = workspace.events
    put(group, "indices", workspace.offsets, deflate=deflate, **counted(workspace))
    put(group, "tof", events.tof, deflate=deflate, units=workspace.x_unit)
    if not np.all(workspace.kinds == EventKind.WEIGHTED_NOTIME) or not len(workspace.kinds):
        put(group, "pulsetime", events.pulse_time_ns - EPOCH_1990_NS, deflate=deflate, units="ns", start="1990-01-01T00:00:00")
    if events.weight is not None and events.error2 is not None:
        put(group, "weight", events.weight, deflate=deflate)
        put(group, "error_squared", events.error2, deflate=deflate)
    put(group, "event_kind", workspace.kinds, description="0: tof and pulse time, 1: and weight, 2: tof and weight")
    write_axes(group, workspace)


def read_events(group: h5py.Group) -> dict[str, Any]:
    """Return the fields of an event workspace that `write_events` or Mantid wrote.

    Raises
    ------
    LayoutError
        If columns and indices do not fit each other.
    """
    offsets = get(group, "indices", np.int64, (None,))
    tof = get(group, "tof", np.float64, (None,)) if "tof" in group else np.empty(0)
    if not len(offsets) or offsets[0] != 0 or offsets[-1] != len(tof) or np.any(np.diff(offsets) < 0):
        raise LayoutError(f"{group.name}/indices does not ascend from 0 to the {len(tof)} events")
    columns: dict[str, Any] = {
        "pulse_time_ns": _pulse_times(group, len(tof)),
        "weight": get(group, "weight", np.float32, (len(tof),)) if "weight" in group else None,
        "error2": get(group, "error_squared", np.float32, (len(tof),)) if "error_squared" in group else None,
    }
    fields = read_axes(group, len(offsets) - 1)
    events = Events(tof=tof, **columns)
    return {**fields, "events": events, "offsets": offsets, "kinds": _kinds(group, len(offsets) - 1), "y_unit": counted_unit(group["indices"])}


def _pulse_times(group: h5py.Group, n: int) -> NDArray[np.int64]:
    if "pulsetime" not in group:
        return np.full(n, NO_PULSE_NS, dtype=np.int64)
    return get(group, "pulsetime", np.int64, (n,)) + EPOCH_1990_NS


def _kinds(group: h5py.Group, n: int) -> NDArray[np.uint8]:
    if "event_kind" in group:
        return get(group, "event_kind", np.uint8, (n,))
    if "weight" not in group:
        return np.full(n, EventKind.TOF, dtype=np.uint8)
    return np.full(n, EventKind.WEIGHTED if "pulsetime" in group else EventKind.WEIGHTED_NOTIME, dtype=np.uint8)
