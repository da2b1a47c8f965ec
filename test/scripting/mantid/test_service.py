from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import pytest

from livereduce.data.group import WorkspaceGroup
from livereduce.data.names import Names
from livereduce.scripting.mantid import DataService

from .conftest import histogram

Put = Callable[..., Any]


def test_what_the_service_puts_it_gets_back(service: DataService) -> None:
    value = histogram()
    assert service.put("chunk", value).name() == "chunk"
    assert service.value("chunk") is value
    assert service.pop("chunk") is value
    assert "chunk" not in service


def test_popping_a_group_takes_its_members_along(service: DataService) -> None:
    service.put("g", WorkspaceGroup(members=(histogram(1), histogram(2))))
    assert len(service.pop("g")) == 2  # type: ignore[arg-type]
    assert list(service.names) == []


def test_popping_what_is_not_there_says_so(service: DataService) -> None:
    with pytest.raises(KeyError, match='The workspace "nope" does not exist'):
        service.pop("nope")


def test_workspaces_are_found_by_name(service: DataService, put: Put) -> None:
    ws = put("a")
    assert service["a"] is ws
    assert service.retrieve("a") is ws
    assert service[ws] is ws
    assert "a" in service
    assert ws in service
    assert service.doesExist("a")
    assert service.workspaceExists("a")
    assert not service.doesExist("b")


def test_a_missing_workspace_is_a_key_error_with_the_nearest_name(service: DataService, put: Put) -> None:
    put("accumulation")
    with pytest.raises(KeyError, match=r"did you mean 'accumulation'\?"):
        service["acumulation"]


def test_a_workspace_can_be_put_under_another_name(service: DataService, put: Put) -> None:
    ws = put("a")
    service["b"] = ws
    service.addOrReplace("c", ws)
    ws.dataY(0)[:] = 9
    assert service["b"].readY(0)[0] == 1  # type: ignore[attr-defined]
    assert sorted(service.keys()) == ["a", "b", "c"]
    with pytest.raises(RuntimeError, match="mtd has a workspace 'a' already"):
        service.add("a", ws)
    service.add("d", ws)
    with pytest.raises(TypeError, match=r"mtd\['e'\] = int; wanted a workspace"):
        service["e"] = 5  # type: ignore[assignment]


def test_workspaces_are_removed_one_by_one_or_all(service: DataService, put: Put) -> None:
    for name in "abc":
        put(name)
    service.remove("a")
    service.remove("never was")
    del service["b"]
    assert service.getObjectNames() == ["c"]
    service.clear()
    assert len(service) == 0
    assert service


def test_hidden_names_are_not_listed(service: DataService, put: Put) -> None:
    put("__hidden")
    put("b")
    put("a")
    assert service.getObjectNames() == service.keys() == list(service) == ["a", "b"]
    assert service.getObjectNames("b") == ["b"]
    assert service.size() == 2
    assert [one.name() for one in service.values()] == ["a", "b"]
    assert [name for name, _ in service.items()] == ["a", "b"]


def test_unique_names_are_nobodys(service: DataService) -> None:
    assert service.unique_hidden_name().startswith("__")
    assert service.unique_hidden_name() != service.unique_hidden_name()
    assert service.unique_name(prefix="x").startswith("x")


def test_two_threads_reduce_in_the_same_service_at_once(service: DataService) -> None:
    import mantid.simpleapi as api

    wrong: list[BaseException] = []

    def work(name: str, factor: float) -> None:
        try:
            for number in range(1, 30):
                service.put(name, histogram(number))
                scaled = api.Scale(service[name], Factor=factor, OutputWorkspace=f"{name}_scaled")
                both = scaled + service[name]
                assert both.readY(0)[0] == number * (factor + 1)
                service.put("shared", WorkspaceGroup(members=(histogram(number), histogram(number))))
                assert len(api.SumSpectra("shared", OutputWorkspace=f"{name}_sum")) == 2
                api.RenameWorkspace(f"{name}_scaled", f"{name}_done")
                assert service.pop(name) is not None
        except BaseException as error:  # noqa: BLE001 - handed to the test's own thread
            wrong.append(error)

    threads = [threading.Thread(target=work, args=one) for one in (("chunk", 2.0), ("accumulation", 3.0))]
    for one in threads:
        one.start()
    for one in threads:
        one.join(60)
    assert wrong == []
    assert not any(one.is_alive() for one in threads)


def test_services_over_the_same_names_see_the_same(service: DataService) -> None:
    names = Names()
    one, other = DataService(names), DataService(names)
    one.put("a", histogram())
    assert other.value("a") is one.value("a")
