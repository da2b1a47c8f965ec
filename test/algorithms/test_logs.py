from __future__ import annotations

from types import MappingProxyType

import pytest

from livereduce.algorithms.create import create_workspace
from livereduce.algorithms.logs import add_sample_log
from livereduce.data.run import EPOCH_1990_NS, Log, LogNumber, LogSeries, Run
from livereduce.errors import AlgorithmError

WS = create_workspace([0, 1], [8])


def added(text: str, run: Run | None = None, **kind: str) -> Log:
    return add_sample_log(WS.replace(run=run or Run()), "a", log_text=text, **kind).run.logs["a"]  # type: ignore[arg-type]


def test_text_is_kept_without_blanks_around_it() -> None:
    assert added(" hello ") == LogNumber(value="hello")


@pytest.mark.parametrize(
    ("text", "number_type", "value"), [("3", "AutoDetect", 3), ("3.5", "AutoDetect", 3.5), ("3", "Double", 3.0), ("3", "Int", 3)]
)
def test_a_number_is_whole_or_not_as_its_type_says(text: str, number_type: str, value: float) -> None:
    log = added(text, log_type="Number", number_type=number_type, log_unit="K")
    assert isinstance(log, LogNumber)
    assert log == LogNumber(value=value, unit="K")
    assert type(log.value) is type(value)


@pytest.mark.parametrize(
    ("run", "start_ns"),
    [
        (Run(start_ns=5), 5),
        (Run(logs=MappingProxyType({"run_start": LogNumber(value="1990-01-01T00:00:01")})), EPOCH_1990_NS + 10**9),
        (Run(logs=MappingProxyType({"run_start": LogNumber(value="yesterday")})), EPOCH_1990_NS),
        (Run(), EPOCH_1990_NS),
    ],
)
def test_a_series_begins_with_the_run(run: Run, start_ns: int) -> None:
    log = added("5.5", run, log_type="Number Series")
    assert isinstance(log, LogSeries)
    assert log.time_ns.tolist() == [start_ns]
    assert log.values.tolist() == [5.5]


@pytest.mark.parametrize(
    ("kind", "message"),
    [
        ({"log_type": "Number"}, "is to be a number"),
        ({"log_type": "Number", "number_type": "Int"}, "is to be a number"),
        ({"log_type": "Number", "number_type": "Complex"}, "NumberType 'Complex'"),
        ({"log_type": "Strange", "number_type": "Double"}, "is to be a number"),
    ],
)
def test_what_cannot_be_noted_is_refused(kind: dict[str, str], message: str) -> None:
    with pytest.raises(AlgorithmError, match=message):
        added("warm", **kind)


def test_a_log_needs_a_name_and_a_known_type() -> None:
    with pytest.raises(AlgorithmError, match="LogName is empty"):
        add_sample_log(WS, "")
    with pytest.raises(AlgorithmError, match="LogType 'Strange'"):
        added("5", log_type="Strange")
