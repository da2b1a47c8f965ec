"""NormaliseByCurrent: counts per proton charge."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np

from livereduce.algorithms.arithmetic import divide
from livereduce.algorithms.create import create_single_valued_workspace
from livereduce.data.events import SpectraWorkspace
from livereduce.data.run import LogNumber, LogSeries, Run
from livereduce.errors import AlgorithmError

PC_PER_UAH = 3600e6
"""Picocoulomb in a microampere hour."""


def normalise_by_current(input_workspace: SpectraWorkspace, *, recalculate_p_charge: bool = False) -> SpectraWorkspace:
    """Return the workspace divided by its run's good proton charge, which has no error; the charge goes into the log NormalizationFactor.

    Of a run with several periods it is the charge of the current period, where the run knows it.

    Parameters
    ----------
    recalculate_p_charge:
        Integrate the log proton_charge instead of taking the charge that the source gave.

    Raises
    ------
    AlgorithmError
        If the charge is unknown or zero.
    """
    run = input_workspace.run
    if recalculate_p_charge or math.isnan(run.charge_uah):
        run = replace(run, charge_uah=_integrated(run))
    charge = _of_period(run)
    if math.isnan(charge):
        raise AlgorithmError("The proton charge is not set in the run attached to this workspace; wanted a charge or a log proton_charge")
    if charge == 0:
        raise AlgorithmError("The proton charge found in the input workspace run information is zero; nothing to divide by")
    result = divide(input_workspace, create_single_valued_workspace(charge))
    return result.replace(run=run.with_log("NormalizationFactor", LogNumber(value=charge)))


def _integrated(run: Run) -> float:
    """Return the sum of the log proton_charge in uA·h; NaN without one."""
    log = run.logs.get("proton_charge")
    if not isinstance(log, LogSeries):
        return math.nan
    total = float(np.sum(log.values.astype(float)))
    return total / PC_PER_UAH if log.unit.lower().startswith("pico") or not log.unit else total


def _of_period(run: Run) -> float:
    """Return the charge of the current period where the run has several and says what each had, else the run's."""
    periods, current, charges = (run.logs.get(name) for name in ("nperiods", "current_period", "proton_charge_by_period"))
    if not (isinstance(periods, LogNumber) and isinstance(current, LogNumber) and isinstance(charges, LogNumber)) or int(periods.value) < 2:
        return run.charge_uah
    each = [float(text) for text in str(charges.value).split(",")]
    period = int(current.value)
    if not 1 <= period <= len(each):
        raise AlgorithmError(f"current_period is {period} and proton_charge_by_period has {len(each)} values; wanted a period among them")
    return each[period - 1]
