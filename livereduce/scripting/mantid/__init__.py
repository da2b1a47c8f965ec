"""The PascalCase face: what ``from mantid.simpleapi import Rebin`` finds in a script.

Our own code calls ``livereduce.algorithms``; only scripts come through here.
"""

from __future__ import annotations

import sys
import threading

from livereduce.data.names import Names
from livereduce.scripting.mantid import modules
from livereduce.scripting.mantid.calls import Caller
from livereduce.scripting.mantid.catalogue import algorithms
from livereduce.scripting.mantid.service import DataService

__all__ = ["DataService", "install", "known_names"]

_lock = threading.Lock()


def install(names: Names | None = None) -> DataService:
    """Make ``import mantid`` and its modules find our face in this process, and return the data service (the scripts' ``mtd``).

    Parameters
    ----------
    names:
        Where workspaces stand. None: the service that is installed already, or a new one. Otherwise a new service over `names`
        takes the place of the one installed; modules that scripts imported before keep the old one.
    """
    with _lock:
        present = sys.modules.get(modules.ROOT)
        if names is None and isinstance(present, modules.FaceModule):
            service: DataService = present.mtd
            return service
        service = DataService(names)
        service.caller = Caller(service, algorithms())
        for name in [one for one in sys.modules if one == modules.ROOT or one.startswith(f"{modules.ROOT}.")]:
            del sys.modules[name]
        sys.modules.update(modules.build(service, service.caller))
        return service


def known_names() -> tuple[str, ...]:
    """Return what ``from mantid.simpleapi import *`` gives, without installing anything."""
    return tuple(sorted({*algorithms(), "mtd", "AnalysisDataService", "logger"}))
