"""Post-processing: one job at a time, in its own thread, on snapshots that nobody changes."""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

from livereduce.data.group import AnyWorkspace
from livereduce.store.board import About
from livereduce.store.status import OutlineStatus


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Job:
    """A snapshot to post-process."""

    snapshot: AnyWorkspace
    """The accumulation as it was."""

    about: About
    """What it was made from."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Product:
    """What a job made, beside the result that it published."""

    files: tuple[str, ...] = ()
    """Files written, oldest first."""

    outline: OutlineStatus | None = None
    """The result in a few numbers."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Outcome:
    """What came of a job."""

    job: Job
    """The job."""

    seconds: float
    """Time it took."""

    product: Product | BaseException
    """What was made, or what went wrong."""


class PostProcessor:
    """Runs jobs in the order given, one at a time, and reports each when it is done.

    Parameters
    ----------
    work:
        Does a job; raises what went wrong.
    report:
        Called from the thread after each job.
    """

    def __init__(self, work: Callable[[Job], Product], report: Callable[[Outcome], None]) -> None:
        self._work = work
        self._report = report
        self._jobs: queue.SimpleQueue[Job | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._run, name="post-processing", daemon=True)
        self.running_since_s: float | None = None

    def open(self) -> None:
        """Start the thread."""
        self._thread.start()

    def start(self, job: Job) -> None:
        """Hand over a job."""
        self.running_since_s = time.monotonic()
        self._jobs.put(job)

    def close(self, timeout_s: float) -> bool:
        """Let the job in hand end; return whether it did so within `timeout_s`."""
        self._jobs.put(None)
        self._thread.join(timeout_s)
        return not self._thread.is_alive()

    def _run(self) -> None:
        while (job := self._jobs.get()) is not None:
            started = time.monotonic()
            try:
                product: Product | BaseException = self._work(job)
            except BaseException as caught:  # noqa: BLE001 - the top of this thread: whatever it is, a script's sys.exit too, goes to the report
                product = caught
            self.running_since_s = None
            self._report(Outcome(job=job, seconds=time.monotonic() - started, product=product))
