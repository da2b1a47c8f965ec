"""What a reducer decides: a pure table of (state, event) to (state, commands). No IO, no clock, no workspace.

    phase        a chunk was added    the run is over      the timer is due        nothing more waits
    REPLAYING    note it              post it, clear       (not yet)               go LIVE: post if there is something
    LIVE         first: post at once  post it, clear       post if changed         stay
    STOPPING     (nothing is taken any more)

Two rules hold in every phase: at most one post-processing runs at a time, and what is due at a run's end is never dropped for what is
due on the timer. Post-processing works on a snapshot, so no chunk ever waits for it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import Enum, auto

FINALS_WAITING = 16
"""Run ends that may wait for their post-processing; beyond that the oldest is given up and said."""


class Phase(Enum):
    """How far the reducer is."""

    REPLAYING = auto()
    """Records wait that were in the journal when it started; results are not shown yet."""

    LIVE = auto()
    """It has caught up once; each chunk is new."""

    STOPPING = auto()
    """It was asked to end."""


class Event(Enum):
    """What happens to a reducer."""

    RUN_BEGAN = auto()
    CHUNK_ADDED = auto()
    CHUNK_FAILED = auto()
    RUN_OVER = auto()
    CAUGHT_UP = auto()
    POST_DUE = auto()
    CHECKPOINT_DUE = auto()
    CHECKPOINT_FAILED = auto()
    POST_ENDED = auto()
    STOP = auto()


class Command(Enum):
    """What a reducer is to do."""

    CLEAR = auto()
    """Begin a new accumulation."""

    POST = auto()
    """Take a snapshot and start post-processing on it."""

    QUEUE_FINAL = auto()
    """Take a snapshot of the run that is over; post-process it when its turn comes."""

    POST_FINAL = auto()
    """Start post-processing on the oldest snapshot that waits."""

    DROP_FINAL = auto()
    """Give up the oldest snapshot that waits, and say so."""

    CHECKPOINT = auto()
    """Keep accumulation and position."""


@dataclass(frozen=True, slots=True, kw_only=True)
class State:
    """All that decides what a reducer does next."""

    phase: Phase = Phase.REPLAYING
    """How far it is."""

    has_data: bool = False
    """Whether the accumulation holds a chunk."""

    changed: bool = False
    """Whether a chunk came since the last snapshot for post-processing."""

    posted: bool = False
    """Whether this run was post-processed once."""

    unsaved: bool = False
    """Whether something happened since the last checkpoint."""

    post_running: bool = False
    """Whether post-processing runs."""

    finals: int = 0
    """Snapshots of ended runs that wait for post-processing."""

    final_running: bool = False
    """Whether the post-processing that runs is that of an ended run."""


Decision = tuple[State, tuple[Command, ...]]


def decide(state: State, event: Event) -> Decision:
    """Return the state after `event` and what is to be done, in order."""
    if state.phase is Phase.STOPPING:
        return (replace(state, post_running=False), ()) if event is Event.POST_ENDED else (state, ())
    return _TABLE[event](state)


def _run_began(state: State) -> Decision:
    if state.has_data:  # the end of the run before was lost: it is over all the same
        return _run_over(state)
    cleared = replace(state, has_data=False, changed=False, posted=False, unsaved=True)
    return cleared, (Command.CLEAR,)


def _chunk_added(state: State) -> Decision:
    added = replace(state, has_data=True, changed=True, unsaved=True)
    return _start_post(added) if added.phase is Phase.LIVE and not added.posted else (added, ())


def _something_unsaved(state: State) -> Decision:
    return replace(state, unsaved=True), ()


def _run_over(state: State) -> Decision:
    over = replace(state, has_data=False, changed=False, posted=False, unsaved=True)
    if not state.has_data:
        return over, (Command.CLEAR,)
    dropped = (Command.DROP_FINAL,) if state.finals >= FINALS_WAITING else ()
    queued = replace(over, finals=state.finals + 1 - len(dropped))
    after, commands = _start_post(queued)
    return after, (*dropped, Command.QUEUE_FINAL, Command.CLEAR, *commands)


def _caught_up(state: State) -> Decision:
    live = replace(state, phase=Phase.LIVE)
    return _start_post(live) if state.changed and not state.posted else (live, ())


def _post_due(state: State) -> Decision:
    return _start_post(state) if state.phase is Phase.LIVE else (state, ())


def _checkpoint_due(state: State) -> Decision:
    return _checkpoint(state)


def _post_ended(state: State) -> Decision:
    idle = replace(state, post_running=False, final_running=False)
    # A run's first chunk may have come meanwhile: it does not wait for the timer.
    first = idle.phase is Phase.LIVE and idle.changed and not idle.posted
    return _start_post(idle) if idle.finals or first else (idle, ())


def _stop(state: State) -> Decision:
    saved, commands = _checkpoint(state)
    return replace(saved, phase=Phase.STOPPING), commands


def _checkpoint(state: State) -> Decision:
    # A run's last post-processing is repeated after a crash: no checkpoint stands behind the run's end before it is done.
    owed = state.finals > 0 or state.final_running
    return (replace(state, unsaved=False), (Command.CHECKPOINT,)) if state.unsaved and not owed else (state, ())


def _start_post(state: State) -> Decision:
    if state.post_running:
        return state, ()
    if state.finals:
        return replace(state, post_running=True, final_running=True, finals=state.finals - 1), (Command.POST_FINAL,)
    if state.changed:
        return replace(state, post_running=True, changed=False, posted=True), (Command.POST,)
    return state, ()


_TABLE = {
    Event.RUN_BEGAN: _run_began,
    Event.CHUNK_ADDED: _chunk_added,
    Event.CHUNK_FAILED: _something_unsaved,
    Event.CHECKPOINT_FAILED: _something_unsaved,
    Event.RUN_OVER: _run_over,
    Event.CAUGHT_UP: _caught_up,
    Event.POST_DUE: _post_due,
    Event.CHECKPOINT_DUE: _checkpoint_due,
    Event.POST_ENDED: _post_ended,
    Event.STOP: _stop,
}
