from __future__ import annotations

import gc
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from livereduce.data.events import EventKind, Events, EventWorkspace
from livereduce.data.group import WorkspaceGroup
from livereduce.data.instrument import Instrument
from livereduce.data.names import Names
from livereduce.data.run import EPOCH_1990_NS
from livereduce.data.workspace import Spectra, VerticalAxis, Workspace
from livereduce.scripting.mantid import DataService

from .conftest import histogram

Put = Callable[..., Any]


def events() -> EventWorkspace:
    rows = [
        Events(tof=np.array([3.0, 1.0]), pulse_time_ns=np.array([5, 6]) + EPOCH_1990_NS),
        Events(tof=np.array([8.0]), pulse_time_ns=np.array([7])),
    ]
    return EventWorkspace.from_rows(rows, [EventKind.TOF, EventKind.TOF], x=np.array([0.0, 5.0, 10.0]), spectra=Spectra.counted(2))


# -- names


def test_a_handle_is_named_as_its_workspace(service: DataService, put: Put) -> None:
    ws = put("a")
    assert (str(ws), ws.name(), ws.getName(), f"{ws}", repr(ws)) == ("a", "a", "a", "a", "<Workspace2D 'a'>")


def test_a_name_has_one_handle(service: DataService, put: Put) -> None:
    ws = put("a")
    assert service["a"] is ws


def test_a_handle_sees_the_value_that_replaced_its_own(service: DataService, put: Put) -> None:
    ws = put("a", 1)
    put("a", 5)
    assert ws.readY(0)[0] == 5


def test_a_handle_follows_a_rename(service: DataService, put: Put) -> None:
    ws = put("a")
    service.names.rename("a", "b")
    assert ws.name() == "b"
    assert service["b"] is ws


def test_a_handle_of_a_deleted_workspace_says_so(service: DataService, put: Put) -> None:
    ws = put("a")
    service.remove("a")
    assert repr(ws) == "<Workspace2D 'a' (deleted)>"
    with pytest.raises(KeyError, match="the workspace 'a' was deleted"):
        ws.readY(0)


def test_the_class_of_a_handle_follows_the_value(service: DataService) -> None:
    ws = service.put("a", events())
    assert ws.id() == "EventWorkspace"
    service.put("a", histogram())
    assert type(ws).__name__ == "Workspace2D"
    service.put("a", WorkspaceGroup(members=(histogram(),)))
    assert ws.id() == "WorkspaceGroup"


def test_an_unknown_method_names_the_nearest(service: DataService, put: Put) -> None:
    with pytest.raises(AttributeError, match=r"^Workspace2D has no method 'getNumberHistogram'; did you mean 'getNumberHistograms'\?$"):
        put("a").getNumberHistogram()


# -- numbers


def test_shape_and_flags(service: DataService, put: Put) -> None:
    ws = put("a")
    assert (ws.getNumberHistograms(), len(ws), ws.blocksize(), ws.size()) == (3, 3, 10, 30)
    assert ws.isHistogramData()
    assert ws.isCommonBins()
    assert not ws.isDistribution()
    assert ws.getNumberEvents() == 30
    assert (ws.getTofMin(), ws.getTofMax()) == (0, 10)
    assert bool(ws)


def test_rows_are_read_only(service: DataService, put: Put) -> None:
    ws = put("a", 4)
    assert ws.readX(1).tolist() == list(range(11))
    assert ws.y(2)[0] == 4
    assert ws.readE(0)[0] == 2
    for row in (ws.readX(0), ws.readY(0), ws.readE(0)):
        with pytest.raises(ValueError, match="read-only"):
            row[0] = 1


def test_all_rows_at_once_are_copies(service: DataService, put: Put) -> None:
    ws = put("a", 4)
    ws.extractY()[0, 0] = 9
    ws.extractX()[0, 0] = 9
    ws.extractE()[0, 0] = 9
    assert (ws.readY(0)[0], ws.readX(0)[0], ws.readE(0)[0]) == (4, 0, 2)
    assert ws.extractX().shape == (3, 11)


def test_the_resolution_of_x_is_empty_when_there_is_none(service: DataService, put: Put) -> None:
    ws = put("a")
    assert len(ws.readDx(0)) == 0
    assert not ws.hasDx(0)
    service.put("b", histogram().replace(dx=np.ones(11)))
    assert service["b"].dx(1).sum() == 11
    assert service["b"].extractDx().shape == (3, 11)


def test_a_row_that_does_not_exist_is_refused(service: DataService, put: Put) -> None:
    ws = put("a")
    for row in (3, -1):
        with pytest.raises(IndexError, match=f"a: spectrum index {row} is out of range; wanted 0 to 2"):
            ws.readY(row)


# -- writing


def test_what_is_written_is_seen_through_the_handle_and_by_later_algorithms(service: DataService, put: Put) -> None:
    import mantid.simpleapi as api

    ws = put("a")
    ws.dataY(0)[:] = 7
    ws.setE(0, [3.0] * 10)
    total = api.SumSpectra(ws)
    assert ws.readY(0)[0] == 7
    assert total.readY(0)[0] == 9
    assert total.readE(0)[0] ** 2 == pytest.approx(9 + 2)


def test_writing_goes_on_being_seen_after_an_algorithm_has_read(service: DataService, put: Put) -> None:
    ws = put("a")
    row = ws.dataY(0)
    row[:] = 7
    seen = service.value("a")
    row[:] = 8
    assert seen.y[0, 0] == 7
    assert service.value("a").y[0, 0] == 8
    assert ws.readY(0)[0] == 8


def test_a_slice_of_a_written_row_is_still_the_scripts(service: DataService, put: Put) -> None:
    part = put("a").dataY(0)[2:4]
    service.value("a")
    part[:] = 5
    assert service.value("a").y[0].tolist() == [1, 1, 5, 5, 1, 1, 1, 1, 1, 1]


def test_arrays_that_the_script_let_go_are_handed_over_without_a_copy(service: DataService, put: Put) -> None:
    ws = put("a")
    ws.dataY(0)[:] = 7
    first = service.value("a")
    assert service.value("a").y is first.y


def test_writing_changes_nobody_elses_workspace(service: DataService, put: Put) -> None:
    import mantid.simpleapi as api

    ws = put("a")
    before = service.value("a")
    copy = api.CloneWorkspace(ws)
    ws.dataY(0)[:] = 7
    ws.dataX(0)[0] = -1
    copy.dataY(1)[:] = 3
    assert before.y.sum() == 30
    assert copy.readY(0)[0] == 1
    assert copy.readX(0)[0] == 0
    assert ws.readY(1)[0] == 1


def test_writing_x_of_one_spectrum_leaves_the_others(service: DataService, put: Put) -> None:
    ws = put("a")
    ws.dataX(1)[:] += 100
    assert not ws.isCommonBins()
    assert service.value("a").x.shape == (3, 11)
    assert (ws.readX(0)[0], ws.readX(1)[0]) == (0, 100)


def test_writing_the_same_x_everywhere_keeps_it_common(service: DataService, put: Put) -> None:
    ws = put("a")
    for row in range(3):
        ws.setX(row, np.arange(11) * 2)
    assert service.value("a").x.tolist() == list(np.arange(11) * 2)


def test_metadata_set_while_writing_keeps_what_is_written(service: DataService, put: Put) -> None:
    ws = put("a")
    row = ws.dataY(0)
    row[:] = 7
    ws.setTitle("new")
    row[0] = 8
    value = service.value("a")
    assert (value.title, value.y[0, 0], value.y[0, 1]) == ("new", 8, 7)


def test_a_replaced_value_ignores_arrays_of_the_old_one(service: DataService, put: Put) -> None:
    row = put("a").dataY(0)
    put("a", 5)
    row[:] = 7
    assert service.value("a").y[0, 0] == 5


def test_a_wrong_number_of_values_is_refused(service: DataService, put: Put) -> None:
    with pytest.raises(ValueError, match="a: 3 values for the y of a spectrum; wanted 10"):
        put("a").setY(0, [1, 2, 3])


def test_counts_of_events_cannot_be_written(service: DataService) -> None:
    with pytest.raises(TypeError, match="a holds events, whose counts cannot be written; wanted a histogram"):
        service.put("a", events()).dataY(0)  # type: ignore[attr-defined]


@settings(max_examples=50, deadline=None)
@given(st.lists(st.tuples(st.sampled_from("xye"), st.integers(0, 2), st.integers(0, 9), st.floats(0, 9), st.booleans()), max_size=12))
def test_any_writing_gives_what_plain_arrays_would(writes: list[tuple[str, int, int, float, bool]]) -> None:
    service = DataService(Names())
    ws: Any = service.put("a", histogram())
    plain = {"x": ws.extractX(), "y": ws.extractY(), "e": ws.extractE()}
    held = []
    for column, row, index, value, hold in writes:
        array = {"x": ws.dataX, "y": ws.dataY, "e": ws.dataE}[column](row)
        array[index] = plain[column][row, index] = value
        if hold:
            held.append(array)
        del array
        _ = service.value("a")
    got = service.value("a")
    assert isinstance(got, Workspace)
    np.testing.assert_array_equal(got.x_rows(), plain["x"])
    np.testing.assert_array_equal(got.y, plain["y"])
    np.testing.assert_allclose(got.errors, plain["e"], rtol=1e-15, atol=1e-150)


# -- spectra, axes, titles


def test_spectra_have_numbers_and_detectors(service: DataService) -> None:
    spectra = Spectra.from_lists(np.array([7, 9], dtype=np.int32), [np.array([70, 71], dtype=np.int32), np.array([90], dtype=np.int32)])
    ws: Any = service.put("a", histogram(spectra=2).replace(spectra=spectra))
    assert ws.getSpectrumNumbers() == [7, 9]
    assert ws.getSpectrum(0).getSpectrumNo() == 7
    assert ws.getSpectrum(0).getDetectorIDs() == [70, 71]
    assert ws.getSpectrum(1).hasDetectorID(90)
    assert ws.getIndexFromSpectrumNumber(9) == 1
    assert [one.getSpectrumNo() for one in ws.getSpectrumIterator()] == [7, 9]
    with pytest.raises(RuntimeError, match="a has no spectrum number 8"):
        ws.getIndexFromSpectrumNumber(8)


def test_the_horizontal_axis_is_x(service: DataService, put: Put) -> None:
    axis = put("a").getAxis(0)
    assert (axis.length(), len(axis), axis.isNumeric(), axis.isSpectra()) == (11, 11, True, False)
    assert axis.getUnit().unitID() == "TOF"
    assert axis.getUnit().caption() == "Time-of-flight"
    assert axis.getUnit().symbol() == "microsecond"
    assert axis.extractValues().tolist() == list(range(11))
    assert axis.getValue(3) == 3


def test_the_unit_of_x_can_be_set(service: DataService, put: Put) -> None:
    ws = put("a")
    assert ws.getAxis(0).setUnit("Wavelength").unitID() == "Wavelength"
    assert service.value("a").x_unit == "Wavelength"
    with pytest.raises(ValueError, match="unknown unit 'Wavelenth'; did you mean 'Wavelength'"):
        ws.getAxis(0).setUnit("Wavelenth")


def test_the_vertical_axis_counts_spectra_or_holds_values_or_labels(service: DataService, put: Put) -> None:
    ws = put("a")
    axis = ws.getAxis(1)
    assert (axis.isSpectra(), axis.isNumeric(), axis.extractValues().tolist(), axis.label(1)) == (True, False, [1, 2, 3], "spectrum 2")
    service.put("a", histogram().replace(vertical=VerticalAxis(values=np.array([0.5, 1.0, 1.5]), unit="MomentumTransfer")))
    assert (axis.isSpectra(), axis.isNumeric(), axis.getUnit().unitID(), axis.label(0), axis.indexOfValue(1.0)) == (
        False,
        True,
        "MomentumTransfer",
        "0.5",
        1,
    )
    service.put("a", histogram().replace(vertical=VerticalAxis(values=np.arange(3.0), labels=("up", "down", "off"))))
    assert (axis.isText(), axis.label(1), axis.getUnit().unitID()) == (True, "down", "Label")


def test_there_are_two_axes(service: DataService, put: Put) -> None:
    ws = put("a")
    assert ws.axes() == 2
    with pytest.raises(IndexError, match="asked for 2"):
        ws.getAxis(2)


def test_y_has_a_unit_and_a_caption(service: DataService, put: Put) -> None:
    ws = put("a")
    assert (ws.YUnit(), ws.YUnitLabel()) == ("Counts", "Counts")
    ws.setDistribution(True)
    assert ws.YUnitLabel() == "Counts per microsecond"
    ws.setYUnit("Neutrons")
    assert service.value("a").y_unit == "Neutrons"


def test_title_and_comment(service: DataService, put: Put) -> None:
    ws = put("a")
    assert ws.getTitle() == "vanadium"
    ws.setTitle("mine")
    ws.setComment("note")
    assert (ws.getTitle(), ws.getComment(), ws.getRunNumber()) == ("mine", "note", 42)


# -- events


def test_an_event_workspace_tells_of_its_events(service: DataService) -> None:
    ws: Any = service.put("a", events())
    assert (ws.getNumberEvents(), ws.getTofMin(), ws.getTofMax(), ws.blocksize()) == (3, 1, 8, 2)
    assert ws.readY(0).tolist() == [2, 0]
    spectrum = ws.getSpectrum(0)
    assert (spectrum.getNumberEvents(), spectrum.getTofs().tolist(), spectrum.getWeights().tolist()) == (2, [3, 1], [1, 1])
    assert spectrum.getPulseTimesAsNanoseconds().tolist() == [5, 6]
    assert str(spectrum.getPulseTimesAsNumpy()[0]) == "1990-01-01T00:00:00.000000005"


def test_a_histogram_has_no_events_to_ask_for(service: DataService, put: Put) -> None:
    with pytest.raises(AttributeError, match="a is a histogram; wanted an event workspace"):
        put("a").getSpectrum(0).getTofs()


# -- groups


def test_a_group_gives_its_members_by_index_and_in_order(service: DataService) -> None:
    group: Any = service.put("g", WorkspaceGroup(members=(histogram(1), histogram(2))))
    assert (len(group), group.size(), group.getNumberOfEntries(), group.getNames()) == (2, 2, 2, ["g_1", "g_2"])
    assert group[1] is service["g_2"]
    assert [one.name() for one in group] == ["g_1", "g_2"]
    assert "g_1" in group
    assert group.getNumberHistograms() == 3
    with pytest.raises(IndexError, match="group g has 2 members, asked for index 2"):
        group[2]


def test_members_join_and_leave_a_group(service: DataService, put: Put) -> None:
    group: Any = service.put("g", WorkspaceGroup(members=(histogram(1),)))
    put("a")
    group.add("a")
    assert group.getNames() == ["g_1", "a"]
    group.remove("g_1")
    assert group.getNames() == ["a"]
    assert "g_1" in service


# -- arithmetic


def test_operators_work_with_workspaces_and_numbers(service: DataService, put: Put) -> None:
    a, b = put("a", 6), put("b", 2)
    for result, wanted in [(a + b, 8), (a - b, 4), (a * b, 12), (a / b, 3), (a + 1, 7), (a - 1, 5), (a * 2, 12), (a / 2, 3)]:
        assert result.readY(0)[0] == wanted


def test_numbers_may_stand_first(service: DataService, put: Put) -> None:
    a = put("a", 4)
    for result, wanted in [(1 + a, 5), (1 - a, -3), (2 * a, 8), (2 / a, 0.5)]:
        assert result.readY(0)[0] == wanted


def test_a_quotient_of_a_number_carries_the_error(service: DataService, put: Put) -> None:
    quotient = 1 / put("a", 4)
    assert quotient.readE(0)[0] == pytest.approx(0.25 * 2 / 4)


def test_results_of_operators_are_named_by_the_variable_and_those_between_vanish(service: DataService, put: Put) -> None:
    a, b = put("a", 6), put("b", 2)
    ratio = (a - b) / (a + b)
    gc.collect()
    assert ratio.name() == "ratio"
    assert list(service.names) == ["a", "b", "ratio"]


def test_operators_in_place_change_the_workspace_itself(service: DataService, put: Put) -> None:
    a = kept = put("a", 6)
    a += 1
    a *= 4
    a /= 2
    a -= put("b", 4)
    assert a is kept
    assert service["a"].readY(0)[0] == 10
    assert a.name() == "a"


def test_operators_work_on_groups(service: DataService) -> None:
    group: Any = service.put("g", WorkspaceGroup(members=(histogram(1), histogram(2))))
    double = group * 2
    inverse = 2 / group
    assert [float(one.readY(0)[0]) for one in double] == [2, 4]
    assert [float(one.readY(0)[0]) for one in inverse] == [2, 1]


def test_operators_refuse_what_is_no_workspace_and_no_number(service: DataService, put: Put) -> None:
    a = put("a")
    with pytest.raises(TypeError, match="unsupported operand"):
        a + "b"
    with pytest.raises(TypeError, match="unsupported operand"):
        a += None


# -- instrument


def test_the_instrument_tells_where_things_are(service: DataService) -> None:
    instrument = Instrument(
        name="TEST",
        source=np.array([0.0, 0.0, -10.0]),
        sample=np.zeros(3),
        detector_ids=np.array([1, 2], dtype=np.int32),
        positions=np.array([[0.0, 0.0, 2.0], [3.0, 4.0, 0.0]]),
        monitor=np.array([True, False]),
        masked=np.array([False, True]),
    )
    face = service.put("a", histogram().replace(instrument=instrument)).getInstrument()  # type: ignore[attr-defined]
    assert face.getName() == "TEST"
    assert face.getSource().getPos().getZ() == -10
    assert face.getDetector(2).getDistance(face.getSample()) == 5
    assert (face.getDetector(1).isMonitor(), face.getDetector(2).isMasked(), face.getDetector(2).getID()) == (True, True, 2)
    assert face.getDetectorIDs(True) == [2]
    with pytest.raises(RuntimeError, match="instrument 'TEST' has no detector 5"):
        face.getDetector(5)


def test_an_unknown_instrument_says_so(service: DataService, put: Put) -> None:
    with pytest.raises(AttributeError, match="a has no instrument"):
        put("a").getInstrument()
