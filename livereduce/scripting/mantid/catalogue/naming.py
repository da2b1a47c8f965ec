"""Rename, clone, delete, group, ungroup."""

from __future__ import annotations

from livereduce.scripting.mantid import naming
from livereduce.scripting.mantid.declaration import Algorithm, Flag, Input, Inputs, Output

ALGORITHMS = (
    Algorithm("CloneWorkspace", naming.clone_workspace, Input("InputWorkspace", doc="What to copy."), Output("OutputWorkspace", doc="The copy.")),
    Algorithm(
        "RenameWorkspace",
        naming.rename_workspace,
        Input("InputWorkspace", doc="What to rename."),
        Output("OutputWorkspace", doc="Its new name."),
        Flag("RenameMonitors", doc="Rename <name>_monitors with it."),
        Flag("OverwriteExisting", doc="Whether a workspace that has the new name is replaced."),
        on_names=True,
    ),
    Algorithm("DeleteWorkspace", naming.delete_workspace, Input("Workspace", doc="What to remove; of a group the members too."), on_names=True),
    Algorithm("DeleteWorkspaces", naming.delete_workspaces, Inputs("WorkspaceList", doc="What to remove."), on_names=True),
    Algorithm(
        "GroupWorkspaces",
        naming.group_workspaces,
        Inputs("InputWorkspaces", doc="The members."),
        Output("OutputWorkspace", doc="The group."),
        on_names=True,
    ),
    Algorithm("UnGroupWorkspace", naming.ungroup_workspace, Input("InputWorkspace", doc="The group."), on_names=True),
)
