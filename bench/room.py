"""One room of cases on one core or on all, in a process of its own: libraries look at the cores they may use when they are loaded."""

from __future__ import annotations

import json
import os
import sys
from dataclasses import asdict
from fnmatch import fnmatch
from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from bench.cases import Case

ROOMS = ("events", "histograms", "journal", "daemon")
"""Modules of `bench` that have cases."""


def wanted(key: str, only: str) -> bool:
    """Return whether a key is asked for: a part of it, or a pattern with * and ?."""
    return only in key or fnmatch(key, only)


def measure(room: str, cores: str, only: str, repeat: int, quick: bool) -> None:
    """Measure and write a line of JSON for each case to the standard output."""
    if cores == "1":
        # The last one: interrupts like the first.
        os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
    from bench.cases import timings

    threads = len(os.sched_getaffinity(0))
    for case in import_module(f"bench.{room}").cases(quick=quick, threads=threads):
        if wanted(case.key, only) and cores in case.cores:
            print(json.dumps(_row(case, cores, [asdict(timing) for timing in timings(case, repeat)])), flush=True)


def _row(case: Case, cores: str, times: list[dict[str, Any]]) -> dict[str, Any]:
    return {
        "key": case.key,
        "name": case.name,
        "cores": cores,
        "seconds": case.seconds,
        "mantid_ms_not_in_this_run": case.mantid_ms,
        "figures": case.figures,
        "times": times,
    }


if __name__ == "__main__":
    room, cores, only, repeat, quick = sys.argv[1:]
    measure(room, cores, only, int(repeat), quick == "quick")
