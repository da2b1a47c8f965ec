"""The modules that scripts import: ``mantid``, ``mantid.simpleapi``, ``mantid.kernel``, ``mantid.api``, ``mantid.dataobjects``.

They hold what works and nothing else. A name that is not there is answered with the nearest that is, both for
``simpleapi.Rebn`` (AttributeError) and for ``from mantid.simpleapi import Rebn`` (ImportError).
"""

from __future__ import annotations

import dis
import sys
from collections.abc import Iterable
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import Any, NoReturn

import livereduce
from livereduce.scripting.mantid import workspaces
from livereduce.scripting.mantid.algorithm_objects import AlgorithmManager
from livereduce.scripting.mantid.calls import Caller
from livereduce.scripting.mantid.errors import nearest
from livereduce.scripting.mantid.functions import function_for
from livereduce.scripting.mantid.instruments import V3D
from livereduce.scripting.mantid.log import Logger
from livereduce.scripting.mantid.service import DataService
from livereduce.scripting.mantid.times import DateAndTime

ROOT = "mantid"
"""Name of the top module."""


class FaceModule(ModuleType):
    """A module whose missing names are explained.

    Parameters
    ----------
    name:
        Full name.
    contents:
        What it holds.
    noun:
        What its names are, for the message.
    """

    def __init__(self, name: str, contents: dict[str, Any], noun: str) -> None:
        super().__init__(name, f"What livereduce offers of {name} to scripts.")
        self.__dict__.update(contents)
        self.__all__ = sorted(contents)
        self.__spec__ = ModuleSpec(name, None, is_package=name == ROOT)
        if name == ROOT:
            self.__path__: list[str] = []
        self.__dict__["_noun"] = noun

    def __getattr__(self, name: str) -> NoReturn:
        # Reached only for names that do not exist. Python's machinery asks for dunder names often and wants a plain AttributeError.
        if name.startswith("__"):
            raise AttributeError(f"{self.__name__} has no {name}", name=name)
        message = missing_name(name, self.__name__, self.__dict__["_noun"], self.__all__)
        if _asked_by_import(sys._getframe(1)):
            raise ImportError(message, name=self.__name__)
        raise AttributeError(message, name=name)


def missing_name(name: str, module: str, noun: str, known: Iterable[str]) -> str:
    """Return the message that a module of scripts has no such name: ``no algorithm 'Rebn' in mantid.simpleapi; did you mean 'Rebin'?``."""
    return f"no {noun} {name!r} in {module}{nearest(name, known)}"


def _asked_by_import(frame: Any) -> bool:
    """Return True when the instruction at which `frame` stands is ``from ... import``: its AttributeError would lose our message."""
    code = frame.f_code.co_code
    return bool(dis.opname[code[frame.f_lasti]] == "IMPORT_FROM")


def build(service: DataService, caller: Caller) -> dict[str, FaceModule]:
    """Return the modules over one data service, by full name."""
    logger = Logger()
    kernel = {"DateAndTime": DateAndTime, "Logger": Logger, "V3D": V3D, "logger": logger}
    objects = {
        "EventWorkspace": workspaces.EventWorkspace,
        "Workspace2D": workspaces.Workspace2D,
        "WorkspaceSingleValue": workspaces.WorkspaceSingleValue,
    }
    api = {
        "AlgorithmManager": AlgorithmManager(caller),
        "AnalysisDataService": service,
        "IEventWorkspace": workspaces.EventWorkspace,
        "MatrixWorkspace": workspaces.MatrixWorkspace,
        "Workspace": workspaces.Workspace,
        "WorkspaceGroup": workspaces.WorkspaceGroup,
        "mtd": service,
    }
    functions = {name: function_for(caller, caller.find(name)) for name in caller.algorithms}
    simple = {**functions, "mtd": service, "AnalysisDataService": service, "logger": logger}
    modules = {
        f"{ROOT}.kernel": FaceModule(f"{ROOT}.kernel", kernel, "name"),
        f"{ROOT}.api": FaceModule(f"{ROOT}.api", api, "name"),
        f"{ROOT}.dataobjects": FaceModule(f"{ROOT}.dataobjects", objects, "name"),
        f"{ROOT}.simpleapi": FaceModule(f"{ROOT}.simpleapi", simple, "algorithm"),
    }
    inner = {name.rpartition(".")[2]: module for name, module in modules.items()}
    top = FaceModule(ROOT, {**inner, "logger": logger, "mtd": service, "__version__": livereduce.__version__}, "name")
    top.__all__ = [one for one in top.__all__ if not one.startswith("_")]
    return {ROOT: top, **modules}
