"""What a reducer says of itself: the counters behind its status."""

from __future__ import annotations

import logging
import math
import os
from collections import deque
from collections.abc import Sequence

from livereduce.data.group import AnyWorkspace, WorkspaceGroup
from livereduce.reducer.accumulation import Accumulation, describe, total_counts
from livereduce.reducer.failures import Failures
from livereduce.reducer.postprocess import Product
from livereduce.store.record import RunStart
from livereduce.store.status import ReducerStatus, ScriptStatus

log = logging.getLogger(__name__)

RATE_WINDOW_S = 60.0
"""Time over which chunks per second are taken."""

FILES_SHOWN = 10
"""Newest files named in the status."""


class Report:
    """Collects what the status shows."""

    def __init__(self, *, generation: int, scripts: list[ScriptStatus]) -> None:
        self.status = ReducerStatus(pid=os.getpid(), generation=generation, scripts=scripts)
        self._times: deque[float] = deque()

    def run_began(self, start: RunStart) -> None:
        """Note the run that begins."""
        self.status.run_number, self.status.run_title, self.status.run_start_ns = start.number, start.title, start.time_ns
        self.status.chunks = 0

    def run_over(self) -> None:
        """Note that no run goes on."""
        self.status.run_number = None

    def left_out(self, events: int) -> None:
        """Note events that no spectrum and period of the run has a place for; the first ones are told in the log."""
        if events and not self.status.events_left_out:
            log.warning("%d events of a chunk have a spectrum or period that the run does not have; they are left out and counted", events)
        self.status.events_left_out += events

    def chunk_done(self, now_s: float, seconds: float) -> None:
        """Note a chunk that was processed."""
        self.status.chunks += 1
        self.status.chunk_s = seconds
        self._times.append(now_s)

    def post_done(self, time_ns: int, seconds: float, product: Product) -> None:
        """Note a post-processing that ended well."""
        self.status.post_time_ns, self.status.post_s = time_ns, seconds
        self.status.post_count += 1
        self.status.outline = product.outline
        self.wrote(product.files)

    def wrote(self, files: Sequence[str]) -> None:
        """Note files that scripts have written."""
        self.status.files_written += len(files)
        self.status.files = list(dict.fromkeys([*reversed(files), *self.status.files]))[:FILES_SHOWN]

    def accumulated(self, accumulation: Accumulation) -> None:
        """Note what the accumulation is now."""
        self.status.accumulation = describe(accumulation.value)
        self.status.counts = total_counts(accumulation.value)
        self.status.charge_uah = _charge(accumulation.value)

    def at(self, state: str, reason: str, now_s: float, failures: Failures) -> ReducerStatus:
        """Return the status at `now_s`, s of the monotonic clock."""
        while self._times and now_s - self._times[0] > RATE_WINDOW_S:
            self._times.popleft()
        status = self.status
        status.state, status.reason, status.beat_s = state, reason, now_s
        status.chunks_per_s = len(self._times) / min(RATE_WINDOW_S, max(now_s - self._times[0], 1.0)) if self._times else 0.0
        status.failures_of_new_script = failures.never_worked
        status.proven = failures.worked([script.role for script in status.scripts])
        status.failure = failures.newest
        return status


def _charge(value: AnyWorkspace | None) -> float | None:
    if isinstance(value, WorkspaceGroup):
        return _charge(value.members[0]) if value.members else None
    return None if value is None or math.isnan(value.run.charge_uah) else value.run.charge_uah
