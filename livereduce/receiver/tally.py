"""What the receiver counts, for its status."""

from __future__ import annotations

import os

import numpy as np

from livereduce.store.journal import Journal
from livereduce.store.record import Events, Histogram, Record, RunEnd, RunStart
from livereduce.store.status import ReceiverStatus

RATE_S = 1.0
"""Time over which the rate of events is taken, s."""


class Tally:
    """Counts records, connections and bad packets since the process started."""

    def __init__(self, *, source: str) -> None:
        self.state = ""
        self.run_number: int | None = None
        self._source = source
        self._records = self._connections = self._bad_packets = 0
        self._last_ns: int | None = None
        self._counts = 0
        self._counted_at: float | None = None
        self._rate = 0.0
        self._fresh = 0

    def connected(self) -> None:
        """Count a connection."""
        self._connections += 1

    def bad_packet(self) -> None:
        """Count a packet that broke its layout."""
        self._bad_packets += 1

    def count(self, record: Record, now_s: float) -> None:
        """Count a record that came at `now_s`, s of the monotonic clock."""
        self._records += 1
        self._last_ns = record.header.time_ns
        match record.header:
            case RunStart(number=number):
                self.run_number, self._counts, self._counted_at, self._rate = number, 0, None, 0.0
            case RunEnd():
                self.run_number = None
            case Events(n_events=n_events):
                self._count_events(n_events, now_s)
            case Histogram() if record.counts is not None:
                self._count_reading(int(record.counts.sum(dtype=np.int64)), now_s)

    def _count_events(self, n_events: int, now_s: float) -> None:
        """Count events, and once a second the rate since the second before."""
        self._counts += n_events
        self._fresh += n_events
        if self._counted_at is None:
            self._counted_at = now_s
        elif now_s - self._counted_at >= RATE_S:
            self._rate, self._counted_at, self._fresh = self._fresh / (now_s - self._counted_at), now_s, 0

    def _count_reading(self, counts: int, now_s: float) -> None:
        if self._counted_at is not None and now_s > self._counted_at:
            self._rate = (counts - self._counts) / (now_s - self._counted_at)
        self._counts, self._counted_at = counts, now_s

    def status(self, journal: Journal, state: str, reason: str, now_s: float) -> ReceiverStatus:
        """Return the status of the receiver at `now_s`."""
        extent = journal.extent()
        return ReceiverStatus(
            pid=os.getpid(),
            beat_s=now_s,
            state=state,
            reason=reason,
            source=self._source,
            run_number=self.run_number,
            records=self._records,
            connections=self._connections,
            bad_packets=self._bad_packets,
            last_record_ns=self._last_ns,
            counts=self._counts,
            counts_per_s=self._rate,
            journal_records=extent.records,
            journal_bytes=extent.bytes,
            journal_max_bytes=journal.max_bytes,
            journal_end=extent.end,
            disk_full=journal.disk_is_full,
            lost_records=journal.lost_records,
        )
