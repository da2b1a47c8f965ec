"""The data service: workspaces by name, as handles. What scripts call ``mtd`` and ``AnalysisDataService``.

The service itself uses `put`, `value` and `pop`; the rest is for scripts.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any
from weakref import WeakValueDictionary

import numpy as np

from livereduce.algorithms.create import create_single_valued_workspace
from livereduce.data.events import EventWorkspace
from livereduce.data.group import AnyWorkspace, WorkspaceGroup
from livereduce.data.names import Entry, Names
from livereduce.data.workspace import Workspace as Histograms
from livereduce.scripting.mantid import workspaces
from livereduce.scripting.mantid.assignment import assigned_names

if TYPE_CHECKING:
    from livereduce.scripting.mantid.calls import Caller

HIDDEN = "__"
"""Names that begin so are not listed for scripts."""


class DataService:
    """Workspaces by name.

    Parameters
    ----------
    names:
        Where the values stand; may be shared between threads.
    """

    caller: Caller
    """Runs algorithms over this service; set by `livereduce.scripting.mantid.install`."""

    def __init__(self, names: Names | None = None) -> None:
        self.names = Names() if names is None else names
        self._handles: WeakValueDictionary[int, workspaces.Workspace] = WeakValueDictionary()

    # -- for the service

    def put(self, name: str, value: AnyWorkspace, *, keep: bool = True) -> workspaces.Workspace:
        """Put an immutable value under a name and return its handle.

        Handles of that name that scripts hold see the new value. The members of a group stand under ``name_1``, ``name_2``, ...

        Parameters
        ----------
        keep:
            False: only as long as somebody holds the handle.
        """
        return self.handle(self.names.put(name, value, keep=keep))

    def value(self, name: str) -> AnyWorkspace:
        """Return the immutable value under a name, with what a script wrote into it; `UnknownWorkspaceError` when there is none."""
        return self.names[name]

    def pop(self, name: str) -> AnyWorkspace:
        """Remove a name, and the members of a group, and return the value; `UnknownWorkspaceError` when there is none."""
        return self.names.remove(name, members=True)

    def handle(self, entry: Entry) -> workspaces.Workspace:
        """Return the one handle of a place, its class that of the value now."""
        with self.names.lock:
            kind = workspaces.class_for(entry)
            found = self._handles.get(id(entry))
            if found is None:
                found = self._handles[id(entry)] = kind(entry, self)
            elif type(found) is not kind:
                found.__class__ = kind
            return found

    def calculate(self, algorithm: str, left: Any, right: Any, *, output: str = "", named: bool = True) -> Any:
        """Run a binary algorithm for an operator; the result is named by `output`, or by the variable of the operator's caller."""
        operands = [_operand(one) for one in (left, right)]
        if any(one is None for one in operands):
            return NotImplemented
        names = assigned_names(sys._getframe(2)) if named and not output else ()
        keywords = {"OutputWorkspace": output or names[0]} if output or names else {}
        return self.caller.call(algorithm, (), {"LHSWorkspace": operands[0], "RHSWorkspace": operands[1], **keywords}, ())

    # -- for scripts

    def __getitem__(self, name: object) -> workspaces.Workspace:
        return self.handle(self.names.entry(str(name)))

    def retrieve(self, name: object) -> workspaces.Workspace:
        """Return the workspace of a name; KeyError when there is none, with the nearest name."""
        return self[name]

    def __setitem__(self, name: str, workspace: workspaces.Workspace | AnyWorkspace) -> None:
        value = workspace.value if isinstance(workspace, workspaces.Workspace) else workspace
        if not isinstance(value, Histograms | EventWorkspace | WorkspaceGroup):
            raise TypeError(f"mtd[{name!r}] = {type(workspace).__name__}; wanted a workspace")
        self.put(str(name), value)

    def addOrReplace(self, name: str, workspace: workspaces.Workspace | AnyWorkspace) -> None:
        """Put a workspace under a name, in place of what stood there."""
        self[name] = workspace

    def add(self, name: str, workspace: workspaces.Workspace | AnyWorkspace) -> None:
        """Put a workspace under a name that nobody has; RuntimeError when it is taken."""
        with self.names.lock:
            if name in self.names:
                raise RuntimeError(f"mtd has a workspace {name!r} already; wanted another name or addOrReplace")
            self[name] = workspace

    def doesExist(self, name: object) -> bool:
        """Return True when there is a workspace of that name."""
        return str(name) in self.names

    __contains__ = doesExist
    # What the scripts before 2013 call it.
    workspaceExists = doesExist

    def remove(self, name: object) -> None:
        """Remove a name; the members of a group stay. Nothing happens when there is none."""
        with self.names.lock:
            if str(name) in self.names:
                self.names.remove(str(name))

    def __delitem__(self, name: object) -> None:
        self.names.remove(str(name))

    def clear(self, silent: bool = True) -> None:
        """Remove all workspaces."""
        self.names.clear()

    def getObjectNames(self, contain: str = "") -> list[str]:
        """Return the names that do not begin with two underscores, sorted."""
        return sorted(one for one in self.names if not one.startswith(HIDDEN) and contain in one)

    keys = getObjectNames

    def size(self) -> int:
        """Return how many workspaces `getObjectNames` lists."""
        return len(self.getObjectNames())

    __len__ = size

    def __bool__(self) -> bool:
        return True

    def __iter__(self) -> Iterator[str]:
        return iter(self.getObjectNames())

    def values(self) -> list[workspaces.Workspace]:
        """Return the workspaces of `getObjectNames`."""
        return [self[one] for one in self.getObjectNames()]

    def items(self) -> list[tuple[str, workspaces.Workspace]]:
        """Return names and workspaces of `getObjectNames`."""
        return [(one, self[one]) for one in self.getObjectNames()]

    def unique_hidden_name(self) -> str:
        """Return a name that nobody has and that is not listed."""
        return self.names.unused(f"{HIDDEN}hidden_")

    def unique_name(self, n: int = 5, prefix: str = "", suffix: str = "") -> str:
        """Return a name that nobody has."""
        return self.names.unused(f"{prefix}workspace_") + suffix


def _operand(given: Any) -> Any:
    """Return what an operator works on as the algorithm takes it; None when it is no workspace and no number."""
    if isinstance(given, int | float | np.number) and not isinstance(given, bool):
        return create_single_valued_workspace(float(given))
    return given if isinstance(given, workspaces.Workspace | Histograms | EventWorkspace | WorkspaceGroup) else None
