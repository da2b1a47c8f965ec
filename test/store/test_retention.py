"""What a full journal gives up."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from livereduce.store.retention import GAP, HISTOGRAM, RUN_END, RUN_START, victims

Entries = list[tuple[int, bytes, int]]


def entries(kinds: str, size: int = 10) -> Entries:
    return [(position, kind.encode(), size) for position, kind in enumerate(kinds)]


@pytest.mark.parametrize(
    ("kinds", "to_free", "expected"),
    [
        ("", 10, []),
        ("RHH", 0, []),
        ("RHH", 1, [1]),  # a later reading of the run supersedes it
        ("RHH", 1000, [1]),  # the start and the newest reading stay
        ("RHHH", 15, [1, 2]),
        ("RHERHH", 1, [4]),  # superseded ones first, also of the present run
        ("RHERHH", 20, [4, 0]),  # then the oldest of earlier runs
        ("RHERHH", 1000, [4, 0, 1, 2]),
        ("RHHERH", 1000, [1, 0, 2, 3]),
        ("RHGHG", 1000, [1, 2]),  # the newest record of all stays: positions go on from it
        ("RHHE", 1000, [1]),  # without its end the run would seem to go on
        ("RHHEG", 1000, [1]),
        ("HHH", 1000, [0, 1]),  # a journal whose run start was lost
        ("GG", 1000, [0]),
    ],
)
def test_victims_are_chosen_in_order_of_their_use(kinds: str, to_free: int, expected: list[int]) -> None:
    assert victims(entries(kinds), to_free) == expected


def test_only_as_many_are_given_up_as_free_what_is_wanted() -> None:
    sizes = [(0, RUN_START, 5), (1, HISTOGRAM, 30), (2, HISTOGRAM, 30), (3, HISTOGRAM, 30)]
    assert victims(sizes, 30) == [1]
    assert victims(sizes, 31) == [1, 2]


kinds_and_sizes = st.lists(st.tuples(st.sampled_from([RUN_START, RUN_END, HISTOGRAM, GAP]), st.integers(1, 50)), max_size=30)


@given(found=kinds_and_sizes, to_free=st.integers(0, 2000))
def test_the_present_run_keeps_start_newest_reading_and_end_and_enough_is_freed_when_there_is_enough(
    found: list[tuple[bytes, int]], to_free: int
) -> None:
    all_entries = [(position, kind, size) for position, (kind, size) in enumerate(found)]
    chosen = victims(all_entries, to_free)
    assert len(set(chosen)) == len(chosen)
    starts = [position for position, kind, _ in all_entries if kind == RUN_START]
    readings = [position for position, kind, _ in all_entries if kind == HISTOGRAM]
    kept = {*starts[-1:], *readings[-1:], *(p for p, _, _ in all_entries[-1:])}
    kept |= {p for p, kind, _ in all_entries if kind == RUN_END and p > max(starts, default=-1)}
    assert not kept.intersection(chosen)
    size_of = {position: size for position, _, size in all_entries}
    freed = sum(size_of[position] for position in chosen)
    possible = sum(size for position, size in size_of.items() if position not in kept)
    assert freed >= min(to_free, possible)
    assert not chosen or freed - size_of[chosen[-1]] < to_free  # and no record more
