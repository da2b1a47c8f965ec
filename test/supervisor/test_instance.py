"""One daemon for an instrument."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from livereduce.errors import ConfigError, StoreError
from livereduce.supervisor.instance import Lock

ROOT = Path(__file__).resolve().parents[2]

HOLDER = """
import sys
from pathlib import Path
from livereduce.supervisor.instance import Lock
lock = Lock(Path(sys.argv[1]))
print("held", flush=True)
sys.stdin.read()
"""


def test_a_second_daemon_is_refused_with_the_pid_of_the_first_until_that_is_gone(tmp_path: Path) -> None:
    path = tmp_path / "ARCS" / "lock"
    with subprocess.Popen([sys.executable, "-c", HOLDER, str(path)], cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as first:
        assert first.stdout is not None
        assert first.stdout.readline() == "held\n"
        with pytest.raises(StoreError, match=rf"^another livereduce runs for ARCS with pid {first.pid}; this one does not start$"):
            Lock(path)
        first.kill()
    lock = Lock(path)
    assert path.read_text().split() == [str(os.getpid())]
    lock.release()


def test_a_lock_that_was_given_back_can_be_taken_again(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    Lock(path).release()
    assert path.read_text().split() == []
    again = Lock(path)
    with pytest.raises(StoreError, match=f"with pid {os.getpid()};"):
        Lock(path)
    again.release()


def test_only_the_user_may_read_it(tmp_path: Path) -> None:
    lock = Lock(tmp_path / "new" / "lock")
    assert (tmp_path / "new").stat().st_mode & 0o777 == 0o700
    assert (tmp_path / "new" / "lock").stat().st_mode & 0o777 == 0o600
    lock.release()


def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(ConfigError) as caught:
        Lock(tmp_path / "file" / "lock")
    assert str(caught.value) == f"state_dir: {tmp_path}/file/lock: cannot be written: File exists; wanted a folder of this user"
