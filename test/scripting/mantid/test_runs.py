from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from livereduce.data.run import EPOCH_1990_NS, LogSeries, Run
from livereduce.scripting.mantid import DataService
from livereduce.scripting.mantid.times import DateAndTime

from .conftest import histogram

Put = Callable[..., Any]


def test_logs_have_value_units_and_times(service: DataService, put: Put) -> None:
    run = put("a").getRun()
    assert (run.getProperty("frequency").value, run.getProperty("frequency").units) == (60.0, "Hz")
    series = run["temperature"]
    assert series.value.tolist() == [290, 291]
    assert str(series.times[1]) == "1970-01-01T00:00:01.000000000"
    assert (series.size(), series.firstValue(), series.lastValue(), series.nthValue(1)) == (2, 290, 291, 291)
    assert run["frequency"].size() == 1


def test_what_the_run_knows_is_among_its_logs(service: DataService, put: Put) -> None:
    run = put("a").run()
    assert run["run_number"].value == "42"
    assert run["run_title"].value == "vanadium"
    assert run["gd_prtn_chrg"].value == 2.5
    assert run["start_time"].value == run["run_start"].value == "2020-09-13T12:26:40"
    assert "end_time" not in run


def test_logs_are_asked_for_as_in_a_dictionary(service: DataService, put: Put) -> None:
    run = put("a").getRun()
    assert "frequency" in run
    assert run.hasProperty("frequency")
    assert "frequency" in run.keys()  # noqa: SIM118 - the method is what is tested
    assert set(run) == set(run.keys())
    assert len(run) == len(run.getProperties()) == len(run.getLogData())
    assert run.get("nope") is None
    assert run.getLogData("frequency").value == 60


@pytest.mark.parametrize("kind", [RuntimeError, KeyError])
def test_an_unknown_log_names_the_nearest(service: DataService, put: Put, kind: type[Exception]) -> None:
    with pytest.raises(kind, match=r"the run has no log 'frequence'; did you mean 'frequency'\?$"):
        put("a").getRun().getProperty("frequence")


def test_logs_can_be_added_and_replaced(service: DataService, put: Put) -> None:
    ws = put("a")
    run = ws.getRun()
    run.addProperty("mode", "live", True)
    run.addProperty("angle", np.float64(1.5), "deg", False)
    run["n"] = 3
    assert (ws.getRun()["mode"].value, run["angle"].value, run["angle"].units, run["n"].value) == ("live", 1.5, "deg", 3)
    with pytest.raises(RuntimeError, match="the run has a log 'mode' already"):
        run.addProperty("mode", "other", False)
    assert service.value("a").run.logs["mode"].value == "live"


def test_a_log_can_be_copied_from_another_run(service: DataService, put: Put) -> None:
    a, b = put("a"), put("b")
    b.getRun()["copied"] = a.getRun()["temperature"]
    assert b.getRun()["copied"].value.tolist() == [290, 291]


def test_a_single_value_has_no_times(service: DataService, put: Put) -> None:
    with pytest.raises(AttributeError, match="the log 'frequency' is a single value without times"):
        _ = put("a").getRun()["frequency"].times


def test_a_series_has_statistics(service: DataService, put: Put) -> None:
    ws = put("a")
    found = ws.getRun()["temperature"].getStatistics()
    assert (found.mean, found.median, found.standard_deviation, found.minimum, found.maximum) == (290.5, 290.5, 0.5, 290, 291)
    service.put("b", histogram().replace(run=Run(logs={"empty": LogSeries(time_ns=np.empty(0, dtype=np.int64), values=np.empty(0))})))
    assert np.isnan(service["b"].getRun()["empty"].getStatistics().mean)  # type: ignore[attr-defined]


def test_the_charge_is_known_set_and_integrated(service: DataService) -> None:
    pulses = LogSeries(time_ns=np.arange(4), values=np.full(4, 9e8), unit="picoCoulomb")
    run = service.put("a", histogram().replace(run=Run(logs={"proton_charge": pulses}))).getRun()  # type: ignore[attr-defined]
    assert run.getProtonCharge() == 0
    assert run.integrateProtonCharge() == pytest.approx(1.0)
    assert run.getProtonCharge() == pytest.approx(1.0)
    run.setProtonCharge(5)
    assert run["gd_prtn_chrg"].value == 5
    run["gd_prtn_chrg"] = 7.0
    assert run.getProtonCharge() == 7


def test_start_and_end_are_times_or_say_that_they_are_not_known(service: DataService, put: Put) -> None:
    run = put("a").getRun()
    assert str(run.startTime()) == "2020-09-13T12:26:40"
    with pytest.raises(RuntimeError, match="the end of the run is not known"):
        run.endTime()


def test_times_count_from_1990_as_numbers_and_read_as_text() -> None:
    assert DateAndTime("1990-01-01T00:00:01").totalNanoseconds() == 10**9
    assert DateAndTime(10**9) == DateAndTime("1990-01-01T00:00:01Z") == DateAndTime.of(EPOCH_1990_NS + 10**9)
    assert str(DateAndTime("2020-01-02T03:04:05.25")) == "2020-01-02T03:04:05.250000000"
    assert DateAndTime(1) < DateAndTime(2)
    assert DateAndTime(1) + 1 - DateAndTime(0) == np.timedelta64(2, "ns")
    assert repr(DateAndTime(0)) == "DateAndTime('1990-01-01T00:00:00')"
    assert DateAndTime(0).to_datetime64() == np.datetime64("1990-01-01")
    assert len({DateAndTime(0), DateAndTime(0)}) == 1
