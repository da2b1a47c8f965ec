"""The modules beside a script that it imports, found from the text alone."""

from __future__ import annotations

import ast
import hashlib
from collections.abc import Iterator
from pathlib import Path


def helpers(script: Path, source: bytes) -> tuple[tuple[Path, str], ...]:
    """Return the modules and packages beside a script that it imports, directly or through one another.

    Parameters
    ----------
    script:
        Path of the script.
    source:
        Its bytes; nothing is found when they do not parse.

    Returns
    -------
    tuple[tuple[Path, str], ...]
        Path and md5 (hex, of the bytes) of each module, ordered by path.
    """
    folder = script.parent
    found: dict[Path, str] = {}
    waiting = [(script, source)]
    while waiting:
        path, content = waiting.pop()
        for wanted in _imported(path, content, folder):
            for module in _files(folder, wanted):
                if module not in found and module != script and (text := _content(module)) is not None:
                    found[module] = hashlib.md5(text, usedforsecurity=False).hexdigest()
                    waiting.append((module, text))
    return tuple(sorted(found.items()))


def _imported(path: Path, content: bytes, folder: Path) -> Iterator[tuple[str, ...]]:
    """Dotted names that a module imports, as seen from `folder`; a name after ``from x import`` may be a module too."""
    try:
        tree = ast.parse(content)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield tuple(alias.name.split("."))
        elif isinstance(node, ast.ImportFrom):
            base = _package(path, folder, node.level) + (tuple(node.module.split(".")) if node.module else ())
            for alias in node.names:
                yield base if alias.name == "*" else (*base, alias.name)


def _package(path: Path, folder: Path, level: int) -> tuple[str, ...]:
    """The package that a relative import of `level` dots starts from; nothing for an absolute import."""
    if level == 0:
        return ()
    parts = path.relative_to(folder).parts[:-1]
    return parts[: len(parts) - (level - 1)]


def _files(folder: Path, dotted: tuple[str, ...]) -> Iterator[Path]:
    """Files beside the script that importing a dotted name runs: packages on the way, then the module."""
    here = folder
    for part in dotted:
        package, module = here / part / "__init__.py", here / f"{part}.py"
        if package.is_file():
            yield package
        elif module.is_file():
            yield module
            return
        here /= part


def _content(path: Path) -> bytes | None:
    """Bytes of a file, None when it vanished meanwhile or may not be read."""
    try:
        return path.read_bytes()
    except OSError:
        return None
