"""Sample logs: one NXlog each, times in seconds since the first as in Mantid's files."""

from __future__ import annotations

import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

import h5py
import numpy as np
from numpy.typing import NDArray

from livereduce.algorithms.nexus.field import LayoutError, as_text, get, get_texts, put, put_texts, read
from livereduce.data.run import Log, LogNumber, LogSeries, LogValue

INT32 = np.iinfo(np.int32)
INT64 = np.iinfo(np.int64)

ISO = re.compile(r"(?P<moment>\d{4}-\d\d-\d\d([T ]\d\d:\d\d(:\d\d(\.\d{1,9})?)?)?)(Z|(?P<sign>[+-])(?P<hours>\d\d):?(?P<minutes>\d\d)?)?")


def write_log(logs: h5py.Group, name: str, log: Log) -> h5py.Group:
    """Write one log as a group of `logs`, under its name as far as HDF5 allows that, and return the group."""
    group = logs.create_group(_free_name(logs, name))
    group.attrs["NX_class"] = "NXlog"
    if group.name.rpartition("/")[2] != name:
        group.attrs["log_name"] = name
    if isinstance(log, LogNumber):
        _put_values(group, np.asarray([_stored(log.value)]), log.unit, boolean=isinstance(log.value, (bool, np.bool_)))
    else:
        _put_values(group, log.values, log.unit, boolean=log.values.dtype.kind == "b")
        _put_times(group, log.time_ns)
    return group


def read_logs(logs: h5py.Group) -> Mapping[str, Log]:
    """Return the logs of a group, but for those that only repeat what the entry says of the run.

    Raises
    ------
    LayoutError
        If times and values of a log do not fit each other.
    """
    groups = [(name, group) for name, group in logs.items() if isinstance(group, h5py.Group) and "value" in group]
    own = [(name, group) for name, group in groups if "repeats" not in group.attrs]
    return MappingProxyType({as_text(group.attrs.get("log_name", name)): _read_log(group) for name, group in own})


def iso(time_ns: int) -> str:
    """Return ns since 1970 as ISO 8601 in UTC, without a zone and without a fraction that is zero, as Mantid writes it."""
    return str(np.datetime64(time_ns, "ns")).removesuffix(".000000000")


def time_ns(text: str) -> int | None:
    """Return ISO 8601 as ns since 1970; UTC where it names no zone; None for what is not a time."""
    found = ISO.fullmatch(text.strip())
    if found is None:
        return None
    try:
        moment = np.datetime64(found["moment"], "ns")
    except ValueError:
        return None
    ahead_min = int(f"{found['sign']}1") * (60 * int(found["hours"]) + int(found["minutes"] or 0)) if found["sign"] else 0
    return int(moment.astype(np.int64)) - ahead_min * 60_000_000_000


def _free_name(logs: h5py.Group, name: str) -> str:
    # A slash would make a group inside a group, and "." is the group itself.
    plain = name.replace("/", "_").replace("\0", "_")
    plain = plain if plain.strip(".") else f"log{plain.replace('.', '_')}"
    taken, k = plain, 2
    while taken in logs:
        taken, k = f"{plain}_{k}", k + 1
    return taken


def _stored(value: LogValue) -> Any:
    if isinstance(value, (bool, np.bool_)):
        return np.uint8(value)
    if isinstance(value, (int, np.integer)):
        whole = int(value)
        if INT32.min <= whole <= INT32.max:
            return np.int32(whole)
        return np.int64(whole) if INT64.min <= whole <= INT64.max else np.float64(whole)
    return value


def _put_values(group: h5py.Group, values: NDArray[Any], unit: str, *, boolean: bool) -> None:
    attributes: dict[str, Any] = {**({"units": unit} if unit else {}), **({"boolean": np.int32(1)} if boolean else {})}
    if values.dtype.kind in "OUS":
        put_texts(group, "value", [as_text(value) for value in values.tolist()], **attributes)
    else:
        put(group, "value", values.astype(np.uint8) if boolean else values, **attributes)


def _put_times(group: h5py.Group, times: NDArray[np.int64]) -> None:
    start = int(times[0]) if len(times) else 0
    seconds = (times - start) / 1e9
    put(group, "time", seconds, start=iso(start), units="second")
    if not np.array_equal(_nanoseconds(seconds, start), times):
        put(group, "time_ns", times, units="ns", start=iso(0))


def _nanoseconds(seconds: NDArray[np.float64], start: int) -> NDArray[np.int64]:
    with np.errstate(invalid="ignore"):
        return np.rint(seconds * 1e9).astype(np.int64) + start


def _read_log(group: h5py.Group) -> Log:
    value = group["value"]
    unit = as_text(value.attrs.get("units", ""))
    values = _values(group)
    if "time" in group or "time_ns" in group:
        times = _times(group)
        if len(times) != len(values):
            raise LayoutError(f"{group.name} has {len(times)} times and {len(values)} values; wanted as many of each")
        return LogSeries(time_ns=times, values=values, unit=unit)
    if len(values) > 1:
        return LogNumber(value=str(values.tolist()), unit=unit)
    return LogNumber(value=values.tolist()[0] if len(values) else "", unit=unit)


def _values(group: h5py.Group) -> NDArray[Any]:
    value = group["value"]
    if value.dtype.kind in "OSU":
        return np.array(get_texts(group, "value"), dtype=np.str_)
    values = np.atleast_1d(read(value)).ravel()
    return values.astype(bool) if "boolean" in value.attrs else values


def _times(group: h5py.Group) -> NDArray[np.int64]:
    if "time_ns" in group:
        return get(group, "time_ns", np.int64, (None,))
    attributes = group["time"].attrs
    start = time_ns(as_text(attributes.get("start", iso(0))))
    if start is None:
        raise LayoutError(f"{group.name}/time begins at {as_text(attributes['start'])!r}; wanted an ISO 8601 time")
    return _nanoseconds(get(group, "time", np.float64, (None,)), start)


def write_repeated(logs: h5py.Group, name: str, value: LogValue, unit: str = "") -> None:
    """Write what the entry says of the run once more, under the log name where Mantid looks for it, unless there is such a log."""
    if name not in logs:
        write_log(logs, name, LogNumber(value=value, unit=unit)).attrs["repeats"] = "entry"
