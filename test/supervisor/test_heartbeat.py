"""What systemd is told, over a real datagram socket."""

from __future__ import annotations

import contextlib
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from livereduce.supervisor.heartbeat import Systemd


@pytest.fixture(params=["file", "abstract"])
def systemd(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[socket.socket, str]]:
    """A socket that hears what systemd would hear, and its address as in $NOTIFY_SOCKET."""
    name = str(tmp_path / "notify") if request.param == "file" else f"@livereduce-test-{tmp_path.name}"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as ear:
        ear.bind(name.replace("@", "\0", 1) if request.param == "abstract" else name)
        ear.settimeout(5)
        yield ear, name


def test_systemd_hears_that_the_service_is_ready_lives_and_stops(systemd: tuple[socket.socket, str]) -> None:
    ear, name = systemd
    tell = Systemd({"NOTIFY_SOCKET": name})
    tell.ready()
    tell.alive("receiving; up\nto date")
    tell.alive("receiving; up to date")
    tell.alive("no beam")
    tell.stopping()
    heard = [ear.recv(1000).decode() for _ in range(5)]
    assert heard == ["READY=1", "WATCHDOG=1\nSTATUS=receiving; up to date", "WATCHDOG=1", "WATCHDOG=1\nSTATUS=no beam", "STOPPING=1"]


def test_without_systemd_nothing_happens() -> None:
    tell = Systemd({})
    tell.ready()
    tell.alive("x")
    tell.stopping()


def test_a_systemd_that_is_away_is_told_the_status_when_it_is_back(tmp_path: Path) -> None:
    tell = Systemd({"NOTIFY_SOCKET": str(tmp_path / "notify")})
    tell.alive("words")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as ear:
        ear.bind(str(tmp_path / "notify"))
        tell.alive("words")
        assert ear.recv(1000) == b"WATCHDOG=1\nSTATUS=words"


def test_a_systemd_that_does_not_listen_does_not_hold_the_service_up(tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as ear, socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as flood:
        ear.bind(str(tmp_path / "notify"))
        flood.setblocking(False)
        flood.connect(str(tmp_path / "notify"))
        with contextlib.suppress(BlockingIOError):
            for _ in range(10_000):
                flood.send(b"x")
        with pytest.raises(BlockingIOError):
            flood.send(b"x")
        Systemd({"NOTIFY_SOCKET": str(tmp_path / "notify")}).alive("still here")
