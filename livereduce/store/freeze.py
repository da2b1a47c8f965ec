"""Workspaces to bytes and back, for the board.

A value is written as a tree (msgpack) and, behind it, its arrays as they lie in memory. An array that
several fields share is written once, so common edges stay common; arrays read back are views of the bytes.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from types import MappingProxyType
from typing import Any

import msgspec
import numpy as np

from livereduce.data import events, group, instrument, run, workspace
from livereduce.errors import StoreError
from livereduce.store.record import ALIGNMENT

_CLASSES: dict[str, type] = {
    cls.__name__: cls
    for module in (workspace, events, instrument, run, group)
    for cls in vars(module).values()
    if isinstance(cls, type) and is_dataclass(cls) and cls.__module__ == module.__name__
}


class _Array(msgspec.Struct, frozen=True):
    """Where one array lies behind the tree."""

    dtype: str
    shape: tuple[int, ...]
    offset: int


class _Frozen(msgspec.Struct, frozen=True):
    """The head of the bytes."""

    tree: Any
    arrays: list[_Array]


class _Freezer:
    """Collects the arrays of a tree, each once."""

    def __init__(self) -> None:
        self.arrays: list[np.ndarray[Any, Any]] = []
        self._numbers: dict[int, int] = {}

    def tree(self, value: Any) -> Any:
        """Return `value` as maps, lists and plain values, arrays replaced by their number."""
        if isinstance(value, np.ndarray):
            return {"#": self._number(value)}
        if type(value).__name__ in _CLASSES:
            named = {field.name: self.tree(getattr(value, field.name)) for field in fields(value) if field.init}
            return {"!": type(value).__name__, **named}
        if isinstance(value, Mapping):
            return {"{": [[self.tree(key), self.tree(item)] for key, item in value.items()]}
        if isinstance(value, tuple):
            return [self.tree(item) for item in value]
        return value.item() if isinstance(value, np.generic) else value

    def _number(self, array: np.ndarray[Any, Any]) -> int:
        if id(array) not in self._numbers:
            self._numbers[id(array)] = len(self.arrays)
            self.arrays.append(array)
        return self._numbers[id(array)]


def freeze(value: object) -> bytes:
    """Return a workspace or group as bytes.

    Raises
    ------
    StoreError
        If something in it is neither number, text, array nor one of the data classes; names it.
    """
    freezer = _Freezer()
    tree = freezer.tree(value)
    places, chunks, offset = [], [], 0
    for array in freezer.arrays:
        plain = np.ascontiguousarray(array.astype(str) if array.dtype == object else array).reshape(array.shape)
        places.append(_Array(plain.dtype.str, plain.shape, offset))
        chunks += [plain.tobytes(), b"\0" * (-plain.nbytes % ALIGNMENT)]
        offset += plain.nbytes + (-plain.nbytes % ALIGNMENT)
    try:
        head = msgspec.msgpack.encode(_Frozen(tree, places))
    except (TypeError, OverflowError) as error:
        raise StoreError(f"a result cannot be kept on the board: {error}") from error
    prefix = len(head).to_bytes(8, "little") + head
    return b"".join((prefix, b"\0" * (-len(prefix) % ALIGNMENT), *chunks))


def thaw(data: bytes) -> Any:
    """Return what `freeze` wrote; arrays are read-only views of `data`.

    Raises
    ------
    StoreError
        If `data` was not written by `freeze`, or by another version with other classes.
    """
    try:
        return _thawed(data)
    except (msgspec.DecodeError, ValueError, TypeError, LookupError) as error:
        raise StoreError(f"{len(data)} bytes on the board are no workspace of this version: {error}") from error


def _thawed(data: bytes) -> Any:
    size = int.from_bytes(data[:8], "little")
    head = msgspec.msgpack.decode(data[8 : 8 + size], type=_Frozen)
    start = 8 + size + (-(8 + size) % ALIGNMENT)
    arrays = []
    for place in head.arrays:
        count = int(np.prod(place.shape, dtype=np.int64))
        array = np.frombuffer(data, dtype=place.dtype, count=count, offset=start + place.offset).reshape(place.shape)
        arrays.append(array)
    return _grow(head.tree, arrays)


def _grow(tree: Any, arrays: list[np.ndarray[Any, Any]]) -> Any:
    """Return the value that `tree` stands for."""
    if isinstance(tree, list):
        return tuple(_grow(item, arrays) for item in tree)
    if not isinstance(tree, dict):
        return tree
    if "#" in tree:
        return arrays[tree["#"]]
    if "{" in tree:
        return MappingProxyType({_grow(key, arrays): _grow(item, arrays) for key, item in tree["{"]})
    return _CLASSES[tree["!"]](**{name: _grow(item, arrays) for name, item in tree.items() if name != "!"})
