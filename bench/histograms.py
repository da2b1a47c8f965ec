"""Algorithms on histograms, 10 000 spectra of 1000 bins."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import scipp as sc

from bench.cases import OURS, Case, Work
from livereduce.algorithms.arithmetic import divide, plus
from livereduce.algorithms.binning import rebin
from livereduce.algorithms.cropping import crop_workspace
from livereduce.algorithms.files import load_nexus, save_nexus
from livereduce.algorithms.integration import integration
from livereduce.algorithms.normalise import normalise_by_current
from livereduce.algorithms.sums import sum_spectra
from livereduce.data.run import Run
from livereduce.data.workspace import Spectra, Workspace

LAST_US = 20_000.0
"""End of the frame."""

EVEN = (0.0, 40.0, LAST_US)
"""Half as many bins."""

LOGARITHMIC = (20.0, -0.01, LAST_US)
"""Some 700 bins."""


def cases(*, quick: bool, threads: int) -> Iterator[Case]:
    """Every algorithm that has a figure of Mantid's beside it."""
    shape = (100, 50) if quick else (10_000, 1000)
    size = "10 000 x 1000"

    def row(name: str, mantid_ms: float, ours: Callable[[Workspace], Any], peers: Callable[[Workspace], dict[str, Work]] | None = None) -> Case:
        def contestants() -> dict[str, Work]:
            ws = _workspace(*shape)
            others = {} if peers is None else peers(ws)
            return {OURS: lambda: ours(ws), **others, "limit: copy of y and variance": lambda: (ws.y.copy(), ws.variance.copy())}

        return Case(name=f"{name} {size}", key=f"histogram_{name.lower().replace(' ', '_')}", contestants=contestants, mantid_ms=mantid_ms)

    yield row("Rebin", 33, lambda ws: rebin(ws, EVEN), lambda ws: _scipp_rebin(ws, np.arange(EVEN[0], EVEN[2] + 1, EVEN[1])))
    yield row("Rebin to log bins", 51, lambda ws: rebin(ws, LOGARITHMIC), lambda ws: _scipp_rebin(ws, rebin(ws, LOGARITHMIC).x))
    yield row("SumSpectra", 21, sum_spectra, lambda ws: {"numpy": lambda: (ws.y.sum(axis=0), ws.variance.sum(axis=0))})
    yield row("Plus", 37, lambda ws: plus(ws, ws), lambda ws: {"numpy": lambda: (ws.y + ws.y, ws.variance + ws.variance)})
    yield row("Divide", 47, lambda ws: divide(ws, ws))
    yield row("NormaliseByCurrent", 25, normalise_by_current)
    yield row("Integration", 24, integration, lambda ws: {"numpy": lambda: (ws.y.sum(axis=1), ws.variance.sum(axis=1))})
    yield row("CropWorkspace", 22, lambda ws: crop_workspace(ws, x_min=1000.0, x_max=19_000.0))
    yield row("CloneWorkspace", 0.5, lambda ws: ws.replace())
    yield from _files(shape, size)


def _files(shape: tuple[int, int], size: str) -> Iterator[Case]:
    with tempfile.TemporaryDirectory(prefix="livereduce-bench-") as folder:
        path, raw = Path(folder) / "result.nxs", Path(folder) / "raw"

        def saving() -> dict[str, Work]:
            ws = _workspace(*shape)
            return {
                OURS: lambda: save_nexus(input_workspace=ws, filename=path),
                "limit: y and variance written": lambda: _write(raw, ws),
            }

        def loading() -> dict[str, Work]:
            ws = _workspace(*shape)
            save_nexus(input_workspace=ws, filename=path)
            raw.write_bytes(bytes(ws.y.nbytes + ws.variance.nbytes))
            return {OURS: lambda: load_nexus(filename=path), "limit: as many bytes read": raw.read_bytes}

        yield Case(name=f"SaveNexus {size}", key="histogram_savenexus", contestants=saving, mantid_ms=2440)
        yield Case(name=f"LoadNexus {size}", key="histogram_loadnexus", contestants=loading, mantid_ms=700)


def _write(path: Path, ws: Workspace) -> None:
    with path.open("wb") as file:
        file.write(ws.y.data)
        file.write(ws.variance.data)


def _workspace(rows: int, bins: int) -> Workspace:
    y = np.random.default_rng(3).poisson(50, (rows, bins)).astype(np.float64)
    x = np.linspace(0, LAST_US, bins + 1)
    return Workspace(x=x, y=y, variance=y.copy(), spectra=Spectra.counted(rows), run=Run(number=1, charge_uah=10.0))


def _scipp_rebin(ws: Workspace, edges: Any) -> dict[str, Work]:
    values = sc.array(dims=["spectrum", "tof"], values=ws.y, variances=ws.variance, unit="counts")
    own = sc.DataArray(values, coords={"tof": sc.array(dims=["tof"], values=ws.x, unit="us")})
    new = sc.array(dims=["tof"], values=edges, unit="us")
    return {"scipp": lambda: own.rebin(tof=new)}
