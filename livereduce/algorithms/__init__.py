"""Workspace to workspace, one family a file; no IO and no clock, but for files.py."""
