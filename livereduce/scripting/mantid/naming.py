"""Algorithms that act on names: rename, clone, delete, group, ungroup.

Named and behaving as their counterparts in Mantid's public documentation.
"""

from __future__ import annotations

from collections.abc import Sequence

from livereduce.data.events import EventWorkspace
from livereduce.data.names import Names
from livereduce.data.workspace import Workspace
from livereduce.errors import AlgorithmError


def clone_workspace(input_workspace: Workspace | EventWorkspace) -> Workspace | EventWorkspace:
    """Make a copy of a workspace that changes on its own. Values are immutable, so nothing is copied until somebody writes."""
    return input_workspace


def rename_workspace(
    names: Names, input_workspace: str, output_workspace: str, rename_monitors: bool = False, overwrite_existing: bool = True
) -> None:
    """Give a workspace another name; members of a group that are named after it follow.

    Parameters
    ----------
    rename_monitors:
        True: a workspace ``<name>_monitors`` is renamed with it.
    overwrite_existing:
        False: refused when the new name is taken.

    Raises
    ------
    AlgorithmError
        If the new name is taken and may not be overwritten.
    """
    with names.lock:
        if output_workspace in names and output_workspace != input_workspace and not overwrite_existing:
            raise AlgorithmError(f"The workspace {output_workspace} already exists; wanted another name or OverwriteExisting=True")
        names.rename(input_workspace, output_workspace)
        monitors = f"{input_workspace}_monitors"
        if rename_monitors and monitors in names:
            names.rename(monitors, f"{output_workspace}_monitors")


def delete_workspace(names: Names, workspace: str) -> None:
    """Remove a workspace; of a group the members too."""
    names.remove(workspace, members=True)


def delete_workspaces(names: Names, workspace_list: Sequence[str]) -> None:
    """Remove several workspaces; of groups the members too."""
    with names.lock:
        for one in workspace_list:
            if one in names:
                names.remove(one, members=True)


def group_workspaces(names: Names, input_workspaces: Sequence[str], output_workspace: str) -> None:
    """Put workspaces into a group; they keep their names. A group among them is replaced by its members."""
    try:
        names.group(output_workspace, input_workspaces)
    except ValueError as error:
        raise AlgorithmError(str(error)) from error


def ungroup_workspace(names: Names, input_workspace: str) -> None:
    """Take a group apart; its members stay."""
    try:
        names.ungroup(input_workspace)
    except ValueError as error:
        raise AlgorithmError(str(error)) from error
