from __future__ import annotations

import pytest

from livereduce.scripting.mantid.catalogue import algorithms
from livereduce.scripting.mantid.declaration import UNSET, Algorithm, Floats, InOut, Input, Number, Output, Returned


def function(input_workspace: object, params: object, factor: float = 2.0) -> object:
    """Do something."""
    return input_workspace


DECLARED = (Input("InputWorkspace"), Output("OutputWorkspace"), Floats("Params"), Number("Factor"))


def test_defaults_are_those_of_the_function() -> None:
    one = Algorithm("Test", function, *DECLARED)
    assert [one.default(each) for each in one.properties] == [UNSET, UNSET, UNSET, 2.0]


def test_a_declared_default_or_mandatory_overrides_the_function() -> None:
    one = Algorithm("Test", function, *DECLARED[:3], Number("Factor", default=3.0))
    assert one.default(one.properties[3]) == 3.0
    one = Algorithm("Test", function, *DECLARED[:3], Number("Factor", mandatory=True))
    assert one.default(one.properties[3]) is UNSET


def test_the_text_is_that_of_the_function() -> None:
    assert Algorithm("Test", function, *DECLARED).doc == "Do something."


def test_a_property_without_argument_is_refused() -> None:
    with pytest.raises(TypeError, match=r"Test: function\(\) has no argument nonsense"):
        Algorithm("Test", function, *DECLARED, Number("Nonsense"))


def test_an_argument_without_property_is_refused() -> None:
    with pytest.raises(TypeError, match=r"Test: no property for the argument params of function\(\)"):
        Algorithm("Test", function, *DECLARED[:2])


def test_results_are_what_the_function_returns_and_outputs_what_a_script_gets() -> None:
    one = Algorithm("Test", lambda workspace: None, InOut("Workspace"), Output("OutputWorkspace"), Returned("Energy"))
    assert [each.name for each in one.results] == ["Workspace", "OutputWorkspace", "Energy"]
    assert [each.name for each in one.outputs] == ["OutputWorkspace", "Energy"]


def test_every_algorithm_of_the_catalogue_says_what_it_does_and_what_its_properties_are() -> None:
    silent = [
        name for name, versions in algorithms().items() for one in versions.values() if not one.doc or any(not each.doc for each in one.properties)
    ]
    assert silent == []
