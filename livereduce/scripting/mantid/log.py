"""``mantid.logger``: scripts' messages, into Python's logging under the name ``mantid``."""

from __future__ import annotations

import logging


class Logger:
    """A logger with the methods that scripts call.

    Parameters
    ----------
    name:
        Name in the log; below ``mantid``.
    """

    def __init__(self, name: str = "") -> None:
        self._logger = logging.getLogger(f"mantid.{name}" if name else "mantid")

    def debug(self, message: object) -> None:
        """Log at DEBUG."""
        self._logger.debug("%s", message)

    def information(self, message: object) -> None:
        """Log at INFO."""
        self._logger.info("%s", message)

    # Mantid has a level between information and warning; ours has none.
    notice = information
    info = information

    def warning(self, message: object) -> None:
        """Log at WARNING."""
        self._logger.warning("%s", message)

    def error(self, message: object) -> None:
        """Log at ERROR."""
        self._logger.error("%s", message)

    def fatal(self, message: object) -> None:
        """Log at CRITICAL."""
        self._logger.critical("%s", message)

    def getName(self) -> str:
        """Return the logger's name."""
        return self._logger.name
