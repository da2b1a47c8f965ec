"""The pulses of a simulated ADARA server, and how many neutrons of them there really were."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from typing import Final

import numpy as np
from numpy.typing import NDArray

from livereduce.simulators.adara_beamline import Beamline
from livereduce.wire.adara import encode
from livereduce.wire.adara_detectors import Rtdl
from livereduce.wire.adara_events import UNMAPPED_BANK, BankedEvents, BankedStateEvents, BankSection, SourceSection, pack_sources
from livereduce.wire.adara_monitors import MonitorEvents, MonitorSection
from livereduce.wire.adara_pulses import EVENT, PulseFlag
from livereduce.wire.adara_variables import Value

CHARGE_PC: Final = 15_500_000
"""Proton charge of a pulse, pC."""

RING_PERIOD_PS: Final = 955_259
"""Period of the accelerator's ring, ps."""

ENERGY_EV: Final = 937_987_556
"""Energy of the protons that such a period means, eV."""

MONITOR_EVENTS: Final = 10
"""Mean number of events of a monitor in a pulse."""

CYCLES: Final = 600
"""Cycles of the accelerator until it counts anew."""

_FIRST_100NS, _LAST_100NS = 5_000, 166_000
_PEAK_100NS, _PEAK_STEP_100NS, _PEAK_WIDTH_100NS = 60_000, 8_000, 1_500


@dataclass(slots=True, kw_only=True)
class Truth:
    """What was really there in one run, or between runs."""

    run_number: int
    """Run number; 0 between runs."""

    start_ns: int
    """Start, whole seconds for a run, ns since 1970-01-01 UTC."""

    counts: NDArray[np.int64]
    """(pixels,), events by pixel id, those of paused pulses not included."""

    end_ns: int | None = None
    """End; None while it goes on."""

    pulses: int = 0
    """Pulses that were not paused."""

    charge_pc: int = 0
    """Their proton charge, pC."""

    tof_sum_100ns: int = 0
    """Sum of the times of flight of all events, offsets added, 100 ns."""

    paused_pulses: int = 0
    """Pulses while it was paused."""

    paused_events: int = 0
    """Their events."""

    stray_events: int = 0
    """Events of pixels that nobody knows; not in `counts`."""

    monitor_counts: dict[int, int] = field(default_factory=dict)
    """Events by monitor id, those of paused pulses not included."""

    values: dict[str, list[tuple[int, Value]]] = field(default_factory=lambda: defaultdict(list))
    """Values of variables by name: when (ns) and what."""

    @property
    def events(self) -> int:
        """Events that were not paused."""
        return int(self.counts.sum())


class Neutrons:
    """Makes the packets of pulses.

    Parameters
    ----------
    beamline:
        Where they arrive.
    events:
        Mean number in a pulse.
    stray:
        Events of unmapped pixels in each pulse.
    states:
        States that pulses go through in turn; pulses of state 0, or all with none, carry no state.
    seed:
        Of all scatter.
    """

    def __init__(self, beamline: Beamline, *, events: int, stray: int = 0, states: int = 0, seed: int = 0) -> None:
        self._beamline = beamline
        self._events, self._stray, self._states = events, stray, states
        self._rng = np.random.default_rng(seed)

    def pulse(self, number: int, time_ns: int, truth: Truth, *, paused: bool) -> bytes:
        """Return the packets of pulse `number` at `time_ns`, and add what they hold to `truth`."""
        pixel, tof = self._scatter()
        monitors = [MonitorSection(monitor=i + 1, source=100 + i, words=self._monitor(number)) for i in range(self._beamline.monitors)]
        if paused:
            truth.paused_pulses += 1
            truth.paused_events += len(pixel)
        else:
            truth.pulses += 1
            truth.charge_pc += CHARGE_PC
            truth.counts += np.bincount(pixel, minlength=len(truth.counts))
            truth.tof_sum_100ns += int(tof.sum())
            truth.stray_events += self._stray
            for section in monitors:
                truth.monitor_counts[section.monitor] = truth.monitor_counts.get(section.monitor, 0) + len(section.words)
        return self._pack(number, time_ns, pixel, tof, tuple(monitors))

    def _pack(self, number: int, time_ns: int, pixel: NDArray[np.int64], tof: NDArray[np.int64], monitors: tuple[MonitorSection, ...]) -> bytes:
        cycle, state = number % CYCLES, number % self._states if self._states else 0
        flags = PulseFlag.GOT_NEUTRONS | (PulseFlag.HAS_STATES if state else PulseFlag(0))
        words = pack_sources(self._sections(pixel, tof, state), states=state > 0)
        kind = BankedStateEvents if state else BankedEvents
        messages = (
            Rtdl(time_ns=time_ns, charge_pc=CHARGE_PC, cycle=cycle, ring_period_ps=RING_PERIOD_PS),
            kind(time_ns=time_ns, charge_pc=CHARGE_PC, energy_ev=ENERGY_EV, cycle=cycle, flags=flags, words=words),
            MonitorEvents(time_ns=time_ns, charge_pc=CHARGE_PC, energy_ev=ENERGY_EV, cycle=cycle, flags=PulseFlag.GOT_NEUTRONS, sections=monitors),
        )
        return b"".join(encode(message) for message in messages)

    def _scatter(self) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Return pixels and times of flight of a pulse's events, in the order of their pixels: half of them in a peak, each bank's elsewhere."""
        rng, beamline = self._rng, self._beamline
        n = int(rng.poisson(self._events))
        pixel = np.sort(rng.integers(0, beamline.pixels, n))
        bank = pixel // beamline.bank_pixels
        peak = rng.normal(_PEAK_100NS + _PEAK_STEP_100NS * (bank % 12), _PEAK_WIDTH_100NS).astype(np.int64)
        tof = np.where(rng.random(n) < 0.5, peak, rng.integers(_FIRST_100NS, _LAST_100NS, n))
        offset = np.where(bank % beamline.sources == beamline.sources - 1, beamline.tof_offset_100ns, 0)
        return pixel, np.maximum(tof, offset)

    def _sections(self, pixel: NDArray[np.int64], tof: NDArray[np.int64], state: int) -> list[SourceSection]:
        beamline = self._beamline
        edges = np.searchsorted(pixel, np.arange(beamline.banks + 1) * beamline.bank_pixels)
        sections = []
        for source in range(beamline.sources):
            offset = beamline.tof_offset_100ns if source == beamline.sources - 1 else 0
            banks = []
            for bank in range(source, beamline.banks, beamline.sources):
                own = slice(edges[bank], edges[bank + 1])
                if edges[bank] < edges[bank + 1]:  # the server leaves out empty banks
                    banks.append(BankSection(bank=bank + 1, state=state, events=_events(tof[own] - offset, pixel[own])))
            if source == 0 and self._stray:
                stray = np.arange(self._stray)
                banks.append(BankSection(bank=UNMAPPED_BANK, state=state, events=_events(stray, stray + beamline.pixels)))
            sections.append(SourceSection(id=source + 1, banks=banks, tof_offset_100ns=offset, corrected=offset == 0))
        return sections

    def _monitor(self, number: int) -> NDArray[np.uint32]:
        tof = np.sort(self._rng.integers(_FIRST_100NS, _LAST_100NS, int(self._rng.poisson(MONITOR_EVENTS))))
        return (tof | number % CYCLES << 21 | 1 << 31).astype(np.uint32)


def _events(tof: NDArray[np.int64], pixel: NDArray[np.int64]) -> NDArray[np.void]:
    events = np.empty(len(tof), EVENT)
    events["tof"], events["pixel"] = tof, pixel
    return events
