"""Columns of text, byte for byte as Mantid writes them."""

import importlib.util
import re
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from livereduce.algorithms.files import save_ascii
from livereduce.data.group import WorkspaceGroup
from livereduce.data.instrument import Instrument
from livereduce.data.workspace import Spectra, VerticalAxis, Workspace
from livereduce.errors import AlgorithmError, PublishError


def _golden():
    spec = importlib.util.spec_from_file_location("golden_cases", Path(__file__).with_name("golden.py"))
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


golden = _golden()
CASES = golden.cases("SaveAscii")


def options(properties):
    names = {re.sub(r"(?<=[a-z])(?=[A-Z])|(?<=X)(?=E)", "_", name).lower(): value for name, value in properties.items()}
    names.pop("input_workspace")
    names.pop("filename")
    meta = names.pop("spectrum_meta_data", "")
    rows = names.pop("spectrum_list", "")
    return {**names, "spectrum_meta_data": meta.split(",") if meta else [], "spectrum_list": [int(row) for row in rows.split(",") if row]}


def build(given):
    rows = [row["dx"] for row in given["spectra"] if "dx" in row]
    workspace = golden.build(given)
    return workspace.replace(dx=np.array(rows, dtype=float)) if rows else workspace


def own_resolution(text, given):
    """Mantid repeats the resolution of the first spectrum below every number; ours has each spectrum's own (see docs/decisions)."""
    own = iter([f"{dx:g}" for row in given["spectra"] for dx in row.get("dx", [])])
    lines = [line.rpartition(",")[0] + "," + next(own) if line.count(",") == 3 and line[0] != "#" else line for line in text.splitlines()]
    return "".join(f"{line}\n" for line in lines)


def points(y, **fields):
    y = np.asarray(y, dtype=float)
    return Workspace(**{"x": np.arange(y.shape[1], dtype=float), "y": y, "variance": np.abs(y), "spectra": Spectra.counted(len(y)), **fields})


@pytest.mark.parametrize("case", CASES, ids=[case["name"] for case in CASES])
def test_the_text_is_mantids_byte_for_byte(case, tmp_path):
    workspace = build(case["workspaces"]["in"])
    step = case["steps"][0]
    ((name, expected),) = case["outfiles_text"].items()
    if step["props"].get("WriteXError"):
        expected = own_resolution(expected, case["workspaces"]["in"])
    save_ascii(input_workspace=workspace, filename=tmp_path / name, **options(step["props"]))
    assert (tmp_path / name).read_bytes() == expected.encode()
    assert [path.name for path in tmp_path.iterdir()] == [name]


def test_a_single_spectrum_without_spectrum_number_has_no_line_above_it(tmp_path):
    save_ascii(input_workspace=points([[1, 4]]), filename=tmp_path / "a.txt", write_spectrum_id=False)
    assert (tmp_path / "a.txt").read_text() == "# X , Y , E\n0,1,1\n1,4,2\n"


def test_the_spectrum_number_stands_above_a_spectrum_by_itself(tmp_path):
    save_ascii(input_workspace=points([[1, 4]]), filename=tmp_path / "a.txt")
    assert (tmp_path / "a.txt").read_text() == "# X , Y , E\n1\n0,1,1\n1,4,2\n"


def test_separators_of_the_users_own_go_between_columns_and_names(tmp_path):
    save_ascii(input_workspace=points([[1]]), filename=tmp_path / "a.txt", separator="UserDefined", custom_separator="%|", write_spectrum_id=False)
    assert (tmp_path / "a.txt").read_text() == "# X %| Y %| E\n0%|1%|1\n"


def test_appending_adds_spectra_and_not_another_header(tmp_path):
    for _ in range(2):
        save_ascii(input_workspace=points([[1]]), filename=tmp_path / "a.txt", append_to_file=True)
    assert (tmp_path / "a.txt").read_text() == "# X , Y , E\n1\n0,1,1\n1\n0,1,1\n"


def test_writing_again_replaces_the_file(tmp_path):
    for value in (1, 2):
        save_ascii(input_workspace=points([[value]]), filename=tmp_path / "a.txt", column_header=False, write_spectrum_id=False)
    assert (tmp_path / "a.txt").read_text() == "0,2,1.41421\n"


def test_members_of_a_group_go_to_files_of_their_own(tmp_path):
    save_ascii(input_workspace=WorkspaceGroup(members=(points([[1]]), points([[2]]))), filename=tmp_path / "a.txt")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a_1.txt", "a_2.txt"]


def test_resolution_at_edges_becomes_that_of_the_centres(tmp_path):
    workspace = points([[1, 4]], x=np.array([0.0, 2.0, 4.0]), dx=np.array([1.0, 2.0, 4.0]))
    save_ascii(input_workspace=workspace, filename=tmp_path / "a.txt", write_x_error=True)
    assert (tmp_path / "a.txt").read_text() == "# X , Y , E , DX\n1\n1,1,1,1.5\n3,4,2,3\n"


def test_angles_come_from_the_places_of_the_detectors(tmp_path):
    instrument = Instrument(
        source=np.array([0.0, 0, -10]),
        sample=np.zeros(3),
        detector_ids=np.array([7], dtype=np.int32),
        positions=np.array([[2.0, 0, 0]]),
        monitor=np.array([False]),
        masked=np.array([False]),
    )
    workspace = points([[1]], instrument=instrument, spectra=Spectra.from_lists(np.array([5]), [np.array([7])]))
    save_ascii(input_workspace=workspace, filename=tmp_path / "a.txt", spectrum_meta_data=["SpectrumNumber", "Angle"], column_header=False)
    assert (tmp_path / "a.txt").read_text() == "5,90\n0,1,1\n"


def test_momentum_transfer_comes_from_the_vertical_axis(tmp_path):
    workspace = points([[1]], vertical=VerticalAxis(values=np.array([0.25]), unit="MomentumTransfer"))
    save_ascii(input_workspace=workspace, filename=tmp_path / "a.txt", spectrum_meta_data=["Q"], column_header=False)
    assert (tmp_path / "a.txt").read_text() == "0.25\n0,1,1\n"


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"separator": "Dot"}, "Separator is 'Dot'; wanted one of CSV"),
        ({"separator": "UserDefined"}, "CustomSeparator is ''"),
        ({"separator": "UserDefined", "custom_separator": "e"}, "CustomSeparator is 'e'"),
        ({"comment_indicator": ""}, "CommentIndicator is ''"),
        ({"comment_indicator": ","}, "CommentIndicator and separator are both ','"),
        ({"spectrum_meta_data": ["Colour"]}, "SpectrumMetaData has 'Colour'"),
        ({"spectrum_meta_data": ["Q"]}, "needs a vertical axis in MomentumTransfer; it has spectrum numbers"),
        ({"spectrum_list": [3]}, "workspace index 3 is out of range; wanted 0 to 0"),
        ({"workspace_index_min": 1}, "StartWorkspaceIndex 1 and EndWorkspaceIndex 0"),
    ],
)
def test_what_cannot_be_is_said_and_nothing_is_written(wrong, message, tmp_path):
    with pytest.raises(AlgorithmError, match=re.escape(message)):
        save_ascii(input_workspace=points([[1]]), filename=tmp_path / "a.txt", **wrong)
    assert not list(tmp_path.iterdir())


def test_a_missing_folder_is_named(tmp_path):
    with pytest.raises(PublishError, match=f"there is no folder {tmp_path}/no; wanted one that exists; nothing was written"):
        save_ascii(input_workspace=points([[1]]), filename=tmp_path / "no" / "a.txt")


def test_relative_names_begin_at_the_working_directory_and_a_tilde_at_home(tmp_path, monkeypatch):
    (tmp_path / "home").mkdir()
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    save_ascii(input_workspace=points([[1]]), filename="a.txt")
    save_ascii(input_workspace=points([[1]]), filename="~/b")
    assert (tmp_path / "a.txt").exists()
    assert (tmp_path / "home" / "b").exists()


@settings(max_examples=50)
@given(values=st.lists(st.floats(), min_size=1, max_size=8))
def test_seventeen_digits_bring_every_number_back(values, tmp_path_factory):
    path = tmp_path_factory.mktemp("ascii") / "a.txt"
    workspace = points([values], variance=np.ones((1, len(values))))
    save_ascii(input_workspace=workspace, filename=path, precision=17, write_spectrum_id=False)
    np.testing.assert_array_equal(np.loadtxt(path, delimiter=",", ndmin=2)[:, 1], values)
