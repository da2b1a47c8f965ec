from __future__ import annotations

from types import MappingProxyType

import numpy as np
import pytest

from livereduce.algorithms.create import create_workspace
from livereduce.algorithms.normalise import normalise_by_current
from livereduce.data.run import LogNumber, LogSeries, Run
from livereduce.errors import AlgorithmError

PULSES = LogSeries(time_ns=np.arange(4), values=np.full(4, 900e6), unit="picoCoulombs")


def counted(run: Run) -> object:
    return normalise_by_current(create_workspace([0, 1], [8]).replace(run=run)).y[0, 0]


def periods(current: int) -> Run:
    logs = {"nperiods": 2, "current_period": current, "proton_charge_by_period": "2,4"}
    return Run(charge_uah=6, logs=MappingProxyType({name: LogNumber(value=value) for name, value in logs.items()}))  # type: ignore[arg-type]


def test_counts_are_divided_by_the_charge() -> None:
    assert counted(Run(charge_uah=4)) == 2


def test_a_charge_that_the_source_does_not_say_is_the_sum_over_the_pulses() -> None:
    assert counted(Run(logs=MappingProxyType({"proton_charge": PULSES}))) == 8


def test_the_sum_over_the_pulses_replaces_the_charge_when_asked() -> None:
    ws = create_workspace([0, 1], [8]).replace(run=Run(charge_uah=4, logs=MappingProxyType({"proton_charge": PULSES})))
    result = normalise_by_current(ws, recalculate_p_charge=True)
    assert result.run.charge_uah == 1
    assert result.run.logs["NormalizationFactor"] == LogNumber(value=1.0)


def test_a_period_is_divided_by_its_own_charge() -> None:
    assert counted(periods(2)) == 2
    with pytest.raises(AlgorithmError, match="current_period is 3"):
        counted(periods(3))


@pytest.mark.parametrize(("run", "message"), [(Run(), "not set"), (Run(charge_uah=0), "is zero")])
def test_no_charge_is_refused(run: Run, message: str) -> None:
    with pytest.raises(AlgorithmError, match=message):
        counted(run)
