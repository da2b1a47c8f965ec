"""What the command lines of the simulators have in common."""

from __future__ import annotations

import argparse
import signal
import threading
from collections.abc import Callable

from livereduce.simulators.faults import FAULTS, Fault


def number(least: int, most: int) -> Callable[[str], int]:
    """Return what reads a whole number from `least` to `most` for argparse."""

    def number(text: str) -> int:
        value = int(text)
        if not least <= value <= most:
            raise argparse.ArgumentTypeError(f"got {value}, wanted {least} to {most}")
        return value

    return number


def real(least: float, most: float, unit: str) -> Callable[[str], float]:
    """Return what reads a number of `unit` from `least` to `most` for argparse."""

    def real(text: str) -> float:
        value = float(text)
        if not least <= value <= most:
            raise argparse.ArgumentTypeError(f"got {text}, wanted {least:g} to {most:g} {unit}")
        return value

    return real


def add_fault(parser: argparse.ArgumentParser) -> None:
    """Add the option for a fault."""
    parser.add_argument("--fault", type=Fault.parse, default=None, metavar="KIND[:BYTES]", help=f"misbehave after BYTES sent: {', '.join(FAULTS)}")


def end_on_signals() -> threading.Event:
    """Return an event that SIGINT and SIGTERM set from now on."""
    ended = threading.Event()
    for one in (signal.SIGINT, signal.SIGTERM):
        signal.signal(one, lambda *_: ended.set())
    return ended
