"""The name of the variable that a call's result is assigned to: ``ws = SumSpectra(x)`` makes a workspace called ``ws``.

The caller's bytecode tells what happens to the value after the call. We follow the value down the instructions: what is put on top
of it, what swaps it, until it is stored (its name), taken apart (the names of its parts), or used for something else (no name).
Works for local, global, closure and class-body variables, attributes, several targets, chained and augmented assignment, ``:=`` and
parallel assignment.
"""

from __future__ import annotations

import dis
from collections.abc import Iterator
from functools import lru_cache
from types import CodeType, FrameType

_STORES = {"STORE_FAST", "STORE_NAME", "STORE_GLOBAL", "STORE_DEREF"}
_IGNORED = {"CACHE", "KW_NAMES", "NOP", "EXTENDED_ARG", "RESUME", "MAKE_CELL"}
_OF_TOP = {"LOAD_ATTR", "LOAD_METHOD"}
_PUSH_ONE = ("LOAD_", "CALL", "BINARY_", "BUILD_", "COMPARE_OP", "IS_OP", "CONTAINS_OP", "UNARY_", "PUSH_NULL")


def assigned_names(frame: FrameType) -> tuple[str, ...]:
    """Return the variables that the value of the instruction at which `frame` stands is assigned to.

    One name for ``a = f()`` (the last part of ``a.b = f()``), several for ``a, b = f()`` ("" for parts that have none), none when it
    is not assigned.
    """
    return _names(frame.f_code, frame.f_lasti)


@lru_cache(maxsize=4096)
def _names(code: CodeType, at: int) -> tuple[str, ...]:
    found = _follow(one for one in dis.get_instructions(code) if one.offset > at and one.opname not in _IGNORED)
    # Tools that rewrite code store values in variables that nobody could have written.
    named = tuple(name if name.isidentifier() else "" for name in found)
    return named if any(named) else ()


def _follow(instructions: Iterator[dis.Instruction]) -> tuple[str, ...]:
    """Follow the value that lies on top of the stack; `depth` counts what lies above it."""
    depth = 0
    for one in instructions:
        name = one.opname
        if name == "UNPACK_SEQUENCE" and depth == 0:
            return _parts(instructions, one.arg or 0)
        if name == "COPY":
            # A copy of the value itself is as good: its first store names it.
            depth = 0 if one.arg == depth + 1 else depth + 1
        elif name == "SWAP":
            depth = _swapped(depth, one.arg or 0)
        elif name in _STORES or name in ("STORE_FAST_STORE_FAST", "STORE_FAST_LOAD_FAST"):
            stored = _stored(one)
            if depth < len(stored):
                return (stored[depth],)
            depth += (name == "STORE_FAST_LOAD_FAST") - len(stored)
        elif name == "STORE_ATTR":
            # The object lies on top of the value.
            return (str(one.argval),) if depth == 1 else ()
        elif name == "PRECALL":
            # Up to 3.11 the arguments leave the stack before the call does.
            depth -= one.arg or 0
        elif name.startswith(_PUSH_ONE):
            depth = _pushed(one, depth)
        else:
            return ()
        if depth < 0:
            return ()
    return ()


def _stored(one: dis.Instruction) -> tuple[str, ...]:
    """Return the variables that a store instruction stores into, first the top of the stack."""
    if isinstance(one.argval, tuple):
        return one.argval[:1] if one.opname == "STORE_FAST_LOAD_FAST" else one.argval
    return (str(one.argval),)


def _swapped(depth: int, size: int) -> int:
    """Return where the value lies after the top was swapped with the item `size` from the top (1 is the top)."""
    if depth == 0:
        return size - 1
    return 0 if depth == size - 1 else depth


def _pushed(one: dis.Instruction, depth: int) -> int:
    """Return where the value lies after an instruction that takes some items and pushes results; -1 when it took the value."""
    net = dis.stack_effect(one.opcode, one.arg if one.opcode >= dis.HAVE_ARGUMENT else None)
    taken = 1 if one.opname in _OF_TOP else 0 if one.opname.startswith(("LOAD_", "PUSH_")) else 1 - net
    return -1 if taken > depth else depth + net


def _parts(instructions: Iterator[dis.Instruction], count: int) -> tuple[str, ...]:
    """Return the variables that the parts of an unpacked value are stored in, "" for parts stored elsewhere."""
    found: list[str] = []
    owner = False
    for one in instructions:
        if len(found) >= count:
            break
        if one.opname in _STORES or one.opname == "STORE_FAST_STORE_FAST":
            found.extend(_stored(one))
        elif one.opname == "STORE_FAST_LOAD_FAST":
            found.extend(_stored(one))
            owner = True
        elif one.opname == "STORE_ATTR" and owner:
            found.append(str(one.argval))
            owner = False
        elif one.opname.startswith("LOAD_"):
            owner = True
        else:
            break
    return tuple((found + [""] * count)[:count])
