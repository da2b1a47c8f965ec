"""What is known of a run: number, title, times, proton charge and sample logs."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

LogValue = float | int | str | bool

EPOCH_1990_NS = 631_152_000_000_000_000
"""1990-01-01T00:00:00 UTC, the epoch of SNS and Mantid, in ns since 1970."""

CHARGE_LOG = "gd_prtn_chrg"
"""Name under which scripts know the good proton charge of a run, uA·h."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class LogSeries:
    """A sample log recorded against time."""

    time_ns: NDArray[np.int64]
    """(n,), ns since 1970-01-01 UTC, in the order recorded."""

    values: NDArray[np.generic]
    """(n,), numbers, bools or text."""

    unit: str = ""
    """Unit as the source gives it; empty when it gives none."""

    def __post_init__(self) -> None:
        if len(self.time_ns) != len(self.values):
            raise ValueError(f"log series has {len(self.time_ns)} times and {len(self.values)} values; wanted as many of each")
        self.time_ns.flags.writeable = False
        self.values.flags.writeable = False

    def append(self, other: LogSeries) -> LogSeries:
        """Return this series followed by `other`."""
        return LogSeries(
            time_ns=np.concatenate([self.time_ns, other.time_ns]),
            values=np.concatenate([self.values, other.values]),
            unit=self.unit or other.unit,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class LogNumber:
    """A sample log of one value, with its unit."""

    value: LogValue
    """The value."""

    unit: str = ""
    """Unit as the source gives it; empty when it gives none."""


Log = LogNumber | LogSeries


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Run:
    """One run, from its start to its end in the data."""

    number: int = 0
    """Run number; 0 when the source does not say."""

    title: str = ""
    """Title the users gave."""

    start_ns: int | None = None
    """Start, ns since 1970-01-01 UTC; None when unknown."""

    end_ns: int | None = None
    """End, ns since 1970-01-01 UTC; None while it goes on or when unknown."""

    charge_uah: float = math.nan
    """Good proton charge, uA·h; NaN when the source does not say."""

    logs: Mapping[str, Log] = field(default_factory=lambda: MappingProxyType({}))
    """Sample logs by name."""

    def with_log(self, name: str, log: Log) -> Run:
        """Return this run with one log set or replaced; a number for `CHARGE_LOG` is the run's charge itself."""
        if name == CHARGE_LOG and isinstance(log, LogNumber) and not isinstance(log.value, str):
            return replace(self, charge_uah=float(log.value))
        return replace(self, logs=MappingProxyType({**self.logs, name: log}))

    def without_log(self, name: str) -> Run:
        """Return this run without the log `name`."""
        return replace(self, logs=MappingProxyType({k: v for k, v in self.logs.items() if k != name}))
