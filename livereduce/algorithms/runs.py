"""The runs of two workspaces as one: charges add, series run into each other."""

from __future__ import annotations

import math
from types import MappingProxyType

import numpy as np

from livereduce.data.run import Log, LogNumber, LogSeries, Run

ADDABLE = frozenset({"tot_prtn_chrg", "rawfrm", "goodfrm", "dur", "uA.hour", *(f"monitor{k}_counts" for k in range(6))})
"""Logs of one number that count something over a run, and so add; any other keeps the first run's value."""


def merged(first: Run, second: Run) -> Run:
    """Return `first` continued by `second`: charge added, series merged in time, the rest as in `first`.

    A charge that one of them does not know is left out of the sum.
    """
    logs = {**second.logs, **first.logs}
    for name in first.logs.keys() & second.logs.keys():
        logs[name] = _joined(name, first.logs[name], second.logs[name])
    charges = [run.charge_uah for run in (first, second) if not math.isnan(run.charge_uah)]
    return Run(
        number=first.number or second.number,
        title=first.title or second.title,
        start_ns=min((ns for ns in (first.start_ns, second.start_ns) if ns is not None), default=None),
        end_ns=max((ns for ns in (first.end_ns, second.end_ns) if ns is not None), default=None),
        charge_uah=sum(charges) if charges else math.nan,
        logs=MappingProxyType(logs),
    )


def _joined(name: str, first: Log, second: Log) -> Log:
    """Return one log of two of the same name."""
    if isinstance(first, LogSeries) and isinstance(second, LogSeries):
        both = first.append(second)
        order = np.argsort(both.time_ns, kind="stable")
        return LogSeries(time_ns=both.time_ns[order], values=both.values[order], unit=both.unit)
    if name in ADDABLE and isinstance(first, LogNumber) and isinstance(second, LogNumber):
        numbers = [value for value in (first.value, second.value) if not isinstance(value, str)]
        return LogNumber(value=sum(numbers), unit=first.unit) if len(numbers) == 2 else first
    return first
