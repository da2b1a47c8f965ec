"""SaveNexus, LoadNexus and SaveAscii: the one module of the algorithms that touches the disk.

What is written is written beside its place under another name, synced and renamed: whoever looks finds the old file or the new one,
never half of one.
"""

from __future__ import annotations

import os
import secrets
import shutil
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

import h5py
import numpy as np

from livereduce.algorithms import ascii
from livereduce.algorithms.nexus.entry import Saving, entries, given_name, next_entry, read_entry, write_entry
from livereduce.algorithms.nexus.field import LayoutError
from livereduce.algorithms.nexus.logs import iso
from livereduce.algorithms.selection import Rows, row_list, row_range
from livereduce.algorithms.sink import hdf5_into
from livereduce.algorithms.taking import take
from livereduce.data.events import EventWorkspace, SpectraWorkspace
from livereduce.data.group import AnyWorkspace, WorkspaceGroup
from livereduce.data.provenance import Provenance, wrote
from livereduce.errors import AlgorithmError, PublishError


def save_nexus(
    *,
    input_workspace: AnyWorkspace,
    filename: str | os.PathLike[str],
    title: str = "",
    workspace_index_min: int | None = None,
    workspace_index_max: int | None = None,
    workspace_index_list: Sequence[int] = (),
    append: bool = False,
    preserve_events: bool = True,
    compress_nexus: bool = False,
    provenance: Provenance | None = None,
) -> None:
    """Write a workspace, or all members of a group, to a NeXus file that plots by itself and that Mantid knows as its processed file.

    Parameters
    ----------
    filename:
        Where to; ``~`` is the home folder, a relative name begins at the working directory, nothing is added to it.
    title:
        Title of the entries; empty for the workspace's own.
    workspace_index_min, workspace_index_max, workspace_index_list:
        Rows to write, the last one included; the range and the list together. All rows when none is given.
    append:
        Add entries to the file if it is there.
    preserve_events:
        False to write the histogram of events instead of the events.
    compress_nexus:
        True to compress events; counts are always compressed.
    provenance:
        Scripts and part of the journal that made the result; None when unknown.

    Raises
    ------
    AlgorithmError
        If the rows are not there.
    PublishError
        If the file cannot be written: names it and the cause. What stood there before stands there still.
    """
    members, names = _members(input_workspace)
    chosen = [_chosen(member, workspace_index_min, workspace_index_max, workspace_index_list) for member in members]
    seen = [member.histogram() if isinstance(member, EventWorkspace) and not preserve_events else member for member in chosen]
    label = Path(filename).stem
    saving = Saving(title=title, label=label, date=f"{iso(time.time_ns())}Z", provenance=provenance, deflate_events=compress_nexus)
    with _replacing(filename, keep=append) as path, hdf5_into(path) as file:
        file.attrs.update({"NX_class": "NXroot", "creator": "livereduce", "file_name": os.fspath(filename), "file_time": saving.date})
        for member, name in zip(seen, names, strict=True):
            write_entry(file.create_group(next_entry(file)), member, name, saving)
        file.attrs["default"] = entries(file)[0] if entries(file) else ""


def load_nexus(
    *,
    filename: str | os.PathLike[str],
    entry_number: int = 0,
    spectrum_min: int | None = None,
    spectrum_max: int | None = None,
    spectrum_list: Sequence[int] = (),
    load_history: bool = True,
) -> AnyWorkspace:
    """Return the workspace of a file that `save_nexus` or Mantid's SaveNexusProcessed wrote; a group when it holds several.

    What `save_nexus` wrote comes back as it was: arrays bit by bit, but for variances, whose square roots do.

    Parameters
    ----------
    entry_number:
        Which entry, from 1; 0 for all of them.
    spectrum_min, spectrum_max, spectrum_list:
        Numbers of the spectra to keep; the range and the list together. All when none is given.
    load_history:
        False to leave the history behind.

    Raises
    ------
    AlgorithmError
        If there is no such file, or entry, or spectrum, or the file holds something else: names the file, what came and what is wanted.
    """
    path = Path(filename).expanduser()
    try:
        with h5py.File(path, "r") as file:
            groups = [file[name] for name in _wanted_entries(file, entry_number)]
            loaded = [read_entry(group, history=load_history) for group in groups]
            names = [given_name(group) for group in groups]
    except FileNotFoundError as cause:
        raise AlgorithmError(f"LoadNexus: {path}: there is no such file; nothing was loaded") from cause
    except (LayoutError, OSError, KeyError, ValueError, TypeError, RuntimeError, OverflowError) as cause:
        # Damaged HDF5 shows itself by any of these, depending on which structure is hit.
        raise AlgorithmError(f"LoadNexus: {path}: {cause}; wanted a processed NeXus file; nothing was loaded") from cause
    kept = [_kept(member, spectrum_min, spectrum_max, spectrum_list) for member in loaded]
    if len(kept) == 1:
        return kept[0]
    given = tuple(name for name in names if name is not None)
    return WorkspaceGroup(members=tuple(kept), names=given if len(given) == len(kept) else ())


def save_ascii(
    *,
    input_workspace: AnyWorkspace,
    filename: str | os.PathLike[str],
    workspace_index_min: int | None = None,
    workspace_index_max: int | None = None,
    spectrum_list: Sequence[int] = (),
    precision: int = -1,
    scientific_format: bool = False,
    write_x_error: bool = False,
    write_spectrum_id: bool = True,
    spectrum_meta_data: Sequence[str] = (),
    comment_indicator: str = "#",
    separator: str = "CSV",
    custom_separator: str = "",
    column_header: bool = True,
    append_to_file: bool = False,
) -> None:
    """Write a workspace as columns of text: x (centres of bins), y, error and, if wanted, the resolution of x.

    The members of a group go to files of their own, ``name_1.ext``, ``name_2.ext``, ...

    Parameters
    ----------
    filename:
        Where to; ``~`` is the home folder, a relative name begins at the working directory, nothing is added to it.
    workspace_index_min, workspace_index_max, spectrum_list:
        Rows to write, counted from 0, the last one included; the range and the list together. All rows when none is given.
    precision:
        Significant digits, with `scientific_format` digits behind the point; negative for six.
    write_spectrum_id:
        False to write no spectrum numbers where `spectrum_meta_data` does not ask for them.
    spectrum_meta_data:
        What stands above each spectrum: SpectrumNumber, Angle, Q.
    separator, custom_separator:
        CSV, Tab, Space, Colon, SemiColon, or UserDefined for `custom_separator`.
    append_to_file:
        Add to the file if it is there; the header is not repeated.

    Raises
    ------
    AlgorithmError
        If the rows are not there or an option cannot be.
    PublishError
        If the file cannot be written: names it and the cause. What stood there before stands there still.
    """
    if not comment_indicator or comment_indicator[0] in ascii.UNREADABLE:
        raise AlgorithmError(
            f"SaveAscii: CommentIndicator is {comment_indicator!r}; wanted text that does not begin as a number does; nothing was written"
        )
    if comment_indicator == ascii.separator(separator, custom_separator):
        raise AlgorithmError(f"SaveAscii: CommentIndicator and separator are both {comment_indicator!r}; wanted two; nothing was written")
    labels = ascii.metadata(spectrum_meta_data, write_spectrum_id)
    members, _ = _members(input_workspace)
    for path, member in zip(_paths(filename, input_workspace), members, strict=True):
        rows = _rows(member, workspace_index_min, workspace_index_max, spectrum_list)
        columns = ascii.Columns(
            separator=ascii.separator(separator, custom_separator),
            comment=comment_indicator,
            header=column_header and not (append_to_file and path.exists()),
            metadata=labels,
            metadata_line=bool(labels) or len(rows) > 1,
            number=ascii.number_format(precision, scientific_format),
            x_error=write_x_error,
        )
        with _replacing(path, keep=append_to_file) as temporary, open(temporary, "a", encoding="utf-8", newline="") as file:
            file.writelines(ascii.text(member, rows.tolist(), columns))


@contextmanager
def _replacing(filename: str | os.PathLike[str], *, keep: bool) -> Iterator[Path]:
    """Give a path to write to, and put what was written in the place of `filename` when the block ends without an error.

    With `keep` the new file begins as a copy of the old one.
    """
    # The place a link points to: replacing the link itself would part it from its target.
    final = Path(os.path.realpath(Path(filename).expanduser()))
    temporary = final.with_name(f".{final.name}.{secrets.token_hex(4)}.tmp")
    try:
        _check_place(final)
        if keep and final.exists():
            shutil.copyfile(final, temporary)
        yield temporary
        _sync(temporary)
        temporary.replace(final)
        wrote(str(final))
        _sync(final.parent)
    except (OSError, RuntimeError) as cause:
        raise PublishError(f"{final}: {_reason(cause)}; nothing was written") from cause
    finally:
        with suppress(OSError):
            temporary.unlink()


def _check_place(final: Path) -> None:
    if not final.parent.is_dir():
        raise FileNotFoundError(f"there is no folder {final.parent}; wanted one that exists")
    if final.is_dir():
        raise IsADirectoryError("it is a folder; wanted the name of a file")


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _reason(cause: Exception) -> str:
    return cause.strerror if isinstance(cause, OSError) and cause.strerror else str(cause)


def _members(workspace: AnyWorkspace) -> tuple[tuple[SpectraWorkspace, ...], tuple[str | None, ...]]:
    if not isinstance(workspace, WorkspaceGroup):
        return (workspace,), (None,)
    return workspace.members, workspace.names or (None,) * len(workspace)


def _paths(filename: str | os.PathLike[str], workspace: AnyWorkspace) -> list[Path]:
    path = Path(filename).expanduser()
    if not isinstance(workspace, WorkspaceGroup):
        return [path]
    return [path.with_name(f"{path.stem}_{k}{path.suffix}") for k in range(1, len(workspace) + 1)]


def _rows(workspace: SpectraWorkspace, first: int | None, last: int | None, indices: Sequence[int]) -> Rows:
    if len(indices) == 0:
        return np.arange(workspace.n_spectra) if first is None and last is None else row_range(workspace, first, last)
    listed = row_list(workspace, indices)
    return np.unique(listed if first is None and last is None else np.concatenate([listed, row_range(workspace, first, last)]))


def _chosen(workspace: SpectraWorkspace, first: int | None, last: int | None, indices: Sequence[int]) -> SpectraWorkspace:
    rows = _rows(workspace, first, last, indices)
    return workspace if len(rows) == workspace.n_spectra else take(workspace, rows)


def _wanted_entries(file: h5py.File, number: int) -> list[str]:
    names = entries(file)
    if not names:
        raise LayoutError(f"holds {', '.join(sorted(file)[:10]) or 'nothing'}, no entry mantid_workspace_1")
    if number == 0:
        return names
    if not 1 <= number <= len(names):
        raise LayoutError(f"has no entry {number}; entries are 1 to {len(names)}")
    return [names[number - 1]]


def _kept(workspace: SpectraWorkspace, first: int | None, last: int | None, numbers: Sequence[int]) -> SpectraWorkspace:
    if first is None and last is None and len(numbers) == 0:
        return workspace
    have = workspace.spectra.numbers
    missing = sorted(set(map(int, numbers)) - set(have.tolist()))
    in_range = (have >= (have.min() if first is None else first)) & (have <= (have.max() if last is None else last))
    keep = np.isin(have, numbers) | (in_range if first is not None or last is not None else False)
    if missing or not keep.any():
        told = f"spectrum {missing[0]}" if missing else f"spectra {first} to {last}"
        raise AlgorithmError(f"LoadNexus: there is no {told}; spectrum numbers are {have.min()} to {have.max()}; nothing was loaded")
    return take(workspace, np.flatnonzero(keep))
