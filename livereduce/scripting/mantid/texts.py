"""What a script gave, as text for messages and histories."""

from __future__ import annotations

import numpy as np

from livereduce.data.events import EventWorkspace
from livereduce.data.group import WorkspaceGroup
from livereduce.data.workspace import Workspace

MAX_TEXT = 1000
"""Longest text, characters."""


def as_text(given: object) -> str:
    """Return the text of a value: lists with commas and cut when long, values of workspaces by their kind."""
    if isinstance(given, np.ndarray):
        given = given.ravel()[:MAX_TEXT].tolist()
    if isinstance(given, list | tuple):
        text = ",".join(as_text(one) for one in given[:MAX_TEXT])
    elif isinstance(given, Workspace | EventWorkspace | WorkspaceGroup):
        text = f"<{type(given).__name__}>"
    else:
        text = str(given)
    return text if len(text) <= MAX_TEXT else text[:MAX_TEXT] + "..."
