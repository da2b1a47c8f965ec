"""Where a result comes from: the scripts, the part of the journal and the software that made it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True, kw_only=True)
class ScriptSource:
    """One script as it was run."""

    role: str
    """What it was run as: "processing" or "post-processing"."""

    path: str
    """File it was read from."""

    md5: str
    """MD5 of the file, 32 hex digits."""

    text: str
    """The file's text."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Provenance:
    """What made the results of one reduction."""

    scripts: tuple[ScriptSource, ...] = ()
    """The scripts, in the order they run."""

    chunk_first: int | None = None
    """Journal position of the first record in the result; None when it did not come from a journal."""

    chunk_last: int | None = None
    """Journal position of the last record in the result; None when it did not come from a journal."""

    versions: tuple[tuple[str, str], ...] = ()
    """Names and versions of software that took part, beside Python, numpy, h5py and livereduce, which are always recorded."""

    written: list[str] = field(default_factory=list, compare=False)
    """Files written under it so far; grows as they are written."""


_current: ContextVar[Provenance | None] = ContextVar("provenance", default=None)


def current() -> Provenance | None:
    """Return the provenance of the reduction that this thread is doing; None outside of one."""
    return _current.get()


def wrote(path: str) -> None:
    """Note that a file was written by the reduction that this thread is doing."""
    reduction = _current.get()
    if reduction is not None:
        reduction.written.append(path)


@contextmanager
def using(provenance: Provenance | None) -> Iterator[None]:
    """Make `provenance` the current one in this thread until the block ends.

    A thread begins without one: hand it over and enter the block inside the thread.
    """
    token = _current.set(provenance)
    try:
        yield
    finally:
        _current.reset(token)
