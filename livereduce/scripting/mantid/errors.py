"""What a script's call can run into, of the kinds that scripts catch.

Mantid's own kinds differ between its versions (ValueError, RuntimeError, TypeError for one mistake), so
ours are of all kinds that scripts catch there.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable

from livereduce.errors import AlgorithmError


class CallError(AlgorithmError, ValueError, RuntimeError):
    """An algorithm was called wrongly or could not do its work: algorithm, property, what came, what is wanted."""


class UnknownPropertyError(CallError, TypeError):
    """A keyword that the algorithm does not have; names the nearest."""


class MissingInputError(CallError, KeyError):
    """A workspace that does not exist was given to an algorithm; names the nearest."""

    # KeyError would show the message in quotes.
    __str__ = Exception.__str__


def nearest(name: str, known: Iterable[str]) -> str:
    """Return ``; did you mean 'X'?`` with the nearest of `known`, or nothing when none is near."""
    by_lower = {one.lower(): one for one in known}
    close = difflib.get_close_matches(name.lower(), by_lower, n=1)
    return f"; did you mean {by_lower[close[0]]!r}?" if close else ""
