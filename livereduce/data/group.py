"""A group of workspaces: the periods of a run, or whatever a script puts together."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from livereduce.data.events import EventWorkspace, SpectraWorkspace
from livereduce.data.workspace import Workspace


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class WorkspaceGroup:
    """Workspaces in order; one for each period when they come from a source."""

    members: tuple[SpectraWorkspace, ...]
    """The workspaces."""

    names: tuple[str, ...] = ()
    """Names of the members; empty when the group's own name is to be extended by _1, _2, ..."""

    def __len__(self) -> int:
        return len(self.members)

    @property
    def nbytes(self) -> int:
        """Bytes of the arrays of all members."""
        return sum(member.nbytes for member in self.members)

    def map(self, function: Callable[[SpectraWorkspace], SpectraWorkspace]) -> WorkspaceGroup:
        """Return the group of `function` applied to each member."""
        return WorkspaceGroup(members=tuple(function(member) for member in self.members), names=self.names)


AnyWorkspace = Workspace | EventWorkspace | WorkspaceGroup
