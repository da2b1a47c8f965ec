"""Noticing that a script changed.

The content decides, not the file's times: a signature (time, size, inode) that differs is only the reason to read. A content counts when two
looks, a settling time apart, found the same, so that a file half written or an editor's swap of two files is never taken. A version that does
not parse is told once and changes nothing. Looking each second is what the rest relies on, since network file systems tell nobody anything; a
notification from the operating system only makes the next look come sooner.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from livereduce.errors import ScriptError
from livereduce.scripting.script import Script
from livereduce.supervisor.folder_alarm import FolderAlarm
from livereduce.supervisor.script_change import Change, Role
from livereduce.supervisor.watched_script import WatchedScript

SETTLE_S = 0.1
"""s, a new content must stand unchanged for so long."""

VANISH_SETTLE_S = 0.5
"""s, the same for a file that is gone or blank: many editors and copiers empty or remove it before they write."""

POLL_S = 1.0
"""s, the longest time between two looks."""


class ScriptWatch:
    """Both scripts of an instrument under observation.

    Parameters
    ----------
    process, post:
        Where the two scripts are or may appear.
    running:
        The versions in charge already, processing first; they are read now when it is not given.
    wake:
        Called from another thread, after `start`, when a look is worth while before its time.
    settle_s, vanish_settle_s:
        s, how long a content, and the absence of one, has to stand before it counts.
    """

    def __init__(
        self,
        process: Path,
        post: Path,
        *,
        running: tuple[Script | None, Script | None] | None = None,
        wake: Callable[[], None] = lambda: None,
        settle_s: float = SETTLE_S,
        vanish_settle_s: float = VANISH_SETTLE_S,
    ) -> None:
        first = (_readable(process), _readable(post)) if running is None else running
        self._process = WatchedScript(Role.PROCESSING, process, first[0], settle_s=settle_s, vanish_settle_s=vanish_settle_s)
        self._post = WatchedScript(Role.POST_PROCESSING, post, first[1], settle_s=settle_s, vanish_settle_s=vanish_settle_s)
        self._wake = wake
        self._alarm: FolderAlarm | None = None

    @property
    def process(self) -> Script | None:
        """The processing script in charge: the first one, then that of the changes told by `look`."""
        return self._process.script

    @property
    def post(self) -> Script | None:
        """The post-processing script in charge."""
        return self._post.script

    def look(self, now_s: float) -> list[Change]:
        """Compare the scripts with what was there at the last look.

        Parameters
        ----------
        now_s:
            A monotonic clock, s.

        Returns
        -------
        list[Change]
            What has settled since; usually nothing. Several changes may ask for one and the same restart.
        """
        changes = [*self._process.look(now_s), *self._post.look(now_s)]
        if self._alarm is not None:
            self._alarm.follow(self._folders())
        return changes

    def wait_s(self, now_s: float) -> float:
        """Return for how many s the next look may wait when nothing wakes: 1, or until what was seen has settled."""
        return min(self._process.wait_s(now_s, POLL_S), self._post.wait_s(now_s, POLL_S))

    def start(self) -> None:
        """Let the operating system call `wake` when something changes in the folders; looking goes on without."""
        self._alarm = FolderAlarm(self._wake)
        self._alarm.follow(self._folders())

    def stop(self) -> None:
        """End what `start` began."""
        if self._alarm is not None:
            self._alarm.stop()
            self._alarm = None

    def _folders(self) -> set[Path]:
        return self._process.folders() | self._post.folders()


def _readable(path: Path) -> Script | None:
    """Return the script, None also when it cannot be read: the first look tells why."""
    try:
        return Script.read(path)
    except ScriptError:
        return None
