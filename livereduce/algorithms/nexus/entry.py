"""One workspace as one NXentry: the parts put together, and a file's entries found."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from typing import Any

import h5py
import numpy as np

from livereduce.algorithms.nexus.counts import read_counts, write_counts
from livereduce.algorithms.nexus.detectors import NAMELESS, read_instrument, read_spectra, write_detectors
from livereduce.algorithms.nexus.field import LayoutError, get, get_text, put, put_text
from livereduce.algorithms.nexus.logs import iso, read_logs, time_ns, write_log, write_repeated
from livereduce.algorithms.nexus.neutrons import read_events, write_events
from livereduce.algorithms.nexus.plot import write_plot
from livereduce.algorithms.nexus.process import PROGRAM, read_history, write_process
from livereduce.data.events import EventWorkspace, SpectraWorkspace
from livereduce.data.provenance import Provenance
from livereduce.data.run import LogNumber, Run
from livereduce.data.workspace import Workspace

ENTRY = re.compile(r"mantid_workspace_(\d+)")
DEFINITION = "Mantid Processed Workspace"


@dataclass(frozen=True, slots=True, kw_only=True)
class Saving:
    """What is the same for all entries of one save."""

    title: str = ""
    """Title of the entries; empty for each workspace's own."""

    date: str
    """When it is saved, ISO 8601."""

    label: str = "workspace"
    """Title of the plot of what has no title of its own."""

    provenance: Provenance | None = None
    """What made the results; None when unknown."""

    deflate_events: bool = False
    """True to compress the columns of events."""


def entries(file: h5py.Group) -> list[str]:
    """Return the names of a file's entries in the order of their numbers."""
    numbers = sorted(int(found[1]) for found in map(ENTRY.fullmatch, file) if found)
    return [f"mantid_workspace_{n}" for n in numbers]


def next_entry(file: h5py.Group) -> str:
    """Return the name for one more entry."""
    names = entries(file)
    return f"mantid_workspace_{int(names[-1].rpartition('_')[2]) + 1 if names else 1}"


def write_entry(entry: h5py.Group, workspace: SpectraWorkspace, name: str | None, saving: Saving) -> None:
    """Write a workspace into an empty group.

    Parameters
    ----------
    name:
        Name in its group; None when it has none of its own.
    """
    entry.attrs["NX_class"] = "NXentry"
    title = saving.title or workspace.title or workspace.run.title
    for definition in ("definition", "definition_local"):
        put_text(entry, definition, DEFINITION, Version="1.0")
    put_text(entry, "title", title or NAMELESS)
    put_text(entry, "workspace_title", workspace.title)
    put_text(entry, "workspace_name", name or "workspace", given=int(name is not None))
    put_text(entry, "comment", workspace.comment)
    put_text(entry, "program_name", PROGRAM)
    _write_counted(entry, workspace, saving)
    write_detectors(entry, workspace.spectra, workspace.instrument)
    _write_run(entry, workspace.run)
    write_process(entry, workspace.history, workspace.run, saving.provenance, saving.date)
    write_plot(entry, workspace, title or saving.label)


def read_entry(entry: h5py.Group, *, history: bool = True) -> SpectraWorkspace:
    """Return the workspace of an entry that `write_entry` or Mantid wrote.

    Raises
    ------
    LayoutError
        If the entry holds no histograms, points or events, or its parts do not fit each other.
    """
    own = get_text(entry, "program_name") == PROGRAM
    told: dict[str, Any] = {
        "title": get_text(entry, "workspace_title") if own else get_text(entry, "title").strip(),
        "comment": get_text(entry, "comment"),
        "run": _read_run(entry) if own else _foreign_run(entry),
        "instrument": read_instrument(entry),
        "history": read_history(entry) if history else (),
    }
    if "event_workspace" in entry:
        events = read_events(entry["event_workspace"])
        return EventWorkspace(**told, **events, spectra=read_spectra(entry, len(events["kinds"])))
    if "workspace" not in entry:
        raise LayoutError(f"{entry.name} holds {', '.join(sorted(entry)) or 'nothing'}; wanted histograms, points or events")
    counts = read_counts(entry["workspace"])
    return Workspace(**told, **counts, spectra=read_spectra(entry, len(counts["y"])))


def given_name(entry: h5py.Group) -> str | None:
    """Return the name that the member had in its group; None when it had none of its own."""
    name = entry.get("workspace_name")
    return get_text(entry, "workspace_name") if name is not None and name.attrs.get("given", 0) else None


def _write_counted(entry: h5py.Group, workspace: SpectraWorkspace, saving: Saving) -> None:
    group = entry.create_group("event_workspace" if isinstance(workspace, EventWorkspace) else "workspace")
    group.attrs["NX_class"] = "NXdata"
    if isinstance(workspace, EventWorkspace):
        write_events(group, workspace, deflate=saving.deflate_events)
    else:
        write_counts(group, workspace)


def _write_run(entry: h5py.Group, run: Run) -> None:
    logs = entry.create_group("logs")
    logs.attrs.update({"NX_class": "NXgroup", "version": np.int32(1)})
    for name, log in run.logs.items():
        write_log(logs, name, log)
    put(entry, "run_number", np.array([run.number], dtype=np.int64))
    put_text(entry, "run_title", run.title)
    write_repeated(logs, "run_title", run.title)
    write_repeated(logs, "run_number", str(run.number))
    for name, moment in (("start", run.start_ns), ("end", run.end_ns)):
        if moment is not None:
            put_text(entry, f"{name}_time", f"{iso(moment)}Z")
            write_repeated(logs, f"run_{name}", iso(moment))
    if not math.isnan(run.charge_uah):
        put(entry, "proton_charge", np.array([run.charge_uah]), units="uA.hour")
        write_repeated(logs, "gd_prtn_chrg", float(run.charge_uah), "uA.hour")


def _read_run(entry: h5py.Group) -> Run:
    return Run(
        number=int(get(entry, "run_number", np.int64, (1,))[0]),
        title=get_text(entry, "run_title"),
        start_ns=time_ns(get_text(entry, "start_time")),
        end_ns=time_ns(get_text(entry, "end_time")),
        charge_uah=float(get(entry, "proton_charge", np.float64, (1,))[0]) if "proton_charge" in entry else math.nan,
        logs=read_logs(entry["logs"]) if "logs" in entry else {},
    )


def _foreign_run(entry: h5py.Group) -> Run:
    """Return the run of a file that tells it by its logs alone, as Mantid does."""
    logs = dict(read_logs(entry["logs"])) if "logs" in entry else {}
    logs.setdefault("run_title", LogNumber(value=get_text(entry, "title").strip()))
    told = {name: str(log.value) for name, log in logs.items() if isinstance(log, LogNumber)}
    charge, number = told.get("gd_prtn_chrg", "nan"), told.get("run_number", "0").strip()
    return Run(
        number=int(number) if number.isdecimal() else 0,
        title=told.get("run_title", ""),
        start_ns=time_ns(told.get("run_start", told.get("start_time", ""))),
        end_ns=time_ns(told.get("run_end", told.get("end_time", ""))),
        charge_uah=_number(charge),
        logs=logs,
    )


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return math.nan
