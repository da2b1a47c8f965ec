"""Life signs: to systemd, and from the children.

systemd is told READY, WATCHDOG, STATUS and STOPPING over the datagram socket that $NOTIFY_SOCKET names (sd_notify(3)). The watchdog is fed from the
supervisor's loop after it has looked at every child, so that a loop that hangs, or that cannot replace a hung child, is noticed.
"""

from __future__ import annotations

import os
import socket

SEND_S = 0.2
"""Longest wait for a systemd that does not take messages: the loop has other things to do."""


class Systemd:
    """Tells systemd how the service is; silent when there is no systemd to tell."""

    def __init__(self, environ: dict[str, str] | None = None) -> None:
        env = os.environ if environ is None else environ
        address = env.get("NOTIFY_SOCKET", "")
        self._address = "\0" + address[1:] if address.startswith("@") else address
        self._said = ""

    def ready(self) -> bool:
        """Say that the service works; return whether systemd, if there is one, took it."""
        return self._send("READY=1") or not self._address

    def alive(self, status: str) -> None:
        """Feed the watchdog, and say what the service does when that has changed."""
        words = " ".join(status.split())
        if self._send("WATCHDOG=1" if words == self._said else f"WATCHDOG=1\nSTATUS={words}"):
            self._said = words

    def stopping(self) -> None:
        """Say that the service ends."""
        self._send("STOPPING=1")

    def _send(self, text: str) -> bool:
        """Return whether it was sent."""
        if not self._address:
            return False
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as channel:
                channel.settimeout(SEND_S)
                channel.connect(self._address)
                channel.send(text.encode())
                return True
        except OSError:
            # systemd restarting itself: the next beat gets through, and it waits WatchdogSec for one.
            return False
