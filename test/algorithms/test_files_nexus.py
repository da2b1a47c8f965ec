"""NeXus files: what is saved comes back, viewers plot it by themselves, and no half file is ever seen."""

import importlib.util
import os
import re
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from types import MappingProxyType

import h5py
import numpy as np
import pytest
import scippnexus
import silx.io
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from silx.io.nxdata import get_default

from livereduce.algorithms import files
from livereduce.algorithms.files import load_nexus, save_nexus
from livereduce.algorithms.nexus.logs import time_ns
from livereduce.data.events import NO_PULSE_NS, EventKind, Events, EventWorkspace
from livereduce.data.group import WorkspaceGroup
from livereduce.data.instrument import Instrument
from livereduce.data.provenance import Provenance, ScriptSource, current, using
from livereduce.data.run import LogNumber, LogSeries, Run
from livereduce.data.workspace import MaskedBins, Spectra, Step, VerticalAxis, Workspace
from livereduce.errors import AlgorithmError, PublishError


def _golden():
    spec = importlib.util.spec_from_file_location("golden_cases", Path(__file__).with_name("golden.py"))
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


golden = _golden()
FILES = next((folder for folder in (golden.HERE / "files", golden.BESIDE / "files") if folder.is_dir()), None)
CASES = [case for case in golden.cases("SaveNexusProcessed") if FILES and case["ok"] and (FILES / f"{case['name']}.nxs").exists()]
# A table is no workspace of ours, and an instrument told in XML is not read.
KNOWN = [case for case in CASES if case["name"].rpartition("-")[0] not in ("table", "idf-instrument-masked")]
SPECTRA = Spectra.from_lists(np.array([4, 9, 7]), [np.array([10, 11]), np.array([], dtype=int), np.array([12])])
EDGES = np.array([1.0, 2.0, 4.0, 8.0, 16.0])
PLANE = np.arange(12.0).reshape(3, 4)


def workspace(**fields):
    return Workspace(**{"x": EDGES, "y": PLANE, "variance": PLANE, "spectra": SPECTRA, **fields})


def neutrons(kinds, **fields):
    n = 5
    weighted = any(kind != EventKind.TOF for kind in kinds)
    column = np.arange(n, dtype=np.float32)
    notime = all(kind == EventKind.WEIGHTED_NOTIME for kind in kinds)
    pulses = np.full(n, NO_PULSE_NS) if notime else 10**18 + np.arange(n)
    events = Events(
        tof=np.array([1.5, 9, 3, 3, 99]), pulse_time_ns=pulses, weight=column if weighted else None, error2=column + 1 if weighted else None
    )
    return EventWorkspace(
        **{"x": EDGES, "events": events, "offsets": np.array([0, 2, 2, 5]), "kinds": np.array(kinds, dtype=np.uint8), "spectra": SPECTRA, **fields}
    )


def round_trip(tmp_path, saved, **options):
    save_nexus(input_workspace=saved, filename=tmp_path / "a.nxs", **options)
    return load_nexus(filename=tmp_path / "a.nxs")


def plain(value):
    """What a workspace holds as bare values, so that two can be compared."""
    if isinstance(value, np.ndarray):
        return value.dtype.kind, value.shape, value.tolist() if value.dtype.kind == "U" else value.tobytes()
    if isinstance(value, MappingProxyType | dict):
        return {name: plain(one) for name, one in value.items()}
    if isinstance(value, tuple):
        return [plain(one) for one in value]
    if hasattr(value, "__dataclass_fields__"):
        hidden = ("_seen", "variance") if isinstance(value, Workspace) else ("_seen",)
        return {name: plain(getattr(value, name)) for name in value.__dataclass_fields__ if name not in hidden}
    return repr(value)


def assert_same(got, wanted):
    assert plain(got) == plain(wanted)
    if isinstance(wanted, Workspace):
        assert plain(got.errors) == plain(wanted.errors)


RUN = Run(
    number=123,
    title="vanadium",
    start_ns=1_500_000_000_123_456_789,
    end_ns=1_500_000_100_000_000_000,
    charge_uah=12.5,
    logs=MappingProxyType(
        {
            "int": LogNumber(value=7),
            "large": LogNumber(value=2**40),
            "float": LogNumber(value=2.5, unit="K"),
            "flag": LogNumber(value=True),
            "text": LogNumber(value="Å and µ"),
            "empty": LogNumber(value=""),
            "a/b": LogNumber(value=1),
            "a_b": LogNumber(value=2),
            "..": LogNumber(value=3),
            "run_title": LogNumber(value="another title"),
            "series": LogSeries(time_ns=np.array([10**18, 10**18 + 7, 10**18 - 3]), values=np.array([1.5, np.nan, np.inf]), unit="mm"),
            "far apart": LogSeries(time_ns=np.array([0, 2**60 + 1]), values=np.array([1, 2], dtype=np.int32)),
            "flags": LogSeries(time_ns=np.array([1, 2]), values=np.array([True, False])),
            "texts": LogSeries(time_ns=np.array([1, 2]), values=np.array(["on", ""])),
            "nothing yet": LogSeries(time_ns=np.array([], dtype=np.int64), values=np.array([])),
        }
    ),
)

INSTRUMENT = Instrument(
    name="TEST",
    source=np.array([0, 0, -10.0]),
    sample=np.zeros(3),
    detector_ids=np.array([10, 11, 12], dtype=np.int32),
    positions=np.arange(9.0).reshape(3, 3),
    monitor=np.array([True, False, False]),
    masked=np.array([False, False, True]),
)

VARIANTS = {
    "histogram": {},
    "points": {"x": EDGES[:-1]},
    "an x for each spectrum": {"x": np.arange(15.0).reshape(3, 5)},
    "points for each spectrum": {"x": np.arange(12.0).reshape(3, 4)},
    "distribution": {"distribution": True, "x_unit": "dSpacing"},
    "units nobody knows": {"x_unit": "Strange", "y_unit": "Odd"},
    "no units": {"x_unit": "", "y_unit": ""},
    "common resolution": {"dx": np.arange(5.0)},
    "resolution for each spectrum": {"dx": PLANE},
    "vertical points": {"vertical": VerticalAxis(values=np.array([0.5, 1, 2]), unit="MomentumTransfer")},
    "vertical edges": {"vertical": VerticalAxis(values=np.array([0.5, 1, 2, 4]), unit="TOF")},
    "vertical text": {"vertical": VerticalAxis(values=np.array([0.0, 1, 2]), labels=("a", "", "ç\nd"))},
    "masked bins": {
        "masked_bins": MappingProxyType(
            {0: MaskedBins(bins=np.array([3]), weights=np.array([1.0])), 2: MaskedBins(bins=np.array([0, 1]), weights=np.array([0.5, 1]))}
        )
    },
    "run and logs": {"run": RUN},
    "instrument": {"instrument": INSTRUMENT},
    "words": {"title": "tïtle", "comment": "a\ncomment"},
    "history": {
        "history": (
            Step(name="Rebin", properties=(("Params", "1,2,3"), ("Odd", "x\n  Name: y, Value: z, Default?: No, Direction: Input"))),
            Step(name="Scale", version=2),
        )
    },
}


@pytest.mark.parametrize("name", VARIANTS)
def test_a_histogram_comes_back_as_it_was_saved(name, tmp_path):
    saved = workspace(**VARIANTS[name])
    loaded = round_trip(tmp_path, saved)
    assert_same(loaded, saved)
    assert np.array_equal(loaded.variance, saved.variance)


KINDS = {
    "tof": [EventKind.TOF] * 3,
    "weighted": [EventKind.WEIGHTED] * 3,
    "weighted without time": [EventKind.WEIGHTED_NOTIME] * 3,
    "mixed": [EventKind.TOF, EventKind.WEIGHTED_NOTIME, EventKind.WEIGHTED],
}


@pytest.mark.parametrize("compress", [False, True])
@pytest.mark.parametrize("name", KINDS)
def test_events_come_back_as_they_were_saved(name, compress, tmp_path):
    saved = neutrons(KINDS[name], run=RUN, instrument=INSTRUMENT)
    assert_same(round_trip(tmp_path, saved, compress_nexus=compress), saved)


def test_events_are_saved_as_their_histogram_when_they_are_not_to_be_kept(tmp_path):
    saved = neutrons(KINDS["weighted"])
    assert_same(round_trip(tmp_path, saved, preserve_events=False), saved.histogram())


@pytest.mark.parametrize("names", [(), ("first", "second")])
def test_a_group_comes_back_member_by_member(names, tmp_path):
    saved = WorkspaceGroup(members=(workspace(), neutrons(KINDS["tof"])), names=names)
    assert_same(round_trip(tmp_path, saved), saved)


def test_appended_entries_follow_those_that_were_there(tmp_path):
    for number in range(1, 12):
        save_nexus(input_workspace=workspace(run=Run(number=number)), filename=tmp_path / "a.nxs", append=True)
    loaded = load_nexus(filename=tmp_path / "a.nxs")
    assert [member.run.number for member in loaded.members] == list(range(1, 12))
    assert load_nexus(filename=tmp_path / "a.nxs", entry_number=11).run.number == 11


def test_saving_again_replaces_the_file(tmp_path):
    for number in (1, 2):
        save_nexus(input_workspace=workspace(run=Run(number=number)), filename=tmp_path / "a.nxs")
    assert load_nexus(filename=tmp_path / "a.nxs").run.number == 2


@pytest.mark.parametrize(
    ("options", "numbers"),
    [
        ({"workspace_index_min": 1}, [9, 7]),
        ({"workspace_index_max": 1}, [4, 9]),
        ({"workspace_index_list": [0, 2]}, [4, 7]),
        ({"workspace_index_min": 2, "workspace_index_list": [0]}, [4, 7]),
    ],
)
@pytest.mark.parametrize("make", [workspace, lambda **fields: neutrons(KINDS["tof"], **fields)])
def test_rows_are_saved_with_all_that_belongs_to_them(make, options, numbers, tmp_path):
    masked = MappingProxyType({2: MaskedBins(bins=np.array([1]), weights=np.array([1.0]))})
    vertical = VerticalAxis(values=np.array([0.0, 1, 2, 4]), unit="MomentumTransfer")
    loaded = round_trip(tmp_path, make(masked_bins=masked, vertical=vertical), **options)
    assert loaded.spectra.numbers.tolist() == numbers
    assert list(loaded.masked_bins) == ([1] if numbers[-1] == 7 else [])
    assert loaded.vertical.values.tolist() == {(9, 7): [1, 2, 4], (4, 9): [0, 1, 2], (4, 7): [0.5, 3]}[tuple(numbers)]


@pytest.mark.parametrize(
    ("options", "numbers"),
    [
        ({"spectrum_list": [7, 4]}, [4, 7]),
        ({"spectrum_min": 7}, [9, 7]),
        ({"spectrum_max": 6}, [4]),
        ({"spectrum_min": 8, "spectrum_list": [4]}, [4, 9]),
    ],
)
def test_spectra_are_loaded_by_number(options, numbers, tmp_path):
    save_nexus(input_workspace=workspace(), filename=tmp_path / "a.nxs")
    assert load_nexus(filename=tmp_path / "a.nxs", **options).spectra.numbers.tolist() == numbers


SHAPES = hnp.array_shapes(min_dims=2, max_dims=2, min_side=0, max_side=4)
NUMBERS = st.floats(width=64)


@st.composite
def workspaces(draw):
    spectra, bins = draw(SHAPES)
    wide = bins + draw(st.integers(0, 1))
    x_shape = draw(st.sampled_from([(wide,), (spectra, wide)]))
    return Workspace(
        x=draw(hnp.arrays(np.float64, x_shape, elements=NUMBERS)),
        y=draw(hnp.arrays(np.float64, (spectra, bins), elements=NUMBERS)),
        variance=draw(hnp.arrays(np.float64, (spectra, bins), elements=st.floats(min_value=0) | st.just(np.nan))),
        spectra=Spectra.from_lists(np.arange(spectra), [np.arange(draw(st.integers(0, 2))) for _ in range(spectra)]),
        x_unit=draw(st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=3)),
        title=draw(st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=3)),
        distribution=draw(st.booleans()),
    )


@settings(max_examples=60, deadline=None)
@given(saved=workspaces())
def test_whatever_the_numbers_they_come_back(saved, tmp_path_factory):
    assert_same(round_trip(tmp_path_factory.mktemp("nexus"), saved), saved)


TIMES = hnp.arrays(np.int64, 3, elements=st.integers(-(2**62), 2**62))


@settings(max_examples=40, deadline=None)
@given(
    times=TIMES, name=st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=4), value=st.integers(-(2**63), 2**63 - 1)
)
def test_logs_come_back_to_the_nanosecond_under_any_name(times, name, value, tmp_path_factory):
    logs = {name: LogSeries(time_ns=times, values=np.zeros(3)), name + "'": LogNumber(value=value)}
    saved = workspace(run=Run(logs=MappingProxyType(logs)))
    assert_same(round_trip(tmp_path_factory.mktemp("nexus"), saved), saved)


def test_counts_keep_their_variance_to_the_last_bit(tmp_path):
    counts = np.arange(200_000, dtype=float).reshape(2, -1)
    saved = Workspace(x=np.arange(100_000.0), y=counts, variance=counts, spectra=Spectra.counted(2))
    loaded = round_trip(tmp_path, saved)
    assert np.array_equal(loaded.variance, counts)
    assert np.array_equal(loaded.y, counts)


# --- what Mantid wrote ---


def build(given):
    built = golden.build(given)
    axis = given.get("axis1")
    return built if axis is None else built.replace(vertical=VerticalAxis(values=np.array(axis["values"], dtype=float), unit=axis["unit"]))


@pytest.mark.parametrize("case", KNOWN, ids=[case["name"] for case in KNOWN])
def test_files_of_mantid_are_read_as_mantid_reads_them(case):
    chosen = case["steps"][-1]["props"].get("SpectrumList", "")
    loaded = load_nexus(filename=FILES / f"{case['name']}.nxs", spectrum_list=[int(number) for number in chosen.split(",") if number])
    assert golden.differences(case["outputs"]["out"], loaded) == []


@pytest.mark.parametrize("case", KNOWN, ids=[case["name"] for case in KNOWN])
def test_files_of_ours_hold_what_those_of_mantid_hold(case, tmp_path):
    # What Mantid needs to load a file: each dataset of its groups of counts, detectors and logs, of the same shape and values.
    properties = case["steps"][-2]["props"]
    rows = properties.get("WorkspaceIndexList", "")
    save_nexus(
        input_workspace=build(case["workspaces"]["in"]),
        filename=tmp_path / "a.nxs",
        title=properties["Title"],
        workspace_index_min=properties.get("WorkspaceIndexMin"),
        workspace_index_max=properties.get("WorkspaceIndexMax"),
        workspace_index_list=[int(row) for row in rows.split(",") if row],
        preserve_events=properties.get("PreserveEvents", True),
    )
    with h5py.File(FILES / f"{case['name']}.nxs") as theirs, h5py.File(tmp_path / "a.nxs") as ours:
        assert list(theirs) == list(ours)
        theirs.visititems(lambda name, item: compare(name, item, ours))


PLACE = re.compile(r"/(workspace|event_workspace|instrument/detector|logs)/|/(definition|title)$")
NOT_OURS = re.compile(r"/goniometer|detector_positions|logs/run_title")


def compare(name, item, ours):
    if not PLACE.search(name) or NOT_OURS.search(name):
        return
    assert name in ours, f"{name} is missing"
    assert text(item.attrs.get("NX_class", "")) == text(ours[name].attrs.get("NX_class", ""))
    if isinstance(item, h5py.Dataset):
        got, wanted = ours[name][()], item[()]
        assert got.shape == wanted.shape, name
        if "event_workspace" in name and "axis" not in name:
            # Mantid sorts the events of a spectrum when it is asked for their histogram.
            got, wanted = np.sort(got), np.sort(wanted)
        assert np.array_equal(got, wanted) if got.dtype.kind in "SO" else np.allclose(got, wanted, rtol=1e-14, equal_nan=True), name
        for attribute in {"units", "signal", "axes", "start", "caption"} & set(item.attrs):
            # A distribution's unit is per unit of x, so that readers of units are not told counts.
            different = attribute == "units" and name.endswith("values") and " per " in text(ours[name].attrs["unit_label"])
            assert different or text(ours[name].attrs[attribute]) == text(item.attrs[attribute]), f"{name}@{attribute}"


def text(value):
    return value.decode() if isinstance(value, bytes) else str(value)


# --- what viewers see ---


PLOTTED = {name: VARIANTS[name] for name in VARIANTS if name not in ("units nobody knows",)}


@pytest.mark.parametrize("name", PLOTTED)
def test_silx_finds_a_default_plot_with_axes_and_errors(name, tmp_path):
    saved = workspace(**PLOTTED[name])
    save_nexus(input_workspace=saved, filename=tmp_path / "a.nxs", title="a title")
    with silx.io.open(str(tmp_path / "a.nxs")) as file:
        plot = get_default(file)
        assert plot is not None
        assert plot.issues == []
        assert plot.title == "a title"
        assert np.array_equal(plot.signal[()], saved.y)
        assert np.array_equal(plot.errors[()], saved.errors)
        assert [len(axis) for axis in plot.axes] == [3, 4]
        if saved.has_common_x:
            assert plot.axes[1][()].tolist() == saved.x[:4].tolist()


@pytest.mark.parametrize("name", PLOTTED)
def test_scippnexus_reads_the_default_plot_with_units_and_edges(name, tmp_path):
    saved = workspace(**PLOTTED[name])
    save_nexus(input_workspace=saved, filename=tmp_path / "a.nxs")
    with scippnexus.File(tmp_path / "a.nxs") as file:
        entry = file[file.attrs["default"]]
        plot = entry[entry.attrs["default"]][()]
    assert plot.shape == (3, 4)
    assert np.array_equal(plot.values, saved.y)
    assert np.allclose(plot.variances, saved.variance)
    along = {"TOF": "time_of_flight", "dSpacing": "d_spacing", "": "x"}[saved.x_unit]
    assert np.array_equal(plot.coords[along].values, saved.x)
    assert plot.coords.is_edges(along, plot.dims[1]) == saved.is_histogram
    assert str(plot.coords[along].unit) == {"TOF": "µs", "dSpacing": "Å", "": "dimensionless"}[saved.x_unit]
    assert str(plot.unit) == ("dimensionless" if not saved.y_unit else "counts/Å" if saved.distribution else "counts")


def test_events_have_their_histogram_as_default_plot(tmp_path):
    saved = neutrons(KINDS["weighted"])
    save_nexus(input_workspace=saved, filename=tmp_path / "a.nxs")
    with silx.io.open(str(tmp_path / "a.nxs")) as file:
        plot = get_default(file)
        assert np.array_equal(plot.signal[()], saved.y)
        assert np.array_equal(plot.errors[()], saved.errors)


def test_a_single_spectrum_is_plotted_as_a_curve(tmp_path):
    save_nexus(input_workspace=workspace(), filename=tmp_path / "a.nxs", workspace_index_list=[0])
    with silx.io.open(str(tmp_path / "a.nxs")) as file:
        assert get_default(file).interpretation == "spectrum"


@pytest.mark.parametrize("name", VARIANTS)
def test_the_file_keeps_the_rules_of_nexus(name, tmp_path):
    save_nexus(input_workspace=workspace(**VARIANTS[name]), filename=tmp_path / "a.nxs")
    with h5py.File(tmp_path / "a.nxs") as file:
        entry = file[file.attrs["default"]]
        plot = entry[entry.attrs["default"]]
        assert [group.attrs["NX_class"] for group in (file, entry, plot)] == ["NXroot", "NXentry", "NXdata"]
        signal = plot[plot.attrs["signal"]]
        assert plot[plot.attrs["signal"] + "_errors"].shape == signal.shape
        assert len(plot.attrs["axes"]) == signal.ndim
        for k, axis in enumerate(plot.attrs["axes"]):
            assert plot[axis].ndim == 1
            assert len(plot[axis]) - signal.shape[k] in (0, 1)
            assert plot.attrs[f"{axis}_indices"].tolist() == [k]
        numbers = [item for item in plot.values() if item.dtype.kind in "iuf"]
        assert all("units" in item.attrs for item in numbers)
        assert all("long_name" in plot[axis].attrs for axis in (plot.attrs["signal"], *plot.attrs["axes"]))
        unclassed = []
        file.visititems(lambda path, item: unclassed.append(path) if isinstance(item, h5py.Group) and "NX_class" not in item.attrs else None)
        assert unclassed == []


def test_run_and_title_stand_in_the_entry(tmp_path):
    save_nexus(input_workspace=workspace(run=RUN), filename=tmp_path / "a.nxs")
    with h5py.File(tmp_path / "a.nxs") as file:
        entry = file["mantid_workspace_1"]
        assert entry["title"].asstr()[0] == "vanadium"
        assert entry["start_time"].asstr()[0] == "2017-07-14T02:40:00.123456789Z"
        assert entry["run_number"][0] == 123
        assert (entry["proton_charge"][0], entry["proton_charge"].attrs["units"]) == (12.5, "uA.hour")
        assert entry["logs/gd_prtn_chrg/value"][0] == 12.5


# --- where it comes from ---


def test_scripts_journal_positions_and_versions_stand_in_the_process(tmp_path):
    script = ScriptSource(role="processing", path="/a/reduce.py", md5="0" * 32, text="output = input\n")
    provenance = Provenance(scripts=(script,), chunk_first=5, chunk_last=2**40, versions=(("mine", "1.2"),))
    save_nexus(input_workspace=workspace(run=RUN), filename=tmp_path / "a.nxs", provenance=provenance)
    with h5py.File(tmp_path / "a.nxs") as file:
        process = file["mantid_workspace_1/process"]
        assert process.attrs["NX_class"] == "NXprocess"
        assert process["program"].asstr()[0] == "livereduce"
        assert process["run_number"][0] == 123
        assert process["chunk_range"][()].tolist() == [5, 2**40]
        assert "mine 1.2" in process["versions"].asstr()[()].tolist()
        assert f"numpy {np.__version__}" in process["versions"].asstr()[()].tolist()
        note = process["script_1"]
        assert [note[name].asstr()[0] for name in ("description", "file_name", "md5", "data")] == [script.role, script.path, script.md5, script.text]


def test_provenance_is_current_inside_its_block_alone():
    provenance = Provenance(chunk_first=1, chunk_last=2)
    assert current() is None
    with using(provenance):
        assert current() is provenance
    assert current() is None


# --- when it goes wrong ---


class Interrupted(BaseException):
    """What a signal raises in the middle."""


@pytest.mark.parametrize("error", [Interrupted, RuntimeError, OSError, ValueError])
def test_an_error_in_the_middle_leaves_the_old_file_and_nothing_else(error, tmp_path, monkeypatch):
    save_nexus(input_workspace=workspace(), filename=tmp_path / "a.nxs")
    before = (tmp_path / "a.nxs").read_bytes()

    def fail(*_, **__):
        raise error("in the middle")

    monkeypatch.setattr(files, "write_entry", fail)
    with pytest.raises(PublishError if issubclass(error, RuntimeError | OSError) else error, match="in the middle"):
        save_nexus(input_workspace=workspace(), filename=tmp_path / "a.nxs")
    assert (tmp_path / "a.nxs").read_bytes() == before
    assert [path.name for path in tmp_path.iterdir()] == ["a.nxs"]


FULL = """
import resource, sys
import numpy as np
from livereduce.algorithms.files import save_nexus
from livereduce.data.workspace import Spectra, Workspace
from livereduce.errors import PublishError
rng = np.random.default_rng(1)
y = rng.random((100, 10_000))
resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))
try:
    save_nexus(input_workspace=Workspace(x=np.arange(10_001.0), y=y, variance=y, spectra=Spectra.counted(100)), filename=sys.argv[1])
except PublishError as error:
    print(error)
"""


def test_a_disk_that_is_full_is_an_error_that_names_the_file(tmp_path):
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
    done = subprocess.run([sys.executable, "-c", FULL, tmp_path / "a.nxs"], capture_output=True, text=True, check=False, env=environment, timeout=60)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith(f"{tmp_path}/a.nxs: ")
    assert "nothing was written" in done.stdout
    assert not list(tmp_path.iterdir())


def test_a_missing_folder_is_named(tmp_path):
    with pytest.raises(PublishError, match=re.escape(f"{tmp_path}/no/a.nxs: there is no folder {tmp_path}/no")):
        save_nexus(input_workspace=workspace(), filename=tmp_path / "no" / "a.nxs")


def test_a_folder_in_the_place_of_the_file_is_told(tmp_path):
    with pytest.raises(PublishError, match="it is a folder"):
        save_nexus(input_workspace=workspace(), filename=tmp_path)


@pytest.mark.skipif(os.geteuid() == 0, reason="the superuser may write anywhere")
def test_a_folder_without_leave_to_write_is_told(tmp_path):
    tmp_path.chmod(0o500)
    with pytest.raises(PublishError, match="Permission denied"):
        save_nexus(input_workspace=workspace(), filename=tmp_path / "a.nxs")


def test_a_link_keeps_pointing_to_the_file(tmp_path):
    (tmp_path / "real").mkdir()
    (tmp_path / "link.nxs").symlink_to(tmp_path / "real" / "a.nxs")
    save_nexus(input_workspace=workspace(), filename=tmp_path / "link.nxs")
    assert (tmp_path / "link.nxs").is_symlink()
    assert (tmp_path / "real" / "a.nxs").exists()


def test_what_is_no_nexus_file_is_told(tmp_path):
    (tmp_path / "a.nxs").write_text("nonsense")
    with pytest.raises(AlgorithmError, match=re.escape(f"{tmp_path}/a.nxs: ") + ".*wanted a processed NeXus file; nothing was loaded"):
        load_nexus(filename=tmp_path / "a.nxs")


def test_a_file_that_is_not_there_is_told(tmp_path):
    with pytest.raises(AlgorithmError, match="there is no such file"):
        load_nexus(filename=tmp_path / "a.nxs")


def replace(file, name, values):
    del file[name]
    file[name] = values


def claim(file):
    del file["mantid_workspace_1/workspace/values"]
    file["mantid_workspace_1/workspace"].create_dataset("values", shape=(2**20, 2**20), chunks=(1, 1024), dtype="f8")


DAMAGE = {
    "no entry": (lambda file: file.move("mantid_workspace_1", "entry"), "holds entry, no entry mantid_workspace_1"),
    "no counts": (lambda file: file.move("mantid_workspace_1/workspace", "mantid_workspace_1/x"), "wanted histograms, points or events"),
    "no values": (lambda file: file.pop("mantid_workspace_1/workspace/values"), "/values is missing; wanted a dataset"),
    "text for values": (lambda file: replace(file, "mantid_workspace_1/workspace/values", "text"), "wanted numbers"),
    "too few errors": (lambda file: replace(file, "mantid_workspace_1/workspace/errors", PLANE[:2]), "has shape (2, 4); wanted (3, 4)"),
    "too long x": (lambda file: replace(file, "mantid_workspace_1/workspace/axis1", np.arange(9.0)), "axis1 has 9 values for 4 bins"),
    "too many spectra": (lambda file: replace(file, "mantid_workspace_1/instrument/detector/spectra", np.arange(4)), "has shape (4,); wanted (3,)"),
    "detectors outside": (
        lambda file: replace(file, "mantid_workspace_1/instrument/detector/detector_count", [9, 9, 9]),
        "point outside of 3 detectors",
    ),
    "values never written": (claim, "claims 8796093022208 bytes and holds 0"),
    "a group for a dataset": (
        lambda file: (file.pop("mantid_workspace_1/workspace/axis1"), file.create_group("mantid_workspace_1/workspace/axis1")),
        "axis1",
    ),
}


@pytest.mark.parametrize("name", DAMAGE)
def test_damaged_files_are_told_and_cost_no_memory(name, tmp_path):
    damage, message = DAMAGE[name]
    save_nexus(input_workspace=workspace(), filename=tmp_path / "a.nxs")
    with h5py.File(tmp_path / "a.nxs", "a") as file:
        damage(file)
    with pytest.raises(AlgorithmError, match=re.escape(str(tmp_path)) + ".*" + re.escape(message)):
        load_nexus(filename=tmp_path / "a.nxs")


@settings(max_examples=60, deadline=None)
@given(position=st.integers(0, 2**31), byte=st.integers(0, 255))
def test_a_changed_byte_gives_a_workspace_or_an_error_of_ours(position, byte, tmp_path_factory):
    path = tmp_path_factory.mktemp("nexus") / "a.nxs"
    save_nexus(input_workspace=workspace(), filename=path)
    content = bytearray(path.read_bytes())
    content[position % len(content)] = byte
    path.write_bytes(content)
    with suppress(AlgorithmError):
        assert load_nexus(filename=path) is not None


@pytest.mark.parametrize(
    ("options", "message"), [({"entry_number": 2}, "has no entry 2; entries are 1 to 1"), ({"spectrum_list": [5]}, "there is no spectrum 5")]
)
def test_what_is_not_in_the_file_is_told(options, message, tmp_path):
    save_nexus(input_workspace=workspace(), filename=tmp_path / "a.nxs")
    with pytest.raises(AlgorithmError, match=message):
        load_nexus(filename=tmp_path / "a.nxs", **options)


@pytest.mark.parametrize(
    ("written", "seconds"),
    [("1970-01-01T01:00:00", 3600), ("1970-01-01T01:00:00Z", 3600), ("1970-01-01T01:00:00+01:00", 0), ("1970-01-01 00:00:00-0130", 5400)],
)
def test_times_are_read_with_their_zone(written, seconds):
    assert time_ns(written) == seconds * 10**9


@pytest.mark.parametrize("written", ["", "today", "1970-13-01T00:00:00", "1970-01-01T00:00:00+", "12"])
def test_what_is_no_time_is_none(written):
    assert time_ns(written) is None
