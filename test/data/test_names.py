from __future__ import annotations

import gc
import threading

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from livereduce.data.group import WorkspaceGroup
from livereduce.data.names import Names, UnknownWorkspaceError
from livereduce.data.workspace import Spectra, Workspace


def workspace(y: float = 1.0) -> Workspace:
    counts = np.full((1, 2), y)
    return Workspace(x=np.arange(3.0), y=counts, variance=counts.copy(), spectra=Spectra.counted(1))


def group(*y: float) -> WorkspaceGroup:
    return WorkspaceGroup(members=tuple(workspace(one) for one in y))


def test_a_value_put_under_a_name_is_found_there() -> None:
    names, value = Names(), workspace()
    names.put("a", value)
    assert names["a"] is value
    assert list(names) == ["a"]
    assert len(names) == 1


def test_an_unknown_name_is_answered_with_the_nearest() -> None:
    names = Names()
    names.put("vanadium", workspace())
    with pytest.raises(UnknownWorkspaceError, match=r'^The workspace "vanadum" does not exist; did you mean \'vanadium\'\?$'):
        names["vanadum"]
    with pytest.raises(KeyError, match="there are: vanadium"):
        names["zzz"]


def test_an_empty_name_is_refused() -> None:
    with pytest.raises(ValueError, match="a workspace needs a name"):
        Names().put("", workspace())


def test_an_entry_follows_its_name_when_the_value_is_replaced() -> None:
    names = Names()
    entry = names.put("a", workspace(1))
    new = workspace(2)
    names.put("a", new)
    assert entry.value is new


def test_an_entry_follows_a_rename() -> None:
    names = Names()
    entry = names.put("a", workspace())
    names.rename("a", "b")
    assert entry.name == "b"
    assert "a" not in names
    assert names.entry("b") is entry


def test_a_rename_takes_the_place_of_what_stood_there() -> None:
    names, value = Names(), workspace(1)
    names.put("a", value)
    old = names.put("b", workspace(2))
    names.rename("a", "b")
    assert names["b"] is value
    assert old.removed
    with pytest.raises(UnknownWorkspaceError, match="was deleted or replaced"):
        _ = old.value


def test_renaming_to_the_same_name_changes_nothing() -> None:
    names, value = Names(), workspace()
    names.put("a", value)
    names.rename("a", "a")
    assert names["a"] is value


def test_members_of_a_group_stand_under_numbered_names() -> None:
    names = Names()
    names.put("g", group(1, 2))
    assert sorted(names) == ["g", "g_1", "g_2"]
    assert names["g"].names == ("g_1", "g_2")
    assert names["g_2"].y[0, 0] == 2


def test_the_names_that_a_group_brings_along_do_not_touch_other_workspaces() -> None:
    names, value = Names(), workspace(7)
    names.put("other", value)
    names.put("g", WorkspaceGroup(members=(workspace(1),), names=("other",)))
    assert names["other"] is value


def test_a_member_that_changes_changes_in_its_group() -> None:
    names = Names()
    names.put("g", group(1, 2))
    names.put("g_1", workspace(5))
    assert names["g"].members[0].y[0, 0] == 5


def test_members_keep_their_names_when_their_group_is_replaced_by_one_as_long() -> None:
    names = Names()
    names.put("a", workspace(1))
    names.put("b", workspace(2))
    names.group("g", ["a", "b"])
    names.put("g", group(3, 4))
    assert names["a"].y[0, 0] == 3
    assert "g_1" not in names


def test_a_shorter_group_leaves_no_members_behind() -> None:
    names = Names()
    names.put("g", group(1, 2, 3))
    names.put("g", group(4))
    assert sorted(names) == ["g", "g_1"]


def test_a_single_workspace_in_place_of_a_group_leaves_no_members_behind() -> None:
    names = Names()
    names.put("g", group(1, 2))
    names.put("g", workspace())
    assert sorted(names) == ["g"]


def test_numbered_members_are_renamed_with_their_group_and_others_are_not() -> None:
    names = Names()
    names.put("g", group(1, 2))
    names.put("x", workspace())
    names.group("g", ["g_1", "x"])
    names.rename("g", "h")
    assert names["h"].names == ("h_1", "x")


def test_removing_a_member_takes_it_out_of_its_group_and_the_last_one_the_group() -> None:
    names = Names()
    names.put("g", group(1, 2))
    names.remove("g_1")
    assert names["g"].names == ("g_2",)
    names.remove("g_2")
    assert "g" not in names


def test_removing_a_group_leaves_its_members_unless_asked() -> None:
    names = Names()
    names.put("g", group(1, 2))
    names.remove("g")
    assert sorted(names) == ["g_1", "g_2"]
    names.group("g", ["g_1", "g_2"])
    names.remove("g", members=True)
    assert not list(names)


def test_a_group_in_a_group_is_replaced_by_its_members() -> None:
    names = Names()
    names.put("g", group(1, 2))
    names.put("a", workspace())
    names.group("all", ["g", "a"])
    assert names["all"].names == ("g_1", "g_2", "a")


def test_a_group_cannot_bear_the_name_of_a_member() -> None:
    names = Names()
    names.put("a", workspace())
    with pytest.raises(ValueError, match="cannot bear the name of one of its members"):
        names.group("a", ["a"])


def test_ungrouping_leaves_the_members() -> None:
    names = Names()
    names.put("g", group(1, 2))
    names.ungroup("g")
    assert sorted(names) == ["g_1", "g_2"]
    with pytest.raises(ValueError, match="'g_1' is a single workspace; wanted a group"):
        names.ungroup("g_1")


def test_a_fleeting_value_goes_with_its_entry() -> None:
    names = Names()
    entry = names.put("__t", workspace(), keep=False)
    assert "__t" in names
    assert list(names) == []
    del entry
    gc.collect()
    assert "__t" not in names


def test_a_fleeting_group_holds_its_members() -> None:
    names = Names()
    entry = names.put("__t", group(1, 2), keep=False)
    gc.collect()
    assert len(names["__t"]) == 2
    del entry
    gc.collect()
    assert "__t_1" not in names


def test_a_fleeting_value_is_kept_once_it_is_renamed() -> None:
    names = Names()
    names.put("__t", workspace(), keep=False)
    entry = names.put("__t", workspace(), keep=False)
    names.rename("__t", "a")
    del entry
    gc.collect()
    assert "a" in names


def test_putting_a_fleeting_value_over_a_kept_name_keeps_it() -> None:
    names = Names()
    names.put("a", workspace())
    names.put("a", workspace(2), keep=False)
    gc.collect()
    assert names["a"].y[0, 0] == 2


def test_clearing_removes_everything() -> None:
    names = Names()
    names.put("g", group(1, 2))
    names.clear()
    assert not list(names)


def test_unused_names_never_repeat() -> None:
    names = Names()
    assert len({names.unused("__t") for _ in range(100)}) == 100


ACTIONS = st.lists(
    st.tuples(st.sampled_from(["put", "group", "rename", "remove", "together", "apart"]), st.sampled_from("abc"), st.sampled_from("abc")), max_size=25
)


@settings(max_examples=100, deadline=None)
@given(ACTIONS)
def test_whatever_is_done_every_name_has_a_value_and_every_member_its_place(actions: list[tuple[str, str, str]]) -> None:
    names = Names()
    for what, one, other in actions:
        try:
            match what:
                case "put":
                    names.put(one, workspace())
                case "group":
                    names.put(one, group(1, 2))
                case "rename":
                    names.rename(one, other)
                case "remove":
                    names.remove(one, members=one == other)
                case "together":
                    names.group("g", [one, other])
                case "apart":
                    names.ungroup(one)
        except (UnknownWorkspaceError, ValueError):
            pass
        for name in names:
            entry = names.entry(name)
            assert entry.name == name
            assert names[name] is not None
            for member in entry.members or ():
                assert names.entry(member.name) is member


def test_threads_can_change_the_same_names_at_once() -> None:
    names, wrong = Names(), []

    def work(mine: str) -> None:
        try:
            for number in range(200):
                names.put("shared", group(number, number))
                names.put(mine, workspace(number))
                assert names[mine].y[0, 0] == number
                assert len(names["shared"]) == 2
                names.rename(mine, f"{mine}_done")
                names.remove(f"{mine}_done")
        except Exception as error:  # noqa: BLE001 - handed to the test's own thread
            wrong.append(error)

    threads = [threading.Thread(target=work, args=(name,)) for name in "ab"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert not wrong
