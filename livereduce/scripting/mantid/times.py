"""A point in time as scripts see it: ``mantid.kernel.DateAndTime``."""

from __future__ import annotations

from functools import total_ordering

import numpy as np

from livereduce.data.run import EPOCH_1990_NS


@total_ordering
class DateAndTime:
    """A point in time, UTC, to the ns.

    Parameters
    ----------
    when:
        ns since 1990-01-01 (Mantid's epoch), or ISO 8601 text; text without zone is UTC.
    """

    __slots__ = ("time_ns",)

    def __init__(self, when: int | str = 0) -> None:
        self.time_ns = int(np.datetime64(when.removesuffix("Z"), "ns").astype(np.int64)) if isinstance(when, str) else int(when) + EPOCH_1990_NS

    @classmethod
    def of(cls, time_ns: int) -> DateAndTime:
        """Return the point `time_ns` ns after 1970-01-01 UTC."""
        return cls(time_ns - EPOCH_1990_NS)

    def totalNanoseconds(self) -> int:
        """Return ns since 1990-01-01."""
        return self.time_ns - EPOCH_1990_NS

    def to_datetime64(self) -> np.datetime64:
        """Return the time as numpy has it, UTC."""
        return np.datetime64(self.time_ns, "ns")

    def toISO8601String(self) -> str:
        """Return ISO 8601 text without zone, fractions only where there are any."""
        whole, _, fraction = str(self.to_datetime64()).partition(".")
        return f"{whole}.{fraction}" if fraction.strip("0") else whole

    def __str__(self) -> str:
        return self.toISO8601String()

    def __repr__(self) -> str:
        return f"DateAndTime({self.toISO8601String()!r})"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, DateAndTime) and self.time_ns == other.time_ns

    def __lt__(self, other: DateAndTime) -> bool:
        return self.time_ns < other.time_ns

    def __hash__(self) -> int:
        return hash(self.time_ns)

    def __sub__(self, other: DateAndTime) -> np.timedelta64:
        return np.timedelta64(self.time_ns - other.time_ns, "ns")

    def __add__(self, ns: int) -> DateAndTime:
        return DateAndTime.of(self.time_ns + int(ns))
