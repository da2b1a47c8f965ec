"""What a reducer decides."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from livereduce.reducer.state import FINALS_WAITING, Command, Event, Phase, State, decide

LIVE = State(phase=Phase.LIVE)
FULL = State(phase=Phase.LIVE, has_data=True, changed=True, posted=True, unsaved=True)
C = Command


@pytest.mark.parametrize(
    ("state", "event", "after", "commands"),
    [
        (State(), Event.RUN_BEGAN, State(unsaved=True), [C.CLEAR]),
        (State(), Event.CHUNK_ADDED, State(has_data=True, changed=True, unsaved=True), []),
        (LIVE, Event.CHUNK_ADDED, replace(FULL, changed=False, post_running=True), [C.POST]),
        (replace(FULL, changed=False), Event.CHUNK_ADDED, FULL, []),
        (LIVE, Event.CHUNK_FAILED, replace(LIVE, unsaved=True), []),
        (LIVE, Event.RUN_OVER, replace(LIVE, unsaved=True), [C.CLEAR]),
        (FULL, Event.RUN_OVER, replace(LIVE, unsaved=True, post_running=True, final_running=True), [C.QUEUE_FINAL, C.CLEAR, C.POST_FINAL]),
        (replace(FULL, post_running=True), Event.RUN_OVER, replace(LIVE, unsaved=True, post_running=True, finals=1), [C.QUEUE_FINAL, C.CLEAR]),
        (FULL, Event.RUN_BEGAN, replace(LIVE, unsaved=True, post_running=True, final_running=True), [C.QUEUE_FINAL, C.CLEAR, C.POST_FINAL]),
        (
            replace(FULL, post_running=True, finals=FINALS_WAITING),
            Event.RUN_OVER,
            replace(LIVE, unsaved=True, post_running=True, finals=FINALS_WAITING),
            [C.DROP_FINAL, C.QUEUE_FINAL, C.CLEAR],
        ),
        (State(), Event.CAUGHT_UP, LIVE, []),
        (replace(FULL, phase=Phase.REPLAYING, posted=False), Event.CAUGHT_UP, replace(FULL, changed=False, post_running=True), [C.POST]),
        (FULL, Event.CAUGHT_UP, FULL, []),
        (FULL, Event.POST_DUE, replace(FULL, changed=False, post_running=True), [C.POST]),
        (replace(FULL, changed=False), Event.POST_DUE, replace(FULL, changed=False), []),
        (replace(FULL, post_running=True), Event.POST_DUE, replace(FULL, post_running=True), []),
        (replace(FULL, phase=Phase.REPLAYING), Event.POST_DUE, replace(FULL, phase=Phase.REPLAYING), []),
        (FULL, Event.CHECKPOINT_DUE, replace(FULL, unsaved=False), [C.CHECKPOINT]),
        (replace(FULL, unsaved=False), Event.CHECKPOINT_DUE, replace(FULL, unsaved=False), []),
        (replace(FULL, finals=1), Event.CHECKPOINT_DUE, replace(FULL, finals=1), []),
        (replace(FULL, post_running=True, final_running=True), Event.CHECKPOINT_DUE, replace(FULL, post_running=True, final_running=True), []),
        (replace(FULL, post_running=True), Event.POST_ENDED, FULL, []),
        (
            replace(FULL, post_running=True, finals=2),
            Event.POST_ENDED,
            replace(FULL, post_running=True, final_running=True, finals=1),
            [C.POST_FINAL],
        ),
        (  # the first chunk of a run came while the last run was post-processed: it does not wait for the timer
            replace(FULL, posted=False, post_running=True, final_running=True),
            Event.POST_ENDED,
            replace(FULL, changed=False, post_running=True),
            [C.POST],
        ),
        (FULL, Event.STOP, replace(FULL, phase=Phase.STOPPING, unsaved=False), [C.CHECKPOINT]),
        (replace(FULL, finals=1), Event.STOP, replace(FULL, finals=1, phase=Phase.STOPPING), []),
    ],
)
def test_each_event_has_its_answer(state: State, event: Event, after: State, commands: list[Command]) -> None:
    assert decide(state, event) == (after, tuple(commands))


@pytest.mark.parametrize("event", list(Event))
def test_nothing_is_begun_after_the_stop(event: Event) -> None:
    stopped = replace(FULL, phase=Phase.STOPPING, post_running=True)
    after, commands = decide(stopped, event)
    assert commands == ()
    assert after == (replace(stopped, post_running=False) if event is Event.POST_ENDED else stopped)


@given(st.lists(st.sampled_from(list(Event)), max_size=60))
def test_any_events_lead_to_the_same_commands_each_time(events: list[Event]) -> None:
    def play() -> list[tuple[Command, ...]]:
        state, said = State(), []
        for event in events:
            state, commands = decide(state, event)
            said.append(commands)
            assert state.phase in Phase
            assert 0 <= state.finals <= FINALS_WAITING
        return said

    assert play() == play()


class Reducers(RuleBasedStateMachine):
    """A reducer as its loop drives it: what the commands ask for is done, a post-processing ends when it likes."""

    def __init__(self) -> None:
        super().__init__()
        self.state = State()
        self.running: int | None = None
        self.run = 0
        self.chunks_in = 0
        self.waiting: list[int] = []
        self.owed: set[int] = set()
        self.done: list[int] = []
        self.dropped: list[int] = []

    def happen(self, event: Event) -> None:
        self.state, commands = decide(self.state, event)
        for command in commands:
            match command:
                case Command.POST:
                    assert self.running is None, "two at a time"
                    assert self.chunks_in > 0
                    self.running = -1
                case Command.QUEUE_FINAL:
                    assert self.chunks_in > 0
                    self.waiting.append(self.run)
                case Command.POST_FINAL:
                    assert self.running is None, "two at a time"
                    self.running = self.waiting.pop(0)
                case Command.DROP_FINAL:
                    self.dropped.append(self.waiting.pop(0))
                case Command.CLEAR:
                    self.chunks_in = 0
                case Command.CHECKPOINT:
                    assert not self.waiting
                    assert self.running in (None, -1), "a checkpoint behind a run's end whose last post-processing is not done"

    @rule()
    def run_begins(self) -> None:
        if self.chunks_in:
            self.owed.add(self.run)
        self.happen(Event.RUN_BEGAN)
        self.run += 1

    @rule()
    def chunk_comes(self) -> None:
        self.chunks_in += self.state.phase is not Phase.STOPPING
        self.happen(Event.CHUNK_ADDED)

    @rule()
    def run_ends(self) -> None:
        if self.chunks_in and self.state.phase is not Phase.STOPPING:
            self.owed.add(self.run)
        self.happen(Event.RUN_OVER)
        self.run += 1

    @rule(event=st.sampled_from([Event.CHUNK_FAILED, Event.CAUGHT_UP, Event.POST_DUE, Event.CHECKPOINT_DUE]))
    def something_happens(self, event: Event) -> None:
        self.happen(event)

    @precondition(lambda self: self.running is not None)
    @rule()
    def post_ends(self) -> None:
        if self.running is not None and self.running >= 0:
            self.done.append(self.running)
        self.running = None
        self.happen(Event.POST_ENDED)

    @invariant()
    def knows_what_runs(self) -> None:
        assert self.state.post_running == (self.running is not None)
        assert self.state.finals == len(self.waiting)
        assert self.state.has_data == (self.chunks_in > 0)

    def teardown(self) -> None:
        """However it went, once all posts have ended each run with data had its last one, or was said to be given up."""
        while self.running is not None:
            self.post_ends()
        seen = [*self.done, *self.dropped]
        assert sorted(seen) == sorted(self.owed)
        assert len(seen) == len(set(seen))


Reducers.TestCase.settings = settings(max_examples=60, stateful_step_count=60)
TestReducers = Reducers.TestCase
