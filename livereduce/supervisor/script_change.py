"""What can happen to a script, and the line that the log has for it. Operators grep these lines: they are part of the service's contract."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from enum import Enum
from pathlib import Path

from livereduce.scripting.script import Script


class Role(Enum):
    """Which of the two scripts; the value begins its lines in the log."""

    PROCESSING = "Processing"
    """Run on each chunk."""

    POST_PROCESSING = "Post-processing"
    """Run on the accumulation."""


class Kind(Enum):
    """What happened to a script."""

    TOUCHED = "touched"
    """Written again with the same content."""

    CHANGED = "changed"
    """Its content changed, or it appeared or went away."""

    HELPER_CHANGED = "helper changed"
    """A module beside it that it imports changed, appeared or went away."""

    REFUSED = "refused"
    """The new content does not parse or cannot be read; the old one goes on."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """Something that happened to a script, and what follows from it."""

    role: Role
    """The script it happened to."""

    kind: Kind
    """What happened."""

    text: str
    """The line for the log."""

    script: Script | None
    """The version in charge from now on; None for no script."""

    @property
    def restart(self) -> bool:
        """True when a reducer with `script` has to take the place of the one that runs."""
        return self.kind in (Kind.CHANGED, Kind.HELPER_CHANGED)

    @property
    def level(self) -> int:
        """Logging level of `text`."""
        return logging.WARNING if self.kind is Kind.REFUSED else logging.INFO


def loaded_line(role: Role, path: Path, md5: str) -> str:
    """Return the line for a script that is put to use."""
    return f'Using {role.value.lower()} script "{path}" md5 {md5}'


def touched_line(role: Role, path: Path) -> str:
    """Return the line for a script that was written again with the same content."""
    return f'{role.value} script "{path}" has not changed md5sum - continuing'


def changed_line(role: Role, path: Path, old: str | None, new: str | None) -> str:
    """Return the line for a script with a new content; None is a script that is not there."""
    return f'{role.value} script "{path}" changed md5 {old or "none"} -> {new or "none"} - restarting'


def helper_line(role: Role, path: Path, helper: Path, old: str | None, new: str | None) -> str:
    """Return the line for a script of which an imported module changed; None is a module that is not there."""
    return f'{role.value} script "{path}" helper "{helper}" changed md5 {old or "none"} -> {new or "none"} - restarting'


def unparsable_line(role: Role, path: Path, why: str, old: str | None) -> str:
    """Return the line for a script whose new content is no Python."""
    return f'{role.value} script "{path}" does not parse: {why} - the version md5 {old or "none"} goes on'


def unreadable_line(role: Role, path: Path, why: str, old: str | None) -> str:
    """Return the line for a script that is there and cannot be read."""
    return f'{role.value} script "{path}" cannot be used: {why} - the version md5 {old or "none"} goes on'
