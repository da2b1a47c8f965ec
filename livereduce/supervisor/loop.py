"""The supervisor's loop: starts, watches and replaces the other processes. It runs no user code and touches no data.

Each turn looks at everything there is to look at (signals, children, memory, heartbeats, scripts, configuration) and then feeds systemd's
watchdog. There is one recovery, whatever the cause: end a process, start it again.
"""

from __future__ import annotations

import logging
import multiprocessing.connection
import os
import signal
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from multiprocessing.context import ForkServerContext

from livereduce import __version__
from livereduce.errors import StoreError
from livereduce.receiver.process import ReceiverSettings
from livereduce.receiver.process import main as receive
from livereduce.reducer.process import ReducerProcessSettings, ScriptPair
from livereduce.reducer.process import main as reduce
from livereduce.store.board import Board
from livereduce.store.status import ReceiverStatus, ReducerStatus, SupervisorStatus
from livereduce.supervisor.children import STOP_S, Child, stop_all
from livereduce.supervisor.heartbeat import Systemd
from livereduce.supervisor.memory import MB, limit_bytes, total_bytes, used_bytes
from livereduce.supervisor.policy import FAILURES_OF_NEW_SCRIPT, RestartPolicy
from livereduce.supervisor.wake import Wake

log = logging.getLogger(__name__)

TURN_S = 0.1
"""Longest time between two turns."""

STATUS_EVERY_S = 0.5
"""Time between two reports."""

HAND_OVER_S = 0.3
"""Time a reducer has to end when another takes its place."""

CANNOT_START_S = 5.0
"""Wait before a process that could not even be started is tried again."""

PROMPT_RESTART_S = 0.5
"""Wait before a receiver that died is started again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What can be changed while the service runs."""

    memory_percent: float
    """% of the machine's memory that the reducer may take; 0 for no limit."""

    memory_every_s: float
    """s between looks at it."""

    silence_s: float
    """s without a heartbeat after which a child is replaced."""


class Supervisor:
    """Keeps one receiver and one reducer running.

    Parameters
    ----------
    instrument:
        Its name.
    receiver, reducer:
        What the processes need to know; the reducer's scripts are the ones it begins with.
    limits:
        On memory and silence.
    look_at_scripts:
        Called each turn: returns the scripts to run from now on when they have changed, else None; logs what it saw.
    look_at_conf:
        Called each turn: returns the reason to end when the configuration asks for a new start, "" to go on.
    board:
        To read what the others say, and to say what this one does.
    systemd:
        Who to tell.
    wake:
        Ends the wait between two turns.
    """

    def __init__(
        self,
        instrument: str,
        receiver: ReceiverSettings,
        reducer: ReducerProcessSettings,
        limits: Limits,
        *,
        look_at_scripts: Callable[[], ScriptPair | None],
        look_at_conf: Callable[[], str],
        board: Board,
        systemd: Systemd,
        wake: Wake,
        context: ForkServerContext,
    ) -> None:
        self.limits = limits
        self._receiver_settings, self._reducer_settings = receiver, reducer
        self._look_at_scripts, self._look_at_conf = look_at_scripts, look_at_conf
        self._board, self._systemd, self._wake, self._context = board, systemd, wake, context
        self._receiver: Child | None = None
        self._reducer: Child | None = None
        self._receiver_due = self._reducer_due = 0.0
        self._good: ScriptPair | None = None
        self._endings, self._last_ending = 0, ""
        self._policy = RestartPolicy()
        self._began_s = 0.0
        self._total_bytes = total_bytes()
        self._memory_due = self._status_due = 0.0
        self._ready = False
        self._status = SupervisorStatus(pid=os.getpid(), instrument=instrument, version=__version__, started_ns=time.time_ns())

    def run(self) -> str:
        """Supervise until a signal or the configuration ends it; return why it ended."""
        try:
            while not (why := self._turn()):
                sentinels = [child.sentinel for child in (self._receiver, self._reducer) if child is not None]
                multiprocessing.connection.wait([*sentinels, self._wake.fileno()], timeout=TURN_S)
                self._wake.clear()
            return why
        finally:
            self._systemd.stopping()
            late = stop_all(child for child in (self._receiver, self._reducer) if child is not None)
            if late:
                log.warning("Killed: %s did not end within %.1f s", " and ".join(late), STOP_S)
            self._status.stopped = True
            self._write_status()

    def _turn(self) -> str:
        if self._wake.signals:
            return f"signal {signal.Signals(self._wake.signals[0]).name}"
        if why := self._look_at_conf():
            return why
        self._look_at_receiver()
        self._look_at_reducer()
        self._look_at_memory()
        if (scripts := self._look_at_scripts()) is not None:
            self._status.refused = ""
            self._run_scripts(scripts, "the scripts changed")
            self._status.reloads += 1
        self._report()
        return ""

    # --- children

    def _look_at_receiver(self) -> None:
        if self._receiver is not None and self._gone(self._receiver, ReceiverStatus):
            self._receiver = None
            self._receiver_due = time.monotonic() + PROMPT_RESTART_S
        if self._receiver is None and time.monotonic() >= self._receiver_due:
            try:
                self._receiver = Child(self._context, "receiver", receive, self._receiver_settings)
            except StoreError as error:
                self._receiver_due = time.monotonic() + CANNOT_START_S
                self._say(f"The receiver cannot be started: {error}; it is tried again in {CANNOT_START_S:.0f} s", logging.ERROR)

    def _look_at_reducer(self) -> None:
        if self._reducer is not None and self._gone(self._reducer, ReducerStatus):
            self._reducer = None
            self._endings += 1
            self._start_again(memory=False)
        if self._reducer is None and time.monotonic() >= self._reducer_due:
            self._start_reducer()
        self._look_at_new_script()

    def _gone(self, child: Child, role: type[ReceiverStatus] | type[ReducerStatus]) -> bool:
        """Whether `child` has ended, or hung for so long that it was ended now."""
        status = self._board.status(role)
        own = status if status is not None and status.pid == child.pid else None
        if not child.alive:
            self._say(f"The {child.role} died ({child.ending}) - restarting", logging.ERROR)
        elif why := self._hangs(child, own):
            self._say(f"The {child.role} {why} (limit {self.limits.silence_s:.0f} s) - restarting", logging.ERROR)
        else:
            return False
        child.kill()
        self._status.crashes += 1
        self._last_ending = self._status.message
        return True

    def _hangs(self, child: Child, status: ReceiverStatus | ReducerStatus | None) -> str:
        """Return how `child` hangs, in words; "" when it does not."""
        now = time.monotonic()
        silent_s = now - max(child.started_s, status.beat_s if status is not None else 0.0)
        if silent_s > self.limits.silence_s:
            return f"gave no sign of life for {silent_s:.0f} s"
        since_s = status.post_running_since_s if isinstance(status, ReducerStatus) else None
        if since_s is not None and now - since_s > self.limits.silence_s:
            return f"has been post-processing for {now - since_s:.0f} s"
        return ""

    def _start_reducer(self) -> None:
        settings = replace(self._reducer_settings, generation=self._reducer_settings.generation + 1)
        self._began_s = time.monotonic()
        try:
            self._reducer = Child(self._context, "reducer", reduce, settings)
        except StoreError as error:
            self._reducer, self._reducer_due = None, time.monotonic() + CANNOT_START_S
            self._say(f"The reducer cannot be started: {error}; it is tried again in {CANNOT_START_S:.0f} s", logging.ERROR)
            return
        self._reducer_settings = replace(settings, at_journal_end=False)

    def _start_again(self, *, memory: bool) -> None:
        checkpoint = self._board.checkpoint()
        lived_s = time.monotonic() - self._began_s
        restart = self._policy.after(-1 if checkpoint is None else checkpoint.position, memory=memory, lived_s=lived_s)
        self._reducer_settings = replace(self._reducer_settings, at_journal_end=restart.at_journal_end)
        self._reducer_due = time.monotonic() + restart.delay_s
        if restart.delay_s:
            where = ", at the journal's end" if restart.at_journal_end else ""
            why = "reached the memory limit again too soon" if memory else "made no progress since it was last replaced"
            self._say(f"The reducer {why}; the next one starts in {restart.delay_s:.1f} s{where}", logging.WARNING)

    # --- scripts

    def _run_scripts(self, scripts: ScriptPair, why: str) -> None:
        """Put a new reducer with `scripts` in the place of the one that runs; it begins at the start of the run."""
        log.info("Reducer is replaced: %s", why)
        self._status.message = why
        if self._reducer is not None:
            stop_all([self._reducer], HAND_OVER_S)
        self._reducer_settings = replace(self._reducer_settings, scripts=scripts, at_journal_end=False)
        self._policy.forget()
        self._endings = 0
        self._reducer_due = 0.0
        self._start_reducer()

    def _look_at_new_script(self) -> None:
        """Keep in mind scripts that work; put them back in charge when the ones after them never do, or end their reducer each time."""
        status = self._own_status()
        now = self._reducer_settings.scripts
        if status is not None and status.proven:
            self._good, self._endings = now, 0
        failures = max(self._endings, status.failures_of_new_script if status is not None else 0)
        if failures < FAILURES_OF_NEW_SCRIPT or self._good is None or self._good == now:
            return
        said = status.failure.message if status is not None and status.failure is not None else self._last_ending
        refused = ", ".join(script.name_and_md5 for script in now.all if script not in self._good.all)
        log.error("The new scripts (%s) failed %d times in a row (%s); the last good ones are in charge again", refused, failures, said)
        self._run_scripts(self._good, "the last good scripts are in charge again")
        self._status.refused = f"{refused}: {said}"

    def _own_status(self) -> ReducerStatus | None:
        """Return what the reducer of now says, None when it said nothing yet."""
        status: ReducerStatus | None = self._board.status(ReducerStatus)
        return status if status is not None and self._reducer is not None and status.pid == self._reducer.pid else None

    # --- memory

    def _look_at_memory(self) -> None:
        now = time.monotonic()
        if self._reducer is None or now < self._memory_due:
            return
        self._memory_due = now + self.limits.memory_every_s
        used, limit = used_bytes(self._reducer.pid), limit_bytes(self.limits.memory_percent, self._total_bytes)
        self._status.memory_mb, self._status.memory_limit_mb = used / MB, limit / MB
        if limit and used > limit:
            self._say(f"Memory usage {used / MB:.0f} MB exceeds limit {limit / MB:.0f} MB - restarting", logging.ERROR)
            self._status.memory_restarts += 1
            self._reducer.kill()
            self._reducer = None
            self._start_again(memory=True)

    # --- what others see

    def _say(self, text: str, level: int) -> None:
        log.log(level, "%s", text)
        self._status.message = text

    def _report(self) -> None:
        receiver, reducer = self._board.status(ReceiverStatus), self._board.status(ReducerStatus)
        up = (receiver is not None and self._receiver is not None and receiver.pid == self._receiver.pid) and (
            reducer is not None and self._reducer is not None and reducer.pid == self._reducer.pid
        )
        if up and not self._ready and self._systemd.ready():
            self._ready = True
            log.info("Ready")
        words = "starting" if reducer is None or receiver is None else f"{receiver.state}; {reducer.state}; {reducer.chunks} chunks"
        self._systemd.alive(words)
        now = time.monotonic()
        if now >= self._status_due:
            self._status_due = now + STATUS_EVERY_S
            self._status.beat_s = now
            self._board.check()
            self._write_status()

    def _write_status(self) -> None:
        try:
            self._board.set_status(self._status)
        except StoreError as error:
            log.error("Status cannot be written: %s", error)
