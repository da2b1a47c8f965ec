"""What flows: workspaces, groups, runs; no IO and no clock."""
