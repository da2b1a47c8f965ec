"""The run and its sample logs as scripts see them: ``ws.getRun()``."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from livereduce.data.run import Log, LogNumber, LogSeries, LogValue, Run
from livereduce.errors import AlgorithmError
from livereduce.scripting.mantid.errors import CallError, nearest
from livereduce.scripting.mantid.times import DateAndTime

if TYPE_CHECKING:
    from livereduce.scripting.mantid.matrix import MatrixWorkspace

PICOCOULOMB_PER_UAH = 3.6e9
"""1 uA·h = 3600 uC = 3.6e9 pC."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Statistics:
    """Of the values of a time series; NaN when there are none."""

    mean: float
    """Mean."""

    median: float
    """Median."""

    standard_deviation: float
    """Standard deviation of the values themselves."""

    minimum: float
    """Smallest."""

    maximum: float
    """Largest."""


class LogProperty:
    """One sample log: ``.value``, ``.units``, ``.times``.

    Parameters
    ----------
    name:
        Its name.
    log:
        Value or series.
    """

    __slots__ = ("log", "name")

    def __init__(self, name: str, log: Log) -> None:
        self.name = name
        self.log = log

    @property
    def value(self) -> Any:
        """The value, or an array of the values of a series."""
        return self.log.value if isinstance(self.log, LogNumber) else self.log.values

    @property
    def units(self) -> str:
        """Unit as the source gives it."""
        return self.log.unit

    @property
    def times(self) -> NDArray[np.datetime64]:
        """Times of a series, UTC."""
        return self._series().time_ns.astype("datetime64[ns]")

    @property
    def valueAsStr(self) -> str:
        """The value as text."""
        return str(self.value)

    def size(self) -> int:
        """Return the number of values; 1 for a single one."""
        return 1 if isinstance(self.log, LogNumber) else len(self.log.values)

    def firstValue(self) -> Any:
        """Return the first value of a series."""
        return self._series().values[0]

    def lastValue(self) -> Any:
        """Return the last value of a series."""
        return self._series().values[-1]

    def nthValue(self, n: int) -> Any:
        """Return value `n` of a series, from 0."""
        return self._series().values[n]

    def getStatistics(self) -> Statistics:
        """Return mean, median, standard deviation, smallest and largest of the values, each value counting the same."""
        values = np.asarray(self._series().values, dtype=np.float64)
        if not len(values):
            return Statistics(mean=math.nan, median=math.nan, standard_deviation=math.nan, minimum=math.nan, maximum=math.nan)
        return Statistics(
            mean=float(values.mean()),
            median=float(np.median(values)),
            standard_deviation=float(values.std()),
            minimum=float(values.min()),
            maximum=float(values.max()),
        )

    def _series(self) -> LogSeries:
        if isinstance(self.log, LogSeries):
            return self.log
        raise AttributeError(f"the log {self.name!r} is a single value without times; wanted a time series")


def logs_of(run: Run) -> dict[str, Log]:
    """Return all logs by name, with what the run itself knows under the names that scripts ask for."""
    known: dict[str, Log] = {}
    if run.number:
        known["run_number"] = LogNumber(value=str(run.number))
    if run.title:
        known["run_title"] = LogNumber(value=run.title)
    if not math.isnan(run.charge_uah):
        known["gd_prtn_chrg"] = LogNumber(value=run.charge_uah, unit="uA.hour")
    for time_ns, names in ((run.start_ns, ("start_time", "run_start")), (run.end_ns, ("end_time", "run_end"))):
        if time_ns is not None:
            known.update(dict.fromkeys(names, LogNumber(value=str(DateAndTime.of(time_ns)))))
    return {**known, **run.logs}


class RunFace:
    """The run of a workspace; changes go to the workspace it came from.

    Parameters
    ----------
    workspace:
        The workspace's handle.
    """

    __slots__ = ("_workspace",)

    def __init__(self, workspace: MatrixWorkspace) -> None:
        self._workspace = workspace

    @property
    def _run(self) -> Run:
        return self._workspace._entry.unedited.run

    def getProperty(self, name: str) -> LogProperty:
        """Return a sample log; RuntimeError when there is none, with the nearest name."""
        logs = logs_of(self._run)
        if name not in logs:
            raise UnknownLogError(f"Unknown property search object {name}: the run has no log {name!r}{nearest(name, logs)}")
        return LogProperty(name, logs[name])

    __getitem__ = getProperty

    def getLogData(self, name: str | None = None) -> LogProperty | list[LogProperty]:
        """Return one sample log, or all of them."""
        return [self.getProperty(one) for one in self.keys()] if name is None else self.getProperty(name)

    def get(self, name: str, default: Any = None) -> Any:
        """Return a sample log, or `default` when there is none."""
        return self.getProperty(name) if name in self else default

    def hasProperty(self, name: str) -> bool:
        """Return True when there is such a log."""
        return name in logs_of(self._run)

    __contains__ = hasProperty

    def keys(self) -> list[str]:
        """Return the names of all logs."""
        return list(logs_of(self._run))

    def getProperties(self) -> list[LogProperty]:
        """Return all logs."""
        return [self.getProperty(one) for one in self.keys()]

    def __iter__(self) -> Iterator[str]:
        return iter(self.keys())

    def __len__(self) -> int:
        return len(self.keys())

    def addProperty(self, name: str, value: Any, units: str | bool = "", replace: bool = False) -> None:
        """Set a single-value log; an existing one needs ``replace=True``. `units` may be left out: ``addProperty(name, value, True)``."""
        unit, replace = ("", units) if isinstance(units, bool) else (units, replace)
        if not replace and self.hasProperty(name):
            raise CallError(f"the run has a log {name!r} already; wanted replace=True or another name")
        self._set(name, _log(value, unit))

    def __setitem__(self, name: str, value: Any) -> None:
        self._set(name, value.log if isinstance(value, LogProperty) else _log(value, ""))

    def getProtonCharge(self) -> float:
        """Return the good proton charge, uA·h; 0 when unknown."""
        return 0.0 if math.isnan(self._run.charge_uah) else self._run.charge_uah

    def setProtonCharge(self, charge: float) -> None:
        """Set the good proton charge, uA·h."""
        self._change(replace(self._run, charge_uah=float(charge)))

    def integrateProtonCharge(self, name: str = "proton_charge") -> float:
        """Sum a log of charge per pulse, set the run's charge to it and return it, uA·h; the log counts as pC if its unit says so."""
        log = self.getProperty(name)
        total = float(np.sum(np.asarray(log.value, dtype=np.float64)))
        charge = total / PICOCOULOMB_PER_UAH if "pico" in log.units.lower() or log.units == "pC" else total
        self.setProtonCharge(charge)
        return charge

    def startTime(self) -> DateAndTime:
        """Return the start of the run; RuntimeError when unknown."""
        return _known(self._run.start_ns, "start")

    def endTime(self) -> DateAndTime:
        """Return the end of the run; RuntimeError while it goes on."""
        return _known(self._run.end_ns, "end")

    def _set(self, name: str, log: Log) -> None:
        self._change(self._run.with_log(name, log))

    def _change(self, run: Run) -> None:
        self._workspace._replace(run=run)


class UnknownLogError(AlgorithmError, RuntimeError, KeyError):
    """The run has no such log; of both kinds since ``getProperty`` and ``[]`` are caught as either."""

    __str__ = Exception.__str__


class UnknownTimeError(AlgorithmError, RuntimeError):
    """The run does not know when it began or ended."""


def _known(time_ns: int | None, what: str) -> DateAndTime:
    if time_ns is None:
        raise UnknownTimeError(f"the {what} of the run is not known (yet)")
    return DateAndTime.of(time_ns)


def _log(value: Any, unit: str) -> LogNumber:
    plain: LogValue = value.item() if isinstance(value, np.generic) else value
    return LogNumber(value=plain if isinstance(plain, bool | int | float | str) else str(plain), unit=unit)
