"""What ends the supervisor's wait."""

from __future__ import annotations

import os
import select
import signal
import threading
from collections.abc import Iterator

import pytest

from livereduce.supervisor.wake import SIGNALS, Wake


@pytest.fixture
def wake() -> Iterator[Wake]:
    before = {number: signal.getsignal(number) for number in SIGNALS}
    wake = Wake()
    yield wake
    for number, handler in before.items():
        signal.signal(number, handler)
    wake.close()


def readable(wake: Wake, wait_s: float = 0.0) -> bool:
    return bool(select.select([wake], [], [], wait_s)[0])


def test_it_is_readable_from_set_to_clear(wake: Wake) -> None:
    assert not readable(wake)
    wake.set()
    wake.set()
    assert readable(wake)
    wake.clear()
    assert not readable(wake)
    wake.clear()


def test_another_thread_ends_the_wait(wake: Wake) -> None:
    threading.Thread(target=wake.set).start()
    assert readable(wake, 10.0)


def test_it_can_be_set_any_number_of_times_without_blocking(wake: Wake) -> None:
    for _ in range(70_000):
        wake.set()
    while readable(wake):
        wake.clear()


@pytest.mark.parametrize("number", SIGNALS)
def test_a_signal_is_noted_and_wakes(wake: Wake, number: int) -> None:
    wake.catch_signals()
    os.kill(os.getpid(), number)
    assert readable(wake, 10.0)
    assert wake.signals == [number]
