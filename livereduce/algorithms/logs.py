"""AddSampleLog: values that scripts note with the run."""

from __future__ import annotations

from contextlib import suppress

import numpy as np

from livereduce.data.events import SpectraWorkspace
from livereduce.data.run import EPOCH_1990_NS, Log, LogNumber, LogSeries, Run
from livereduce.errors import AlgorithmError


def add_sample_log(
    workspace: SpectraWorkspace,
    log_name: str,
    *,
    log_text: str = "",
    log_type: str = "String",
    log_unit: str = "",
    number_type: str = "AutoDetect",
) -> SpectraWorkspace:
    """Return the workspace with one sample log set or replaced.

    Parameters
    ----------
    log_name, log_text:
        Name and value, as text.
    log_type:
        String, Number, or Number Series: one value at the start of the run, for others to be added.
    log_unit:
        Unit.
    number_type:
        Int, Double, or AutoDetect: a whole number is an integer.

    Raises
    ------
    AlgorithmError
        If the name is empty, the text is not such a number, or a type is not known.
    """
    if not log_name:
        raise AlgorithmError("AddSampleLog: LogName is empty; wanted the name of a log")
    value: float | int | str = log_text.strip() if log_type == "String" else _number(log_name, log_text, number_type)
    if log_type == "Number Series":
        log: Log = LogSeries(time_ns=np.array([_start_ns(workspace.run)]), values=np.array([value]), unit=log_unit)
    elif log_type in ("String", "Number"):
        log = LogNumber(value=value, unit=log_unit)
    else:
        raise AlgorithmError(f"AddSampleLog: LogType {log_type!r} is not known; wanted String, Number or Number Series")
    return workspace.replace(run=workspace.run.with_log(log_name, log))


def _number(name: str, text: str, number_type: str) -> float | int:
    """Return `text` as a number."""
    if number_type not in ("AutoDetect", "Int", "Double"):
        raise AlgorithmError(f"AddSampleLog: NumberType {number_type!r} is not known; wanted AutoDetect, Int or Double")
    if number_type != "Double":
        with suppress(ValueError):
            return int(text)
    if number_type != "Int":
        with suppress(ValueError):
            return float(text)
    raise AlgorithmError(f"AddSampleLog: log {name} is to be a number ({number_type}); got {text!r}")


def _start_ns(run: Run) -> int:
    """Return when the run started; 1990 when nobody knows."""
    if run.start_ns is not None:
        return run.start_ns
    text = run.logs.get("run_start") or run.logs.get("start_time")
    if isinstance(text, LogNumber):
        try:
            return int(np.datetime64(str(text.value).rstrip("Z"), "ns").astype(np.int64))
        except ValueError:
            return EPOCH_1990_NS
    return EPOCH_1990_NS
