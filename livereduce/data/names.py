"""Workspaces by name: what a script calls mtd.

Values are immutable; what changes is which value stands under a name. An `Entry` is such a place: it keeps its identity when its
value is replaced and when it is renamed, so that whoever holds it sees what the name means now.
Temporary results are held weakly: they vanish with the last `Entry` that somebody holds.
A group is a list of entries, so that a member that changes, changes in its group.
"""

from __future__ import annotations

import difflib
import itertools
import re
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Protocol
from weakref import WeakValueDictionary

from livereduce.data.events import EventWorkspace
from livereduce.data.group import AnyWorkspace, WorkspaceGroup
from livereduce.data.workspace import Workspace
from livereduce.errors import LiveReduceError


class UnknownWorkspaceError(LiveReduceError, KeyError):
    """No workspace of that name; the message names the nearest."""

    # KeyError would show the message in quotes.
    __str__ = Exception.__str__


class Edit(Protocol):
    """Arrays of a workspace that a script has in hand to write into."""

    def apply(self, value: Workspace) -> Workspace:
        """Return `value` with what was written so far."""


class Entry:
    """The place of one name; made by `Names` alone.

    Safe to share between threads: every access takes the lock of its `Names`.
    """

    __slots__ = ("__weakref__", "_edit", "_lock", "_members", "_name", "_value")

    def __init__(self, name: str, lock: threading.RLock) -> None:
        self._name = name
        self._lock = lock
        self._value: Workspace | EventWorkspace | None = None
        self._members: tuple[Entry, ...] | None = None
        self._edit: Edit | None = None

    @property
    def name(self) -> str:
        """The name now; the last one when it was removed."""
        return self._name

    @property
    def removed(self) -> bool:
        """True when nothing stands here any more."""
        return self._value is None and self._members is None

    @property
    def members(self) -> tuple[Entry, ...] | None:
        """The entries of a group; None for a single workspace."""
        return self._members

    @property
    def value(self) -> AnyWorkspace:
        """What stands under the name; `UnknownWorkspaceError` when it was removed."""
        with self._lock:
            if self._members is not None:
                single = tuple(_single(one) for one in self._members)
                return WorkspaceGroup(members=single, names=tuple(one.name for one in self._members))
            if self._value is None:
                raise UnknownWorkspaceError(f"the workspace {self._name!r} was deleted or replaced by another of that name")
            if self._edit is not None and isinstance(self._value, Workspace):
                self._value = self._edit.apply(self._value)
            return self._value

    @property
    def unedited(self) -> Workspace | EventWorkspace:
        """A single workspace without what a script is writing into it: cheap, for all but its arrays."""
        if self._value is None:
            value = self.value
            raise TypeError(f"{self._name!r} is a {type(value).__name__}; wanted a single workspace")
        return self._value

    def update(self, change: Callable[[Workspace | EventWorkspace], Workspace | EventWorkspace]) -> None:
        """Replace a single workspace by what `change` makes of it; arrays in a script's hand stay valid."""
        with self._lock:
            self._value = change(self.unedited)

    @property
    def edit(self) -> Edit | None:
        """Arrays in a script's hand, applied each time the value is read; forgotten when the value is replaced."""
        return self._edit

    @edit.setter
    def edit(self, edit: Edit | None) -> None:
        with self._lock:
            self._edit = edit


class Names(Mapping[str, AnyWorkspace]):
    """Workspaces by name; a mapping to read, methods to change. Any number of threads may use it at once."""

    def __init__(self) -> None:
        self.lock = threading.RLock()
        """Held while one change is made; hold it to make several as one."""
        self._kept: dict[str, Entry] = {}
        self._fleeting: WeakValueDictionary[str, Entry] = WeakValueDictionary()
        self._count = itertools.count(1)

    def __getitem__(self, name: str) -> AnyWorkspace:
        return self.entry(name).value

    def __contains__(self, name: object) -> bool:
        with self.lock:
            return name in self._kept or name in self._fleeting

    def __iter__(self) -> Iterator[str]:
        with self.lock:
            return iter(list(self._kept))

    def __len__(self) -> int:
        return len(self._kept)

    def entry(self, name: str) -> Entry:
        """Return the place of `name`.

        Raises
        ------
        UnknownWorkspaceError
            If there is none; names the nearest.
        """
        with self.lock:
            found = self._find(name)
            if found is None:
                raise UnknownWorkspaceError(self.missing(name))
            return found

    def missing(self, name: str) -> str:
        """Return the message that `name` does not exist, with the nearest that does or a list of those that do."""
        visible = sorted(one for one in self if not one.startswith("__"))
        near = difflib.get_close_matches(name, visible, n=1)
        rest = f"did you mean {near[0]!r}?" if near else f"there are: {', '.join(visible[:10]) or 'none yet'}{', ...' if len(visible) > 10 else ''}"
        return f'The workspace "{name}" does not exist; {rest}'

    def put(self, name: str, value: AnyWorkspace, *, keep: bool = True) -> Entry:
        """Put a value under a name, in place of what stood there, and return the place.

        Parameters
        ----------
        name:
            Any text but the empty one.
        value:
            A workspace, or a group: its members are put under `name`_1, `name`_2, ...; members of a group that is
            already there under `name` with as many members keep their names.
        keep:
            False: held only as long as somebody holds the returned place (or it is kept by another call).
        """
        if not name:
            raise ValueError("a workspace needs a name, got an empty one")
        with self.lock:
            entry = self._place(name, keep)
            if isinstance(value, WorkspaceGroup):
                self._put_members(entry, value, keep)
            else:
                old = self._emptied(entry)
                entry._value = value
                self._drop(old, entry.name, but=())
            return entry

    def group(self, name: str, members: Sequence[str]) -> Entry:
        """Make a group of workspaces that exist; they keep their names. Groups among them are replaced by their members."""
        with self.lock:
            entries: list[Entry] = []
            for member in members:
                found = self.entry(member)
                entries.extend([found] if found.members is None else found.members)
                if found.members is not None and found.name != name:
                    self._forget(found)
            entry = self._place(name, True)
            if entry in entries:
                raise ValueError(f"the group {name!r} cannot bear the name of one of its members; wanted another name for the group")
            self._emptied(entry)
            self._leave_groups(entry)
            entry._members = tuple(dict.fromkeys(entries))
            return entry

    def ungroup(self, name: str) -> None:
        """Remove a group and leave its members; `ValueError` when it is none."""
        with self.lock:
            entry = self.entry(name)
            if entry.members is None:
                raise ValueError(f"{name!r} is a single workspace; wanted a group")
            self._forget(entry)

    def rename(self, old: str, new: str) -> Entry:
        """Give a workspace another name, in place of what stood there; members ``<old>_n`` of a group follow."""
        if not new:
            raise ValueError(f"{old!r} cannot be renamed to an empty name")
        with self.lock:
            entry = self.entry(old)
            if old == new:
                return entry
            standing = self._find(new)
            if standing is not None and standing in (entry.members or ()):
                raise ValueError(f"the group {old!r} cannot bear the name of its member {new!r}")
            if standing is not None:
                self._forget(standing, members_but=entry.members or (entry,))
            self._unlist(entry)
            entry._name = new
            self._kept[new] = entry
            for member in entry.members or ():
                if _is_numbered(member.name, old):
                    self.rename(member.name, new + member.name[len(old) :])
            return entry

    def remove(self, name: str, *, members: bool = False) -> AnyWorkspace:
        """Remove a name, also from its groups, and return what stood there; a group that loses its last member goes too.

        Parameters
        ----------
        members:
            True: the members of a group are removed as well.
        """
        with self.lock:
            entry = self.entry(name)
            value = entry.value
            inner = entry.members or ()
            self._forget(entry)
            for member in inner if members else ():
                if not member.removed:
                    self._forget(member)
            return value

    def clear(self) -> None:
        """Remove all names."""
        with self.lock:
            for name in list(self._kept):
                if name in self._kept:
                    self._forget(self._kept[name])

    def unused(self, stem: str) -> str:
        """Return a name that begins with `stem` and that nobody has or gets from here again."""
        return next(name for name in (f"{stem}{number}" for number in self._count) if name not in self)

    def _find(self, name: str) -> Entry | None:
        return self._kept.get(name) or self._fleeting.get(name)

    def _place(self, name: str, keep: bool) -> Entry:
        """Return the entry of `name`, made when there is none."""
        entry = self._find(name) or Entry(name, self.lock)
        if keep:
            self._fleeting.pop(name, None)
            self._kept[name] = entry
        elif name not in self._kept:
            self._fleeting[name] = entry
        return entry

    def _put_members(self, entry: Entry, value: WorkspaceGroup, keep: bool) -> None:
        """Put the members of a group under their names and their entries into the group's."""
        # A group holds single workspaces only, so what becomes a group leaves those it was in.
        self._leave_groups(entry)
        names = [f"{entry.name}_{number}" for number in range(1, len(value) + 1)]
        if entry.members is not None and len(entry.members) == len(value):
            names = [one.name for one in entry.members]
        old = self._emptied(entry)
        entry._members = ()
        members = tuple(self.put(name, one, keep=keep) for name, one in zip(names, value.members, strict=True))
        entry._members = members
        self._drop(old, entry.name, but=members)

    def _emptied(self, entry: Entry) -> tuple[Entry, ...]:
        """Let go of what an entry holds and return the members it had."""
        old = entry.members or ()
        entry._value, entry._edit, entry._members = None, None, None
        return old

    def _drop(self, members: Sequence[Entry], group: str, but: Sequence[Entry]) -> None:
        """Remove members that were made for a group and are not in what comes now, so that nothing is left behind."""
        for member in members:
            if member not in but and _is_numbered(member.name, group) and not member.removed:
                self._forget(member)

    def _forget(self, entry: Entry, members_but: Sequence[Entry] | None = None) -> None:
        """Take an entry out of the lists and groups and let go of its value; with `members_but` also of members made for it, but those."""
        self._unlist(entry)
        old = self._emptied(entry)
        self._leave_groups(entry)
        if members_but is not None:
            self._drop(old, entry.name, members_but)

    def _leave_groups(self, entry: Entry) -> None:
        """Take an entry out of all groups; a group that loses its last member goes too."""
        for group in [*self._kept.values(), *self._fleeting.values()]:
            if group.members is not None and entry in group.members:
                group._members = tuple(one for one in group.members if one is not entry)
                if not group._members:
                    self._forget(group)

    def _unlist(self, entry: Entry) -> None:
        self._kept.pop(entry.name, None)
        self._fleeting.pop(entry.name, None)


def _single(entry: Entry) -> Workspace | EventWorkspace:
    """Return the value of a member, which is never a group."""
    value = entry.value
    assert not isinstance(value, WorkspaceGroup)
    return value


def _is_numbered(member: str, group: str) -> bool:
    """Return True for the name that a group gives its member: ``<group>_<n>``."""
    return re.fullmatch(re.escape(group) + r"_\d+", member) is not None
