"""The configuration file while the service runs: what can be applied at once is; for the rest the daemon ends and is started anew."""

from __future__ import annotations

import logging
from collections.abc import Callable
from pathlib import Path

import msgspec

from livereduce.config import Config, parse
from livereduce.errors import ConfigError

log = logging.getLogger(__name__)

LIVE_KEYS = frozenset({"system_mem_limit_perc", "mem_check_interval_sec", "watchdog", "CONDA_ENV", "PIXI_ENV"})
"""Applied without a new start."""


class ConfWatch:
    """Notices that the configuration file has changed.

    Parameters
    ----------
    config:
        What the service was started with.
    path:
        Its file.
    apply:
        Called with the new configuration when only keys changed that can be applied at once.
    """

    def __init__(self, config: Config, path: Path, apply: Callable[[Config], None]) -> None:
        self._config = config
        self._path = path
        self._apply = apply
        self._seen = self._signature()
        self._unsettled: str | None = None

    def look(self) -> str:
        """Return why the service has to start anew, "" to go on. Two looks have to find the same text, so that no half of a file counts."""
        signature = self._signature()
        if signature is None or (signature == self._seen and self._unsettled is None):
            return ""
        try:
            text = self._path.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError):
            return ""
        if text != self._unsettled:
            self._unsettled = text
            return ""
        self._seen, self._unsettled = signature, None
        return self._judge(text)

    def _judge(self, text: str) -> str:
        try:
            new = parse(text, str(self._path))
        except ConfigError as error:
            log.error("The configuration changed and is wrong: %s; the service goes on with the one before", error)
            return ""
        changed = {
            name: (getattr(self._config, name), value) for name, value in msgspec.structs.asdict(new).items() if value != getattr(self._config, name)
        }
        said = ", ".join(f"{name} {before!r} -> {after!r}" for name, (before, after) in changed.items())
        if not changed:
            return ""
        if LIVE_KEYS.issuperset(changed):
            log.info("Configuration changed: %s - applied", said)
            self._config = new
            self._apply(new)
            return ""
        log.info("Configuration changed: %s - the daemon ends, to be started anew", said)
        return f"configuration changed: {said}"

    def _signature(self) -> tuple[int, int, int] | None:
        try:
            stat = self._path.stat()
        except OSError:
            return None
        return stat.st_mtime_ns, stat.st_size, stat.st_ino
