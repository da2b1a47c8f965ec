"""Events of the journal as a workspace of events, one for each period."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from livereduce.data.events import EventKind, Events, EventWorkspace, SpectraWorkspace
from livereduce.data.group import AnyWorkspace, WorkspaceGroup
from livereduce.data.run import LogNumber, LogSeries, Run
from livereduce.data.workspace import Spectra
from livereduce.kernels.sorting import count_rows, sort_events
from livereduce.store.record import Layout, Neutrons

FRAME_US = (0.0, 1.0e6)
"""The one bin of a chunk of events: longer than a frame of any source, the same for each chunk, so that chunks add up."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Made:
    """A chunk of events."""

    value: AnyWorkspace
    """A workspace, or a group with one member for each of several periods."""

    out_of_range: int
    """Events left out, since there is no such spectrum or no such period."""


def event_workspace(layout: Layout, spectra: Spectra, packets: Sequence[Neutrons], run: Run) -> Made:
    """Return the events of `packets` sorted by spectrum, in the order recorded within each.

    Parameters
    ----------
    layout, spectra:
        Spectra and periods of the run.
    packets:
        Pulses and their events.
    run:
        The run; each period carries the charge of its own pulses.
    """
    pulses = np.concatenate([one.pulses for one in packets])
    events = np.concatenate([one.events for one in packets])
    members = [_member(layout, spectra, pulses, events, plane, run) for plane in range(len(layout.periods))]
    value: AnyWorkspace = members[0] if len(members) == 1 else WorkspaceGroup(members=tuple(members))
    return Made(value=value, out_of_range=len(events) - sum(member.n_events for member in members))


def histogrammed(output: AnyWorkspace) -> AnyWorkspace:
    """Return `output` with events counted into the bins it has; histograms as they are."""
    return output.map(_counted) if isinstance(output, WorkspaceGroup) else _counted(output)


def _counted(workspace: SpectraWorkspace) -> SpectraWorkspace:
    return workspace.histogram() if isinstance(workspace, EventWorkspace) else workspace


def _member(layout: Layout, spectra: Spectra, pulses: NDArray[Any], events: NDArray[Any], plane: int, run: Run) -> EventWorkspace:
    """Return the events of one period, sorted by spectrum."""
    row, tof = np.ascontiguousarray(events["row"]), np.ascontiguousarray(events["tof_us"])
    many, first_row, period, when = (np.ascontiguousarray(pulses[name]) for name in ("n_events", "first_row", "period", "time_ns"))
    offsets = np.zeros(len(spectra) + 1, dtype=np.int64)
    count_rows(row, many, first_row, period, plane, offsets[1:])
    np.cumsum(offsets, out=offsets)
    tof_sorted, when_sorted = np.empty(offsets[-1], dtype=np.float64), np.empty(offsets[-1], dtype=np.int64)
    sort_events(row, tof, many, when, first_row, period, plane, offsets[:-1].copy(), tof_sorted, when_sorted)
    own = _charged(run, pulses[pulses["period"] == plane])
    own = own.with_log("current_period", LogNumber(value=layout.periods[plane])) if len(layout.periods) > 1 else own
    return EventWorkspace(
        x=np.array(FRAME_US),
        events=Events(tof=tof_sorted, pulse_time_ns=when_sorted),
        offsets=offsets,
        kinds=np.full(len(spectra), EventKind.TOF, dtype=np.uint8),
        spectra=spectra,
        run=own,
        title=own.title,
    )


def _charged(run: Run, pulses: NDArray[Any]) -> Run:
    """Return `run` with the charge of `pulses`, and a log of it pulse by pulse."""
    charge = pulses["charge_uah"].astype(np.float64)
    log = LogSeries(time_ns=pulses["time_ns"].astype(np.int64), values=charge, unit="uAh")
    return replace(run, charge_uah=float(charge.sum())).with_log("proton_charge", log)
