"""The ISIS event stream as a source: neutrons as they are counted, in packets that the DAE sends by itself.

The stream says nothing of spectra and periods, so the DAE is asked for them first, as a histogram DAE on the same machine. Its packets are
checked and joined as they come; nothing is looked at event by event here.

A run begins with a Setup, and when a later one has another run number or start; the numbers of the stream's spectra count rows from 0, as known
servers do, or from 1 where ``first_spectrum`` says so.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from typing import cast

import msgspec
import numpy as np

from livereduce.data.run import EPOCH_1990_NS
from livereduce.errors import ConfigError, ListenerError
from livereduce.listeners.connection import CONNECT_TIMEOUT_S, READ_TIMEOUT_S, Connection
from livereduce.listeners.isis_dae import IsisDae
from livereduce.listeners.isis_geometry import SPECTRA_LIMIT, read_periods
from livereduce.listeners.isis_histogram import LONGEST_S
from livereduce.listeners.source import READ_WAIT_S, ListenerSettings, split_address
from livereduce.store.record import EVENT, PULSE, Counts, Events, Layout, Neutrons, Record, RunEnd, RunStart
from livereduce.wire.isis_event import EventReader, NeutronPackets, Setup

log = logging.getLogger(__name__)

OPTIONS = {"connect_timeout_s": CONNECT_TIMEOUT_S, "reply_timeout_s": READ_TIMEOUT_S, "first_spectrum": 0}
"""What `ListenerSettings.options` may hold, and the defaults: s, s, and the number that the stream gives to the first spectrum, 0 or 1."""

DAE_PORT = 6789
"""Where a real DAE answers; a simulated one answers on the port after that of its events."""

EVENT_PORT = 10_000
"""Where a real DAE sends events; ports above it are those of simulated ones."""

DAY_NS = 86_400 * 10**9
"""Times later than a day from now are not believed."""


class IsisEventListener:
    """Reads the event stream of an ISIS DAE.

    Parameters
    ----------
    settings:
        Where, and what to read; options as in `OPTIONS`. `spectra` and `periods` cannot be chosen: the stream brings all.
    wall_ns:
        ns since 1970-01-01 UTC, for the records.

    Raises
    ------
    ConfigError
        If the settings are not what this kind of source takes.
    """

    def __init__(self, settings: ListenerSettings, *, wall_ns: Callable[[], int] = time.time_ns) -> None:
        options = _options(settings)
        host, port = split_address(settings.address)
        self._address, self._wall_ns = settings.address, wall_ns
        self._first_row = int(options["first_spectrum"])
        self._connection = Connection(host, port, connect_timeout_s=options["connect_timeout_s"])
        self._dae_connection = Connection(host, port + 1 if port > EVENT_PORT else DAE_PORT, connect_timeout_s=options["connect_timeout_s"])
        self._dae = IsisDae(self._dae_connection, reply_timeout_s=options["reply_timeout_s"])
        self._reader = EventReader()
        self._layout: Layout | None = None
        self._start: RunStart | None = None
        self._pulse_zero_ns = 0
        self._clamped = 0

    def connect(self) -> None:
        """Ask the DAE for periods and spectra, then open the stream."""
        self._reader = EventReader()
        self._dae.open()
        try:
            self._layout = self._ask_layout()
        finally:
            self._dae.close()
        self._connection.connect()

    def resume(self, start: RunStart, counts: Counts | None) -> None:
        """Go on with a run, if the stream is still of that one."""
        self._start = start

    def read(self) -> list[Record]:
        """Return what came, with what happened to the run; [] after `READ_WAIT_S` when nothing did. A silence may last as long as it likes."""
        if not self._connection.is_open:
            raise ListenerError(f"{self._address}: not connected; wanted connect before read")
        got = self._connection.receive_into(self._reader.free(), READ_WAIT_S)
        self._reader.filled(got)
        records: list[Record] = []
        while (message := self._reader.next_message()) is not None:
            records += self._boundary(message) if isinstance(message, Setup) else [self._record(message)]
        return records

    def interrupt(self) -> None:
        """Make a blocking `connect` or `read` end; from any thread."""
        self._connection.interrupt()
        self._dae_connection.interrupt()

    def close(self) -> None:
        """Close the connections and forget the run."""
        self._dae.close()
        self._connection.close()
        self._layout = self._start = None

    def last_bytes(self) -> bytes:
        """Return the bytes of the packet that could not be read, at most 64 kB."""
        return self._reader.unread() or self._dae_connection.last_bytes()

    def _ask_layout(self) -> Layout:
        periods = read_periods(self._dae)
        spectra = self._dae.number("NSP1", least=1, most=SPECTRA_LIMIT)
        n_detectors = self._dae.number("NDET", least=1, most=SPECTRA_LIMIT)
        ids, spectra_of = self._dae.numbers("UDET", n_detectors), self._dae.numbers("SPEC", n_detectors)
        return Layout(
            spectrum_numbers=list(range(1, spectra + 1)),
            periods=list(range(1, periods + 1)),
            x=[],
            detector_ids=ids.tolist(),
            detector_spectra=spectra_of.tolist(),
        )

    def _boundary(self, setup: Setup) -> list[Record]:
        """Return the records between the run so far and the one of `setup`; none when it is the same."""
        assert self._layout is not None
        now_ns = self._wall_ns()
        start_ns = self._believable(setup.start_time_s, now_ns)
        layout = msgspec.structs.replace(self._layout, instrument=setup.instrument)
        start = RunStart(time_ns=start_ns or now_ns, number=setup.run_number, layout=layout)
        self._pulse_zero_ns = start_ns or now_ns
        before, self._start = self._start, start
        if before is not None and before.number == start.number and before.layout == layout and (not start_ns or before.time_ns == start_ns):
            self._start, self._pulse_zero_ns = before, before.time_ns
            return []
        end = [Record(RunEnd(time_ns=now_ns, number=before.number, reason="the source began another run"))] if before is not None else []
        return [*end, Record(start)]

    def _believable(self, start_time_s: int, now_ns: int) -> int:
        """Return the start of a run, ns since 1970-01-01 UTC, or 0 when it lies outside 1990 .. tomorrow."""
        if EPOCH_1990_NS <= start_time_s * 10**9 <= now_ns + DAY_NS:
            return start_time_s * 10**9
        log.warning("%s: the run began %d s after 1970, which cannot be; it is taken to begin now", self._address, start_time_s)
        return 0

    def _record(self, packets: NeutronPackets) -> Record:
        table, events = packets.table, packets.joined_events()
        pulses = np.zeros(len(table), dtype=PULSE)
        since_s = np.nan_to_num(table["frame_time_zero_s"].astype(np.float64), nan=0.0, posinf=0.0, neginf=0.0)
        now_ns = self._wall_ns()
        times = self._pulse_zero_ns + np.clip(since_s * 1e9, 0, max(0, now_ns + DAY_NS - self._pulse_zero_ns)).astype(np.int64)
        pulses["time_ns"] = times
        pulses["charge_uah"] = np.nan_to_num(table["protons_uah"], nan=0.0, posinf=0.0, neginf=0.0)
        pulses["period"] = table["period"]
        pulses["n_events"] = table["n_events"]
        pulses["first_row"] = self._first_row
        header = Events(time_ns=now_ns, n_pulses=len(pulses), n_events=len(events))
        return Record(header, neutrons=Neutrons(pulses, events.view(EVENT)))


def _options(settings: ListenerSettings) -> dict[str, float]:
    """The options with their defaults, checked."""
    for name, value in settings.options.items():
        if name not in OPTIONS:
            raise ConfigError(f"listener.options.{name}: not known to {settings.type}; wanted one of {', '.join(OPTIONS)}")
        if name == "first_spectrum" and value not in (0, 1):
            raise ConfigError(f"listener.options.{name}: got {value!r}, wanted 0 or 1, the number of the stream's first spectrum")
        if isinstance(value, bool) or not isinstance(value, int | float) or (name != "first_spectrum" and not 0 < value <= LONGEST_S):
            raise ConfigError(f"listener.options.{name}: got {value!r}, wanted seconds above 0, at most {LONGEST_S:g}")
    for name, chosen in (("spectra", settings.spectra), ("periods", settings.periods)):
        if chosen is not None:
            raise ConfigError(f"{name}: cannot be chosen for {settings.type}, whose stream brings all; wanted null")
    return OPTIONS | cast(dict[str, float], dict(settings.options))
