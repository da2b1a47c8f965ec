"""When and from where a reducer is started again."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from livereduce.supervisor.policy import FIRST_DELAY_S, MAX_DELAY_S, Restart, RestartPolicy


@pytest.mark.parametrize(
    ("positions", "memory", "expected"),
    [
        ([5], False, [(0.0, False)]),
        ([5, 9, 12], False, [(0.0, False)] * 3),
        ([5, 5, 5, 5], False, [(0.0, False), (0.5, False), (1.0, False), (2.0, False)]),
        ([5, 5, 5], True, [(0.0, False), (0.5, True), (1.0, True)]),
        ([5, 5, 6, 6], True, [(0.0, False), (0.5, True), (0.0, False), (0.5, True)]),
        ([-1, -1, 0], False, [(0.0, False), (0.5, False), (0.0, False)]),
        ([100, 60, 80], True, [(0.0, False)] * 3),  # other scripts: the run is reduced again from its start
    ],
)
def test_progress_starts_at_once_and_its_lack_waits_longer_each_time(positions: list[int], memory: bool, expected: list[tuple[float, bool]]) -> None:
    policy = RestartPolicy()
    assert [policy.after(position, memory=memory) for position in positions] == [Restart(delay_s=s, at_journal_end=end) for s, end in expected]


def test_the_wait_is_bounded_however_long_it_lasts() -> None:
    policy = RestartPolicy()
    delays = [policy.after(1, memory=False).delay_s for _ in range(3000)]
    assert max(delays) == delays[-1] == MAX_DELAY_S


def test_what_was_forgotten_counts_no_more() -> None:
    policy = RestartPolicy()
    policy.after(1, memory=False)
    policy.forget()
    assert policy.after(1, memory=True) == Restart(delay_s=0.0, at_journal_end=False)


@given(st.lists(st.tuples(st.integers(-1, 3), st.booleans()), min_size=1))
def test_a_wait_is_due_exactly_when_nothing_moved(endings: list[tuple[int, bool]]) -> None:
    policy, before = RestartPolicy(), None
    for position, memory in endings:
        restart = policy.after(position, memory=memory)
        assert (restart.delay_s >= FIRST_DELAY_S) == (position == before)
        assert restart.at_journal_end == (position == before and memory)
        before = position


def test_a_reducer_that_soon_reaches_the_memory_limit_again_is_waited_for_although_chunks_go_on() -> None:
    policy = RestartPolicy()
    delays = [policy.after(position, memory=True, lived_s=1.0) for position in range(5)]
    assert [restart.delay_s for restart in delays] == [0.0, 0.5, 1.0, 2.0, 4.0]
    assert not any(restart.at_journal_end for restart in delays)
    assert policy.after(9, memory=True, lived_s=100.0).delay_s == 0.0
