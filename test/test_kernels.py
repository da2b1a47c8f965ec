from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from livereduce import kernels

ascending = st.lists(st.floats(0.1, 10), min_size=1, max_size=12).map(lambda widths: np.concatenate([[0.0], np.cumsum(widths)]))


@settings(max_examples=60, deadline=None)
@given(ascending, ascending, st.floats(-5, 5))
def test_overlaps_cover_what_both_cover_and_nothing_twice(edges: np.ndarray, new: np.ndarray, shift: float) -> None:
    new = new + shift
    old_bins, new_bins, width = kernels.share(edges, new)
    assert (width > 0).all()
    assert np.isclose(width.sum(), max(0.0, min(edges[-1], new[-1]) - max(edges[0], new[0])), atol=1e-9)
    assert (np.diff(old_bins) >= 0).all()
    assert (np.diff(new_bins) >= 0).all()
    assert len(set(zip(old_bins.tolist(), new_bins.tolist(), strict=True))) == len(width)


@settings(max_examples=80, deadline=None)
@given(ascending, st.lists(st.floats(0, 1, exclude_max=True), min_size=1, max_size=20))
def test_a_value_is_found_in_its_bin_however_uneven_bins_are(edges: np.ndarray, parts: list[float]) -> None:
    for value in [part * edges[-1] for part in parts] + edges[:-1].tolist():
        found = kernels.bin_of(value, edges, (len(edges) - 1) / (edges[-1] - edges[0]))
        assert edges[found] <= value < edges[found + 1]


def test_edges_at_infinity_are_edges() -> None:
    edges = np.array([-np.inf, 0.0, 1.0, np.inf])
    y = np.zeros((1, 3))
    kernels.count_events(np.array([-1e300, -1, 0, 0.5, 7, 1e300, np.nan]), np.array([0, 7]), edges[None, :], y)
    assert y.tolist() == [[2, 2, 2]]


def test_new_bins_without_overlap_are_zero() -> None:
    edges, new = np.array([0.0, 1, 2]), np.array([1.5, 2.5, 3.5])
    old, where, width = kernels.share(edges, new)
    y, result = np.array([[4.0, 6.0]]), np.full((1, 2), 99.0)
    begin = np.searchsorted(where, np.arange(3))
    kernels.gather_shares(y, y, result, result, old, begin, width, width)
    assert result.tolist() == [[3, 0]]


def test_a_kernel_works_where_compiled_code_cannot_be_kept() -> None:
    space: dict[str, object] = {}
    exec(compile("def twice(x):\n    return 2 * x\n", "<nowhere>", "exec"), space)
    twice = kernels.compiled(space["twice"])  # type: ignore[type-var]
    assert twice(4) == 8  # type: ignore[operator]


def banked(counts: list[list[int]], head: int) -> list[int]:
    """Words of sources with banks of so many events."""
    words: list[int] = []
    for source, banks in enumerate(counts):
        words += [source, 0, 0, len(banks)]
        for bank, count in enumerate(banks):
            words += [bank, 9, count] if head == 3 else [bank, count]
            words += list(range(2 * count))
    return words


@settings(max_examples=60, deadline=None)
@given(st.lists(st.lists(st.integers(0, 5), max_size=4), max_size=4), st.sampled_from([2, 3]), st.integers(0, 3))
def test_banks_are_found_however_much_room_there_is_and_cut_ones_are_told(counts: list[list[int]], head: int, room: int) -> None:
    words = np.array(banked(counts, head), np.uint32)
    sources, banks = np.zeros((room, 4), np.uint32), np.zeros((room, 5), np.uint32)
    flat = [count for source in counts for count in source]
    assert kernels.walk_banks(words, head, sources, banks) == (len(counts), len(flat), 0, len(words))
    assert banks[: len(flat), 4].tolist() == flat[:room]
    assert [words[first : first + 2 * n].tolist() for first, n in banks[: len(flat), 3:].tolist()] == [list(range(2 * n)) for n in flat[:room]]
    if len(words) and counts[-1]:
        assert kernels.walk_banks(words[:-1], head, sources, banks)[2] in (2, 3)


def test_gathered_events_get_their_offset_and_stay_in_32_bits() -> None:
    words = np.array([7, 1, 8, 2, 99, 0xFFFFFFFF, 3, 5, 5], np.uint32)
    sources = np.array([[1, 0, 10, 2], [2, 0, 1 << 31 | 10, 2]], np.uint32)
    banks = np.array([[0, 1, 0, 5, 1], [0, 2, 0, 0, 1], [1, 3, 0, 2, 1], [1, 99, 0, 7, 1]], np.uint32)
    tof, pixel = np.zeros(4, np.uint32), np.zeros(4, np.uint32)
    assert kernels.gather_banks(words, sources, banks, 99, tof, pixel) == 3
    assert (tof.tolist(), pixel.tolist()) == ([0xFFFFFFFF, 17, 8, 0], [3, 1, 2, 0])


def isis_event_bytes(*words: int, n_events: int = 0) -> np.ndarray:
    packet = np.array([0xFFFFFFFF, 0xFFFFFFFF, 0x10000, 20, 2, 24, *words, n_events, *range(2 * n_events)], "<u4")
    return packet.view(np.uint8)


def test_isis_event_packets_are_walked_over_to_the_first_incomplete_one() -> None:
    whole = np.concatenate([isis_event_bytes(7, 1, 0x3E800000, 0x3FC00000, n_events=2), isis_event_bytes(8, 0, 0, 0)])
    headers = np.zeros((5, 6), np.uint32)
    for cut in range(1, 44):
        buffer = np.concatenate([whole, isis_event_bytes(9, 0, 0, 0)[:cut]])
        assert kernels.walk_isis_event_packets(buffer, headers, 1000, 10, True)[:4] == (2, 104, 0, 0)
    assert headers[:2].tolist() == [[44, 7, 1, 0x3E800000, 0x3FC00000, 2], [104, 8, 0, 0, 0, 0]]


def test_a_walk_over_isis_event_packets_ends_when_the_table_is_full() -> None:
    buffer = np.concatenate([isis_event_bytes(i, 0, 0, 0, n_events=i) for i in range(4)])
    assert kernels.walk_isis_event_packets(buffer, np.zeros((2, 6), np.uint32), 1000, 10, True) == (2, 96, 0, 2, 96)


def test_a_walk_over_isis_event_packets_ends_at_what_is_wrong_and_says_where() -> None:
    good, bad = isis_event_bytes(1, 0, 0, 0), isis_event_bytes(1, 0, 0, 0, n_events=11)
    headers = np.zeros((5, 6), np.uint32)
    assert kernels.walk_isis_event_packets(np.concatenate([good, bad]), headers, 1000, 10, True) == (1, 44, 0, 11, 84)
    assert kernels.walk_isis_event_packets(good, headers, 1000, 10, False) == (0, 0, 0, 8, 16)


@given(st.lists(st.integers(0, 2**32 - 1), min_size=1, max_size=5), st.integers(0, 7))
def test_a_word_is_read_wherever_it_lies(words: list[int], shift: int) -> None:
    buffer = np.concatenate([np.zeros(shift, np.uint8), np.array(words, "<u4").view(np.uint8)])
    assert [kernels.word_at(buffer, shift + 4 * i) for i in range(len(words))] == words


def test_pieces_of_bytes_are_put_together_in_order() -> None:
    out = np.zeros(6, np.uint8)
    kernels.gather_bytes(np.arange(20, dtype=np.uint8), np.array([5, 0, 9, 2]), np.array([2, 1, 0, 3]), out)
    assert out.tolist() == [5, 6, 0, 2, 3, 4]


def counted(row: np.ndarray | None, x: np.ndarray, edges: np.ndarray, rows: int) -> np.ndarray:
    """What `scatter_events` has to find, by searching the edges."""
    own = np.zeros(len(x), dtype=np.int64) if row is None else row.astype(np.int64)
    place = np.searchsorted(edges, x.astype(np.float64), side="right") - 1
    good = (place >= 0) & (x < edges[-1]) & (own >= 0) & (own < rows)
    return np.bincount(own[good] * (len(edges) - 1) + place[good], minlength=rows * (len(edges) - 1)).reshape(rows, -1)


def on_and_beside(edges: np.ndarray, dtype: type) -> np.ndarray:
    """Values on each edge and next to it, on both sides, and what is in no bin."""
    with np.errstate(over="ignore"):
        near = edges.astype(dtype)
        beside = [near, np.nextafter(near, dtype(-np.inf)), np.nextafter(near, dtype(np.inf))]
    return np.concatenate([*beside, np.array([np.nan, np.inf, -np.inf, 0.0, -0.0, 1e-40, -1e-40, 3e38], dtype)])


EDGES = {
    "even": np.linspace(0, 20_000, 1001),
    "even, not from zero": np.linspace(-17.3, 19.9, 334),
    "logarithmic": np.geomspace(10, 20_000, 4001),
    "around zero": np.concatenate([-np.geomspace(1e3, 1e-30, 50), [0.0], np.geomspace(1e-300, 1e3, 50)]),
    "one bin": np.array([1.0, np.nextafter(1.0, 2)]),
    "to infinity": np.array([-np.inf, -1e300, -1.0, 0.0, 1e-320, 1.0, 1e300, np.inf]),
    "crowded": np.concatenate([[0.0], 1.0 + np.arange(3000) * 2.0**-52, [1e6, 1e30]]),
    "of no width": np.array([0.0, 1.0, 1.0, 1.0, 2.0, 2.0]),
    "all the same": np.array([3.0, 3.0, 3.0]),
    "uneven": np.unique(np.random.default_rng(5).uniform(0, 20_000, 1000) ** 2),
}


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("name", EDGES)
def test_an_event_falls_into_the_bin_that_a_search_finds(name: str, dtype: type) -> None:
    edges, rng = EDGES[name], np.random.default_rng(3)
    with np.errstate(over="ignore"):
        spread = rng.choice(np.nan_to_num(edges), 2000) * rng.uniform(0.99, 1.01, 2000)
        x = np.concatenate([on_and_beside(edges, dtype), spread.astype(dtype)])
    y = np.zeros((1, len(edges) - 1))
    dropped = kernels.scatter_events(None, x, kernels.lookup(edges, dtype), y)
    assert np.array_equal(y, counted(None, x, edges, 1))
    assert dropped == (0, len(x) - y.sum())


@settings(max_examples=100, deadline=None)
@given(st.lists(st.floats(allow_nan=False), min_size=2, max_size=30, unique=True), st.lists(st.floats(), max_size=30))
def test_any_edges_agree_with_a_search(values: list[float], more: list[float]) -> None:
    edges = np.unique(np.array(values))
    if len(edges) > 1:
        x = np.concatenate([on_and_beside(edges, np.float64), more])
        y = np.zeros((1, len(edges) - 1), np.int64)
        kernels.scatter_events(None, x, kernels.lookup(edges, np.float64), y)
        assert np.array_equal(y, counted(None, x, edges, 1))


@pytest.mark.parametrize("threads", [1, 2, 3])
@pytest.mark.parametrize("rows", [1, 7, 600])
@pytest.mark.parametrize("kind", [np.float64, np.uint32, np.int64])
def test_events_in_any_order_are_added_to_what_is_there(threads: int, rows: int, kind: type) -> None:
    rng = np.random.default_rng(rows)
    row = rng.integers(-1, rows + 1, 600_000).astype(np.int32)
    x = rng.normal(500, 300, len(row)).astype(np.float32)
    edges = np.linspace(0, 1000, 1001)
    y = np.full((rows, 1000), 2, kind)
    dropped = kernels.scatter_events(row, x, kernels.lookup(edges, x.dtype), y, threads=threads)
    assert np.array_equal(y - 2, counted(row, x, edges, rows))
    outside = (row < 0) | (row >= rows)
    assert dropped == (outside.sum(), (~outside & ((x < 0) | (x >= 1000))).sum())


@pytest.mark.parametrize("rows", [3, 600])
def test_weights_and_squared_errors_are_summed(rows: int) -> None:
    rng = np.random.default_rng(1)
    row, x = rng.integers(0, rows + 1, 300_000).astype(np.uint32), rng.uniform(-10, 1010, 300_000)
    # Eighths add up without rounding in any order.
    weight, error2 = rng.integers(0, 80, (2, len(x))).astype(np.float32) / 8
    edges = np.linspace(0, 1000, 1001)
    y, variance = np.zeros((2, rows, 1000))
    kernels.scatter_events(row, x, kernels.lookup(edges, x.dtype), y, weight=weight, error2=error2, variance=variance, threads=2)
    good = (row < rows) & (x >= 0) & (x < 1000)
    place = row[good].astype(np.int64) * 1000 + np.searchsorted(edges, x[good], side="right") - 1
    assert np.array_equal(y.ravel(), np.bincount(place, weight[good], rows * 1000))
    assert np.array_equal(variance.ravel(), np.bincount(place, error2[good], rows * 1000))


def test_packed_events_are_read_where_they_lie_even_at_an_odd_byte() -> None:
    events = np.zeros(50, np.dtype([("tof", "<f4"), ("spectrum", "<u4")]))
    events["tof"], events["spectrum"] = np.arange(50), np.arange(50) % 5
    edges = np.linspace(0, 50, 11)
    for first in (0, 1):
        packed = np.frombuffer(bytes(first) + events.tobytes(), np.uint8)[first:].view(events.dtype)
        y = np.zeros((4, 10), np.uint32)
        assert kernels.scatter_events(packed["spectrum"], packed["tof"], kernels.lookup(edges, np.float32), y) == (10, 0)
        assert np.array_equal(y, counted(events["spectrum"], events["tof"], edges, 4))


def test_rows_beyond_32_bits_do_not_come_round() -> None:
    y = np.zeros((2, 1))
    rows = np.array([2**32, 2**32 + 1, -(2**32), 1])
    assert kernels.scatter_events(rows, np.full(4, 0.5), kernels.lookup(np.array([0.0, 1.0]), np.float64), y) == (3, 0)
    assert y.tolist() == [[0], [1]]


def test_no_events_change_nothing() -> None:
    for shape in ((1, 4), (40_000, 4)):
        y = np.ones(shape)
        assert kernels.scatter_events(np.zeros(0, np.uint32), np.zeros(0), kernels.lookup(np.arange(5.0), np.float64), y) == (0, 0)
        assert (y == 1).all()


def test_what_does_not_fit_is_refused_before_anything_is_written() -> None:
    found, x, row, y = kernels.lookup(np.arange(5.0), np.float64), np.zeros(3), np.zeros(3, np.int32), np.zeros((2, 4))
    bad: list[tuple[Any, ...]] = [
        (row[:2], x, found, y),
        (row, x.astype(np.float32), found, y),
        (row, x, found, y[:, :3]),
        (row, x, found, np.zeros((4, 2)).T),
        (row.astype(float), x, found, y),
    ]
    for arguments in bad:
        with pytest.raises(ValueError, match=r"columns|table|target|integers"):
            kernels.scatter_events(*arguments)
    with pytest.raises(ValueError, match="together"):
        kernels.scatter_events(row, x, found, y, weight=np.ones(3))
    for edges in ([1.0], [2.0, 1.0], [0.0, np.nan]):
        with pytest.raises(ValueError, match="descend"):
            kernels.lookup(np.array(edges), np.float64)
    assert not y.any()


@pytest.mark.parametrize("threads", [1, 2])
@pytest.mark.parametrize("name", ["even", "logarithmic", "to infinity"])
def test_events_row_by_row_give_the_same_as_in_any_order(name: str, threads: int) -> None:
    rng, edges = np.random.default_rng(8), EDGES[name]
    many = rng.choice([0, 0, 1, 50, 70_000, 140_000], 12)
    offsets = np.concatenate([[0], np.cumsum(many)]).astype(np.int64)
    x = rng.uniform(-10, 21_000, offsets[-1])
    row = np.repeat(np.arange(12), many)
    y, weighted, variance = np.zeros((3, 12, len(edges) - 1))
    kernels.count_in_rows(x, offsets, kernels.lookup(edges, x.dtype), y, threads=threads)
    assert np.array_equal(y, counted(row, x, edges, 12))
    twos = np.full(len(x), 2, np.float32)
    found = kernels.lookup(edges, x.dtype)
    kernels.count_in_rows(x, offsets, found, weighted, weight=twos, error2=2 * twos, variance=variance, threads=threads)
    assert np.array_equal(weighted, 2 * y)
    assert np.array_equal(variance, 4 * y)


def test_rows_without_events_stay_as_they_are() -> None:
    y = np.ones((3, 2))
    kernels.count_in_rows(np.zeros(0), np.zeros(4, np.int64), kernels.lookup(np.arange(3.0), np.float64), y)
    assert (y == 1).all()
    kernels.count_in_rows(np.zeros(0), np.zeros(1, np.int64), kernels.lookup(np.arange(3.0), np.float64), np.zeros((0, 2)), threads=2)
