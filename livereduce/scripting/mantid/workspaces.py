"""Workspaces as scripts hold them: a handle of a name, over immutable values.

A handle follows its name. When an algorithm replaces the value, a variable that a script got earlier shows the new one; after a
rename it shows the new name. There is one handle for one name, so that ``mtd["a"] is mtd["a"]``; its class follows the value.
"""

from __future__ import annotations

from livereduce.algorithms.create import is_single_value
from livereduce.data.events import EventWorkspace as Events
from livereduce.data.names import Entry
from livereduce.scripting.mantid.groups import WorkspaceGroup
from livereduce.scripting.mantid.handle import Workspace
from livereduce.scripting.mantid.matrix import MatrixWorkspace

__all__ = ["EventWorkspace", "MatrixWorkspace", "Workspace", "Workspace2D", "WorkspaceGroup", "WorkspaceSingleValue", "class_for"]


class Workspace2D(MatrixWorkspace):
    """Histograms or points."""

    __slots__ = ()


class WorkspaceSingleValue(MatrixWorkspace):
    """One number with its error."""

    __slots__ = ()


class EventWorkspace(MatrixWorkspace):
    """Every neutron kept."""

    __slots__ = ()

    def _events(self) -> Events:
        value = self._unedited
        assert isinstance(value, Events)
        return value

    def getNumberEvents(self) -> int:
        """Return the number of events."""
        return self._events().n_events

    def getTofMin(self) -> float:
        """Return the smallest x of an event; that of the bins when there is none."""
        events = self._events().events
        return float(events.tof.min()) if len(events) else super().getTofMin()

    def getTofMax(self) -> float:
        """Return the largest x of an event; that of the bins when there is none."""
        events = self._events().events
        return float(events.tof.max()) if len(events) else super().getTofMax()


def class_for(entry: Entry) -> type[Workspace]:
    """Return the class that a handle of `entry` has now."""
    if entry.members is not None:
        return WorkspaceGroup
    value = entry.unedited
    if isinstance(value, Events):
        return EventWorkspace
    return WorkspaceSingleValue if is_single_value(value) else Workspace2D
