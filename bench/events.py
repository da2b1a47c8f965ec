"""Unsorted events into histograms, beside scipp, numpy and boost-histogram."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Any

import boost_histogram as bh
import numpy as np
import scipp as sc

from bench.cases import OURS, Case, Work
from livereduce import kernels

LAST_US = 20_000.0
"""End of the frame."""


def cases(*, quick: bool, threads: int) -> Iterator[Case]:
    """Events into many spectra with even, logarithmic and arbitrary edges; into one spectrum; packed; into what is there."""
    n_events, rows, bins, bins_1d = (20_000, 100, 50, 200) if quick else (10_000_000, 100_000, 1000, 4000)
    rng = np.random.default_rng(20)
    edges = {
        "even": np.linspace(0, LAST_US, bins + 1),
        "log": np.geomspace(10, LAST_US, bins + 1),
        "uneven": np.sort(np.concatenate([[0, LAST_US], rng.uniform(0, LAST_US, bins - 1)])),
    }
    many = partial(_columns, n_events, rows)
    size = "10 M events, 100 000 x 1000"
    yield Case(
        name=f"{size} even bins",
        key="kernel_2d",
        contestants=lambda: _into_many(*many(), edges["even"], rows, threads, even=True),
        figures={"scipp": "kernel_2d_vs_scipp", "numpy.bincount": "kernel_2d_vs_numpy"},
    )
    yield Case(
        name=f"{size} log bins",
        key="kernel_log",
        contestants=lambda: _into_many(*many(), edges["log"], rows, threads),
        figures={"scipp": "kernel_log_vs_scipp"},
    )
    yield Case(
        name=f"{size} uneven bins",
        key="kernel_edges",
        contestants=lambda: _into_many(*many(), edges["uneven"], rows, threads),
        figures={"scipp": "kernel_edges_vs_scipp"},
    )
    yield Case(name=f"{size}: added to what is there", key="kernel_2d_add", contestants=lambda: _added(*many(), edges["even"], rows, threads))
    yield Case(
        name="10 M events, all into 4000 log bins",
        key="kernel_1d",
        contestants=lambda: _into_one(many()[1], np.geomspace(10, LAST_US, bins_1d + 1), threads),
        figures={"scipp": "kernel_1d_vs_scipp"},
    )
    for name, own in (("even", edges["even"]), ("log", edges["log"])):
        yield Case(
            name=f"10 M events, 10 000 x 1000 {name} bins",
            key=f"kernel_2d_10k_{name}",
            contestants=partial(_fewer, n_events, rows // 10, own, threads, even=name == "even"),
            mantid_ms=283 if name == "even" else None,
        )
        yield Case(
            name=f"10 M events, 10 000 x 1000 {name} bins, row by row",
            key=f"kernel_rows_{name}",
            contestants=partial(_row_by_row, n_events, rows // 10, own, threads),
            mantid_ms=64 if name == "even" else None,
        )


def _columns(n: int, rows: int) -> tuple[Any, Any]:
    """Return row and time of flight (float32, us) of events in random order."""
    rng = np.random.default_rng(19)
    return rng.integers(0, rows, n).astype(np.uint32), rng.uniform(0, LAST_US, n).astype(np.float32)


def _scattered(row: Any, tof: Any, edges: Any, rows: int, threads: int) -> Any:
    """Count into a fresh target, edges looked at anew: all that a chunk costs."""
    y = np.zeros((rows, len(edges) - 1))
    kernels.scatter_events(row, tof, kernels.lookup(edges, tof.dtype), y, threads=threads)
    return y


def _into_many(row: Any, tof: Any, edges: Any, rows: int, threads: int, *, even: bool = False) -> dict[str, Work]:
    bins = len(edges) - 1
    table = _scipp_events(tof, row)
    spectrum = sc.arange("spectrum", rows, dtype="int32")
    axis = bh.axis.Regular(bins, edges[0], edges[-1]) if even else bh.axis.Variable(edges)
    place = row.astype(np.int64) * bins + np.clip(np.searchsorted(edges, tof.astype(np.float64), side="right") - 1, 0, bins - 1)

    def boost() -> Any:
        histogram = bh.Histogram(bh.axis.Integer(0, rows), axis, storage=bh.storage.Double())
        return histogram.fill(row.view(np.int32), tof, threads=threads)

    def indexed() -> Any:
        found = (tof * (bins / LAST_US)).astype(np.int64) if even else np.searchsorted(edges, tof.astype(np.float64), side="right") - 1
        np.clip(found, 0, bins - 1, out=found)
        return np.bincount(row.astype(np.int64) * bins + found, minlength=rows * bins)

    def fresh_memory() -> Any:
        y = np.zeros(rows * bins)
        y.fill(0)
        return y

    return {
        OURS: lambda: _scattered(row, tof, edges, rows, threads),
        "scipp": lambda: table.group(spectrum).hist(tof=sc.array(dims=["tof"], values=edges.astype(np.float32), unit="us")),
        "numpy.bincount": lambda: np.bincount(place, minlength=rows * bins),
        "numpy, with finding the bin": indexed,
        "boost-histogram": boost,
        "limit: fresh memory of the size set to 0": fresh_memory,
    }


def _added(row: Any, tof: Any, edges: Any, rows: int, threads: int) -> dict[str, Work]:
    y = np.zeros((rows, len(edges) - 1))
    packed = np.empty(len(row), np.dtype([("tof", "<f4"), ("spectrum", "<u4")]))
    packed["tof"], packed["spectrum"] = tof, row
    weight = np.ones(len(row), np.float32)
    found = kernels.lookup(edges, tof.dtype)
    variance = np.zeros_like(y)
    return {
        OURS: lambda: kernels.scatter_events(row, tof, found, y, threads=threads),
        "livereduce, packed events of 8 bytes": lambda: kernels.scatter_events(packed["spectrum"], packed["tof"], found, y, threads=threads),
        "livereduce, weights and variances": lambda: kernels.scatter_events(
            row, tof, found, y, weight=weight, error2=weight, variance=variance, threads=threads
        ),
        "limit: memory of the size added to in order": lambda: np.add(y, 1, out=y),
    }


def _fewer(n: int, rows: int, edges: Any, threads: int, *, even: bool) -> dict[str, Work]:
    return _into_many(*_columns(n, rows), edges, rows, threads, even=even)


def _row_by_row(n: int, rows: int, edges: Any, threads: int) -> dict[str, Work]:
    """Events in the order of their spectra, as an event workspace has them; scipp has them in bins."""
    row, tof = _columns(n, rows)
    x = tof[np.argsort(row, kind="stable")].astype(np.float64)
    offsets = np.concatenate([[0], np.cumsum(np.bincount(row, minlength=rows))]).astype(np.int64)
    grouped = _scipp_events(tof, row).group(sc.arange("spectrum", rows, dtype="int32"))

    def counted() -> Any:
        y = np.zeros((rows, len(edges) - 1))
        kernels.count_in_rows(x, offsets, kernels.lookup(edges, x.dtype), y, threads=threads)
        return y

    return {OURS: counted, "scipp": lambda: grouped.hist(tof=sc.array(dims=["tof"], values=edges.astype(np.float32), unit="us"))}


def _into_one(tof: Any, edges: Any, threads: int) -> dict[str, Work]:
    table = _scipp_events(tof)
    own = sc.array(dims=["tof"], values=edges.astype(np.float32), unit="us")
    limit = np.empty_like(tof)
    return {
        OURS: lambda: _scattered(None, tof, edges, 1, threads),
        "scipp": lambda: table.hist(tof=own),
        "boost-histogram": lambda: bh.Histogram(bh.axis.Variable(edges)).fill(tof, threads=threads),
        "boost-histogram, log axis": lambda: bh.Histogram(bh.axis.Regular(len(edges) - 1, 10, LAST_US, transform=bh.axis.transform.log)).fill(
            tof, threads=threads
        ),
        "limit: copy of the events": lambda: np.copyto(limit, tof),
    }


def _scipp_events(tof: Any, row: Any = None) -> Any:
    coords = {"tof": sc.array(dims=["event"], values=tof, unit="us")}
    if row is not None:
        coords["spectrum"] = sc.array(dims=["event"], values=row.astype(np.int32))
    return sc.DataArray(sc.ones(dims=["event"], shape=[len(tof)], unit="counts", dtype="float32"), coords=coords)
