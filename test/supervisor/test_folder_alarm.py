"""Notifications of the operating system."""

import logging
import threading
from pathlib import Path

import pytest

from livereduce.supervisor import folder_alarm
from livereduce.supervisor.folder_alarm import FolderAlarm


def test_other_files_wake_nobody(tmp_path: Path) -> None:
    woken: list[int] = []
    done = threading.Event()

    def wake() -> None:
        woken.append(1)
        done.set()

    alarm = FolderAlarm(wake)
    try:
        alarm.follow({tmp_path})
        for i in range(50):
            (tmp_path / f"{i}.log").write_text("line\n")
        # Events come in order: when the last one is here, all the others were passed over.
        (tmp_path / "script.py").touch()
        assert done.wait(10.0)
    finally:
        alarm.stop()
    assert len(woken) <= 4


def test_a_file_renamed_to_a_script_wakes(tmp_path: Path) -> None:
    woken = threading.Event()
    (tmp_path / "new.tmp").write_text("x = 1\n")
    alarm = FolderAlarm(woken.set)
    try:
        alarm.follow({tmp_path, tmp_path / "missing"})
        (tmp_path / "new.tmp").rename(tmp_path / "script.py")
        assert woken.wait(10.0)
    finally:
        alarm.stop()


def test_a_system_without_watches_left_is_told_once(tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch) -> None:
    alarm = FolderAlarm(lambda: None)
    monkeypatch.setattr(alarm._observer, "schedule", lambda *_: (_ for _ in ()).throw(OSError(28, "inotify watch limit reached")))
    try:
        for _ in range(3):
            alarm.follow({tmp_path})
    finally:
        alarm.stop()
    assert [(one.name, one.levelno) for one in caplog.records] == [(folder_alarm.__name__, logging.WARNING)]
