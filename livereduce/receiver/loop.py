"""The receiver: whatever the source sends goes into the journal, before anything else happens to it.

It runs no user code. The source may go away and come back as it likes; each time the receiver waits a little longer, up to `MAX_BACK_OFF_S`,
and a run that is still the same goes on.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from livereduce.errors import ListenerError, StoreError, WireError
from livereduce.listeners.source import Listener
from livereduce.receiver.evidence import keep_evidence
from livereduce.receiver.tally import Tally
from livereduce.store.board import Board
from livereduce.store.journal import Journal
from livereduce.store.record import Gap, Record, RunStart
from livereduce.store.status import ReducerStatus

log = logging.getLogger(__name__)

FIRST_BACK_OFF_S = 0.5
"""First wait before the source is tried again."""

MAX_BACK_OFF_S = 10.0
"""Longest wait: a source that was away over night is back within this."""

UNSEEN_FRACTION = 0.5
"""Part of the journal that may be filled with what no reducer has seen; beyond that the source has to wait, so that nothing unseen is dropped."""

FIRST_LOSSES_LOGGED = 5
"""Losses for the same reason that are all logged; of the later ones the 8th, 16th, 32nd, ..."""

STATUS_EVERY_S = 0.5
"""Longest time between two reports, and the heartbeat of this process."""

SYNC_EVERY_S = 1.0
"""At most this much is lost in a power cut."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Clocks:
    """The two clocks: what the data say, and what timers follow."""

    wall_ns: Callable[[], int] = time.time_ns
    """ns since 1970-01-01 UTC."""

    monotonic_s: Callable[[], float] = time.monotonic
    """s, never going back."""


class Receiver:
    """Keeps a listener connected and writes what it reads to the journal.

    Parameters
    ----------
    listener:
        The source.
    describe:
        Its type and address, for log and status.
    journal, board:
        The two stores.
    evidence_dir:
        Where the bytes of packets that broke their layout are kept.
    clocks:
        Times of records and of timers.
    """

    def __init__(self, listener: Listener, describe: str, journal: Journal, board: Board, evidence_dir: Path, clocks: Clocks | None = None) -> None:
        self._listener = listener
        self._describe = describe
        self._journal = journal
        self._board = board
        self._evidence_dir = evidence_dir
        self._clocks = clocks or Clocks()
        self._stop = threading.Event()
        self._tally = Tally(source=describe)
        self._reported_at = self._synced_at = -1.0
        self._back_off_s = FIRST_BACK_OFF_S
        self._dropped_since: int | None = None
        self._full, self._looked_at_reducer = False, 0.0
        self._last_loss, self._same_loss = "", 0

    def stop(self) -> None:
        """Ask it to end; may be called from any thread."""
        self._stop.set()
        self._listener.interrupt()

    def run(self) -> None:
        """Receive until `stop` is called."""
        try:
            while not self._stop.is_set():
                self._connection()
        finally:
            self._listener.close()
            self._report("stopped", "asked to stop")
            self._keep_in_order(force=True)

    def _connection(self) -> None:
        """Connect, read until something goes wrong, wait."""
        self._report("connecting", f"to {self._describe}")
        try:
            self._listener.connect()
            log.info("Connected to %s", self._describe)
            self._tally.connected()
            self._last_loss = ""
            self._resume()
            while not self._stop.is_set():
                if self._hold_back():
                    continue
                self._take(self._listener.read())
                self._back_off_s = FIRST_BACK_OFF_S
        except WireError as error:
            path = keep_evidence(self._evidence_dir, self._listener.last_bytes(), self._clocks.wall_ns())
            self._tally.bad_packet()
            self._lost(f"packet broke its layout: {error.field} at byte {error.offset}: {error}", f" (bytes kept in {path})")
        except ListenerError as error:
            self._lost(str(error))

    def _hold_back(self) -> bool:
        """Leave the source unread for a moment when what no reducer has seen yet fills too much of the journal; return whether it did."""
        now = self._clocks.monotonic_s()
        if now >= self._looked_at_reducer + STATUS_EVERY_S / 5:
            self._looked_at_reducer = now
            status = self._board.status(ReducerStatus)
            unseen = self._journal.bytes_from(status.position) if status is not None else 0
            self._full = unseen > UNSEEN_FRACTION * self._journal.max_bytes
        if self._full:
            self._report("holding back", "the scripts are slower than the source: the journal is full of what they have not seen")
            self._keep_in_order()
            self._stop.wait(STATUS_EVERY_S / 5)
        return self._full

    def _resume(self) -> None:
        """Tell the listener what the journal holds of the run that may still be going on."""
        present = self._journal.present_run()
        if present is None:
            return
        start, reading = present
        self._tally.run_number = start.number
        if reading is not None or not start.layout.x:
            self._listener.resume(start, None if reading is None else reading.counts)

    def _take(self, records: list[Record]) -> None:
        for record in records:
            if isinstance(record.header, RunStart):
                log.info("Run %d started", record.header.number)
            self._store(record)
            self._tally.count(record, self._clocks.monotonic_s())
        self._report("receiving", "")
        self._keep_in_order()

    def _store(self, record: Record) -> None:
        try:
            self._journal.append(record)
        except StoreError as error:
            if self._dropped_since is None:
                log.error("A record is lost: %s", error)
                self._dropped_since = self._journal.lost_records - 1
            return
        if self._dropped_since is not None:
            self._note_gap(self._journal.lost_records - self._dropped_since)

    def _note_gap(self, lost: int) -> None:
        """Say in the journal how many records are missing; the note itself may find no room, then the next record brings it."""
        try:
            self._journal.append(Record(Gap(time_ns=self._clocks.wall_ns(), reason="no room for the journal", lost_records=lost)))
        except StoreError:
            self._dropped_since = self._journal.lost_records - lost
            return
        self._dropped_since = None
        log.warning("The journal takes records again; %d were lost", lost)

    def _lost(self, why: str, detail: str = "") -> None:
        """Close, say why, wait; `detail` differs from one loss to the next for the same reason."""
        self._listener.close()
        if self._stop.is_set():
            return
        why = _one_line(why)
        self._say_lost(why, detail)
        waited = self._clocks.monotonic_s() + self._back_off_s
        while not self._stop.is_set() and (left := waited - self._clocks.monotonic_s()) > 0:
            self._report("waiting to reconnect", why)
            self._keep_in_order()
            self._stop.wait(min(left, STATUS_EVERY_S))
        self._back_off_s = min(self._back_off_s * 2, MAX_BACK_OFF_S)

    def _say_lost(self, why: str, detail: str) -> None:
        """Log the first losses for one reason, then fewer and fewer."""
        self._same_loss = self._same_loss + 1 if why == self._last_loss else 1
        self._last_loss = why
        if self._same_loss <= FIRST_LOSSES_LOGGED or self._same_loss.bit_count() == 1:
            times = f" ({self._same_loss} times in a row)" if self._same_loss > 1 else ""
            log.warning("Connection lost: %s%s%s; retrying in %.1f s", why, detail, times, self._back_off_s)

    def _report(self, state: str, reason: str) -> None:
        now = self._clocks.monotonic_s()
        if state == self._tally.state and now - self._reported_at < STATUS_EVERY_S:
            return
        self._reported_at = now
        self._tally.state = state
        status = self._tally.status(self._journal, state, reason, now)
        try:
            self._board.set_status(status)
        except StoreError as error:
            log.error("Status cannot be written: %s", error)

    def _keep_in_order(self, *, force: bool = False) -> None:
        now = self._clocks.monotonic_s()
        if force or now - self._synced_at >= SYNC_EVERY_S:
            self._synced_at = now
            self._journal.check()
            try:
                self._journal.sync()
                self._board.sync()
            except StoreError as error:
                log.error("Not safe from a power cut: %s", error)


def _one_line(text: str) -> str:
    """Return `text`, parts of which come from the network, without what could fake lines of the log or steer a terminal."""
    return "".join(letter if letter.isprintable() else "?" for letter in " ".join(text.split()))
