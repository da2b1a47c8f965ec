"""Workspaces as columns of text: what SaveAscii writes, without the writing.

The layout (header ``# X , Y , E``, one line above each spectrum, six significant digits) is the one that the recorded SaveAscii cases show.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from livereduce.data.events import EventWorkspace, SpectraWorkspace
from livereduce.data.instrument import Instrument
from livereduce.data.workspace import FloatArray, Workspace
from livereduce.errors import AlgorithmError

SEPARATORS = {"CSV": ",", "Tab": "\t", "Space": " ", "Colon": ":", "SemiColon": ";"}
"""Separators by the name that SaveAscii knows them by; "UserDefined" stands for a separator of the user's own."""

METADATA = ("SpectrumNumber", "SpectrumID", "Angle", "Q")
"""What can stand above a spectrum."""

UNREADABLE = frozenset("0123456789+-.eE\n\r")
"""A separator or comment mark that begins with one of these could not be told from a number."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Columns:
    """How the text is laid out."""

    separator: str = ","
    """Between columns."""

    comment: str = "#"
    """Begins the header line."""

    header: bool = True
    """True to begin with a line that names the columns."""

    metadata: tuple[str, ...] = ("SpectrumNumber",)
    """What stands above each spectrum, some of `METADATA`; an empty line when nothing does."""

    metadata_line: bool = True
    """False to leave the line above a spectrum out."""

    number: str = "%g"
    """Format of a number, as in C."""

    x_error: bool = False
    """True for a fourth column, the resolution of x."""


def separator(name: str, custom: str) -> str:
    """Return the separator that `name` stands for.

    Parameters
    ----------
    name:
        One of `SEPARATORS`, or "UserDefined".
    custom:
        The separator itself, when `name` is "UserDefined".

    Raises
    ------
    AlgorithmError
        If the name is unknown, or the user's own separator is empty or could be part of a number.
    """
    if name != "UserDefined":
        return _known_separator(name)
    if not custom or custom[0] in UNREADABLE:
        raise AlgorithmError(f"SaveAscii: CustomSeparator is {custom!r}; wanted text that does not begin as a number does; nothing was written")
    return custom


def _known_separator(name: str) -> str:
    if name not in SEPARATORS:
        raise AlgorithmError(f"SaveAscii: Separator is {name!r}; wanted one of {', '.join(SEPARATORS)}, UserDefined; nothing was written")
    return SEPARATORS[name]


def metadata(names: Sequence[str], write_spectrum_id: bool) -> tuple[str, ...]:
    """Return what stands above each spectrum: `names`, or the spectrum number when there are none and `write_spectrum_id`.

    Raises
    ------
    AlgorithmError
        If a name is not one of `METADATA`.
    """
    for name in names:
        if name not in METADATA:
            raise AlgorithmError(f"SaveAscii: SpectrumMetaData has {name!r}; wanted some of {', '.join(METADATA)}; nothing was written")
    return tuple(names) or (("SpectrumNumber",) if write_spectrum_id else ())


def number_format(precision: int, scientific: bool) -> str:
    """Return the C format of a number with `precision` digits (negative: six), with an exponent when `scientific`."""
    digits = "" if precision < 0 else f".{precision}"
    return f"%{digits}{'e' if scientific else 'g'}"


def text(workspace: SpectraWorkspace, rows: Sequence[int], columns: Columns) -> Iterator[str]:
    """Yield the text of `rows`, a piece for each row.

    Raises
    ------
    AlgorithmError
        If what is to stand above a spectrum is not known of this workspace.
    """
    view = workspace.histogram() if isinstance(workspace, EventWorkspace) else workspace
    labels = _labels(view, columns)
    if columns.header:
        yield _header(columns)
    for row in rows:
        if columns.metadata_line:
            yield columns.separator.join(label[row] for label in labels) + "\n"
        yield _spectrum(view, row, columns)


def _header(columns: Columns) -> str:
    names = ["X", "Y", "E"] + (["DX"] if columns.x_error else [])
    return columns.comment + columns.separator.join(f" {name} " for name in names).rstrip(" ") + "\n"


def _spectrum(workspace: Workspace, row: int, columns: Columns) -> str:
    # One format string for the whole spectrum: the loop over numbers stays in C.
    table = [_centres(workspace.x_of(row), workspace.n_bins), workspace.y[row], np.sqrt(workspace.variance[row])]
    if columns.x_error:
        table.append(_resolution(workspace, row))
    line = columns.separator.replace("%", "%%").join([columns.number] * len(table)) + "\n"
    return (line * workspace.n_bins) % tuple(np.column_stack(table).ravel().tolist())


def _centres(values: FloatArray, n: int) -> FloatArray:
    return values if len(values) == n else 0.5 * (values[:-1] + values[1:])


def _resolution(workspace: Workspace, row: int) -> FloatArray:
    if workspace.dx is None:
        return np.zeros(workspace.n_bins)
    return _centres(workspace.dx if workspace.dx.ndim == 1 else workspace.dx[row], workspace.n_bins)


def _labels(workspace: Workspace, columns: Columns) -> list[list[str]]:
    return [_label(workspace, name, columns.number) for name in columns.metadata] if columns.metadata_line else []


def _label(workspace: Workspace, name: str, number: str) -> list[str]:
    if name in ("SpectrumNumber", "SpectrumID"):
        return [str(n) for n in workspace.spectra.numbers.tolist()]
    wanted = {"Q": "MomentumTransfer", "Angle": "Degrees"}[name]
    vertical = workspace.vertical
    if name == "Angle" and vertical is None and workspace.instrument is not None:
        return [number % angle for angle in np.degrees(_two_theta(workspace, workspace.instrument)).tolist()]
    if vertical is None or vertical.unit != wanted:
        unit = "spectrum numbers" if vertical is None else vertical.unit or "plain numbers"
        raise AlgorithmError(f"SaveAscii: SpectrumMetaData {name} needs a vertical axis in {wanted}; it has {unit}; nothing was written")
    return [number % value for value in _centres(vertical.values, workspace.n_spectra)]


def _two_theta(workspace: Workspace, instrument: Instrument) -> FloatArray:
    """Return (spectra,), the angle between the beam and the mean place of a row's detectors, rad; NaN without detectors."""
    beam = instrument.sample - instrument.source
    angles = np.full(workspace.n_spectra, np.nan)
    for row in range(workspace.n_spectra):
        places = instrument.rows(workspace.spectra.detectors(row))
        if len(places):
            path = instrument.positions[places].mean(axis=0) - instrument.sample
            angles[row] = np.arctan2(np.linalg.norm(np.cross(beam, path)), beam @ path)
    return angles
