"""Kinds of properties of an algorithm, and how what a script writes becomes the value a function receives.

Scripts write numbers as numbers or text, lists as lists, arrays, one number or ``"1,2,3"``, and None for "not given".
Each kind turns all of these into one type, or raises `ValueError` that says what is wanted.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Sequence
from dataclasses import KW_ONLY, dataclass
from enum import Enum
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray


class Unset(Enum):
    """The one value that means "nothing was declared", since None, 0 and "" are values."""

    UNSET = "unset"


UNSET = Unset.UNSET
"""No default declared: the function's own default counts; a property with neither is mandatory."""

_WORD_START = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")


def argument_name(property_name: str) -> str:
    """Return the name of the function's argument for a property: ``LHSWorkspace`` -> ``lhs_workspace``.

    A word starts at a capital after a small letter or digit, and at the last of several capitals when a small
    letter follows: ``NSpec`` -> ``n_spec``, ``DataX`` -> ``data_x``, ``WriteXError`` -> ``write_x_error``,
    ``InputWorkspace1`` -> ``input_workspace1``.
    """
    return _WORD_START.sub("_", property_name).lower()


@dataclass(frozen=True, slots=True)
class Property:
    """One property of an algorithm; the base of all kinds, not used itself."""

    name: str
    """Name in scripts, PascalCase."""

    _: KW_ONLY

    default: object = UNSET
    """Value when a script gives none; `UNSET`: the default of the function's argument."""

    mandatory: bool = False
    """True: refused when not given although the function has a default."""

    doc: str = ""
    """One line for `help`."""

    kind: ClassVar[str] = "value"
    """What is wanted, for messages and `help`."""

    @property
    def argument(self) -> str:
        """Name of the function's argument."""
        return argument_name(self.name)

    def parse(self, given: object) -> object:
        """Return the function's value for what the script gave (never None); `ValueError` says what is wanted."""
        return given


class Value(Property):
    """Anything, handed on as it is."""

    __slots__ = ()


class Input(Property):
    """A workspace that is read, given as object or name. The function receives its data value, or None when it is optional and not given."""

    __slots__ = ()
    kind = "workspace"


class Inputs(Property):
    """Several workspaces: a list of objects and names, or names separated by commas. The function receives a tuple of data values."""

    __slots__ = ()
    kind = "workspaces"


class InOut(Property):
    """A workspace that is changed. The function receives its value and returns the new one, which takes its place; the script gets nothing back."""

    __slots__ = ()
    kind = "workspace"


class Output(Property):
    """A workspace that is made. The function returns it; the script names it, by keyword or by the variable it assigns to.

    With ``default=""`` the output is optional: the function may return None for it.
    """

    __slots__ = ()
    kind = "name of the workspace to make"

    @property
    def optional(self) -> bool:
        """True when nothing need be made."""
        return self.default is not UNSET and not self.mandatory


class Returned(Property):
    """A number or text that the algorithm finds out. The function returns it; it is not given."""

    __slots__ = ()
    kind = "result"


_TRUE = {"1", "true", "on", "yes"}
_FALSE = {"0", "false", "off", "no"}


class Flag(Property):
    """True or False; a script may also write 1, 0, "1", "0", "true", "false"."""

    __slots__ = ()
    kind = "True or False"

    def parse(self, given: object) -> bool:
        """Return the truth value."""
        text = str(given).strip().lower()
        if isinstance(given, float | np.floating) and given in (0, 1):
            return bool(given)
        if text in _TRUE:
            return True
        if text in _FALSE:
            return False
        raise ValueError("wanted True or False")


@dataclass(frozen=True, slots=True)
class Number(Property):
    """A float; the function receives `float`."""

    at_least: float | None = None
    """Smallest value allowed."""

    at_most: float | None = None
    """Largest value allowed."""

    kind: ClassVar[str] = "number"

    def parse(self, given: object) -> float:
        """Return the number."""
        value = as_float(given)
        self.check(value)
        return value

    def check(self, value: float) -> None:
        """Raise `ValueError` when `value` is outside the bounds."""
        if self.at_least is not None and value < self.at_least:
            raise ValueError(f"Selected value {value:g} is < the lower bound ({self.at_least:g})")
        if self.at_most is not None and value > self.at_most:
            raise ValueError(f"Selected value {value:g} is > the upper bound ({self.at_most:g})")


@dataclass(frozen=True, slots=True)
class Integer(Number):
    """A whole number; the function receives `int`."""

    kind: ClassVar[str] = "whole number"

    def parse(self, given: object) -> int:
        """Return the number."""
        value = as_int(given)
        self.check(value)
        return value


class Floats(Property):
    """A list of numbers: list, array, one number or ``"1,2,3"``. The function receives a new 1-D float64 array."""

    __slots__ = ()
    kind = "numbers"

    def parse(self, given: object) -> NDArray[np.float64]:
        """Return the numbers; those of an array of more dimensions row by row."""
        if isinstance(given, np.ndarray) and given.dtype.kind in "iufb":
            return np.array(given, dtype=np.float64).ravel()
        return np.array([as_float(one) for one in items(given)], dtype=np.float64)


class Integers(Property):
    """A list of whole numbers: list, array, one number, ``"1,3-5"`` or ``"0:10:2"``, ends included. The function receives a new 1-D int64 array."""

    __slots__ = ()
    kind = "whole numbers"

    def parse(self, given: object) -> NDArray[np.int64]:
        """Return the numbers, ranges written out."""
        if isinstance(given, np.ndarray) and given.dtype.kind in "iu":
            return np.array(given, dtype=np.int64).ravel()
        values: list[int] = []
        for one in items(given):
            values.extend(span(one) if isinstance(one, str) else (as_int(one),))
        return np.array(values, dtype=np.int64)


@dataclass(frozen=True, slots=True)
class Text(Property):
    """Text; a path or number is taken by its text. The function receives `str`."""

    allowed: tuple[str, ...] = ()
    """The values allowed, compared without regard to case and handed on as spelled here; empty for any."""

    kind: ClassVar[str] = "text"

    def parse(self, given: object) -> str:
        """Return the text."""
        text = os.fspath(given) if isinstance(given, os.PathLike) else str(given)
        if not self.allowed:
            return str(text)
        for allowed in self.allowed:
            if allowed.lower() == str(text).strip().lower():
                return allowed
        raise ValueError(f'The value "{text}" is not in the list of allowed values: {", ".join(self.allowed)}')


class Texts(Property):
    """A list of texts: list or ``"a,b"``. The function receives ``tuple[str, ...]``."""

    __slots__ = ()
    kind = "texts"

    def parse(self, given: object) -> tuple[str, ...]:
        """Return the texts."""
        return tuple(str(one) for one in items(given))


def items(given: object) -> Sequence[object]:
    """Return the members of what stands for a list: list, tuple, array, comma separated text or one thing alone."""
    if isinstance(given, str):
        return [part.strip() for part in given.split(",") if part.strip()]
    if isinstance(given, Iterable):
        flat: list[object] = []
        for one in given:
            flat.extend(items(one) if isinstance(one, list | tuple | np.ndarray) and np.ndim(one) > 0 else [one])
        return flat
    return [given]


def as_float(given: object) -> float:
    """Return a number from a number or its text; `ValueError` otherwise."""
    if isinstance(given, str | int | float | np.number | np.bool_) or (isinstance(given, np.ndarray) and given.size == 1):
        try:
            return float(given.item() if isinstance(given, np.ndarray) else given)
        except (TypeError, ValueError):
            pass
    raise ValueError(f"wanted a number, got {given!r}")


def as_int(given: object) -> int:
    """Return a whole number from a number or its text; `ValueError` when it has a fraction or is none."""
    if isinstance(given, str) and re.fullmatch(r"\s*[+-]?\d+\s*", given):
        return int(given)
    value = as_float(given)
    if not value.is_integer():
        raise ValueError(f"wanted a whole number, got {given!r}")
    return int(value)


_SPAN = re.compile(r"\s*(-?\d+)\s*[-:]\s*(-?\d+)\s*(?::\s*(\d+)\s*)?")


def span(text: str) -> Iterable[int]:
    """Return the whole numbers of ``7``, ``3-5``, ``3:5`` or ``0:10:2``, both ends included."""
    match = _SPAN.fullmatch(text)
    if match is None:
        return (as_int(text),)
    first, last, step = int(match[1]), int(match[2]), int(match[3] or 1)
    if last < first or step < 1:
        raise ValueError(f"wanted a range from a smaller to a larger number, got {text!r}")
    return range(first, last + 1, step)
