from __future__ import annotations

import inspect
import logging
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from livereduce.data.names import Names
from livereduce.scripting.mantid import DataService, install, known_names

Put = Callable[..., Any]


def run(text: str) -> dict[str, Any]:
    names: dict[str, Any] = {"__name__": "script"}
    exec(compile(text, "script.py", "exec"), names)
    return names


@pytest.mark.parametrize(
    "text",
    [
        "from mantid.simpleapi import Rebin, SumSpectra, mtd, logger",
        "from mantid.simpleapi import *\nRebin, mtd, AnalysisDataService",
        "import mantid\nmantid.simpleapi.Rebin, mantid.logger.notice, mantid.kernel.logger, mantid.api, mantid.dataobjects, mantid.__version__",
        "import mantid.simpleapi as simpleapi\nsimpleapi.Rebin",
        "from mantid import simpleapi, mtd, logger\nsimpleapi.Rebin",
        "from mantid.api import AnalysisDataService, MatrixWorkspace, WorkspaceGroup, AlgorithmManager, mtd, IEventWorkspace, Workspace",
        "from mantid.kernel import Logger, logger, DateAndTime",
        "from mantid.dataobjects import EventWorkspace, Workspace2D, WorkspaceSingleValue",
    ],
)
def test_scripts_import_as_they_are_used_to(service: DataService, text: str) -> None:
    run(text)


def test_there_is_one_data_service_whatever_it_is_called(service: DataService) -> None:
    got = run("from mantid.simpleapi import mtd as a\nfrom mantid.api import AnalysisDataService as b\nimport mantid\nc = mantid.mtd")
    assert got["a"] is got["b"] is got["c"] is service


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("from mantid.simpleapi import Rebn", r"no algorithm 'Rebn' in mantid.simpleapi; did you mean 'Rebin'\?"),
        ("from mantid.simpleapi import rebin", r"no algorithm 'rebin' in mantid.simpleapi; did you mean 'Rebin'\?"),
        ("from mantid.kernel import Loger", r"no name 'Loger' in mantid.kernel; did you mean '[Ll]ogger'\?"),
        ("from mantid.simpleapi import Zzzzzz", r"no algorithm 'Zzzzzz' in mantid.simpleapi$"),
        ("from mantid import smpleapi", r"no name 'smpleapi' in mantid; did you mean 'simpleapi'\?"),
        ("import mantid.plots", r"No module named 'mantid\.plots'"),
    ],
)
def test_importing_a_name_that_is_not_there_names_the_nearest(service: DataService, text: str, message: str) -> None:
    with pytest.raises(ImportError, match=message):
        run(text)


def test_asking_a_module_for_a_name_that_is_not_there_is_an_attribute_error(service: DataService) -> None:
    with pytest.raises(AttributeError, match=r"no algorithm 'SumSpectr' in mantid.simpleapi; did you mean 'SumSpectra'\?"):
        run("import mantid.simpleapi\nmantid.simpleapi.SumSpectr")
    assert run("import mantid.simpleapi\nx = hasattr(mantid.simpleapi, 'Nope'), getattr(mantid.simpleapi, 'Nope', 3)")["x"] == (False, 3)


def test_an_import_that_may_fail_can_be_caught(service: DataService) -> None:
    assert run("try:\n    from mantid.simpleapi import Nope\nexcept ImportError:\n    Nope = None")["Nope"] is None


def test_workspaces_are_instances_of_the_classes_that_scripts_import(service: DataService, put: Put) -> None:
    put("a")
    text = """
from mantid.api import MatrixWorkspace, Workspace, WorkspaceGroup
from mantid.dataobjects import EventWorkspace, Workspace2D
from mantid.simpleapi import *
ws = mtd["a"]
single = CreateSingleValuedWorkspace(5)
answer = [isinstance(ws, one) for one in (MatrixWorkspace, Workspace, Workspace2D, EventWorkspace, WorkspaceGroup)], single.id()
"""
    assert run(text)["answer"] == ([True, True, True, False, False], "WorkspaceSingleValue")


def test_messages_of_scripts_go_to_the_log_under_mantid(service: DataService, caplog: pytest.LogCaptureFixture) -> None:
    text = "from mantid import logger\nfrom mantid.kernel import Logger\n" + "\n".join(
        f"logger.{level}('{level}')" for level in ("debug", "information", "notice", "warning", "error", "fatal")
    )
    with caplog.at_level(logging.DEBUG, logger="mantid"):
        run(text + "\nLogger('mine').notice(5)")
    wanted = [("mantid", getattr(logging, level), message) for level, message in LEVELS]
    assert [one for one in caplog.record_tuples if one[0].startswith("mantid")] == [*wanted, ("mantid.mine", logging.INFO, "5")]


LEVELS = [("DEBUG", "debug"), ("INFO", "information"), ("INFO", "notice"), ("WARNING", "warning"), ("ERROR", "error"), ("CRITICAL", "fatal")]


def test_functions_show_their_signature_and_properties(service: DataService) -> None:
    import mantid.simpleapi as api

    assert str(inspect.signature(api.SumSpectra)).startswith("(InputWorkspace, OutputWorkspace=None, ")
    assert api.Rebin.__name__ == "Rebin"
    assert api.Rebin.__module__ == "mantid.simpleapi"
    text = inspect.getdoc(api.Rebin)
    assert "Params : numbers, mandatory" in text
    assert "PreserveEvents : True or False, default True" in text
    assert "input_workspace" not in text


def test_algorithms_can_be_objects(service: DataService, put: Put) -> None:
    put("a", 4)
    text = """
from mantid.api import AlgorithmManager
alg = AlgorithmManager.create("Rebin")
alg.initialize()
alg.setChild(True)
alg.setLogging(False)
alg.setRethrows(True)
alg.setProperty("InputWorkspace", "a")
alg.setProperties(Params="0,5,10")
alg.setPropertyValue("OutputWorkspace", "__unused")
before = alg.isExecuted()
alg.execute()
out = alg.getProperty("OutputWorkspace").value
state = alg.name(), alg.version(), before, alg.isExecuted(), alg.getPropertyValue("params"), alg.outputProperties()
text = alg.getProperty("Params").valueAsStr
y = out.readY(0)[0]
"""
    got = run(text)
    assert got["state"] == ("Rebin", 1, False, True, "0,5,10", ["OutputWorkspace"])
    assert got["text"] == "0,5,10"
    assert got["y"] == 20
    assert service.getObjectNames() == ["a"]
    with pytest.raises(ValueError, match="Rebin: no property 'Parms'; did you mean 'Params'"):
        run("from mantid.api import AlgorithmManager\nAlgorithmManager.create('Rebin').setProperty('Parms', 1)")
    with pytest.raises(RuntimeError, match="no algorithm 'Rebn'; did you mean 'Rebin'"):
        run("from mantid.api import AlgorithmManager\nAlgorithmManager.create('Rebn')")


def test_installing_again_keeps_the_service_unless_names_are_given(service: DataService) -> None:
    assert install() is service
    names = Names()
    other = install(names)
    assert other is not service
    assert other.names is names
    assert run("from mantid.simpleapi import mtd")["mtd"] is other


def test_known_names_are_what_a_star_import_gives(service: DataService) -> None:
    got = run("from mantid.simpleapi import *")
    assert set(known_names()) == set(got) - {"__name__", "__builtins__"}


def test_it_works_in_any_process(tmp_path: Path) -> None:
    lines = (
        "from livereduce.scripting.mantid import install",
        "install()",
        "from mantid.simpleapi import *",
        "a = CreateWorkspace('0,1,2', '3,4')",
        "print(mtd['a'].readY(0))",
    )
    root = Path(__file__).resolve().parents[3]
    done = subprocess.run([sys.executable, "-c", "\n".join(lines)], cwd=root, capture_output=True, text=True, timeout=120, check=False)
    assert done.stdout.strip() == "[3. 4.]", done.stderr
