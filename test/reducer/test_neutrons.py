"""Events of the journal as workspaces."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from livereduce.data.events import EventWorkspace
from livereduce.data.group import WorkspaceGroup
from livereduce.data.run import Run
from livereduce.data.workspace import Workspace
from livereduce.reducer.chunks import spectra_of
from livereduce.reducer.neutrons import event_workspace, histogrammed
from livereduce.store.record import EVENT, PULSE, Events, Layout, Neutrons, Record, decode, encode

Drawn = list[tuple[int, list[tuple[int, float]]]]
PULSES = st.lists(st.tuples(st.integers(0, 3), st.lists(st.tuples(st.integers(0, 6), st.floats(0, 20_000, width=32)), max_size=8)), max_size=6)


def layout(periods: int = 2, spectra: int = 4) -> Layout:
    numbers = list(range(1, spectra + 1))
    return Layout(spectrum_numbers=numbers, periods=list(range(1, periods + 1)), x=[], detector_ids=numbers, detector_spectra=numbers)


def neutrons(drawn: Drawn, *, first_row: int = 0) -> Neutrons:
    pulses = np.zeros(len(drawn), dtype=PULSE)
    for k, (period, events) in enumerate(drawn):
        pulses[k] = (10**18 + k, 0.25, period, len(events), first_row)
    return Neutrons(pulses, np.array([(tof, row) for _, events in drawn for row, tof in events], dtype=EVENT))


@given(PULSES)
def test_every_event_is_in_its_spectrum_and_period_in_the_order_recorded_or_counted_as_left_out(
    drawn: list[tuple[int, list[tuple[int, float]]]],
) -> None:
    of = layout()
    made = event_workspace(of, spectra_of(of), [neutrons(drawn[:2]), neutrons(drawn[2:])], Run())
    assert isinstance(made.value, WorkspaceGroup)
    counted = 0
    for plane, member in enumerate(made.value.members):
        assert isinstance(member, EventWorkspace)
        for row in range(4):
            wanted = [tof for period, events in drawn if period == plane for r, tof in events if r == row]
            assert member.events_of(row).tof.tolist() == wanted
            counted += len(wanted)
    assert made.out_of_range == sum(len(events) for _, events in drawn) - counted


def test_spectra_may_be_counted_from_one() -> None:
    of = layout(periods=1)
    made = event_workspace(of, spectra_of(of), [neutrons([(0, [(1, 5.0), (4, 6.0), (0, 7.0), (5, 8.0)])], first_row=1)], Run())
    assert isinstance(made.value, EventWorkspace)
    assert np.diff(made.value.offsets).tolist() == [1, 0, 0, 1]
    assert made.out_of_range == 2


def test_a_period_carries_the_charge_of_its_own_pulses() -> None:
    of = layout()
    made = event_workspace(of, spectra_of(of), [neutrons([(0, []), (1, []), (1, [(0, 1.0)])])], Run())
    assert isinstance(made.value, WorkspaceGroup)
    assert [member.run.charge_uah for member in made.value.members] == [0.25, 0.5]
    assert made.value.members[1].events_of(0).pulse_time_ns.tolist() == [10**18 + 2]


def test_events_are_counted_into_the_bins_they_have() -> None:
    of = layout(periods=1)
    made = event_workspace(of, spectra_of(of), [neutrons([(0, [(2, 5.0), (2, 6.0)])])], Run())
    counted = histogrammed(made.value)
    assert isinstance(counted, Workspace)
    assert counted.y.tolist() == [[0.0], [0.0], [2.0], [0.0]]


@given(PULSES)
def test_a_record_of_events_is_read_as_it_was_written(drawn: Drawn) -> None:
    one = neutrons(drawn)
    record = Record(Events(time_ns=5, n_pulses=len(one.pulses), n_events=len(one.events)), neutrons=one)
    again = decode(encode(record))
    assert again.header == record.header
    assert again.neutrons is not None
    assert again.neutrons.pulses.tobytes() == one.pulses.tobytes()
    assert again.neutrons.events.tobytes() == one.events.tobytes()
