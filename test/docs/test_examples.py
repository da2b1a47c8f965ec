"""What users are told to copy works: the example scripts, and the longer examples of the how-to pages."""

from __future__ import annotations

import math
import re
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

from livereduce.data.group import AnyWorkspace, WorkspaceGroup
from livereduce.data.names import Names
from livereduce.data.run import Run
from livereduce.data.workspace import Workspace
from livereduce.errors import AlgorithmError, ListenerError, ScriptError
from livereduce.listeners.source import Listener, ListenerSettings
from livereduce.reducer.chunks import ChunkMaker, histogram_workspace, spectra_of
from livereduce.scripting import mantid
from livereduce.scripting.mantid import DataService
from livereduce.scripting.runner import Runner
from livereduce.scripting.script import Script
from livereduce.store.record import Histogram, Layout, RunEnd, RunStart

ROOT = Path(__file__).parent.parent.parent
HOW_TO = ROOT / "docs" / "how-to"
PROC, POST = "reduce_ISIS_Histogram_live_proc.py", "reduce_ISIS_Histogram_live_post_proc.py"
SPECTRA, BINS, COUNTS = 4, 100, 7


def reading(periods: list[int], charge_uah: float) -> AnyWorkspace:
    """Return a reading of the simulator's kind: 100 us bins from 10 ms."""
    numbers = list(range(1, SPECTRA + 1))
    edges = [10000.0 + 100.0 * edge for edge in range(BINS + 1)]
    layout = Layout(spectrum_numbers=numbers, periods=periods, x=edges, detector_ids=numbers, detector_spectra=numbers)
    counts = np.full((len(periods), SPECTRA, BINS), COUNTS, dtype=np.int32)
    return histogram_workspace(layout, spectra_of(layout), counts, Run(title="a run", charge_uah=charge_uah))


def members(value: AnyWorkspace) -> list[Workspace]:
    found = list(value.members) if isinstance(value, WorkspaceGroup) else [value]
    assert all(isinstance(one, Workspace) for one in found)
    return [one for one in found if isinstance(one, Workspace)]


def python_of(page: str) -> list[str]:
    return re.findall(r"^```python\n(.*?)^```$", (HOW_TO / page).read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)


def read(path: Path) -> Script:
    script = Script.read(path)
    assert script is not None
    return script


@pytest.fixture
def service(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[DataService]:
    before = {name: module for name, module in sys.modules.items() if name.partition(".")[0] == "mantid"}
    monkeypatch.setattr(sys, "path", list(sys.path))
    monkeypatch.chdir(tmp_path)
    yield mantid.install(Names())
    for name in [name for name in sys.modules if name.partition(".")[0] == "mantid"]:
        del sys.modules[name]
    sys.modules.update(before)


# --- the scripts


@pytest.mark.parametrize("charge_uah", [0.0, 3.5, math.nan])
@pytest.mark.parametrize("periods", [[1], [1, 3]])
def test_the_example_scripts_make_a_pattern_for_each_period(service: DataService, tmp_path: Path, periods: list[int], charge_uah: float) -> None:
    folder = ROOT / "instruments" / "ISIS_Histogram"
    runner = Runner(service, folder)
    chunk = runner.run_chunk(read(folder / PROC), reading(periods, charge_uah))
    result = members(runner.run_post(read(folder / POST), chunk))
    per = charge_uah if charge_uah > 0 else 1.0
    assert [one.y.shape for one in result] == [(1, 200)] * len(periods)
    assert [one.y.sum() for one in result] == pytest.approx([SPECTRA * BINS * COUNTS / per] * len(periods))
    each = ["result", "counts"] if len(periods) == 1 else ["result_1", "result_2", "counts_1", "counts_2"]
    written = {path.name for path in (tmp_path / "results").iterdir()}
    assert written == {"ISIS_Histogram_0_result.nxs", *(f"ISIS_Histogram_0_{name}.txt" for name in each)}
    with h5py.File(tmp_path / "results" / "ISIS_Histogram_0_result.nxs") as file:
        assert len([entry for entry in file.values() if entry.attrs["NX_class"] in ("NXentry", b"NXentry")]) == len(periods)


def test_the_example_scripts_may_run_again_and_again(service: DataService) -> None:
    folder = ROOT / "instruments" / "ISIS_Histogram"
    runner = Runner(service, folder)
    totals = set()
    for _ in range(3):
        chunk = runner.run_chunk(read(folder / PROC), reading([1, 3], 2.0))
        totals.add(tuple(float(one.y.sum()) for one in members(runner.run_post(read(folder / POST), chunk))))
    assert totals == {(1400.0, 1400.0)}


@pytest.mark.parametrize("folder", [ROOT / "test", ROOT / "test" / "postprocessing"], ids=["both", "post-processing only"])
def test_the_scripts_to_try_keep_all_counts(service: DataService, folder: Path) -> None:
    runner = Runner(service, folder)
    chunk = reading([1, 3], 3.14)
    for _ in range(2):
        if (folder / PROC).exists():
            chunk = runner.run_chunk(read(folder / PROC), chunk)
        result = runner.run_post(read(folder / POST), chunk)
        assert [one.y.sum() for one in members(result)] == [SPECTRA * BINS * COUNTS] * 2


# --- the how-to pages


def test_the_scripts_of_the_page_on_scripts_run(service: DataService, tmp_path: Path) -> None:
    process, post, each, once = python_of("write-a-script.md")
    runner = Runner(service, tmp_path)

    def script(name: str, text: str) -> Script:
        (tmp_path / name).write_text(text, encoding="utf-8")
        return read(tmp_path / name)

    chunk = runner.run_chunk(script(PROC, process), reading([1], 2.0))
    (result,) = members(runner.run_post(script(POST, post), chunk))
    assert result.y.sum() == pytest.approx(SPECTRA * BINS * COUNTS / 2.0)
    for value in (reading([1], 2.0), reading([1, 3], 2.0)):
        runner.run_post(script("each.py", each), value)

    runner.run_post(script("save.py", f"SaveNexus(SumSpectra(input), Filename={str(tmp_path / 'vanadium.nxs')!r})"), chunk)
    runner.run_post(script("once.py", once.replace("/srv/instrument", str(tmp_path))), chunk)
    assert "vanadium" in service
    (ratio,) = members(runner.run_post(script(POST, post), chunk))
    assert np.nanmax(ratio.y) == pytest.approx(1 / 2.0)  # bins without counts are 0 by 0


def test_an_error_reads_as_the_page_on_scripts_shows_it(service: DataService, tmp_path: Path) -> None:
    (tmp_path / PROC).write_text("\n\nRebn(input)\n", encoding="utf-8")
    with pytest.raises(ScriptError) as caught:
        Runner(service, tmp_path).run_chunk(read(tmp_path / PROC), reading([1], 1.0))
    assert f"\n{caught.value}\n" in (HOW_TO / "write-a-script.md").read_text(encoding="utf-8")


def test_the_algorithm_of_the_page_on_algorithms_is_one(service: DataService) -> None:
    function, declaration = python_of("add-an-algorithm.md")
    found: dict[str, Any] = {}
    exec(function, found)
    exec(declaration, found)
    (algorithm,) = found["ALGORITHMS"]
    assert [one.name for one in algorithm.properties] == ["InputWorkspace", "OutputWorkspace", "Clip"]
    (workspace,) = members(reading([1], 1.0))
    root = found["square_root"](workspace)
    assert root.y == pytest.approx(np.full((SPECTRA, BINS), math.sqrt(COUNTS)))
    assert root.variance == pytest.approx(np.full((SPECTRA, BINS), 0.25))
    with pytest.raises(AlgorithmError, match="in spectrum index 0, bin 0; wanted none below 0"):
        found["square_root"](replace_y(workspace))
    assert not found["square_root"](replace_y(workspace), clip=True).y.any()


def replace_y(workspace: Workspace) -> Workspace:
    return replace(workspace, y=-workspace.y)


def test_the_listener_of_the_page_on_sources_is_one(tmp_path: Path) -> None:
    found: dict[str, Any] = {}
    exec(python_of("add-a-source.md")[0], found)
    path = tmp_path / "counts.npy"
    listener = found["CountsFileListener"](ListenerSettings(type="CountsFile", options={"path": path}))
    assert isinstance(listener, Listener)
    with pytest.raises(ListenerError, match="does not exist"):
        listener.connect()
    np.save(path, np.ones((2, 3)))
    listener.connect()
    records = listener.read()
    assert [type(one.header) for one in records] == [RunStart, Histogram]
    listener.interrupt()
    assert listener.read() == []
    listener.close()
    assert [type(one).__name__ for one in ChunkMaker(increments=False).pieces(enumerate(records))] == ["RunBegan", "Chunk"]

    start, counts = records[0].header, records[1].counts
    assert isinstance(start, RunStart)
    assert counts is not None
    for present, kinds in ((counts, [Histogram]), (counts + 1, [RunEnd, RunStart, Histogram])):
        listener.connect()
        listener.resume(start, present)
        assert [type(one.header) for one in listener.read()] == kinds
        listener.close()
