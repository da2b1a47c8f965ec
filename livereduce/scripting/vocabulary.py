"""Names that a script imports from the Mantid face and that are not there, found from the text alone."""

from __future__ import annotations

import ast
import difflib
import sys
from pathlib import Path
from types import ModuleType

from livereduce.errors import ScriptError

FACE = "mantid.simpleapi"
"""The module whose names are checked."""


def check_imports(tree: ast.Module, path: Path) -> None:
    """Refuse a script that is certain to fail because it imports an algorithm that does not exist.

    Only imports that the script is certain to reach count: one in a function, under a condition or in a ``try`` may be meant for another
    version, and says the same when it is reached.

    Parameters
    ----------
    tree:
        Syntax tree of the script.
    path:
        Its path, for the message.

    Raises
    ------
    ScriptError
        ``file:line: no algorithm 'Rebn'; did you mean 'Rebin'?``
    """
    for node in tree.body:
        if isinstance(node, ast.ImportFrom) and node.level == 0 and node.module == FACE:
            _check(node, path)


def _check(node: ast.ImportFrom, path: Path) -> None:
    face = sys.modules.get(FACE)
    if face is None:  # nobody installed it: the import itself will tell
        return
    for alias in node.names:
        if alias.name != "*" and not hasattr(face, alias.name):
            raise ScriptError(f"{path.name}:{alias.lineno}: no algorithm {alias.name!r}{nearest(alias.name, face)}")


def nearest(name: str, face: ModuleType) -> str:
    """Return ``; did you mean 'Rebin'?`` with the face's name nearest to `name`, or nothing."""
    close = difflib.get_close_matches(name, [one for one in dir(face) if not one.startswith("_")], n=1)
    return f"; did you mean {close[0]!r}?" if close else ""
