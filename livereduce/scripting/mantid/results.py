"""Several results of one call: a named tuple that also answers like the algorithm object of scripts before 2013."""

from __future__ import annotations

from collections import namedtuple
from collections.abc import Sequence
from functools import cache
from typing import Any

from livereduce.scripting.mantid.declaration import Algorithm
from livereduce.scripting.mantid.errors import CallError, nearest


class Asked:
    """What the named tuples of results have besides their fields."""

    __slots__ = ()

    _fields: tuple[str, ...]

    def getPropertyValue(self, name: str) -> str:
        """Return a result as text, its name without regard to case."""
        for field in self._fields:
            if field.lower() == name.lower():
                return str(getattr(self, field))
        raise CallError(f"no result {name!r}{nearest(name, self._fields) or '; there is ' + ', '.join(self._fields)}")


@cache
def _class(algorithm: str, fields: tuple[str, ...]) -> Any:
    return type(f"{algorithm}_returns", (Asked, namedtuple(algorithm, fields)), {"__slots__": ()})


def several(algorithm: Algorithm, values: Sequence[Any]) -> Any:
    """Return what a script gets: None, the one value, or a named tuple."""
    if len(values) < 2:
        return values[0] if values else None
    return _class(algorithm.name, tuple(one.name for one in algorithm.outputs))(*values)
