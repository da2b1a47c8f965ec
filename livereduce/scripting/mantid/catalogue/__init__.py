"""All algorithms that scripts can call, one module per family, each with a tuple ``ALGORITHMS``."""

from __future__ import annotations

import importlib
import pkgutil
from functools import cache

from livereduce.scripting.mantid.declaration import Algorithm


@cache
def algorithms() -> dict[str, dict[int, Algorithm]]:
    """Return the declarations of all family modules in this folder by name and version.

    Raises
    ------
    TypeError
        If two modules declare the same version of one name.
    """
    found: dict[str, dict[int, Algorithm]] = {}
    for module in sorted(one.name for one in pkgutil.iter_modules(__path__)):
        family: tuple[Algorithm, ...] = importlib.import_module(f"{__name__}.{module}").ALGORITHMS
        for algorithm in family:
            versions = found.setdefault(algorithm.name, {})
            if algorithm.version in versions:
                raise TypeError(f"{algorithm.name} version {algorithm.version} is declared twice; the second time in {module}")
            versions[algorithm.version] = algorithm
    return found
