"""How a result came about: the workspace's history, the scripts, the part of the journal and the versions."""

from __future__ import annotations

import platform
import re
from collections.abc import Mapping

import h5py
import numpy as np

import livereduce
from livereduce.algorithms.nexus.field import get_text, get_texts, put, put_text, put_texts
from livereduce.data.provenance import Provenance
from livereduce.data.run import Run
from livereduce.data.workspace import Step

PROGRAM = "livereduce"

HEAD = re.compile(r"Algorithm: (?P<name>\S+) v(?P<version>\d+)")
PROPERTY = re.compile(r"^  Name: (?P<name>[^,\n]*), Value: (?P<value>.*?), Default\?: (?:Yes|No), Direction: \w+$", re.MULTILINE | re.DOTALL)
UNTIMED = "Execution Date: 1990-01-01 00:00:00.000000000\nExecution Duration: -1 seconds\n"
"""Mantid reads both lines; a step of ours has no time, and these are its values for "unknown"."""


def write_process(entry: h5py.Group, history: tuple[Step, ...], run: Run, provenance: Provenance | None, date: str) -> None:
    """Write the group ``process``: program, versions and date, one note for each step, and what `provenance` knows.

    Parameters
    ----------
    date:
        When it is saved, ISO 8601.
    """
    group = entry.create_group("process")
    group.attrs["NX_class"] = "NXprocess"
    put_text(group, "program", PROGRAM)
    put_text(group, "version", livereduce.__version__)
    put_text(group, "date", date)
    put(group, "run_number", np.array([run.number], dtype=np.int64))
    versions = [*versions_here().items(), *(provenance.versions if provenance is not None else ())]
    put_texts(group, "versions", [f"{name} {version}" for name, version in versions])
    for k, step in enumerate(history, start=1):
        _write_step(group, f"MantidAlgorithm_{k}", step)
    if provenance is not None:
        _write_provenance(group, provenance)


def read_history(entry: h5py.Group) -> tuple[Step, ...]:
    """Return the steps that an entry tells, oldest first; none where it tells nothing."""
    group = entry.get("process")
    if not isinstance(group, h5py.Group):
        return ()
    numbers = sorted(int(name.rpartition("_")[2]) for name in group if re.fullmatch(r"MantidAlgorithm_\d+", name))
    steps = [_read_step(group[f"MantidAlgorithm_{k}"]) for k in numbers]
    return tuple(step for step in steps if step is not None)


def versions_here() -> Mapping[str, str]:
    """Return the versions of the software that a result always depends on."""
    hdf5: str = h5py.version.hdf5_version
    return {"python": platform.python_version(), "numpy": np.__version__, "h5py": h5py.__version__, "hdf5": hdf5, PROGRAM: livereduce.__version__}


def _write_step(group: h5py.Group, name: str, step: Step) -> None:
    note = group.create_group(name)
    note.attrs["NX_class"] = "NXnote"
    told = "".join(f"  Name: {key}, Value: {value}, Default?: No, Direction: Input\n" for key, value in step.properties)
    put_text(note, "author", PROGRAM)
    put_text(note, "type", "text/plain")
    put_text(note, "description", "Algorithm, version and properties")
    put_text(note, "data", f"Algorithm: {step.name} v{step.version}\n{UNTIMED}Parameters:\n{told}")
    # The text cannot be taken apart again when a value looks like a line of it.
    put_texts(note, "properties", [text for pair in step.properties for text in pair])


def _read_step(note: h5py.Group) -> Step | None:
    text = get_text(note, "data")
    head = HEAD.match(text)
    if head is None:
        return None
    if "properties" in note:
        flat = get_texts(note, "properties")
        pairs = tuple(zip(flat[::2], flat[1::2], strict=False))
    else:
        pairs = tuple((found["name"], found["value"]) for found in PROPERTY.finditer(text))
    return Step(name=head["name"], version=int(head["version"]), properties=pairs)


def _write_provenance(group: h5py.Group, provenance: Provenance) -> None:
    for k, script in enumerate(provenance.scripts, start=1):
        note = group.create_group(f"script_{k}")
        note.attrs["NX_class"] = "NXnote"
        put_text(note, "description", script.role)
        put_text(note, "file_name", script.path)
        put_text(note, "md5", script.md5)
        put_text(note, "type", "text/x-python")
        put_text(note, "data", script.text)
    if provenance.chunk_first is not None and provenance.chunk_last is not None:
        positions = np.array([provenance.chunk_first, provenance.chunk_last], dtype=np.int64)
        put(group, "chunk_range", positions, description="journal positions of the first and the last record")
