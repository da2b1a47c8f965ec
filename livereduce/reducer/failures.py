"""What goes wrong in scripts: said once for each distinct error, then counted."""

from __future__ import annotations

import logging

from livereduce.errors import LiveReduceError, ScriptError
from livereduce.store.status import FailureStatus

log = logging.getLogger(__name__)


DISTINCT_ERRORS = 100
"""Errors told apart; a message with a changing number in it must not grow this without bound. The one not seen for longest is forgotten."""


class Failures:
    """Counts the failures of a reducer's scripts."""

    def __init__(self) -> None:
        self._last: dict[str, FailureStatus] = {}
        self._in_row: dict[str, int] = {}
        self._said: dict[tuple[str, str], int] = {}
        self._worked: set[str] = set()

    def succeeded(self, role: str) -> None:
        """Note that a script ran well."""
        self._worked.add(role)
        self._in_row.pop(role, None)
        gone = self._last.pop(role, None)
        self._said = {key: count for key, count in self._said.items() if key[0] != role}
        if gone is not None and gone.count > 1:
            log.info("%s works again after %d failures", role.capitalize(), gone.count)

    def failed(self, role: str, error: BaseException, what_next: str, time_ns: int) -> None:
        """Note that a script failed; `what_next` tells the reader of the log what happens now."""
        self._in_row[role] = self._in_row.get(role, 0) + 1
        message, trace = _explained(error)
        count = self._counted(role, message)
        self._last[role] = FailureStatus(role=role, message=message, traceback=trace, count=count, time_ns=time_ns)
        if count == 1:
            log.error("%s failed: %s; %s%s", role.capitalize(), message, what_next, f"\n{trace}" if trace else "")
        elif count.bit_count() == 1:
            log.error("%s failed %d times with: %s", role.capitalize(), count, message)

    def _counted(self, role: str, message: str) -> int:
        """Return how often this error came since the script last ran well; two errors that alternate are still said once each."""
        count = self._said.pop((role, message), 0) + 1
        if len(self._said) >= DISTINCT_ERRORS:
            self._said.pop(next(iter(self._said)))
        self._said[role, message] = count
        return count

    @property
    def never_worked(self) -> int:
        """Failures in a row of a script that has never run well."""
        return max((count for role, count in self._in_row.items() if role not in self._worked), default=0)

    def worked(self, roles: list[str]) -> bool:
        """Whether each of `roles` has run well at least once."""
        return self._worked.issuperset(roles)

    @property
    def newest(self) -> FailureStatus | None:
        """The newest failure that nothing has mended."""
        return max(self._last.values(), key=lambda failure: failure.time_ns, default=None)


def _explained(error: BaseException) -> tuple[str, str]:
    if isinstance(error, ScriptError):
        return str(error), error.traceback_text
    if isinstance(error, LiveReduceError):
        return str(error), ""
    return f"{type(error).__name__}: {error}", ""
