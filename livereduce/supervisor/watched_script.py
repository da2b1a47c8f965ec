"""One script under observation; decides when a new content of it counts. Reads files, but no clock."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from livereduce.errors import ScriptError
from livereduce.scripting.script import Script
from livereduce.supervisor.script_change import Change, Kind, Role, changed_line, helper_line, touched_line, unparsable_line, unreadable_line

REREAD_S = 2.0
"""s, so long after a signature changed each look reads the content: two quick writes may share a coarse file time (1 s on some servers)."""

EMPTY_MD5 = "d41d8cd98f00b204e9800998ecf8427e"
"""md5 of nothing."""

ROUNDING_S = 1e-6
"""s, by which a clock's rounding may make a waiting time too short."""

Signature = tuple[int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Pending:
    """A content that was seen and has to stand for a while."""

    script: Script | None
    """The content."""

    since_s: float
    """When it was seen first."""


class WatchedScript:
    """One script and the modules beside it that it imports.

    Parameters
    ----------
    role:
        Which of the two it is.
    path:
        Where it is or may appear.
    running:
        The version in charge.
    settle_s, vanish_settle_s:
        s, how long a content, and the absence of one, has to stand before it counts.
    """

    def __init__(self, role: Role, path: Path, running: Script | None, *, settle_s: float, vanish_settle_s: float) -> None:
        self.role = role
        self.path = path
        self.script = running
        self._settle_s = settle_s
        self._vanish_settle_s = vanish_settle_s
        self._helpers = _helper_paths(running)
        self._file = _signature(path)
        self._around: tuple[Signature, ...] | None = None  # none yet: the first look reads, since `running` was read some time ago
        self._reread_until_s = 0.0
        self._pending: Pending | None = None
        self._touched = False
        self._refused = ""

    def folders(self) -> set[Path]:
        """Return the folders in which something may concern this script: its own, where links lead to, and its helpers'."""
        files = {self.path, *self._helpers}
        return {one.parent for file in files for one in (file, Path(os.path.realpath(file)))}

    def wait_s(self, now_s: float, otherwise: float) -> float:
        """Return for how many s the next look may wait: until what was seen has settled, else `otherwise`."""
        if self._pending is None:
            return otherwise
        return min(max(self._pending.since_s + self._patience_s(self._pending.script) - now_s, 0.0), otherwise)

    def look(self, now_s: float) -> list[Change]:
        """Return what has settled since the last look; `now_s` is a monotonic clock in s."""
        if not self._worth_reading(now_s):
            return []
        try:
            found = Script.read(self.path)
        except ScriptError as error:
            self._pending, self._around = None, None  # a permission that is given back changes no signature: read again
            return self._refuse(f"{error}", unreadable_line(self.role, self.path, str(error), self._md5))
        self._helpers |= _helper_paths(found)
        if self._pending is None or not _same(found, self._pending.script):
            unchanged = _same(found, self.script) and not self._touched
            self._pending = None if unchanged else Pending(script=found, since_s=now_s)
            return []
        if now_s - self._pending.since_s < self._patience_s(found) - ROUNDING_S:
            return []
        self._pending = None
        return self._settled(found)

    @property
    def _md5(self) -> str | None:
        return None if self.script is None else self.script.md5

    def _worth_reading(self, now_s: float) -> bool:
        """Compare the signatures with those of the last look, which are replaced before the content is read: no write goes unseen."""
        file = _signature(self.path)
        # The folders' own times tell of a module that appears where an import did not find it before.
        around = tuple(_signature(path) for path in sorted(self._helpers | {one.parent for one in {self.path, *self._helpers}}))
        moved = file != self._file or around != self._around
        self._touched |= file != self._file
        self._file, self._around = file, around
        if moved:
            self._reread_until_s = now_s + REREAD_S
        return moved or self._pending is not None or now_s <= self._reread_until_s

    def _patience_s(self, script: Script | None) -> float:
        """Return how long a content has to stand: longer when something went away that was there."""
        before = dict(self.script.helpers) if self.script is not None else {}
        after = dict(script.helpers) if script is not None else {}
        emptied = any(after.get(helper, EMPTY_MD5) == EMPTY_MD5 != md5 for helper, md5 in before.items())
        return self._vanish_settle_s if script is None or emptied else self._settle_s

    def _settled(self, found: Script | None) -> list[Change]:
        touched, self._touched = self._touched, False
        if _same(found, self.script):
            self._refused = ""
            return [self._change(Kind.TOUCHED, touched_line(self.role, self.path))] if touched and found is not None else []
        if found is not None and (why := self._fault(found)):
            return self._refuse(f"{found.md5} {found.helpers}", unparsable_line(self.role, self.path, why, self._md5))
        old, self.script, self._refused, self._helpers = self.script, found, "", _helper_paths(found)
        return self._differences(old, found)

    def _fault(self, found: Script) -> str:
        """Return why a content cannot be used: the script or a module that is new in it does not parse."""
        known = set() if self.script is None else set(self.script.helpers)
        try:
            found.check_syntax()
            for helper, _ in set(found.helpers) - known:
                if (module := Script.read(helper)) is not None:
                    module.check_syntax()
        except ScriptError as error:
            return str(error)
        return ""

    def _differences(self, old: Script | None, new: Script | None) -> list[Change]:
        before, after = (None if one is None else one.md5 for one in (old, new))
        if old is None or new is None or before != after:
            return [self._change(Kind.CHANGED, changed_line(self.role, self.path, before, after))]
        was, now = dict(old.helpers), dict(new.helpers)
        differing = sorted(helper for helper in was.keys() | now.keys() if was.get(helper) != now.get(helper))
        lines = [helper_line(self.role, self.path, helper, was.get(helper), now.get(helper)) for helper in differing]
        return [self._change(Kind.HELPER_CHANGED, line) for line in lines]

    def _refuse(self, what: str, line: str) -> list[Change]:
        """Tell once why a content is not used."""
        if what == self._refused:
            return []
        self._refused = what
        return [self._change(Kind.REFUSED, line)]

    def _change(self, kind: Kind, text: str) -> Change:
        return Change(role=self.role, kind=kind, text=text, script=self.script)


def _same(a: Script | None, b: Script | None) -> bool:
    """Return True for one content: hash and the helpers' hashes agree."""
    return (a and (a.md5, a.helpers)) == (b and (b.md5, b.helpers))


def _helper_paths(script: Script | None) -> frozenset[Path]:
    return frozenset(path for path, _ in script.helpers) if script is not None else frozenset()


def _signature(path: Path) -> Signature:
    """Return what is likely to differ after a file was written, replaced or linked elsewhere; nothing when it is not there."""
    try:
        found = path.stat()
    except OSError:
        return ()
    return (found.st_mtime_ns, found.st_size, found.st_ino, found.st_dev)
