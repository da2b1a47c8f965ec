from __future__ import annotations

import numpy as np
import pytest

from livereduce.algorithms.create import create_single_valued_workspace, create_workspace, is_single_value
from livereduce.data.run import Run
from livereduce.errors import AlgorithmError


def test_values_follow_one_spectrum_after_another() -> None:
    ws = create_workspace([0, 1, 2], [1, 2, 3, 4], data_e=[1, 1, 2, 2], n_spec=2, unit_x="TOF", dx=[0.1, 0.1, 0.1])
    assert ws.y.tolist() == [[1, 2], [3, 4]]
    assert ws.errors.tolist() == [[1, 1], [2, 2]]
    assert ws.x.tolist() == [0, 1, 2]
    assert ws.spectra.numbers.tolist() == [1, 2]
    assert ws.dx is not None


def test_every_spectrum_may_have_its_own_x() -> None:
    ws = create_workspace([0, 1, 5, 6], [1, 2], n_spec=2)
    assert ws.x.tolist() == [[0, 1], [5, 6]]
    assert ws.is_histogram


def test_a_parent_gives_its_run_and_a_title_overrides_its_own() -> None:
    parent = create_workspace([0, 1], [1], workspace_title="parent").replace(run=Run(number=5))
    assert create_workspace([0, 1], [1], parent_workspace=parent).title == "parent"
    child = create_workspace([0, 1], [1], parent_workspace=parent, workspace_title="child")
    assert (child.title, child.run.number) == ("child", 5)


def test_a_vertical_axis_has_numbers_or_labels() -> None:
    numbers = create_workspace([0, 1], [1, 2], n_spec=2, vertical_axis_unit="MomentumTransfer", vertical_axis_values=["0.5", "1.5"])
    assert numbers.vertical is not None
    assert numbers.vertical.values.tolist() == [0.5, 1.5]
    text = create_workspace([0, 1], [1, 2], n_spec=2, vertical_axis_unit="Text", vertical_axis_values=["a", "b"])
    assert text.vertical is not None
    assert text.vertical.labels == ("a", "b")


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"data_x": [0, 1, 2], "data_y": [1, 2, 3], "n_spec": 2}, "divisible by NSpec"),
        ({"data_x": [0, 1], "data_y": []}, "divisible by NSpec"),
        ({"data_x": [0, 1], "data_y": [1], "data_e": [1, 2]}, "same size as DataY"),
        ({"data_x": [0, 1, 2, 3], "data_y": [1]}, "x-y size mismatch"),
        ({"data_x": [0, 1], "data_y": [1], "vertical_axis_unit": "Text", "vertical_axis_values": ["a", "b", "c"]}, "must match number of histograms"),
    ],
)
def test_lengths_that_do_not_fit_are_named(values: dict[str, object], message: str) -> None:
    with pytest.raises(AlgorithmError, match=message):
        create_workspace(**values)  # type: ignore[arg-type]


def test_a_single_value_is_known_as_one() -> None:
    assert is_single_value(create_single_valued_workspace(3, 0.5))
    assert not is_single_value(create_workspace([0, 1], [1]))
    assert create_single_valued_workspace(3, 0.5).errors == np.array([[0.5]])
