from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from livereduce.data.group import WorkspaceGroup
from livereduce.scripting.mantid import DataService

from .conftest import histogram

Put = Callable[..., Any]


@pytest.fixture
def api(service: DataService) -> Any:
    import mantid.simpleapi

    return mantid.simpleapi


def test_a_clone_shares_the_numbers_until_somebody_writes(api: Any, service: DataService, put: Put) -> None:
    a = put("a")
    b = api.CloneWorkspace(a)
    assert service.value("b").y is service.value("a").y
    b.dataY(0)[:] = 5
    assert a.readY(0)[0] == 1


def test_a_rename_keeps_the_value_and_leaves_nothing_behind(api: Any, service: DataService, put: Put) -> None:
    a = put("a", 3)
    assert api.RenameWorkspace("a", "b") is a
    assert service.getObjectNames() == ["b"]
    assert a.getHistory().lastAlgorithm().name() == "RenameWorkspace"


def test_arrays_in_a_scripts_hand_stay_those_of_a_renamed_workspace(api: Any, put: Put) -> None:
    a = put("a")
    row = a.dataY(0)
    b = api.RenameWorkspace(a)
    row[:] = 5
    assert b.readY(0)[0] == 5


def test_accumulation_can_be_renamed_to_result_each_time(api: Any, service: DataService, put: Put) -> None:
    for count in (1, 2):
        put("accumulation", count)
        api.RenameWorkspace("accumulation", "result")
        assert service["result"].readY(0)[0] == count
        assert "accumulation" not in service


def test_a_rename_takes_its_name_from_the_variable(api: Any, put: Put) -> None:
    put("a")
    result = api.RenameWorkspace("a")
    assert result.name() == "result"


def test_a_rename_needs_a_new_name(api: Any, put: Put) -> None:
    put("a")
    with pytest.raises(ValueError, match=r"RenameWorkspace: .*wanted OutputWorkspace"):
        api.RenameWorkspace("a")


def test_a_rename_replaces_unless_told_not_to(api: Any, service: DataService, put: Put) -> None:
    put("a", 1)
    put("b", 2)
    with pytest.raises(RuntimeError, match="The workspace b already exists"):
        api.RenameWorkspace("a", "b", OverwriteExisting=False)
    api.RenameWorkspace("a", "b")
    assert service["b"].readY(0)[0] == 1


def test_monitors_are_renamed_with_their_workspace_when_asked(api: Any, service: DataService, put: Put) -> None:
    put("a")
    put("a_monitors")
    api.RenameWorkspace("a", "b", RenameMonitors=True)
    assert service.getObjectNames() == ["b", "b_monitors"]


def test_a_renamed_group_takes_its_members_along(api: Any, service: DataService) -> None:
    service.put("g", WorkspaceGroup(members=(histogram(), histogram())))
    api.RenameWorkspace("g", "h")
    assert service.getObjectNames() == ["h", "h_1", "h_2"]


def test_deleting_removes_a_workspace_or_a_group_with_its_members(api: Any, service: DataService, put: Put) -> None:
    a = put("a")
    service.put("g", WorkspaceGroup(members=(histogram(), histogram())))
    assert api.DeleteWorkspace(a) is None
    api.DeleteWorkspace(Workspace="g")
    assert service.getObjectNames() == []
    with pytest.raises(ValueError, match="Workspace = 'a': The workspace \"a\" does not exist"):
        api.DeleteWorkspace("a")


def test_several_are_deleted_at_once(api: Any, service: DataService, put: Put) -> None:
    for name in "abc":
        put(name)
    api.DeleteWorkspaces(["a", "b"])
    api.DeleteWorkspaces("c")
    assert service.getObjectNames() == []


def test_workspaces_are_grouped_and_keep_their_names(api: Any, service: DataService, put: Put) -> None:
    a, _ = put("a", 1), put("b", 2)
    group = api.GroupWorkspaces([a, "b"])
    assert group.name() == "group"
    assert group.getNames() == ["a", "b"]
    api.Scale("a", Factor=5, OutputWorkspace="a")
    assert group[0].readY(0)[0] == 5


def test_grouping_what_is_not_there_names_it(api: Any, put: Put) -> None:
    put("a")
    with pytest.raises(ValueError, match="GroupWorkspaces: InputWorkspaces = 'zzz': The workspace \"zzz\" does not exist"):
        api.GroupWorkspaces("a,zzz", OutputWorkspace="g")


def test_a_group_cannot_be_named_as_a_member(api: Any, put: Put) -> None:
    put("a")
    with pytest.raises(RuntimeError, match="cannot bear the name of one of its members"):
        api.GroupWorkspaces("a", OutputWorkspace="a")


def test_ungrouping_leaves_the_members(api: Any, service: DataService) -> None:
    service.put("g", WorkspaceGroup(members=(histogram(), histogram())))
    api.UnGroupWorkspace("g")
    assert service.getObjectNames() == ["g_1", "g_2"]
    with pytest.raises(RuntimeError, match="UnGroupWorkspace: 'g_1' is a single workspace; wanted a group"):
        api.UnGroupWorkspace("g_1")
