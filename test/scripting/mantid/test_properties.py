from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from livereduce.scripting.mantid.properties import Flag, Floats, Integer, Integers, Number, Text, Texts, argument_name


@pytest.mark.parametrize(
    ("name", "argument"),
    [
        ("InputWorkspace", "input_workspace"),
        ("LHSWorkspace", "lhs_workspace"),
        ("ClearRHSWorkspace", "clear_rhs_workspace"),
        ("InputWorkspace1", "input_workspace1"),
        ("NSpec", "n_spec"),
        ("DataX", "data_x"),
        ("Dx", "dx"),
        ("XMin", "x_min"),
        ("EMode", "e_mode"),
        ("YUnitLabel", "y_unit_label"),
        ("WriteXError", "write_x_error"),
        ("WriteSpectrumID", "write_spectrum_id"),
        ("Params", "params"),
    ],
)
def test_an_argument_is_the_property_in_snake_case(name: str, argument: str) -> None:
    assert argument_name(name) == argument


@pytest.mark.parametrize(
    "given_", ["1,2.5,-3e-4", " 1, 2.5 ,-3e-4 ", [1, 2.5, -3e-4], (1, "2.5", -3e-4), np.array([1, 2.5, -3e-4]), np.array([[1, 2.5, -3e-4]])]
)
def test_numbers_come_as_text_list_tuple_or_array(given_: object) -> None:
    assert Floats("Params").parse(given_).tolist() == [1, 2.5, -3e-4]


@pytest.mark.parametrize("given_", [-0.0008, "-0.0008", np.float64(-0.0008), np.array(-0.0008)])
def test_one_number_is_a_list_of_one(given_: object) -> None:
    assert Floats("Params").parse(given_).tolist() == [-0.0008]


def test_numbers_of_a_script_are_copied() -> None:
    mine = np.array([1.0, 2.0])
    Floats("DataY").parse(mine)[0] = 5
    assert mine[0] == 1


@pytest.mark.parametrize(
    ("given_", "wanted"),
    [
        ("1,3-5", [1, 3, 4, 5]),
        ("1, 3:5", [1, 3, 4, 5]),
        ("0:10:5", [0, 5, 10]),
        ("-2--1", [-2, -1]),
        ("-3", [-3]),
        (7, [7]),
        ([1, "2-3"], [1, 2, 3]),
        (range(3), [0, 1, 2]),
        (np.array([4, 5]), [4, 5]),
        ("", []),
    ],
)
def test_whole_numbers_come_with_ranges(given_: object, wanted: list[int]) -> None:
    assert Integers("Indices").parse(given_).tolist() == wanted


@given(st.integers(-1000, 1000), st.integers(0, 50))
def test_a_range_includes_both_ends(first: int, length: int) -> None:
    assert Integers("Indices").parse(f"{first}:{first + length}").tolist() == list(range(first, first + length + 1))


@pytest.mark.parametrize("given_", [True, 1, "1", "true", "True", np.True_, np.int64(1), 1.0])
def test_truth_comes_in_many_spellings(given_: object) -> None:
    assert Flag("On").parse(given_) is True


@pytest.mark.parametrize("given_", [False, 0, "0", "false", "FALSE", np.False_, 0.0])
def test_falsehood_comes_in_many_spellings(given_: object) -> None:
    assert Flag("On").parse(given_) is False


def test_a_whole_number_may_be_a_float_without_fraction() -> None:
    assert Integer("N").parse(3.0) == 3
    assert Integer("N").parse(" 12 ") == 12
    assert isinstance(Integer("N").parse(np.int64(3)), int)


def test_texts_come_as_list_or_with_commas() -> None:
    assert Texts("Names").parse("a, b") == ("a", "b")
    assert Texts("Names").parse(["a", "b"]) == ("a", "b")


def test_text_may_be_a_path() -> None:
    assert Text("Filename").parse(Path("/tmp/a.nxs")) == "/tmp/a.nxs"


def test_allowed_text_is_handed_on_as_declared() -> None:
    assert Text("Operation", allowed=("Multiply", "Add")).parse("add") == "Add"


@pytest.mark.parametrize(
    ("kind", "given_", "message"),
    [
        (Floats("P"), "1,x", "wanted a number, got 'x'"),
        (Floats("P"), [None], "wanted a number, got None"),
        (Integer("P"), 1.5, "wanted a whole number, got 1.5"),
        (Integer("P"), "a", "wanted a number, got 'a'"),
        (Integers("P"), "5-3", "wanted a range from a smaller to a larger number, got '5-3'"),
        (Flag("P"), "maybe", "wanted True or False"),
        (Flag("P"), 2, "wanted True or False"),
        (Number("P", at_least=0), -1, "Selected value -1 is < the lower bound (0)"),
        (Number("P", at_most=1), "2", "Selected value 2 is > the upper bound (1)"),
        (Text("P", allowed=("A", "B")), "C", 'The value "C" is not in the list of allowed values: A, B'),
    ],
)
def test_what_cannot_be_used_is_refused_with_what_is_wanted(kind: Floats, given_: object, message: str) -> None:
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        kind.parse(given_)
