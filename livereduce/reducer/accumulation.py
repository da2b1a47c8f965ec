"""Combining chunks' outputs: Add, Replace, Append. The only code that changes an array in place.

Adding costs one pass over the chunk, however long the run has been going: the accumulation owns its arrays and adds into them. What others
get of it is a snapshot, a copy that nobody changes.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

import numpy as np

from livereduce.algorithms.runs import merged
from livereduce.data.events import EventWorkspace, SpectraWorkspace
from livereduce.data.group import AnyWorkspace, WorkspaceGroup
from livereduce.data.workspace import Workspace
from livereduce.errors import AccumulationError, AlgorithmError

Method = Literal["Add", "Replace", "Append"]
Combine = Callable[[SpectraWorkspace, SpectraWorkspace], SpectraWorkspace]


class Accumulation:
    """The chunks' outputs so far.

    Parameters
    ----------
    method:
        Add: counts and variances add up, bin by bin. Replace: the newest takes the place of the others. Append: spectra are put below the others.
    append:
        Append one workspace's spectra to another's.
    add_events:
        Add workspaces that are not both histograms.
    """

    def __init__(
        self,
        method: Method,
        *,
        append: Combine,
        add_events: Combine,
    ) -> None:
        self._combine: dict[Method, Combine] = {"Add": self._added, "Append": append, "Replace": lambda _, new: new}
        self._method = method
        self._add_events = add_events
        self._value: AnyWorkspace | None = None
        self.chunks = 0

    def clear(self) -> None:
        """Begin anew: the next chunk replaces."""
        self._value, self.chunks = None, 0

    def restore(self, value: AnyWorkspace, chunks: int) -> None:
        """Go on from a checkpoint."""
        self.clear()
        self._value, self.chunks = value, chunks

    def add(self, output: AnyWorkspace) -> None:
        """Combine `output` with what there is; the first chunk replaces. `output` is never changed.

        Raises
        ------
        AccumulationError
            If it does not fit: other bins, another number of spectra, a group and a single workspace. Nothing has changed then.
        """
        try:
            self._value = output if self._value is None else self._combined(self._value, output)
        except AlgorithmError as error:
            raise AccumulationError(f"the chunk does not fit the accumulation: {error}") from error
        self.chunks += 1

    @property
    def value(self) -> AnyWorkspace | None:
        """The accumulation itself, to look at or to write down at once, not to keep."""
        return self._value

    def snapshot(self) -> AnyWorkspace | None:
        """Return the accumulation as it is now, for others to keep; None before the first chunk."""
        if isinstance(self._value, WorkspaceGroup):
            return self._value.map(_frozen)
        return None if self._value is None else _frozen(self._value)

    def _combined(self, have: AnyWorkspace, new: AnyWorkspace) -> AnyWorkspace:
        if isinstance(new, WorkspaceGroup) and isinstance(have, WorkspaceGroup):
            return self._combined_groups(have, new)
        if isinstance(new, WorkspaceGroup) or isinstance(have, WorkspaceGroup):
            raise AccumulationError(f"the chunk is {describe(new)}, the accumulation is {describe(have)}; wanted two groups or two workspaces")
        return self._combine[self._method](have, new)

    def _combined_groups(self, have: WorkspaceGroup, new: WorkspaceGroup) -> WorkspaceGroup:
        if len(have) != len(new) and self._method != "Replace":
            raise AccumulationError(f"the chunk is a group of {len(new)}, the accumulation a group of {len(have)}; wanted as many members")
        if self._method == "Replace":
            return new
        pairs = list(zip(have.members, new.members, strict=True))
        if self._method == "Add":
            for one, other in pairs:
                _check_fit(one, other)
        # What may still be refused comes before anything is changed in place.
        fresh = [None if self._in_place(one, other) else self._combine[self._method](one, other) for one, other in pairs]
        members = tuple(self._combine[self._method](*pair) if made is None else made for made, pair in zip(fresh, pairs, strict=True))
        return WorkspaceGroup(members=members, names=have.names)

    def _in_place(self, have: SpectraWorkspace, new: SpectraWorkspace) -> bool:
        return self._method == "Add" and isinstance(have, Workspace) and isinstance(new, Workspace)

    def _added(self, have: SpectraWorkspace, new: SpectraWorkspace) -> SpectraWorkspace:
        if not isinstance(have, Workspace) or not isinstance(new, Workspace):
            return self._add_events(have, new)
        _check_fit(have, new)
        y, variance = (array if array.flags.writeable else array.copy() for array in (have.y, have.variance))
        np.add(y, new.y, out=y)
        np.add(variance, new.variance, out=variance)
        result = have.replace(y=y, variance=variance, run=merged(have.run, new.run))
        # Nobody but the accumulation sees this workspace; that its arrays can be written marks them as its own.
        y.flags.writeable = variance.flags.writeable = True
        return result


def _frozen(workspace: SpectraWorkspace) -> SpectraWorkspace:
    if isinstance(workspace, Workspace) and workspace.y.flags.writeable:
        return workspace.replace(y=workspace.y.copy(), variance=workspace.variance.copy())
    return workspace


def describe(value: AnyWorkspace | None) -> str:
    """Return what a workspace is, in words."""
    if value is None:
        return "empty"
    if isinstance(value, WorkspaceGroup):
        return f"a group of {len(value)}, each {describe(value.members[0])}" if value.members else "an empty group"
    if isinstance(value, EventWorkspace):
        return f"{value.n_spectra} spectra, {value.n_events} events"
    return f"{value.n_spectra} spectra x {value.n_bins} bins"


def total_counts(value: AnyWorkspace | None) -> float:
    """Return the sum of everything finite in a workspace."""
    if value is None:
        return 0.0
    if isinstance(value, WorkspaceGroup):
        return sum(total_counts(member) for member in value.members)
    if isinstance(value, EventWorkspace):
        return float(value.n_events)
    return float(np.nansum(value.y))


def _check_fit(have: SpectraWorkspace, new: SpectraWorkspace) -> None:
    if not isinstance(have, Workspace) or not isinstance(new, Workspace):
        return
    if have.y.shape != new.y.shape or have.x.shape[-1] != new.x.shape[-1]:
        raise AccumulationError(f"the chunk has {describe(new)}, the accumulation {describe(have)}; wanted the same (use fixed Rebin Params)")
    if have.x is not new.x and not np.allclose(have.x, new.x, rtol=1e-9, atol=0.0):
        raise AccumulationError(
            f"the chunk has other bins ({_ends(new)}) than the accumulation ({_ends(have)}); wanted the same (use fixed Rebin Params)"
        )
    if have.distribution != new.distribution:
        raise AccumulationError(f"the chunk is {_meaning(new)}, the accumulation is {_meaning(have)}; wanted the same")
    if have.x_unit != new.x_unit:
        raise AccumulationError(f"the chunk is in {new.x_unit or 'no unit'}, the accumulation in {have.x_unit or 'no unit'}; wanted the same")


def _meaning(workspace: Workspace) -> str:
    return "per unit of x (a distribution)" if workspace.distribution else "per bin"


def _ends(workspace: Workspace) -> str:
    x = workspace.x_of(0)
    return f"{x[0]:g} to {x[-1]:g} {workspace.x_unit}" if len(x) else "no bins"
