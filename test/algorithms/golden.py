"""Golden cases: inputs built from JSON, outputs compared with what Mantid gave."""

from __future__ import annotations

import gzip
import json
import math
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np

from livereduce.algorithms.create import create_single_valued_workspace, is_single_value
from livereduce.data.events import NO_PULSE_NS, EventKind, Events, EventWorkspace
from livereduce.data.group import AnyWorkspace, WorkspaceGroup
from livereduce.data.instrument import Instrument
from livereduce.data.run import EPOCH_1990_NS, Log, LogNumber, LogSeries, Run
from livereduce.data.workspace import MaskedBins, Spectra, Workspace

TOLERANCE = 1e-9
KINDS = {"tof": EventKind.TOF, "weighted": EventKind.WEIGHTED, "weighted_notime": EventKind.WEIGHTED_NOTIME}
HERE = Path(__file__).resolve().parents[1] / "golden" / "algorithms"
BESIDE = Path(__file__).resolve().parents[3] / "shared" / "golden"


def cases(algorithm: str) -> list[dict[str, Any]]:
    """Return the cases of one algorithm; empty where there is no golden data."""
    for path in (HERE / f"{algorithm}.json.gz", HERE / f"{algorithm}.json", BESIDE / f"{algorithm}.json"):
        if path.exists():
            text = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
            found: list[dict[str, Any]] = json.loads(text)["cases"]
            return found
    return []


# --- inputs ---


def build(given: dict[str, Any]) -> AnyWorkspace:
    """Return the workspace that a JSON object describes."""
    if given["type"] == "group":
        members = given["members"]
        if isinstance(members, dict):
            return WorkspaceGroup(members=tuple(build(one) for one in members.values()), names=tuple(members))
        return WorkspaceGroup(members=tuple(build(one) for one in members), names=tuple(one.get("name", "") for one in members))
    if given["type"] == "single":
        return create_single_valued_workspace(given["value"], given["error"])
    rows = given["spectra"]
    fields = {
        "x": _x(given, rows),
        "spectra": Spectra.from_lists(
            np.array([row["spectrum_no"] for row in rows], dtype=np.int32), [np.array(row["detector_ids"], dtype=np.int32) for row in rows]
        ),
        "x_unit": given.get("x_unit", ""),
        "y_unit": given.get("y_unit", ""),
        "distribution": given.get("distribution", False),
        "masked_bins": MappingProxyType({row: _masked(one["masked_bins"]) for row, one in enumerate(rows) if one.get("masked_bins")}),
        "instrument": _instrument(given),
        "run": _run(given),
    }
    if given["type"] == "events":
        kinds = [KINDS[row["events"]["kind"]] for row in rows]
        return EventWorkspace.from_rows([_events(row["events"]) for row in rows], kinds, **fields)
    return Workspace(y=_floats([row["y"] for row in rows]), variance=_floats([row["e"] for row in rows]) ** 2, **fields)


def _x(given: dict[str, Any], rows: list[dict[str, Any]]) -> np.ndarray[Any, Any]:
    if any("x" in row for row in rows):
        return _floats([row.get("x", given.get("x")) for row in rows])
    return _floats(given["x"])


def _events(given: dict[str, Any]) -> Events:
    tof = np.array(given["tof"], dtype=np.float64)
    pulse = np.array(given["pulse_ns"], dtype=np.int64) + EPOCH_1990_NS if "pulse_ns" in given else np.full(len(tof), NO_PULSE_NS)
    if given["kind"] == "tof":
        return Events(tof=tof, pulse_time_ns=pulse)
    weight, error2 = (np.array(given[name], dtype=np.float32) for name in ("weight", "error2"))
    return Events(tof=tof, pulse_time_ns=pulse, weight=weight, error2=error2)


def _masked(pairs: list[list[float]]) -> MaskedBins:
    return MaskedBins(bins=np.array([int(b) for b, _ in pairs]), weights=np.array([float(w) for _, w in pairs]))


def _instrument(given: dict[str, Any]) -> Instrument | None:
    if "instrument" not in given:
        return None
    one = given["instrument"]
    detectors = sorted(one["detectors"], key=lambda detector: detector["id"])
    ids = np.array([detector["id"] for detector in detectors], dtype=np.int32)
    return Instrument(
        source=_floats(one["source"]),
        sample=_floats(one["sample"]),
        detector_ids=ids,
        positions=_floats([detector["pos"] for detector in detectors]),
        monitor=np.array([bool(detector.get("monitor")) for detector in detectors]),
        masked=np.isin(ids, given.get("masked_detectors", [])),
    )


def _run(given: dict[str, Any]) -> Run:
    logs = {name: _log(value) for name, value in given.get("logs", {}).items()}
    start = logs.get("run_start")
    start_ns = int(np.datetime64(str(start.value), "ns").astype(np.int64)) if isinstance(start, LogNumber) else None
    return Run(charge_uah=given.get("proton_charge", math.nan), logs=MappingProxyType(logs), start_ns=start_ns)


def _log(value: Any) -> Log:
    if isinstance(value, dict) and "value" in value:
        return _log(value["value"])
    if isinstance(value, dict):
        times = np.array(value["times"], dtype=np.int64) + EPOCH_1990_NS
        return LogSeries(time_ns=times, values=np.array(value["values"]), unit=value.get("units", ""))
    if isinstance(value, list):  # one value for each period is text with commas in our runs
        return LogNumber(value=",".join(str(one) for one in value))
    return LogNumber(value=value)


def _floats(values: Any) -> np.ndarray[Any, Any]:
    return np.array(values, dtype=np.float64) if not _texts(values) else np.vectorize(float, otypes=[float])(np.array(values, dtype=object))


def _texts(values: Any) -> bool:
    return any(_texts(value) if isinstance(value, list) else isinstance(value, str) for value in values)


# --- outputs ---


def differences(expected: dict[str, Any], got: AnyWorkspace | None) -> list[str]:
    """Return what is wrong with `got`; empty when it is what Mantid gave."""
    if got is None:
        return ["missing"]
    if expected["class"] == "WorkspaceGroup":
        if not isinstance(got, WorkspaceGroup):
            return [f"{type(got).__name__}, wanted a group"]
        wrong = [] if len(got) == len(expected["members"]) else [f"{len(got)} members, wanted {len(expected['members'])}"]
        pairs = zip(expected["members"], got.members, strict=False)
        return wrong + [f"member {k}: {text}" for k, (want, have) in enumerate(pairs) for text in differences(want, have)]
    if isinstance(got, WorkspaceGroup):
        return ["a group, wanted a workspace"]
    wrong = []
    facts = {
        "class": _class(got),
        "x_unit": got.x_unit,
        "y_unit": got.y_unit,
        "distribution": got.distribution,
        "histogram": got.is_histogram,
        "n_spectra": got.n_spectra,
    }
    for name, have in facts.items():
        want = expected.get(name, "")
        if have != want:
            wrong.append(f"{name} {have!r}, wanted {want!r}")
    if got.n_spectra != expected["n_spectra"]:
        return wrong
    for row, want in enumerate(expected["spectra"]):
        wrong += [f"spectrum {row}: {text}" for text in _row_differences(want, want.get("x", expected.get("x")), got, row)]
    return wrong + _axis_differences(expected, got) + _log_differences(expected, got)


def _class(ws: Workspace | EventWorkspace) -> str:
    if isinstance(ws, EventWorkspace):
        return "EventWorkspace"
    return "WorkspaceSingleValue" if is_single_value(ws) else "Workspace2D"


def _row_differences(want: dict[str, Any], x: list[Any], ws: Workspace | EventWorkspace, row: int) -> list[str]:
    wrong = []
    if int(ws.spectra.numbers[row]) != want["spectrum_no"]:
        wrong.append(f"number {ws.spectra.numbers[row]}, wanted {want['spectrum_no']}")
    # Copying spectra, Mantid forgets the detectors of a workspace without instrument; we keep them.
    forgotten = not want["detector_ids"] and ws.instrument is None
    if not forgotten and ws.spectra.detectors(row).tolist() != want["detector_ids"]:
        wrong.append(f"detectors {ws.spectra.detectors(row).tolist()}, wanted {want['detector_ids']}")
    wrong += _unlike("x", ws.x_of(row), x) + _unlike("y", ws.y[row], want["y"]) + _unlike("e", ws.errors[row], want["e"])
    if "dx" in want:
        wrong += ["no dx"] if ws.dx is None else _unlike("dx", np.atleast_2d(ws.dx)[row if ws.dx.ndim > 1 else 0], want["dx"])
    masked = ws.masked_bins.get(row)
    have = [] if masked is None else [*zip(masked.bins.tolist(), masked.weights.tolist(), strict=True)]
    wanted = [tuple(pair) for pair in want.get("masked_bins", [])]
    if [b for b, _ in have] != [b for b, _ in wanted]:
        wrong.append(f"masked bins {have}, wanted {wanted}")
    elif have:
        wrong += _unlike("mask weights", np.array([w for _, w in have]), [w for _, w in wanted])
    if "events" in want:
        wrong += _event_differences(want["events"], ws, row) if isinstance(ws, EventWorkspace) else ["no events"]
    return wrong + _place_differences(want, ws, row)


def _event_differences(want: dict[str, Any], ws: EventWorkspace, row: int) -> list[str]:
    kind = EventKind(int(ws.kinds[row]))
    if kind != KINDS[want["kind"]]:
        return [f"events are {kind.name}, wanted {want['kind']}"]
    got, wanted = ws.events_of(row), _events(want)
    if len(got) != len(wanted):
        return [f"{len(got)} events, wanted {len(wanted)}"]
    timed = kind != EventKind.WEIGHTED_NOTIME and "pulse_ns" in want
    got, wanted = (events[_order(events, timed)] for events in (got, wanted))
    wrong = _unlike("tof", got.tof, wanted.tof)
    if timed and not np.array_equal(got.pulse_time_ns, wanted.pulse_time_ns):
        wrong.append(f"pulse times {got.pulse_time_ns[:3]}, wanted {wanted.pulse_time_ns[:3]}")
    if kind != EventKind.TOF:
        assert wanted.weight is not None
        assert wanted.error2 is not None
        weighted = got.weighted()
        assert weighted.weight is not None
        assert weighted.error2 is not None
        wrong += _unlike("weight", weighted.weight.astype(float), wanted.weight.astype(float))
        wrong += _unlike("error2", weighted.error2.astype(float), wanted.error2.astype(float))
    return wrong


def _order(events: Events, timed: bool) -> np.ndarray[Any, Any]:
    keys: list[np.ndarray[Any, Any]] = [events.tof]
    if timed:
        keys.insert(0, events.pulse_time_ns)
    if events.weight is not None and events.error2 is not None:
        keys = [events.error2, events.weight, *keys]
    return np.lexsort(keys)


def _place_differences(want: dict[str, Any], ws: Workspace | EventWorkspace, row: int) -> list[str]:
    """Compare where the first detector of a row is, if Mantid said."""
    if "pos" not in want:
        return []
    if ws.instrument is None:
        return ["no instrument"]
    places = ws.instrument.rows(ws.spectra.detectors(row))
    wrong = _unlike("position", ws.instrument.positions[places[0]], want["pos"])
    if bool(ws.instrument.masked[places].all()) != want["masked"] or bool(ws.instrument.monitor[places].all()) != want["monitor"]:
        wrong.append(f"masked or monitor differ from {want['masked']}, {want['monitor']}")
    return wrong


def _axis_differences(expected: dict[str, Any], ws: Workspace | EventWorkspace) -> list[str]:
    if "axis1" not in expected:
        return [] if ws.vertical is None else ["a vertical axis, wanted none"]
    if ws.vertical is None:
        return ["no vertical axis"]
    want = expected["axis1"]
    wrong = _unlike("vertical axis", ws.vertical.values, want["values"])
    return wrong if ws.vertical.unit == want["unit"] else [*wrong, f"vertical unit {ws.vertical.unit}, wanted {want['unit']}"]


def _log_differences(expected: dict[str, Any], ws: Workspace | EventWorkspace) -> list[str]:
    wrong = []
    for name, want in expected.get("logs", {}).items():
        if name == "gd_prtn_chrg":
            wrong += _unlike("charge", np.array([ws.run.charge_uah]), [want["value"]])
        elif name not in ws.run.logs:
            wrong.append(f"no log {name}")
        else:
            wrong += [f"log {name}: {text}" for text in _one_log_differences(want, ws.run.logs[name])]
    return wrong


def _one_log_differences(want: dict[str, Any], log: Log) -> list[str]:
    if want.get("units", "") != log.unit:
        return [f"unit {log.unit!r}, wanted {want.get('units', '')!r}"]
    if "times" in want:
        if not isinstance(log, LogSeries):
            return ["a single value, wanted a series"]
        same = (log.time_ns - EPOCH_1990_NS).tolist() == want["times"]
        return ([] if same else [f"times {log.time_ns - EPOCH_1990_NS}, wanted {want['times']}"]) + _unlike("values", log.values, want["values"])
    if isinstance(log, LogSeries):
        return ["a series, wanted a single value"]
    if want["type"] == "double array":
        return _unlike("values", [float(text) for text in str(log.value).split(",")], want["value"])
    if want["type"] == "string":
        return [] if str(log.value) == want["value"] else [f"{log.value!r}, wanted {want['value']!r}"]
    return _unlike("value", np.array([log.value]), [want["value"]])


def _unlike(name: str, got: Any, want: list[Any]) -> list[str]:
    wanted = _floats(want)
    if np.shape(got) != wanted.shape:
        return [f"{name} has shape {np.shape(got)}, wanted {wanted.shape}"]
    same = np.isclose(np.asarray(got, dtype=float), wanted, rtol=TOLERANCE, atol=1e-12, equal_nan=True)
    if same.all():
        return []
    k = int(np.flatnonzero(~same)[0])
    return [f"{name}[{k}] is {got[k]!r}, wanted {wanted[k]!r} ({(~same).sum()} of {same.size} differ)"]
