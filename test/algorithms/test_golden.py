"""Every golden case, called as a script calls it."""

from __future__ import annotations

import importlib.util
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from livereduce.data.names import Names
from livereduce.scripting.mantid import DataService, install


def _golden() -> ModuleType:
    """Return golden.py beside this file; tests are no package."""
    spec = importlib.util.spec_from_file_location("golden_cases", Path(__file__).with_name("golden.py"))
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


golden = _golden()

ALGORITHMS = [
    "AddSampleLog",
    "AppendSpectra",
    "CloneWorkspace",
    "ConvertToHistogram",
    "ConvertToPointData",
    "CreateSingleValuedWorkspace",
    "CreateWorkspace",
    "CropWorkspace",
    "DeleteWorkspace",
    "Divide",
    "ExtractSpectra",
    "GroupWorkspaces",
    "Integration",
    "Minus",
    "Multiply",
    "NormaliseByCurrent",
    "Plus",
    "Rebin",
    "RenameWorkspace",
    "Scale",
    "SumSpectra",
]

OURS: dict[tuple[str, str], str] = {
    (
        "Integration",
        "in-one-bin-partial1-a",
    ): "Mantid counts a bin twice when the range lies within it; we count the part of it that the range covers",
}
"""Cases in which what Mantid did is a defect, and what we do instead."""

WORDING = {
    ("CreateWorkspace", "mismatch"): "x-y size mismatch, cannot determine",
    ("GroupWorkspaces", "missing"): 'The workspace "zzz"',
}
"""Messages of which ours keep only this part, since the rest names Mantid's internals or says less than ours."""

EVERY = [(algorithm, case) for algorithm in ALGORITHMS for case in golden.cases(algorithm)]


@pytest.fixture
def service() -> Iterator[DataService]:
    """A data service of its own, with mantid.simpleapi in place for the test alone."""
    before = {name: module for name, module in sys.modules.items() if name.split(".")[0] == "mantid"}
    yield install(Names())
    for name in [name for name in sys.modules if name.split(".")[0] == "mantid"]:
        del sys.modules[name]
    sys.modules.update(before)


def _run(service: DataService, case: dict[str, Any]) -> None:
    """Put the inputs into mtd and run the steps."""
    from mantid import simpleapi

    for name, given in case["workspaces"].items():
        service.put(name, golden.build(given))
    for step in case["steps"]:
        getattr(simpleapi, step["alg"])(**step["props"])


def test_golden_data_are_there() -> None:
    missing = [algorithm for algorithm in ALGORITHMS if not golden.cases(algorithm)]
    assert not missing, f"no golden data for {missing} in {golden.HERE} or {golden.BESIDE}"


@pytest.mark.parametrize(("algorithm", "case"), EVERY, ids=[f"{algorithm}-{case['name']}" for algorithm, case in EVERY])
def test_what_a_script_gets_is_what_mantid_gave(service: DataService, algorithm: str, case: dict[str, Any]) -> None:
    if not case["ok"]:
        wanted = WORDING.get((algorithm, case["name"]), case["error"].strip().split('": ')[-1])
        with pytest.raises((ValueError, RuntimeError), match=re.escape(wanted)):
            _run(service, case)
        return
    _run(service, case)
    wrong = {}
    for name, expected in case["outputs"].items():
        found = golden.differences(expected, service.value(name) if service.doesExist(name) else None)
        if found:
            wrong[name] = found[:5]
    if (algorithm, case["name"]) in OURS:
        assert wrong, "as Mantid now; take it off the list"
        return
    assert not wrong


def test_a_range_within_one_bin_counts_the_part_that_it_covers(service: DataService) -> None:
    cases = {case["name"]: case for case in golden.cases("Integration")}
    case = cases["in-one-bin-partial1-a"]
    _run(service, case)
    y = case["workspaces"]["in"]["spectra"][0]["y"]
    assert service.value("out").y[0, 0] == pytest.approx(y[2] * 20 / 50)
