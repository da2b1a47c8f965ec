from __future__ import annotations

import gc
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from livereduce.data.group import WorkspaceGroup
from livereduce.data.workspace import Workspace
from livereduce.errors import AlgorithmError
from livereduce.scripting.mantid import DataService
from livereduce.scripting.mantid.calls import Caller
from livereduce.scripting.mantid.declaration import Algorithm, InOut, Input, Inputs, Number, Output, Returned
from livereduce.scripting.mantid.errors import CallError, MissingInputError, UnknownPropertyError

from .conftest import histogram

Put = Callable[..., Any]


def api() -> Any:
    import mantid.simpleapi

    return mantid.simpleapi


# -- properties


def test_keywords_ignore_case(service: DataService, put: Put) -> None:
    put("a")
    out = api().Rebin(INPUTWORKSPACE="a", params="0,5,10", Outputworkspace="b")
    assert out.name() == "b"
    assert out.readY(0).tolist() == [5, 5]


def test_none_means_not_given(service: DataService, put: Put) -> None:
    put("a")
    assert api().Rebin("a", "0,5,10", PreserveEvents=None, OutputWorkspace="b", FullBinsOnly=None).blocksize() == 2


def test_workspaces_are_given_as_object_or_name(service: DataService, put: Put) -> None:
    a = put("a")
    by_name = api().SumSpectra("a")
    by_object = api().SumSpectra(InputWorkspace=a)
    assert by_name.readY(0).tolist() == by_object.readY(0).tolist()


def test_positional_arguments_fill_what_the_assignment_leaves(service: DataService, put: Put) -> None:
    put("a")
    b = api().Rebin("a", "0,5,10")
    assert b.name() == "b"
    assert b.blocksize() == 2


def test_positional_arguments_name_the_output_without_an_assignment(service: DataService, put: Put) -> None:
    put("a")
    api().SumSpectra("a", "total")
    assert service["total"].getNumberHistograms() == 1


def test_an_assignment_stands_back_when_positional_arguments_need_the_place(service: DataService, put: Put) -> None:
    put("a")
    got = api().RenameWorkspace("a", "b", False, True)
    assert got.name() == "b"


def test_a_keyword_names_the_output_before_the_assignment(service: DataService, put: Put) -> None:
    put("a")
    variable = api().SumSpectra("a", OutputWorkspace="named")
    assert variable.name() == "named"
    assert "variable" not in service


def test_a_workspace_object_given_to_an_output_means_its_name(service: DataService, put: Put) -> None:
    a = put("a")
    api().Rebin(a, Params="0,5,10", OutputWorkspace=a)
    assert a.blocksize() == 2


def test_general_keywords_are_taken_by_every_algorithm(service: DataService, put: Put) -> None:
    put("a")
    assert api().SumSpectra("a", OutputWorkspace="b", Version=1, EnableLogging=False, StoreInADS=True, version=1).name() == "b"


def test_what_is_not_stored_is_not_in_mtd(service: DataService, put: Put) -> None:
    put("a")
    total = api().SumSpectra("a", StoreInADS=False)
    assert total.readY(0)[0] == 3
    assert service.getObjectNames() == ["a"]


def test_a_version_that_does_not_exist_is_refused(service: DataService, put: Put) -> None:
    put("a")
    with pytest.raises(CallError, match="no version 7 of SumSpectra; there is 1"):
        api().SumSpectra("a", Version=7)


@pytest.mark.parametrize("kind", [TypeError, ValueError, RuntimeError, AlgorithmError])
def test_an_unknown_keyword_names_the_nearest(service: DataService, put: Put, kind: type[Exception]) -> None:
    put("a")
    with pytest.raises(kind, match=r"^Rebin: no property 'Parms'; did you mean 'Params'\?$"):
        api().Rebin("a", Parms="0,5,10")


def test_an_unknown_keyword_without_neighbour_lists_what_there_is(service: DataService) -> None:
    with pytest.raises(UnknownPropertyError, match="DeleteWorkspace: no property 'Zzz'; wanted one of Workspace"):
        api().DeleteWorkspace(Zzz=1)


@pytest.mark.parametrize("kind", [ValueError, RuntimeError])
def test_all_missing_properties_are_named(service: DataService, kind: type[Exception]) -> None:
    with pytest.raises(kind, match=r"^Rebin: Some invalid Properties found: wanted InputWorkspace \(workspace\), Params \(numbers\), got none$"):
        api().Rebin(OutputWorkspace="b")


def test_an_empty_name_is_a_missing_workspace(service: DataService) -> None:
    with pytest.raises(CallError, match=r"wanted InputWorkspace \(workspace\), got none"):
        api().SumSpectra("")


@pytest.mark.parametrize("kind", [ValueError, RuntimeError, KeyError])
def test_a_workspace_that_does_not_exist_is_answered_with_the_nearest(service: DataService, put: Put, kind: type[Exception]) -> None:
    put("vanadium")
    with pytest.raises(kind, match=r"^SumSpectra: InputWorkspace = 'vanadum': The workspace \"vanadum\" does not exist; did you mean 'vanadium'\?$"):
        api().SumSpectra("vanadum")


def test_a_deleted_workspace_is_refused_as_input(service: DataService, put: Put) -> None:
    a = put("a")
    api().DeleteWorkspace(a)
    with pytest.raises(MissingInputError, match="InputWorkspace = 'a': the workspace 'a' was deleted"):
        api().SumSpectra(a)


def test_what_is_no_workspace_is_refused_as_input(service: DataService) -> None:
    with pytest.raises(CallError, match=r"SumSpectra: InputWorkspace = '5': wanted a workspace or its name, got int"):
        api().SumSpectra(5)


def test_a_wrong_value_says_property_value_and_what_is_wanted(service: DataService, put: Put) -> None:
    put("a")
    with pytest.raises(ValueError, match=r"^SumSpectra: StartWorkspaceIndex = 'one': wanted a number, got 'one'$"):
        api().SumSpectra("a", StartWorkspaceIndex="one")


def test_too_many_positional_arguments_are_refused(service: DataService, put: Put) -> None:
    put("a")
    with pytest.raises(CallError, match="DeleteWorkspace: 2 positional arguments, wanted at most 1: Workspace"):
        api().DeleteWorkspace("a", "b")


def test_a_property_given_twice_is_refused(service: DataService, put: Put) -> None:
    put("a")
    with pytest.raises(CallError, match="Rebin: Params is given twice"):
        api().Rebin("a", Params="1", params="2")


def test_what_fails_inside_keeps_its_message_and_is_of_the_kinds_that_scripts_catch(service: DataService, put: Put) -> None:
    put("a")
    with pytest.raises(RuntimeError, match=r"^CropWorkspace: .*XMin must be less than XMax"):
        api().CropWorkspace("a", XMin=5, XMax=2)


# -- results


def test_results_are_named_by_the_variable(service: DataService, put: Put) -> None:
    put("a")
    total = api().SumSpectra("a")
    assert total.name() == "total"
    assert "total" in service


def test_results_without_a_name_live_as_long_as_their_object(service: DataService, put: Put) -> None:
    put("a")
    kept = [api().SumSpectra("a")]
    name = kept[0].name()
    assert name in service
    assert name not in service.getObjectNames()
    kept.clear()
    gc.collect()
    assert name not in service


def test_nested_calls_leave_only_the_outer_result(service: DataService, put: Put) -> None:
    put("a")
    total = api().SumSpectra(api().Rebin("a", "0,5,10"))
    gc.collect()
    assert total.readY(0).tolist() == [15, 15]
    assert list(service.names) == ["a", "total"]


def test_the_history_tells_what_was_done(service: DataService, put: Put) -> None:
    put("a")
    b = api().Rebin("a", Params=[0, 5, 10])
    c = api().SumSpectra(b)
    assert [str(step) for step in c.getHistory()] == [
        "Rebin v1(InputWorkspace=a, OutputWorkspace=b, Params=0,5,10)",
        "SumSpectra v1(InputWorkspace=b, OutputWorkspace=c)",
    ]
    assert c.getHistory().lastAlgorithm().getPropertyValue("inputworkspace") == "b"


def test_an_algorithm_changes_a_workspace_in_place_for_everybody_who_holds_it(service: DataService, put: Put) -> None:
    a = put("a")
    api().AddSampleLog(Workspace=a, LogName="mode", LogText="live")
    assert a.getRun()["mode"].value == "live"
    assert api().AddSampleLog("a", "n", "5", "Number") is None


def caller_with(service: DataService, *declared: Algorithm) -> Caller:
    return Caller(service, {one.name: {one.version: one} for one in declared})


def two(input_workspace: Workspace, energy: float = 1.5) -> tuple[Workspace, float, None]:
    """Return several things."""
    return input_workspace, energy, None


TWO = Algorithm("Two", two, Input("InputWorkspace"), Output("First"), Number("Energy"), Returned("Found"), Output("Perhaps", default=""))


def test_several_results_come_as_a_named_tuple_that_also_answers_by_property(service: DataService, put: Put) -> None:
    put("a")
    got = caller_with(service, TWO).call("Two", ("a",), {}, ("first",))
    assert got.First.name() == "first"
    assert got.Found == 1.5
    assert got.Perhaps is None
    assert got.getPropertyValue("found") == "1.5"
    handle, energy, _ = got
    assert handle is got[0]
    assert energy == 1.5
    with pytest.raises(CallError, match="no result 'Fund'; did you mean 'Found'"):
        got.getPropertyValue("Fund")


def test_variables_name_results_in_order(service: DataService, put: Put) -> None:
    put("a")
    seen = []
    one = Algorithm("Parts", lambda input_workspace: (input_workspace, input_workspace), Input("InputWorkspace"), Output("One"), Output("Two"))
    got = caller_with(service, one).call("Parts", ("a",), {}, ("x", "y"))
    seen += [got.One.name(), got.Two.name()]
    assert seen == ["x", "y"]


def test_the_newest_version_is_called_unless_another_is_asked_for(service: DataService) -> None:
    caller = Caller(service, {"V": {1: Algorithm("V", lambda: 1, Returned("N")), 2: Algorithm("V", lambda: 2, Returned("N"), version=2)}})
    assert caller.call("V", (), {}, ()) == 2
    assert caller.call("V", (), {"Version": 1}, ()) == 1
    assert caller.call("V", (), {"Version": -1}, ()) == 2


# -- groups


@pytest.fixture
def group(service: DataService) -> str:
    service.put("g", WorkspaceGroup(members=(histogram(1), histogram(2))))
    return "g"


def test_an_algorithm_on_a_group_works_on_each_member(service: DataService, group: str) -> None:
    total = api().SumSpectra(group)
    assert total.id() == "WorkspaceGroup"
    assert total.getNames() == ["total_1", "total_2"]
    assert [float(one.readY(0)[0]) for one in total] == [3, 6]


def test_a_group_in_place_keeps_its_members_names(service: DataService, put: Put) -> None:
    put("x", 1)
    put("y", 2)
    api().GroupWorkspaces(["x", "y"], OutputWorkspace="both")
    api().Scale("both", Factor=10, OutputWorkspace="both")
    assert service["both"].getNames() == ["x", "y"]
    assert service["x"].readY(0)[0] == 10


def test_groups_are_paired_and_a_single_workspace_is_repeated(service: DataService, group: str, put: Put) -> None:
    put("one", 10)
    both = api().Plus(group, group)
    more = api().Plus(group, "one")
    less = api().Minus("one", group)
    assert [float(each.readY(0)[0]) for each in both] == [2, 4]
    assert [float(each.readY(0)[0]) for each in more] == [11, 12]
    assert [float(each.readY(0)[0]) for each in less] == [9, 8]


def test_groups_of_different_length_are_refused(service: DataService, group: str) -> None:
    service.put("h", WorkspaceGroup(members=(histogram(),) * 3))
    with pytest.raises(CallError, match="Plus: the groups have 2, 3 members; wanted as many in each"):
        api().Plus(group, "h")


def test_an_algorithm_may_ask_for_the_whole_group(service: DataService, group: str) -> None:
    whole = Algorithm("Count", len_of, Input("InputWorkspace"), Returned("N"), groups="whole")
    assert caller_with(service, whole).call("Count", (group,), {}, ()) == 2


def len_of(input_workspace: WorkspaceGroup) -> int:
    return len(input_workspace)


def test_a_list_of_workspaces_arrives_as_values(service: DataService, put: Put) -> None:
    put("a", 1)
    b = put("b", 2)
    total = Algorithm("Total", total_of, Inputs("InputWorkspaces"), Returned("Sum"))
    caller = caller_with(service, total)
    assert caller.call("Total", ("a,b",), {}, ()) == 3
    assert caller.call("Total", (["a", b],), {}, ()) == 3
    assert caller.call("Total", (b,), {}, ()) == 2


def total_of(input_workspaces: tuple[Workspace, ...]) -> float:
    return float(sum(one.y[0, 0] for one in input_workspaces))


def test_a_workspace_changed_in_place_may_be_a_group(service: DataService, group: str) -> None:
    doubled = Algorithm("Double", lambda workspace: workspace.replace(y=workspace.y * 2), InOut("Workspace"))
    assert caller_with(service, doubled).call("Double", (group,), {}, ()) is None
    assert [float(one.readY(0)[0]) for one in service["g"]] == [2, 4]


def test_arrays_of_a_script_are_not_frozen_by_the_workspace_made_of_them(service: DataService) -> None:
    mine = np.array([1.0, 2.0, 3.0])
    ws = api().CreateWorkspace(DataX=[0, 1, 2, 3], DataY=mine)
    mine[0] = 9
    assert ws.readY(0)[0] == 1
