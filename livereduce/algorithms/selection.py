"""Which rows of a workspace an algorithm is to work on: indices, ranges, monitors, masks."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from livereduce.data.events import SpectraWorkspace
from livereduce.errors import AlgorithmError

Rows = NDArray[np.intp]
Flags = NDArray[np.bool_]


def row_range(ws: SpectraWorkspace, start: int | None, end: int | None) -> Rows:
    """Return the rows `start` to `end`, both included; None means from the first, to the last.

    Raises
    ------
    AlgorithmError
        If one is not an index of `ws` or they are the wrong way round.
    """
    last = ws.n_spectra - 1
    first_row = 0 if start is None else int(start)
    last_row = last if end is None else int(end)
    if not 0 <= first_row <= last or not 0 <= last_row <= last or first_row > last_row:
        raise AlgorithmError(f"StartWorkspaceIndex {first_row} and EndWorkspaceIndex {last_row} are out of range; wanted 0 <= start <= end <= {last}")
    return np.arange(first_row, last_row + 1)


def row_list(ws: SpectraWorkspace, indices: Sequence[int]) -> Rows:
    """Return `indices` as rows.

    Raises
    ------
    AlgorithmError
        If one of them is not an index of `ws`; names the first.
    """
    rows = np.asarray(indices, dtype=np.intp)
    bad = rows[(rows < 0) | (rows >= ws.n_spectra)]
    if len(bad):
        raise AlgorithmError(f"workspace index {bad[0]} is out of range; wanted 0 to {ws.n_spectra - 1}")
    return rows


def monitor_rows(ws: SpectraWorkspace) -> Flags:
    """Return (spectra,), True where all detectors of a row are monitors."""
    return _all_detectors(ws, None if ws.instrument is None else ws.instrument.monitor)


def masked_rows(ws: SpectraWorkspace) -> Flags:
    """Return (spectra,), True where all detectors of a row are masked."""
    return _all_detectors(ws, None if ws.instrument is None else ws.instrument.masked)


def _all_detectors(ws: SpectraWorkspace, flags: Flags | None) -> Flags:
    """Return (spectra,), True where a row has detectors and all of them carry the flag."""
    if flags is None or ws.instrument is None or not flags.any():
        return np.zeros(ws.n_spectra, dtype=bool)
    flagged = np.isin(ws.spectra.detector_ids, ws.instrument.detector_ids[flags])
    before = np.concatenate([[0], np.cumsum(flagged)])
    many = np.diff(before[ws.spectra.detector_offsets])
    result: Flags = (many > 0) & (many == np.diff(ws.spectra.detector_offsets))
    return result
