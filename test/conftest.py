"""What holds for every test: nothing may be left running or open."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

settings.register_profile(
    "livereduce", deadline=None, max_examples=50, database=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
settings.load_profile("livereduce")

ENDING_S = 5.0
"""Threads that a test has told to end get this long."""


@pytest.fixture(autouse=True)
def _no_leaked_thread() -> Iterator[None]:
    """Fail a test that leaves a thread behind which keeps the process from ending."""
    before = set(threading.enumerate())
    yield
    deadline = time.monotonic() + ENDING_S
    left = _new_threads(before)
    for thread in left:
        thread.join(max(0.0, deadline - time.monotonic()))
    left = _new_threads(before)
    if left:
        pytest.fail(f"threads left running: {', '.join(thread.name for thread in left)}")


@pytest.fixture(autouse=True)
def _no_leaked_descriptor(request: pytest.FixtureRequest) -> Iterator[None]:
    """Fail a test that leaves files, pipes or sockets open; of LMDB's maps the files count as well."""
    before = _descriptors()
    yield
    left = {number: target for number, target in _descriptors().items() if before.get(number) != target}
    if left:
        pytest.fail(f"descriptors left open: {left}")


def _new_threads(before: set[threading.Thread]) -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread not in before and not thread.daemon and thread.is_alive()]


def _descriptors() -> dict[int, str]:
    found = {}
    for entry in Path("/proc/self/fd").iterdir():
        try:
            target = os.readlink(entry)
        except OSError:
            continue
        # Left to the process on purpose: what the interpreter, pytest and the server of child processes keep to themselves.
        if (
            not target.startswith(("/dev/", "anon_inode:[eventpoll]"))
            and "/.hypothesis/" not in target
            and not target.endswith((".pyc", ".nbi", ".nbc"))
        ):
            found[int(entry.name)] = target
    return found
