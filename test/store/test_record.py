"""Records as bytes."""

from __future__ import annotations

import contextlib

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from livereduce.errors import StoreError
from livereduce.store.record import ALIGNMENT, Gap, Histogram, Layout, Record, RunEnd, RunStart, decode, encode

# msgpack (github.com/msgpack/msgpack/blob/master/spec.md): 0x8n map of n pairs, 0xan text of n bytes, 0xcd uint16, 0xcb float64, 0x9n list of n.
RUN_END = b"\x84" + b"\xa4type" + b"\xa7run_end" + b"\xa7time_ns" + b"\xcd\x03\xe8" + b"\xa6number" + b"\x07" + b"\xa6reason" + b"\xa2no"
HISTOGRAM = (
    b"\x84"
    + b"\xa4type"
    + b"\xa9histogram"
    + b"\xa7time_ns"
    + b"\x05"
    + b"\xaacharge_uah"
    + b"\xcb\x3f\xf8\0\0\0\0\0\0"
    + b"\xa5shape"
    + b"\x93\x01\x01\x02"
)


def test_a_record_without_counts_is_the_length_of_its_header_and_the_header() -> None:
    assert encode(Record(RunEnd(time_ns=1000, number=7, reason="no"))) == len(RUN_END).to_bytes(4, "little") + RUN_END


def test_counts_follow_the_header_at_the_next_multiple_of_64_bytes_little_endian() -> None:
    counts = np.array([[[1, -2]]], dtype=np.int32)
    head = len(HISTOGRAM).to_bytes(4, "little") + HISTOGRAM
    padded = head.ljust(64 * ((len(head) + 63) // 64), b"\0")
    assert encode(Record(Histogram(time_ns=5, charge_uah=1.5, shape=(1, 1, 2)), counts)) == padded + b"\x01\0\0\0\xfe\xff\xff\xff"


def test_golden_bytes_are_read_back() -> None:
    record = decode(len(RUN_END).to_bytes(4, "little") + RUN_END)
    assert record.header == RunEnd(time_ns=1000, number=7, reason="no")
    assert record.counts is None


def test_the_type_of_a_header_is_named_first() -> None:
    layout = Layout(spectrum_numbers=[1], periods=[1], x=[0.0, 1.0], detector_ids=[], detector_spectra=[])
    tags = [encode(Record(header))[4:].split(b"\xa4type")[1][1:6] for header in (RunStart(time_ns=0, layout=layout), Gap(time_ns=0, reason=""))]
    assert tags == [b"run_s", b"gap\xa7t"]


@given(
    counts=hnp.arrays(np.int32, hnp.array_shapes(min_dims=3, max_dims=3, min_side=0, max_side=4)), charge=st.floats(), time_ns=st.integers(0, 2**62)
)
def test_a_reading_comes_back_as_it_was(counts: np.ndarray, charge: float, time_ns: int) -> None:
    before = Record(Histogram(time_ns=time_ns, charge_uah=charge, shape=counts.shape), counts)
    after = decode(encode(before))
    np.testing.assert_array_equal(after.counts, counts)
    assert isinstance(after.header, Histogram)
    assert (after.header.time_ns, after.header.shape) == (time_ns, counts.shape)
    assert np.array_equal(after.header.charge_uah, charge, equal_nan=True)


@given(number=st.integers(0, 2**31), title=st.text(), numbers=st.lists(st.integers(1, 2**31 - 1), max_size=5))
def test_a_run_start_comes_back_as_it_was(number: int, title: str, numbers: list[int]) -> None:
    layout = Layout(instrument="I", spectrum_numbers=numbers, periods=[1], x=[0.0, 0.5], detector_ids=numbers, detector_spectra=numbers)
    header = RunStart(time_ns=1, number=number, title=title, layout=layout)
    assert decode(encode(Record(header))).header == header


def test_counts_that_are_not_contiguous_are_written_in_order() -> None:
    counts = np.arange(24, dtype=np.int32).reshape(2, 3, 4)[:, ::2, ::-1]
    after = decode(encode(Record(Histogram(time_ns=0, charge_uah=0.0, shape=(2, 2, 4)), counts)))
    np.testing.assert_array_equal(after.counts, counts)


def test_counts_read_back_cannot_be_written_and_are_a_view() -> None:
    data = encode(Record(Histogram(time_ns=0, charge_uah=0.0, shape=(1, 1, 2)), np.ones((1, 1, 2), dtype=np.int32)))
    counts = decode(data).counts
    assert counts is not None
    assert not counts.flags.writeable
    assert not counts.flags.owndata
    assert (len(data) - counts.nbytes) % ALIGNMENT == 0


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\xff\xff\xff\xff",
        b"\x02\0\0\0\xa2\xff\xff",
        len(RUN_END).to_bytes(4, "little") + RUN_END[:-3],
        len(HISTOGRAM).to_bytes(4, "little") + HISTOGRAM,
        (len(HISTOGRAM).to_bytes(4, "little") + HISTOGRAM).ljust(128, b"\0") + b"\1\0\0\0",
    ],
)
def test_bytes_that_are_no_record_say_so(data: bytes) -> None:
    with pytest.raises(StoreError, match=rf"^a journal record of {len(data)} bytes cannot be read: .*; it is skipped$"):
        decode(data)


@given(st.binary(max_size=200))
def test_no_bytes_raise_anything_but_a_store_error(data: bytes) -> None:
    with contextlib.suppress(StoreError):
        decode(data)
