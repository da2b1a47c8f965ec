"""Groups of workspaces as scripts hold them."""

from __future__ import annotations

from collections.abc import Iterator

from livereduce.data.names import Entry
from livereduce.scripting.mantid.handle import Workspace
from livereduce.scripting.mantid.history import History
from livereduce.scripting.mantid.operators import Operators


class WorkspaceGroup(Operators, Workspace):
    """Workspaces in order: periods, or what a script put together."""

    __slots__ = ()

    def _members(self) -> tuple[Entry, ...]:
        if self._entry.members is None:
            self._entry.value  # noqa: B018 - tells what became of the name
        return self._entry.members or ()

    def size(self) -> int:
        """Return the number of members."""
        return len(self._members())

    getNumberOfEntries = size
    __len__ = size

    def __bool__(self) -> bool:
        return True

    def getNames(self) -> list[str]:
        """Return the names of the members."""
        return [one.name for one in self._members()]

    def getItem(self, index: int) -> Workspace:
        """Return one member."""
        members = self._members()
        if not -len(members) <= index < len(members):
            raise IndexError(f"group {self.name()} has {len(members)} members, asked for index {index}")
        return self._service.handle(members[index])

    __getitem__ = getItem

    def __iter__(self) -> Iterator[Workspace]:
        return iter([self._service.handle(one) for one in self._members()])

    def __contains__(self, name: object) -> bool:
        return str(name) in self.getNames()

    contains = __contains__

    def add(self, name: str) -> None:
        """Take a workspace that exists into the group."""
        self._service.names.group(self.name(), [*self.getNames(), str(name)])

    def remove(self, name: str) -> None:
        """Put a member out of the group; it stays in mtd."""
        self._service.names.group(self.name(), [one for one in self.getNames() if one != str(name)])

    def getNumberHistograms(self) -> int:
        """Return the number of spectra of the first member."""
        return self.getItem(0)._entry.unedited.n_spectra

    def getHistory(self) -> History:
        """Return what was done to the first member."""
        return History(self.getItem(0)._entry.unedited.history)
