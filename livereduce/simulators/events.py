"""What a simulated event DAE sends: events drawn in advance, and packets that go round them.

Events are drawn once for up to `POOL_PACKETS` packets, which every client gets in turn; of a packet only the head is filled in, and nothing is
copied. So one thread can send as many as a socket takes.
"""

from __future__ import annotations

import threading
from typing import Final, cast

import numpy as np
from numpy.typing import NDArray

from livereduce.simulators.counts import CHARGE_PER_FRAME_UAH
from livereduce.simulators.isis_histogram import Size
from livereduce.wire.isis_event import EVENT, MAX_EVENTS, NEUTRON_HEAD, Setup, encode, neutron_heads

TOF_US: Final = (10_000.0, 20_000.0)
"""Times of flight are from the first to below the second, us."""

POOL_PACKETS: Final = (2, 1024)
"""Least and most packets whose events are drawn in advance."""

POOL_BYTES: Final = 8 << 20
"""Memory for them, if the least is not more."""

BATCH_PACKETS: Final = 512
"""Most packets handed to a socket at once: a system call takes 1024 pieces, and a packet is two."""

BATCH_BYTES: Final = 4 << 20
"""Bytes handed to a socket at once, if one packet is not more."""


class EventDae:
    """What the simulated DAE sends; threads may share it.

    Parameters
    ----------
    periods, spectra:
        How large the instrument is.
    events:
        In each packet.
    rate_ms:
        From one packet to the next.
    run_number, start_time_s, instrument:
        What Setup says; the start in s since 1970-01-01 UTC.
    frames:
        Whether packets tell the number of their frame, its time (`rate_ms` after the one before) and its charge; frames go on where they were for
        the next client, and stand still while there is none.
    quiet_after:
        A client gets so many packets with events, and empty ones after that; None for events without end.
    seed:
        Of the numbers.
    """

    def __init__(
        self,
        *,
        periods: int = 1,
        spectra: int = 100,
        events: int = 1000,
        rate_ms: float = 20.0,
        run_number: int = 1234,
        start_time_s: int = 0,
        instrument: str = "MUSR",
        frames: bool = False,
        quiet_after: int | None = None,
        seed: int = 0,
    ) -> None:
        if not 0 <= events <= MAX_EVENTS:
            raise ValueError(f"events is {events}; wanted 0 to {MAX_EVENTS} in a packet")
        if not rate_ms > 0:
            raise ValueError(f"rate_ms is {rate_ms}; wanted more than 0")
        self.size = Size(periods=periods, spectra=spectra)
        """How large the instrument is."""
        self.events = events
        """Events in each packet."""
        self.rate_ms = rate_ms
        """Time from one packet to the next, ms."""
        self.frames = frames
        """Whether packets tell number, time and charge of their frame."""
        self.quiet_after = quiet_after
        """Packets with events that a client gets; None for no end of them."""
        self.seed = seed
        """Of the numbers."""
        self._setup = Setup(run_number=run_number, start_time_s=start_time_s, instrument=instrument)
        self._pool = _drawn(events, spectra, seed)
        self._pool_bytes: list[memoryview] = [one.view(np.uint8).data for one in self._pool]
        self._lock = threading.Lock()
        self._next_frame = 0
        self._sent = np.zeros((periods, len(self._pool)), np.int64)

    @property
    def setup(self) -> Setup:
        """What the Setup packet says now."""
        with self._lock:
            return self._setup

    @property
    def next_frame(self) -> int:
        """Number of the frame with which the next client begins."""
        with self._lock:
            return self._next_frame

    @property
    def batch(self) -> int:
        """Packets to hand to a socket at once."""
        return max(1, min(BATCH_PACKETS, BATCH_BYTES // (NEUTRON_HEAD.itemsize + EVENT.itemsize * self.events)))

    def begin_run(self, run_number: int, *, start_time_s: int = 0) -> None:
        """Begin a new run at frame 0; connected clients get a Setup packet that says so."""
        with self._lock:
            self._setup = Setup(run_number=run_number, start_time_s=start_time_s, instrument=self._setup.instrument, changed=0b11)
            self._next_frame = 0

    def events_of(self, i: int) -> NDArray[np.void]:
        """Return the (events,) of `EVENT` in the packet that is a client's number `i`, from 0, as long as it is not quiet."""
        return cast("NDArray[np.void]", self._pool[i % len(self._pool)])

    def bytes_of(self, i: int) -> memoryview:
        """Return the same as bytes."""
        return self._pool_bytes[i % len(self._pool_bytes)]

    def begin_frames(self, setup: Setup, end: int) -> None:
        """Note that the frames before `end` of the run that `setup` tells of are on their way."""
        with self._lock:
            if setup is self._setup:
                self._next_frame = max(self._next_frame, end)

    def count(self, periods: NDArray[np.int64], first: int) -> None:
        """Note that the packets from a client's number `first` were sent, with events, in these periods."""
        with self._lock:
            np.add.at(self._sent, (periods, (first + np.arange(len(periods))) % len(self._pool)), 1)

    def sent_events(self) -> NDArray[np.int64]:
        """Return the truth: (periods, spectra) events in all packets that were handed over whole, to all clients.

        A client that got its first empty packet (see `quiet_after`) got them all.
        """
        with self._lock:
            sent = self._sent.copy()
        truth = np.zeros((self.size.periods, self.size.spectra), np.int64)
        for i in np.flatnonzero(sent.any(axis=0)):
            truth += sent[:, i, None] * np.bincount(self._pool[i]["spectrum"], minlength=self.size.spectra)
        return truth


def _drawn(events: int, spectra: int, seed: int) -> NDArray[np.void]:
    """Draw (packets, events)."""
    least, most = POOL_PACKETS
    n = min(most, max(least, POOL_BYTES // max(1, EVENT.itemsize * events)))
    draw = np.random.default_rng(seed)
    pool = np.empty((n, events), EVENT)
    low, high = np.float32(TOF_US[0]), np.float32(TOF_US[1])
    # The last number below 1 would be rounded up to the end.
    pool["tof"] = np.minimum(low + (high - low) * draw.random((n, events), np.float32), np.nextafter(high, low))
    pool["spectrum"] = draw.integers(spectra, size=(n, events), dtype=np.uint32)
    pool.flags.writeable = False
    return pool


class EventStream:
    """What one client gets, packet by packet: heads are filled in, events are the DAE's, and nothing is copied.

    Parameters
    ----------
    dae:
        Whose stream it is.
    """

    def __init__(self, dae: EventDae) -> None:
        self._dae = dae
        self._draw = np.random.default_rng([dae.seed, 1])
        self._heads = neutron_heads(dae.batch)
        self._head_views = [self._heads[i : i + 1].view(np.uint8).data for i in range(len(self._heads))]
        self._setup: Setup | None = None
        self._frame = dae.next_frame
        self._packets = 0
        self._made = 0

    @property
    def quiet(self) -> bool:
        """Whether packets are empty from now on."""
        return self._dae.quiet_after is not None and self._packets >= self._dae.quiet_after

    def setup(self) -> bytes:
        """Return the Setup packet if there is something new in it, else nothing."""
        setup = self._dae.setup
        if setup is self._setup:
            return b""
        if self._setup is not None:
            self._frame = 0
        self._setup = setup
        return encode(setup)

    def packets(self, n: int) -> list[memoryview]:
        """Return the next packets, at most `n` and at most a batch: head, events, head, events, ...; valid until the next call."""
        quiet = self.quiet
        if self._dae.quiet_after is not None and not quiet:
            n = min(n, self._dae.quiet_after - self._packets)
        n = min(n, len(self._heads))
        heads = self._heads[:n]
        heads["period"] = self._draw.integers(self._dae.size.periods, size=n)
        heads["n_events"] = 0 if quiet else self._dae.events
        if self._dae.frames:
            heads["frame"] = self._frame + np.arange(n)
            heads["frame_time_zero_s"] = heads["frame"] * (1e-3 * self._dae.rate_ms)
            heads["protons_uah"] = CHARGE_PER_FRAME_UAH
        self._made = n
        if self._setup:
            self._dae.begin_frames(self._setup, self._frame + n)
        if quiet:
            return self._head_views[:n]
        events = (self._dae.bytes_of(self._packets + i) for i in range(n))
        return [part for pair in zip(self._head_views, events, strict=False) for part in pair]

    def sent(self) -> None:
        """Note that the packets of the last call were sent."""
        periods = self._heads["period"][: 0 if self.quiet else self._made].astype(np.int64)
        self._dae.count(periods, self._packets)
        self.passed_over()

    def passed_over(self) -> None:
        """Go on behind the packets of the last call, whatever came of them."""
        self._packets += self._made
        self._frame += self._made
