"""A result in a few numbers: what a terminal can show of it."""

from __future__ import annotations

import numpy as np

from livereduce.data.group import AnyWorkspace, WorkspaceGroup
from livereduce.store.status import OutlineStatus

POINTS = 64
"""Columns that a terminal has to spare."""


def outline(result: AnyWorkspace) -> OutlineStatus | None:
    """Return the mean of all spectra of `result` (of its first member, for a group) in at most `POINTS` columns; None when it has no bins."""
    if isinstance(result, WorkspaceGroup):
        return outline(result.members[0]) if result.members else None
    if not result.n_spectra or not result.n_bins:
        return None
    with np.errstate(all="ignore"):
        mean = np.nan_to_num(result.y.mean(axis=0), nan=0.0, posinf=0.0, neginf=0.0)
    columns = [float(part.mean()) for part in np.array_split(mean, min(POINTS, len(mean)))]
    x = result.x_of(0)
    return OutlineStatus(columns=columns, x_first=float(x[0]), x_last=float(x[-1]), x_unit=result.x_unit, y_unit=result.y_unit)
