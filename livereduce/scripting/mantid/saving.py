"""Saving from a script: what the file functions need and a script does not know."""

from __future__ import annotations

from typing import Any

from livereduce.algorithms import files
from livereduce.data import provenance
from livereduce.data.group import AnyWorkspace


def save_nexus(input_workspace: AnyWorkspace, filename: str, **options: Any) -> None:
    """Write a workspace, or all members of a group, to a NeXus file that plots by itself.

    The file says which scripts and which part of the journal it comes from, as far as that is known here.
    `options` are those of `livereduce.algorithms.files.save_nexus`.
    """
    files.save_nexus(input_workspace=input_workspace, filename=filename, provenance=provenance.current(), **options)
