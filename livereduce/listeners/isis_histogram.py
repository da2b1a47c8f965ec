"""The ISIS histogram DAE as a source: reads all counts since the start of the run, every so often.

The order of requests is the one DAEs know from other clients: at connect NPER NDET UDET SPEC NTC1 NSP1 RTCB1 NTC2 NSP2 NMON MDET RTCB_n; at each
poll NPER NTC1 NSP1 NTC2 NSP2, RRPB, then the counts, and NAME once after the first period.

The protocol gives no run number and no sign of a run's start or end. A run ends here when the dimensions change or when a counter is lower than
it was: then the DAE was cleared. A reading takes several requests while the DAE counts on, and it may be cleared between two of them, so a reading
in which a counter went down is read once more before a run starts with it.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import cast

import numpy as np

from livereduce.errors import ConfigError, ListenerError
from livereduce.listeners.connection import CONNECT_TIMEOUT_S, READ_TIMEOUT_S, Connection
from livereduce.listeners.isis_dae import IsisDae
from livereduce.listeners.isis_geometry import Dimensions, Selection, Tables, blocks, layout_of, read_all, read_dimensions, select
from livereduce.listeners.source import READ_WAIT_S, ListenerSettings, split_address
from livereduce.store.record import Counts, Histogram, Layout, Record, RunEnd, RunStart

log = logging.getLogger(__name__)

OPTIONS = {"connect_timeout_s": CONNECT_TIMEOUT_S, "reply_timeout_s": READ_TIMEOUT_S}
"""What `ListenerSettings.options` may hold, and the defaults, s."""

LONGEST_S = 1e6
"""Bound on waits, s: eleven days."""

WENT_DOWN = "counts went down"
"""Why a run ended although its dimensions are the same."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Setup:
    """What is known of the DAE since it was last asked for everything."""

    dimensions: Dimensions
    tables: Tables
    selection: Selection


class IsisHistogramListener:
    """Reads the counts of an ISIS histogram DAE every ``poll_s``.

    The rows of a reading are the spectra in the order they were asked for, its planes the periods in ascending order.

    Parameters
    ----------
    settings:
        Where, and what to read; options as in `OPTIONS`.
    wall_ns:
        ns since 1970-01-01 UTC, for the records.
    monotonic_s:
        s, for the polls.

    Raises
    ------
    ConfigError
        If the settings are not what this kind of source takes.
    """

    def __init__(
        self, settings: ListenerSettings, *, wall_ns: Callable[[], int] = time.time_ns, monotonic_s: Callable[[], float] = time.monotonic
    ) -> None:
        options = _options(settings)
        self._settings = settings
        self._wall_ns, self._monotonic_s = wall_ns, monotonic_s
        self._connection = Connection(*split_address(settings.address), connect_timeout_s=options["connect_timeout_s"])
        self._dae = IsisDae(self._connection, reply_timeout_s=options["reply_timeout_s"])
        self._setup: _Setup | None = None
        self._instrument: str | None = None
        self._layout: Layout | None = None
        self._counts: Counts | None = None
        self._next_poll_s = 0.0

    def connect(self) -> None:
        """Connect and ask for everything that stays the same during a run."""
        self._dae.open()
        self._setup = self._ask_setup()
        self._instrument = None
        self._next_poll_s = self._monotonic_s()

    def resume(self, start: RunStart, counts: Counts | None) -> None:
        """Go on with a run whose newest reading is `counts`, if the DAE still has it."""
        if counts is not None:
            self._layout, self._counts = start.layout, counts

    def read(self) -> list[Record]:
        """Return a reading when one is due, with what happened to the run before it; [] after `READ_WAIT_S` otherwise."""
        if self._setup is None:
            raise ListenerError(f"{self._settings.address}: not connected; wanted connect before read")
        wait_s = self._next_poll_s - self._monotonic_s()
        if wait_s > 0 and (self._connection.sleep(min(wait_s, READ_WAIT_S)) or self._monotonic_s() < self._next_poll_s):
            return []
        records = self._poll()
        self._next_poll_s = self._monotonic_s() + self._settings.poll_s
        return records

    def interrupt(self) -> None:
        """Make a blocking `connect` or `read` end; from any thread."""
        self._connection.interrupt()

    def close(self) -> None:
        """Close the connection and forget what was read."""
        self._dae.close()
        self._forget()

    def last_bytes(self) -> bytes:
        """Return the latest bytes received, at most 64 kB."""
        return self._connection.last_bytes()

    def _forget(self) -> None:
        self._setup = self._instrument = self._layout = self._counts = None

    def _poll(self) -> list[Record]:
        setup = self._present_setup()
        charge_uah, counts = self._ask_reading(setup.selection)
        layout = layout_of(self._instrument or "", setup.tables, setup.selection)
        reason = self._why_new_run(layout, counts)
        if reason.startswith(WENT_DOWN):
            charge_uah, counts = self._ask_reading(setup.selection)
        now_ns = self._wall_ns()
        records = self._boundary(layout, reason, now_ns)
        counts.flags.writeable = False
        self._layout, self._counts = layout, counts
        reading = Histogram(time_ns=now_ns, charge_uah=charge_uah, shape=setup.selection.shape)
        return [*records, Record(reading, counts)]

    def _present_setup(self) -> _Setup:
        """What the DAE has now; asked for in full only if its dimensions changed."""
        assert self._setup is not None
        dimensions = read_dimensions(self._dae)
        if dimensions != self._setup.dimensions:
            log.info("%s: dimensions changed from %s to %s", self._settings.address, self._setup.dimensions, dimensions)
            self._setup = self._ask_setup()
        return self._setup

    def _ask_setup(self) -> _Setup:
        dimensions, tables = read_all(self._dae)
        selection = select(dimensions, tables, self._settings.periods, self._settings.spectra)
        return _Setup(dimensions=dimensions, tables=tables, selection=selection)

    def _ask_reading(self, selection: Selection) -> tuple[float, Counts]:
        """Charge, uA·h, and counts (periods, spectra, bins)."""
        charge_uah = self._dae.charge_uah()
        numbers, row_of = np.unique(selection.rows, return_inverse=True)
        counts = _room_for(selection, len(numbers))
        for plane, period in enumerate(selection.periods):
            row = 0
            for first, count in blocks(numbers, selection.bins):
                counts[plane, row : row + count] = self._dae.counts(first + (period - 1) * selection.stride, count, selection.bins)
                row += count
            if self._instrument is None:
                self._instrument = self._dae.text("NAME")
        in_order = len(numbers) == len(selection.rows) and bool((row_of[1:] > row_of[:-1]).all())
        return charge_uah, counts if in_order else counts[:, row_of]

    def _why_new_run(self, layout: Layout, counts: Counts) -> str:
        """Why `counts` cannot belong to the run so far; empty when they can, or when there is none."""
        if self._layout is None or self._counts is None:
            return ""
        if layout != self._layout:
            return f"dimensions changed: {_describe(self._layout)} -> {_describe(layout)}"
        lower = counts < self._counts
        if not lower.any():
            return ""
        plane, row, column = (int(i) for i in np.unravel_index(int(np.argmax(lower)), lower.shape))
        return (
            f"{WENT_DOWN}: period {layout.periods[plane]}, spectrum {layout.spectrum_numbers[row]}, bin {column + 1} "
            f"from {self._counts[plane, row, column]} to {counts[plane, row, column]} ({int(lower.sum())} counters in all)"
        )

    def _boundary(self, layout: Layout, reason: str, now_ns: int) -> list[Record]:
        """Records between the run so far and the reading; none when the run goes on."""
        if self._counts is not None and not reason:
            return []
        end = [Record(RunEnd(time_ns=now_ns, reason=reason))] if reason else []
        return [*end, Record(RunStart(time_ns=now_ns, layout=layout))]


def _room_for(selection: Selection, n_spectra: int) -> Counts:
    try:
        return np.empty((len(selection.periods), n_spectra, selection.bins), dtype=np.int32)
    except MemoryError:
        shape = (len(selection.periods), n_spectra, selection.bins)
        raise ListenerError(f"no memory for a reading of {shape} counts; name 'spectra' or 'periods'") from None


def _describe(layout: Layout) -> str:
    return f"{len(layout.periods)} periods, {len(layout.spectrum_numbers)} spectra, {len(layout.x) - 1} bins"


def _options(settings: ListenerSettings) -> dict[str, float]:
    """The options with their defaults, checked."""
    for name, value in settings.options.items():
        if name not in OPTIONS:
            raise ConfigError(f"listener.options.{name}: not known to {settings.type}; wanted one of {', '.join(OPTIONS)}")
        if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value <= LONGEST_S:
            raise ConfigError(f"listener.options.{name}: got {value!r}, wanted seconds above 0, at most {LONGEST_S:g}")
    return OPTIONS | cast(dict[str, float], dict(settings.options))
