"""The reducer's loop: reads the journal, and carries out what `state` decides.

A reducer is a pure function of journal and scripts. It can be stopped at any moment and another one goes on from the checkpoint, or
from the start of the run when the scripts have changed.
"""

from __future__ import annotations

import logging
import queue
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol

from livereduce.data.group import AnyWorkspace
from livereduce.data.provenance import Provenance
from livereduce.errors import AccumulationError, LiveReduceError, StoreError
from livereduce.reducer.accumulation import Accumulation, Method
from livereduce.reducer.beginning import Beginning, at_checkpoint, at_journal_end, at_run_start
from livereduce.reducer.chunks import Chunk, ChunkMaker, RunBegan, RunOver
from livereduce.reducer.failures import Failures
from livereduce.reducer.neutrons import histogrammed
from livereduce.reducer.outline import outline
from livereduce.reducer.postprocess import Job, Outcome, PostProcessor, Product
from livereduce.reducer.report import Report
from livereduce.reducer.state import Command, Event, Phase, State, decide
from livereduce.store.board import About, Board, Checkpoint
from livereduce.store.journal import Journal
from livereduce.store.record import Histogram, RunStart

log = logging.getLogger(__name__)

LOOK_EVERY_S = 0.005
"""Time between looks at the journal when nothing waits: a fraction of what a chunk takes, a thousandth of a core."""

STATUS_EVERY_S = 0.5
"""Longest time between two reports, and the heartbeat of this process."""

CHECKPOINT_EVERY_S = 1.0
"""Shortest time between two checkpoints; more when writing one takes long (`CHECKPOINT_SHARE`)."""

CHECKPOINT_SHARE = 0.05
"""Part of the time that checkpoints may take."""

LAST_POST_S = 1.0
"""Time that a post-processing in hand gets when the daemon stops; after that it is cut off, and repeated at the next start."""


class Scripts(Protocol):
    """The scripts as the reducer sees them."""

    def process(self, chunk: AnyWorkspace, provenance: Provenance) -> AnyWorkspace:
        """Return what the processing script makes of a chunk; the chunk without one."""

    def post_process(self, snapshot: AnyWorkspace, provenance: Provenance) -> AnyWorkspace:
        """Return what the post-processing script makes of a snapshot; the snapshot without one."""

    def provenance(self, about: About) -> Provenance:
        """Return what files written now are to say of their origin."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReducerSettings:
    """How a reducer works."""

    method: Method
    """How chunks are combined."""

    update_every_s: float
    """s between post-processing runs."""

    recipe: str
    """Hash of scripts and settings: a checkpoint of another recipe is of no use."""

    preserve_events: bool = True
    """Keep events in the accumulation; otherwise each chunk's output is counted into the bins it has."""

    chunk_every_s: float = 1.0
    """Shortest time between two chunks of events, s."""

    script_md5: dict[str, str] = field(default_factory=dict)
    """md5 of the scripts by role."""

    at_journal_end: bool = False
    """Begin with what comes next, leaving aside what the journal holds."""


class Reducer:
    """Makes chunks of the journal, runs the scripts on them, publishes the results.

    Parameters
    ----------
    settings:
        How.
    journal, board:
        The two stores.
    scripts:
        The instrument's scripts.
    accumulation:
        Empty; combines the chunks.
    report:
        Collects what the status shows.
    wall_ns, monotonic_s:
        The two clocks.
    """

    def __init__(
        self,
        settings: ReducerSettings,
        journal: Journal,
        board: Board,
        scripts: Scripts,
        accumulation: Accumulation,
        report: Report,
        *,
        wall_ns: Callable[[], int] = time.time_ns,
        monotonic_s: Callable[[], float] = time.monotonic,
    ) -> None:
        self._settings = settings
        self._journal = journal
        self._board = board
        self._scripts = scripts
        self._accumulation = accumulation
        self._report = report
        self._wall_ns, self._monotonic_s = wall_ns, monotonic_s
        self._failures = Failures()
        self._maker = ChunkMaker(increments=settings.method != "Replace")
        self._post = PostProcessor(self._post_process, lambda outcome: self._inbox.put(outcome))
        self._inbox: queue.SimpleQueue[Outcome | Event] = queue.SimpleQueue()
        self._finals: deque[Job] = deque()
        self._state = State()
        self._position = self._run_position = self._first = self._last = 0
        self._data_ns = self._record_ns = 0
        self._run: RunStart | None = None
        self._caught_up_at = 0
        self._seen_version = -1
        self._next_chunk = 0.0
        self._next_post = self._next_checkpoint = self._reported_at = 0.0
        self._doing = ("", "")

    def stop(self) -> None:
        """Ask it to end; may be called from any thread."""
        self._inbox.put(Event.STOP)

    def run(self) -> None:
        """Reduce until `stop` is called."""
        self._post.open()
        self._begin()
        try:
            while self._state.phase is not Phase.STOPPING:
                self._turn()
        finally:
            self._post.close(LAST_POST_S)
            self._say("stopped", "asked to stop", force=True)

    def _begin(self) -> None:
        """Find where to begin, and take over what is known there."""
        self._caught_up_at = self._journal.extent().end
        if self._settings.at_journal_end:
            begin = at_journal_end(self._journal)
        else:
            begin = at_checkpoint(self._journal, self._board.checkpointed(), self._settings.recipe) or at_run_start(self._journal)
        self._position = begin.position
        if begin.run is not None:
            self._begin_run(begin.run_position, begin.run)
        if begin.checkpoint is not None:
            self._go_on(begin, begin.checkpoint)
        log.info("Reducer begins at journal position %d of %d", self._position, self._caught_up_at)

    def _go_on(self, begin: Beginning, where: Checkpoint) -> None:
        self._first, self._last, self._data_ns = where.first_position, where.position - 1, where.data_ns
        self._record_ns = where.record_ns
        if begin.reading is not None and begin.reading.counts is not None and isinstance(begin.reading.header, Histogram):
            self._maker.resume(where.previous_position, begin.reading.header, begin.reading.counts)
        if begin.accumulation is not None:
            self._accumulation.restore(begin.accumulation, where.chunks)
            self._report.accumulated(self._accumulation)
            self._report.status.chunks = where.chunks
            self._state = State(has_data=True, changed=True)

    def _begin_run(self, position: int, start: RunStart) -> None:
        self._maker.begin(start)
        self._run, self._run_position = start, position
        self._report.run_began(start)

    # --- the loop

    def _turn(self) -> None:
        """Take what waits, start what is due, report."""
        version = self._journal.version()
        idle = version == self._seen_version or (self._maker.of_events and self._monotonic_s() < self._next_chunk)
        self._empty_inbox(LOOK_EVERY_S if idle else 0.0)
        if not idle or self._state.phase is not Phase.LIVE:
            self._take(version)
        self._timers()
        self._say_where()

    def _take(self, version: int) -> None:
        """Make chunks of what waits in the journal, whose version was `version` before."""
        batch = self._journal.read(self._position)
        more = batch.next > self._position  # not `records`: those that cannot be read are left out there
        self._seen_version = -1 if more else version
        for piece in self._maker.pieces(batch.records):
            match piece:
                case RunBegan():
                    self._run_began(piece)
                case Chunk():
                    self._chunk(piece)
                case RunOver():
                    self._run_over(piece)
        self._position = batch.next
        if batch.cut:
            self._next_chunk = 0.0  # it is behind: chunks as large as they may be, one after another
        self._record_ns = batch.records[-1][1].header.time_ns if batch.records else self._record_ns
        if not more or self._position >= self._caught_up_at:
            self._apply(Event.CAUGHT_UP)

    def _empty_inbox(self, wait_s: float) -> None:
        try:
            message = self._inbox.get(timeout=wait_s) if wait_s else self._inbox.get_nowait()
            while True:
                if isinstance(message, Outcome):
                    self._post_ended(message)
                else:
                    self._apply(message)
                message = self._inbox.get_nowait()
        except queue.Empty:
            return

    def _timers(self) -> None:
        now = self._monotonic_s()
        if now >= self._next_post:
            self._apply(Event.POST_DUE)
        if now >= self._next_checkpoint:
            self._apply(Event.CHECKPOINT_DUE)

    # --- what the journal says

    def _run_began(self, piece: RunBegan) -> None:
        # First what is due for the run before, if its end was lost; that has to bear its own number.
        self._apply(Event.RUN_BEGAN)
        self._begin_run(piece.position, piece.start)

    def _run_over(self, piece: RunOver) -> None:
        status = self._report.status
        why = f" ({piece.end.reason})" if piece.end.reason else ""
        again = " - from the journal" if piece.position < self._caught_up_at else ""
        charge = status.charge_uah if status.charge_uah is not None else 0.0
        log.info("Run %d ended: %d chunks, %.0f events, %.4g uAh%s%s", piece.end.number, status.chunks, status.counts, charge, why, again)
        self._apply(Event.RUN_OVER)
        self._run, self._run_position = None, -1
        self._report.run_over()

    def _chunk(self, chunk: Chunk) -> None:
        self._say("processing", f"journal positions {chunk.first} to {chunk.last}")
        started = self._monotonic_s()
        self._next_chunk = started + self._settings.chunk_every_s
        self._report.left_out(chunk.out_of_range)
        if chunk.anew:
            self._accumulation.clear()
        try:
            self._accumulate(self._processed(chunk), chunk)
        except AccumulationError as error:
            self._failures.failed("accumulation", error, "the accumulation begins anew with this chunk", self._wall_ns())
            self._report.status.restarts_of_accumulation += 1
            self._begin_anew(chunk)
        except LiveReduceError as error:
            then = "is done again when the script changes" if self._maker.of_events else "is part of the next one"
            what_next = f"chunk at {chunk.first} to {chunk.last} stays in the journal and {then}"
            self._failures.failed("processing", error, what_next, self._wall_ns())
            self._apply(Event.CHUNK_FAILED)
            return
        self._report.chunk_done(self._monotonic_s(), self._monotonic_s() - started)

    def _processed(self, chunk: Chunk) -> AnyWorkspace:
        provenance = self._scripts.provenance(self._about(chunk.first, chunk.last, chunk.data_ns))
        output = self._scripts.process(chunk.value, provenance)
        self._report.wrote(provenance.written)
        self._failures.succeeded("processing")
        return output if self._settings.preserve_events else histogrammed(output)

    def _accumulate(self, output: AnyWorkspace, chunk: Chunk) -> None:
        fresh = self._accumulation.value is None
        self._accumulation.add(output)
        self._maker.taken()
        self._first = chunk.first if fresh else self._first
        self._last, self._data_ns = chunk.last, chunk.data_ns
        self._report.accumulated(self._accumulation)
        self._apply(Event.CHUNK_ADDED)

    def _begin_anew(self, chunk: Chunk) -> None:
        """Begin the accumulation with the newest data, all of the run as far as the source has told it."""
        self._accumulation.clear()
        whole = self._maker.whole(chunk)
        try:
            self._accumulate(self._processed(whole), whole)
        except LiveReduceError as error:
            self._failures.failed("processing", error, "the accumulation is empty until the next chunk", self._wall_ns())
            self._apply(Event.CHUNK_FAILED)

    # --- what was decided

    def _apply(self, event: Event) -> None:
        self._state, commands = decide(self._state, event)
        for command in commands:
            match command:
                case Command.CLEAR:
                    self._accumulation.clear()
                case Command.POST:
                    self._next_post = self._monotonic_s() + self._settings.update_every_s
                    self._post.start(self._job(final=False))
                case Command.QUEUE_FINAL:
                    self._finals.append(self._job(final=True))
                case Command.POST_FINAL:
                    self._post.start(self._finals.popleft())
                case Command.DROP_FINAL:
                    job = self._finals.popleft()
                    log.error("Run %d: its last post-processing is given up, %d others wait", job.about.run_number, len(self._finals))
                case Command.CHECKPOINT:
                    self._checkpoint()

    def _job(self, *, final: bool) -> Job:
        snapshot = self._accumulation.snapshot()
        assert snapshot is not None
        return Job(snapshot=snapshot, about=self._about(self._first, self._last, self._data_ns, final=final))

    def _about(self, first: int, last: int, data_ns: int, *, final: bool = False) -> About:
        return About(
            run_number=self._run.number if self._run is not None else 0,
            chunk_first=first,
            chunk_last=last,
            chunks=self._accumulation.chunks,
            data_ns=data_ns,
            published_ns=self._wall_ns(),
            final=final,
            scripts=self._settings.script_md5,
        )

    def _post_process(self, job: Job) -> Product:
        """Run post-processing on a snapshot and publish the result; in the post-processing thread."""
        provenance = self._scripts.provenance(job.about)
        result = self._scripts.post_process(job.snapshot, provenance)
        self._board.publish({"result": result}, job.about)
        return Product(files=tuple(provenance.written), outline=outline(result))

    def _post_ended(self, outcome: Outcome) -> None:
        if isinstance(outcome.product, Product):
            self._failures.succeeded("post-processing")
            self._report.post_done(self._wall_ns(), outcome.seconds, outcome.product)
            self._report.status.lag_s = max(0.0, (self._wall_ns() - outcome.job.about.data_ns) / 1e9)
        else:
            what_next = "the result before stays; the accumulation goes on"
            self._failures.failed("post-processing", outcome.product, what_next, self._wall_ns())
        self._reported_at = 0.0
        self._apply(Event.POST_ENDED)

    def _checkpoint(self) -> None:
        started = self._monotonic_s()
        where = Checkpoint(
            position=self._position,
            record_ns=self._record_ns,
            run_position=self._run_position if self._run is not None else -1,
            first_position=self._first,
            recipe=self._settings.recipe,
            chunks=self._accumulation.chunks,
            previous_position=self._maker.previous_position if self._run is not None else -1,
            data_ns=self._data_ns,
        )
        try:
            self._board.save_checkpoint(where, self._accumulation.value)
        except StoreError as error:
            log.error("Checkpoint not written: %s; after a restart the run is reduced again from the journal", error)
            self._apply(Event.CHECKPOINT_FAILED)
        took = self._monotonic_s() - started
        self._next_checkpoint = self._monotonic_s() + max(CHECKPOINT_EVERY_S, took / CHECKPOINT_SHARE)

    # --- what others see

    def _say_where(self) -> None:
        waiting = max(0, self._journal.extent().end - self._position)
        self._report.status.lag_records = waiting
        if self._state.phase is Phase.REPLAYING:
            self._say("catching up", f"{waiting} of {self._caught_up_at} records to do")
        elif self._run is None:
            self._say("waiting for data", "no run goes on")
        elif self._accumulation.value is None:
            self._say("waiting for data", "the run has no chunk yet")
        else:
            self._say("up to date", "")

    def _say(self, state: str, reason: str, *, force: bool = False) -> None:
        now = self._monotonic_s()
        if not force and now - self._reported_at < (STATUS_EVERY_S if self._doing[0] == state else STATUS_EVERY_S / 5):
            return
        self._reported_at, self._doing = now, (state, reason)
        self._journal.check()
        self._report.status.position = self._position
        self._report.status.post_running_since_s = self._post.running_since_s
        try:
            self._board.set_status(self._report.at(state, reason, now, self._failures))
        except StoreError as error:
            log.error("Status cannot be written: %s", error)
