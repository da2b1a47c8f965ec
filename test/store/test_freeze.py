"""Workspaces to bytes and back."""

from __future__ import annotations

import math
from dataclasses import dataclass, fields, is_dataclass
from types import MappingProxyType
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from livereduce.data.events import EventKind, Events, EventWorkspace
from livereduce.data.group import WorkspaceGroup
from livereduce.data.instrument import Instrument
from livereduce.data.run import LogNumber, LogSeries, Run
from livereduce.data.workspace import MaskedBins, Spectra, Step, VerticalAxis, Workspace
from livereduce.errors import StoreError
from livereduce.store.freeze import freeze, thaw


def full_run() -> Run:
    logs = {
        "speed": LogSeries(time_ns=np.array([1, 2]), values=np.array([1.5, math.nan]), unit="Hz"),
        "state": LogSeries(time_ns=np.array([1]), values=np.array(["öffnen"]), unit=""),
        "on": LogSeries(time_ns=np.array([1, 3]), values=np.array([True, False])),
        "n": LogNumber(value=3, unit="K"),
        "flag": LogNumber(value=True),
        "text": LogNumber(value="a\0b"),
    }
    return Run(number=7, title="Ni\n", start_ns=10, end_ns=None, charge_uah=math.nan, logs=MappingProxyType(logs))


def full_instrument() -> Instrument:
    ids = np.array([1, 5], dtype=np.int32)
    at = {"source": np.array([0.0, 0, -10]), "sample": np.zeros(3)}
    return Instrument(name="T", detector_ids=ids, positions=np.ones((2, 3)), monitor=np.array([True, False]), masked=np.zeros(2, dtype=bool), **at)


def full_workspace() -> Workspace:
    x = np.array([0.0, 1.0, 2.0])
    return Workspace(
        x=x,
        y=np.array([[1.0, math.nan], [math.inf, -0.0]]),
        variance=np.ones((2, 2)),
        dx=np.zeros(3),
        spectra=Spectra.from_table(np.array([3, 1], dtype=np.int32), np.array([5, 1], dtype=np.int32), np.array([1, 3], dtype=np.int32)),
        x_unit="",
        y_unit="",
        distribution=True,
        masked_bins=MappingProxyType({1: MaskedBins(bins=np.array([0]), weights=np.array([0.5]))}),
        vertical=VerticalAxis(values=np.array([0.5, 1.5]), unit="Angle", labels=("a", "b")),
        instrument=full_instrument(),
        run=full_run(),
        title="t",
        comment="c",
        history=(Step(name="Rebin", version=1, properties=(("Params", "0,1,2"),)),),
    )


def full_events() -> EventWorkspace:
    plain = Events(tof=np.array([1.0, 2.0]), pulse_time_ns=np.array([5, 6]))
    rows = [plain.weighted(), Events(tof=np.empty(0), pulse_time_ns=np.empty(0, dtype=np.int64)).weighted()]
    kinds = [EventKind.WEIGHTED, EventKind.TOF]
    return EventWorkspace.from_rows(rows, kinds, x=np.array([0.0, 5.0]), spectra=Spectra.counted(2), run=full_run(), instrument=full_instrument())


def assert_same(one: Any, other: Any) -> None:
    """Equal field by field, arrays by value and dtype."""
    if is_dataclass(one):
        assert type(one) is type(other)
        for field in fields(one):
            if field.init:
                assert_same(getattr(one, field.name), getattr(other, field.name))
    elif isinstance(one, np.ndarray):
        assert one.dtype == other.dtype
        np.testing.assert_array_equal(one, other)
        assert not other.flags.writeable
    elif isinstance(one, tuple):
        assert len(one) == len(other)
        for a, b in zip(one, other, strict=True):
            assert_same(a, b)
    elif hasattr(one, "items"):
        assert list(one) == list(other)
        for key in one:
            assert_same(one[key], other[key])
    else:
        assert type(one) is type(other)
        assert one == other or (one != one and other != other)


@pytest.mark.parametrize(
    "value",
    [
        full_workspace(),
        full_events(),
        WorkspaceGroup(members=(full_workspace(), full_events()), names=("one", "two")),
        WorkspaceGroup(members=()),
        Workspace(x=np.empty(1), y=np.empty((0, 0)), variance=np.empty((0, 0)), spectra=Spectra.counted(0)),
        full_run(),
    ],
    ids=["histogram", "events", "group", "empty group", "no spectra", "run"],
)
def test_everything_that_flows_comes_back_as_it_was(value: Any) -> None:
    assert_same(value, thaw(freeze(value)))


def test_arrays_that_are_shared_stay_shared_and_are_written_once() -> None:
    x = np.arange(10_001.0)
    members = tuple(Workspace(x=x, y=np.zeros((1, 10_000)), variance=np.zeros((1, 10_000)), spectra=Spectra.counted(1)) for _ in range(3))
    data = freeze(WorkspaceGroup(members=members))
    back = thaw(data)
    assert back.members[0].x is back.members[2].x
    assert len(data) < 8 * 10_000 * 7.2


def test_arrays_begin_at_multiples_of_64_bytes_behind_the_tree() -> None:
    data = freeze(full_workspace())
    size = int.from_bytes(data[:8], "little")
    start = -(-(8 + size) // 64) * 64
    assert np.frombuffer(data, dtype="<f8", offset=start, count=3).tolist() == [0.0, 1.0, 2.0]  # x is the first field
    assert len(data) % 64 == 0


def test_text_in_object_arrays_becomes_plain_text() -> None:
    log = LogSeries(time_ns=np.array([1, 2]), values=np.array(["a", "längер"], dtype=object))
    assert thaw(freeze(log)).values.tolist() == ["a", "längер"]


@pytest.mark.parametrize("values", [np.array([], dtype=object), np.array([], dtype="U5"), np.array(["", ""])])
def test_empty_text_survives(values: np.ndarray) -> None:
    log = LogSeries(time_ns=np.arange(len(values)), values=values)
    assert thaw(freeze(log)).values.tolist() == values.tolist()


def test_a_big_endian_array_keeps_its_values() -> None:
    log = LogSeries(time_ns=np.array([1, 2]), values=np.array([1, 2], dtype=">i4"))
    assert thaw(freeze(log)).values.tolist() == [1, 2]


def test_the_histogram_of_events_is_not_written_with_them() -> None:
    value = full_events()
    before = len(freeze(value))
    assert value.y.sum() == 2
    assert len(freeze(value)) == before
    assert thaw(freeze(value)).y.sum() == 2


@given(hnp.arrays(st.sampled_from([np.float64, np.float32, np.int32, np.bool_, "<U3"]), hnp.array_shapes(min_dims=1, max_dims=1, min_side=0)))
def test_values_of_any_type_come_back(values: np.ndarray) -> None:
    log = LogSeries(time_ns=np.arange(len(values)), values=values.copy())
    assert_same(log, thaw(freeze(log)))


@dataclass(frozen=True)
class Stranger:
    thing: object


@pytest.mark.parametrize("value", [object(), 2**70, Stranger(thing=lambda: 0)])
def test_what_cannot_be_kept_is_refused(value: object) -> None:
    with pytest.raises(StoreError, match="a result cannot be kept on the board"):
        freeze(Run(logs={"odd": LogNumber(value=value)}))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "data", [b"", b"\x01", b"\x05\0\0\0\0\0\0\0hello", freeze(full_workspace())[:300], freeze(full_run()).replace(b"LogNumber", b"LogNombre")]
)
def test_bytes_of_another_version_are_refused(data: bytes) -> None:
    with pytest.raises(StoreError, match=r"bytes on the board are no workspace of this version"):
        thaw(data)
