"""The names that a script finds without importing anything. Made anew for each execution."""

from __future__ import annotations

import builtins
import importlib
import json
import logging
import os
import sys
import time
from collections.abc import Mapping
from typing import Any

from livereduce.scripting.mantid.service import DataService
from livereduce.scripting.mantid.workspaces import Workspace
from livereduce.scripting.script import Script
from livereduce.scripting.surroundings import LOGGER


class OutputName(str):
    """The name that a script is to produce; answers the methods of the workspace of that name as well."""

    _service: DataService

    def __new__(cls, name: str, service: DataService) -> OutputName:
        """Return the name, which looks for its workspace in `service`."""
        made = super().__new__(cls, name)
        made._service = service
        return made

    def __getattr__(self, attribute: str) -> Any:
        name = str(self)
        if attribute.startswith("_") or name not in self._service:
            raise AttributeError(f"'output' is the name {name!r} and no workspace bears it yet: it has no {attribute!r}", name=attribute, obj=self)
        return getattr(self._service[name], attribute)


class ScriptLogger(logging.LoggerAdapter[logging.Logger]):
    """A Python logger that also answers to the names of Mantid's levels."""

    def information(self, message: object) -> None:
        """Log at INFO."""
        self.info("%s", message)

    notice = information

    def fatal(self, message: object, *args: object, **keywords: Any) -> None:
        """Log at CRITICAL."""
        self.critical(message, *args, **keywords)


def fresh(script: Script, service: DataService, given: Mapping[str, object]) -> dict[str, Any]:
    """Return the globals of one execution.

    Parameters
    ----------
    script:
        What is to be executed.
    service:
        The workspaces that it sees as ``mtd``.
    given:
        ``input``, ``output`` and what else this execution is given.
    """
    face = importlib.import_module("mantid.simpleapi")
    return {
        **{name: getattr(face, name) for name in face.__all__},
        "__name__": "__main__",
        "__file__": str(script.path),
        "__builtins__": builtins,
        "__doc__": None,
        "mantid": importlib.import_module("mantid"),
        "mtd": service,
        "json": json,
        "os": os,
        "sys": sys,
        "time": time,
        "logger": ScriptLogger(logging.getLogger(f"{LOGGER}.{script.path.stem}"), {}),
        **given,
    }


def release(names: dict[str, Any]) -> None:
    """Let go of the workspaces in the globals of an execution that ended.

    Functions and their globals hold one another, so that the globals live until Python looks for cycles: too long for a chunk's arrays.
    The rest stays: what a script handed to somebody else (an algorithm of its own, a thread) goes on working.
    """
    for name in [name for name, value in names.items() if isinstance(value, Workspace | OutputName)]:
        del names[name]
