"""A simulated ADARA server's side of a run: files with their prologues, pulses, values, pauses, scans, and the next run after it."""

from __future__ import annotations

import threading
from collections.abc import Generator, Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np

from livereduce.simulators.adara_beamline import DEVICE, Beamline, SimulatedVariable
from livereduce.simulators.adara_history import HISTORY_BYTES, IDLE_S, History
from livereduce.simulators.adara_pulses import Neutrons, Truth
from livereduce.wire.adara import Message, encode
from livereduce.wire.adara_control import START_NOW, START_OF_RUN, Annotation, ClientHello, Heartbeat, Marker, PausedData, RunState, RunStatus, Sync
from livereduce.wire.adara_documents import RunDetails, write_run
from livereduce.wire.adara_metadata import RunInfo
from livereduce.wire.adara_packets import SECOND_NS, time_of
from livereduce.wire.adara_variables import Value, ValueKind, VariableValue

PULSE_NS: Final = 16_666_667
"""From one pulse of the accelerator to the next, ns."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What happens when, counted in pulses; 0 is never."""

    run: int = 0
    """Length of a run; 0: it never ends by itself."""

    gap: int = 60
    """Between runs."""

    pause_every: int = 0
    """Of a run's pulses, from one pause to the next."""

    pause: int = 0
    """Length of a pause."""

    file: int = 36_000
    """Length of a file within a run."""

    values: int = 60
    """From one set of values of all variables to the next."""

    sync: int = 600
    """From one Sync and Heartbeat to the next."""

    first_run_number: int = 1
    """Number of the first run."""

    def __post_init__(self) -> None:
        for name in ("run", "gap", "pause_every", "pause", "file", "values", "sync"):
            if getattr(self, name) < 0:
                raise ValueError(f"{name} is {getattr(self, name)} pulses; wanted 0 or more")
        if self.pause_every and self.pause >= self.pause_every:
            raise ValueError(f"a pause of {self.pause} pulses every {self.pause_every}; wanted a shorter one")


@dataclass(frozen=True, slots=True, kw_only=True)
class _File:
    """Where clients can begin."""

    time_ns: int
    position: int
    state: bytes


class Sms:
    """Makes the stream; threads may share it.

    Nothing happens by itself: `add_pulses` goes through the plan, and the other methods do what is not planned.

    Parameters
    ----------
    beamline:
        What is simulated.
    neutrons:
        Makes the pulses; 1000 events each when None.
    plan:
        What happens when.
    start_ns:
        Time of the first pulse, ns since 1970-01-01 UTC.
    pulse_ns:
        From one pulse to the next, ns.
    history_bytes:
        Most bytes kept for clients that want the beginning of the run.
    """

    def __init__(
        self,
        beamline: Beamline | None = None,
        neutrons: Neutrons | None = None,
        *,
        plan: Plan | None = None,
        start_ns: int = 1_700_000_000 * SECOND_NS,
        pulse_ns: int = PULSE_NS,
        history_bytes: int = HISTORY_BYTES,
    ) -> None:
        self.beamline = beamline or Beamline()
        """What is simulated."""
        self.plan = plan or Plan()
        """What happens when."""
        self.history = History(limit_bytes=history_bytes)
        """What was sent so far."""
        self._neutrons = neutrons or Neutrons(self.beamline, events=1000)
        self._start_ns, self._pulse_ns, self._pulse = start_ns, pulse_ns, 0
        self._described_ns = start_ns - 86_400 * SECOND_NS  # geometry and descriptors are old, as real ones are
        self._lock = threading.RLock()
        self._values: dict[str, tuple[int, Value]] = {one.name: (self._described_ns, one.value) for one in self.beamline.variables}
        self._run_number, self._file_number, self._in_run = self.plan.first_run_number - 1, 0, False
        self._since_change = self._resume_at = self._changes = 0
        self._paused, self._scan = False, 0
        self._files: list[_File] = []
        self._truths: list[Truth] = []
        self._begin_part(RunState.NO_RUN)

    @property
    def now_ns(self) -> int:
        """Time of the next pulse, ns since 1970-01-01 UTC."""
        return self._start_ns + self._pulse * self._pulse_ns

    @property
    def truth(self) -> Truth:
        """What is really there in the present run, or since the last one; changes as pulses are added."""
        with self._lock:
            return self._truths[-1]

    @property
    def truths(self) -> tuple[Truth, ...]:
        """The truth of each run, and of each time between runs, in order."""
        with self._lock:
            return tuple(self._truths)

    def add_pulses(self, n: int) -> None:
        """Make `n` pulses, and what the plan has in between."""
        for _ in range(n):
            with self._lock:
                self._follow_plan()
                data = self._neutrons.pulse(self._pulse, self.now_ns, self.truth, paused=self._paused)
                self.history.append(data, paused=self._paused)
                self._pulse += 1
                self._since_change += 1

    def begin_run(self) -> int:
        """Begin the next run, ending one that goes on; return its number."""
        with self._lock:
            if self._in_run:
                self.end_run()
            self._run_number, self._file_number, self._in_run = self._run_number + 1, 1, True
            self._begin_part(RunState.NEW_RUN)
            return self._run_number

    def end_run(self) -> None:
        """End the run, and a pause in it; nothing when there is none."""
        with self._lock:
            if not self._in_run:
                return
            self.resume()
            self._send(self._status(RunState.END_RUN))
            self._in_run, self._file_number, self._scan = False, 0, 0
            self._begin_part(RunState.NO_RUN)

    def next_file(self) -> None:
        """End the file and begin the next one of the same run: the prologue comes once more."""
        with self._lock:
            self._send(self._status(RunState.RUN_EOF))
            self._file_number += 1
            self._begin_file(RunState.RUN_BOF)

    def pause(self, comment: str = "") -> None:
        """Pause; nothing when it is paused."""
        with self._lock:
            if not self._paused:
                self._paused = True
                self._send(Annotation(time_ns=self.now_ns, marker=Marker.PAUSE, comment=comment))

    def resume(self, comment: str = "") -> None:
        """Go on; nothing when it is not paused."""
        with self._lock:
            if self._paused:
                self._paused = False
                self._send(Annotation(time_ns=self.now_ns, marker=Marker.RESUME, comment=comment))

    def scan(self, index: int) -> None:
        """Begin the scan `index`, ending the one before; 0 ends it only."""
        with self._lock:
            if self._scan:
                self._send(Annotation(time_ns=self.now_ns, marker=Marker.SCAN_STOP, scan_index=self._scan, reset_hint=True))
            self._scan = index
            if index:
                self._send(Annotation(time_ns=self.now_ns, marker=Marker.SCAN_START, scan_index=index, reset_hint=True))

    def set_value(self, name: str, value: Value) -> None:
        """Give the variable `name` a new value; KeyError if there is none."""
        with self._lock:
            if name not in self._values:
                raise KeyError(name)
            self._values[name] = self.now_ns, value
            self.truth.values[name].append((self.now_ns, value))
            index, variable = next((i, one) for i, one in enumerate(self.beamline.variables, start=1) if one.name == name)
            self._send(self._value(index, variable))

    def stream(self, hello: ClientHello) -> Generator[bytes, None, None]:
        """Yield what a client gets that said `hello`, whole packets each time, and nothing (empty bytes) each `IDLE_S` while there is none.

        Raises
        ------
        LookupError
            If the client reads so slowly that what it wants is gone.
        """
        with self._lock:
            state, position = self._place(hello.start)
            reader = self.history.reader(position)
        with reader:
            yield state
            while True:
                blocks = [block for block in reader.read(IDLE_S) if not block.paused or hello.paused_data != PausedData.WITHOUT]
                yield from (block.data for block in blocks)
                if not blocks:
                    yield b""

    def _place(self, start: int) -> tuple[bytes, int]:
        """Return the state file, and where in history a client begins that wants data from `start` on."""
        if start == START_NOW:
            return self._pack(RunState.STATE), self.history.end
        wanted = 0 if start == START_OF_RUN else time_of(start)
        place = next((file for file in reversed(self._files) if file.time_ns <= wanted), self._files[0])
        return place.state, place.position

    def _follow_plan(self) -> None:
        plan, n = self.plan, self._since_change
        if self._in_run and plan.run and n >= plan.run:
            self.end_run()
        if not self._in_run and self._since_change >= plan.gap:
            self.begin_run()
        n = self._since_change
        if self._in_run and n:
            if plan.file and n % plan.file == 0:
                self.next_file()
            if plan.pause_every and n % plan.pause_every == 0:
                self.pause("planned")
                self._resume_at = n + plan.pause
            elif self._paused and plan.pause_every and n == self._resume_at:
                self.resume("planned")
        if plan.values and self._pulse % plan.values == 0:
            self._change_values()
        if plan.sync and self._pulse % plan.sync == 0:
            self._send(Sync(time_ns=self.now_ns), Heartbeat(time_ns=self.now_ns))

    def _change_values(self) -> None:
        """Give every variable a value that nobody could have guessed from the one before."""
        self._changes += 1
        n = self._changes
        for variable in self.beamline.variables:
            match variable.kind:
                case ValueKind.DOUBLE:
                    self.set_value(variable.name, 295.5 + 0.25 * n)
                case ValueKind.STRING:
                    self.set_value(variable.name, f"change {n}")
                case ValueKind.DOUBLE_ARRAY:
                    self.set_value(variable.name, np.linspace(0, n, 3))
                case _:
                    self.set_value(variable.name, n % 2 if variable.type.startswith("enum") else n)

    def _begin_part(self, state: RunState) -> None:
        """Begin a run, or the time between runs: with new truth, and history from here on."""
        self._since_change = 0
        start_ns = self.now_ns // SECOND_NS * SECOND_NS
        counts = np.zeros(self.beamline.pixels, np.int64)
        previous = self._truths[-1] if self._truths else None
        if previous:
            previous.end_ns = self.now_ns
        self._truths.append(Truth(run_number=self._run_number if self._in_run else 0, start_ns=start_ns, counts=counts))
        for name, (time_ns, value) in self._values.items():
            self.truth.values[name].append((time_ns, value))
        self._files.clear()
        self.history.keep_from(self.history.end)
        self._begin_file(state)

    def _begin_file(self, state: RunState) -> None:
        self._files.append(_File(time_ns=self.now_ns, position=self.history.end, state=self._pack(RunState.STATE)))
        self.history.append(self._pack(state))

    def _pack(self, state: RunState) -> bytes:
        """Return what a file begins with."""
        return b"".join(encode(message) for message in (Sync(time_ns=self.now_ns), self._status(state), *self._prologue()))

    def _status(self, state: RunState) -> RunStatus:
        if not self._in_run:
            return RunStatus(time_ns=self.now_ns, state=state)
        start_ns, number = self.truth.start_ns, self._run_number
        return RunStatus(
            time_ns=self.now_ns, state=state, run_number=number, run_start_ns=start_ns, file_number=self._file_number, paused=self._paused
        )

    def _prologue(self) -> Iterator[Message]:
        yield self.beamline.pixel_map(self._described_ns)
        if self._in_run:
            details = RunDetails(
                run_number=self._run_number,
                title=f"Simulated run {self._run_number}",
                proposal_id="SIM-1",
                instrument=self.beamline.name,
                users=("A. Simulated User",),
            )
            yield RunInfo(time_ns=self.truth.start_ns, xml=write_run(details))
        yield from self.beamline.messages(self._described_ns)
        yield self.beamline.descriptor(self._described_ns)
        for index, variable in enumerate(self.beamline.variables, start=1):
            yield self._value(index, variable)
        if self._scan:
            yield Annotation(time_ns=self.now_ns, marker=Marker.SCAN_START, scan_index=self._scan, reset_hint=True)
        if self._paused:
            yield Annotation(time_ns=self.now_ns, marker=Marker.PAUSE)

    def _value(self, index: int, variable: SimulatedVariable) -> VariableValue:
        time_ns, value = self._values[variable.name]
        return VariableValue(time_ns=time_ns, kind=variable.kind, device=DEVICE, variable=index, value=value)

    def _send(self, *messages: Message) -> None:
        self.history.append(b"".join(encode(message) for message in messages))
