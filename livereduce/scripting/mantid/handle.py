"""What all workspaces of a script have: a name that they follow."""

from __future__ import annotations

from typing import TYPE_CHECKING, NoReturn

from livereduce.data.group import AnyWorkspace
from livereduce.data.names import Entry
from livereduce.scripting.mantid.errors import nearest

if TYPE_CHECKING:
    from livereduce.scripting.mantid.service import DataService


class Workspace:
    """What all workspaces of a script have; made by the data service only."""

    __slots__ = ("__weakref__", "_entry", "_service")

    def __init__(self, entry: Entry, service: DataService) -> None:
        self._entry = entry
        self._service = service

    def name(self) -> str:
        """Return the name under which it stands in mtd."""
        return self._entry.name

    getName = name

    def __str__(self) -> str:
        return self._entry.name

    def __repr__(self) -> str:
        return f"<{self.id()} {self._entry.name!r}{' (deleted)' if self._entry.removed else ''}>"

    def id(self) -> str:
        """Return the name of its class."""
        return type(self).__name__

    @property
    def value(self) -> AnyWorkspace:
        """The immutable value that stands under the name now."""
        return self._entry.value

    def getMemorySize(self) -> int:
        """Return the size of the arrays, bytes."""
        return self.value.nbytes

    def __getattr__(self, name: str) -> NoReturn:
        # Only reached when nothing of that name exists.
        public = [one for one in dir(type(self)) if not one.startswith("_")]
        raise AttributeError(f"{type(self).__name__} has no method {name!r}{nearest(name, public)}", name=name, obj=self)
