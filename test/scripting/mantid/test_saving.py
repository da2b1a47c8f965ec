from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import pytest

from livereduce.data.group import WorkspaceGroup
from livereduce.data.provenance import Provenance, ScriptSource, using
from livereduce.scripting.mantid import DataService

from .conftest import histogram

Put = Callable[..., Any]


def test_what_a_script_saves_it_loads(service: DataService, put: Put, tmp_path: Path) -> None:
    import mantid.simpleapi as api

    put("a", 7)
    for save, load in ((api.SaveNexus, api.LoadNexus), (api.SaveNexusProcessed, api.LoadNexusProcessed)):
        assert save(InputWorkspace="a", Filename=tmp_path / "a.nxs") is None
        again = load(Filename=str(tmp_path / "a.nxs"))
        assert again.name() == "again"
        assert again.extractY().tolist() == service["a"].extractY().tolist()  # type: ignore[attr-defined]


def test_a_group_goes_into_one_file_and_comes_back_as_a_group(service: DataService, tmp_path: Path) -> None:
    import mantid.simpleapi as api

    service.put("g", WorkspaceGroup(members=(histogram(1), histogram(2))))
    api.SaveNexus("g", str(tmp_path / "g.nxs"))
    back = api.LoadNexus(str(tmp_path / "g.nxs"))
    assert [float(one.readY(0)[0]) for one in back] == [1, 2]


def test_a_saved_file_tells_which_scripts_made_it(service: DataService, put: Put, tmp_path: Path) -> None:
    import mantid.simpleapi as api

    put("a")
    script = ScriptSource(role="processing", path="/scripts/proc.py", md5="0" * 32, text="# the text of it")
    with using(Provenance(scripts=(script,))):
        api.SaveNexus("a", str(tmp_path / "a.nxs"))
    seen: list[str] = []
    with h5py.File(tmp_path / "a.nxs") as file:
        file.visititems(lambda _, item: seen.append(str(item[()])) if isinstance(item, h5py.Dataset) and item.size == 1 else None)
    assert any("# the text of it" in one for one in seen)


def test_text_is_saved_with_the_separator_asked_for(service: DataService, put: Put, tmp_path: Path) -> None:
    import mantid.simpleapi as api

    put("a", spectra=1, bins=1)
    api.SaveAscii("a", tmp_path / "a.txt", Separator="tab", WriteSpectrumID=False)
    assert (tmp_path / "a.txt").read_text().splitlines()[-1] == "0.5\t1\t1"


def test_a_file_that_cannot_be_written_is_a_runtime_error(service: DataService, put: Put, tmp_path: Path) -> None:
    import mantid.simpleapi as api

    put("a")
    with pytest.raises(RuntimeError, match=r"^SaveNexus: .*/none/a\.nxs: there is no folder"):
        api.SaveNexus("a", str(tmp_path / "none" / "a.nxs"))
