"""The functions of ``mantid.simpleapi``, made from the declarations: signature, documentation, name of the result."""

from __future__ import annotations

import inspect
import re
import sys
from collections.abc import Callable
from typing import Any

from livereduce.scripting.mantid.arguments import in_order
from livereduce.scripting.mantid.assignment import assigned_names
from livereduce.scripting.mantid.calls import Caller
from livereduce.scripting.mantid.declaration import UNSET, Algorithm, InOut, Output, Property, Returned


def function_for(caller: Caller, algorithm: Algorithm) -> Callable[..., Any]:
    """Return the function by which scripts call an algorithm (its newest version unless they say otherwise)."""
    name = algorithm.name

    def call(*args: Any, **keywords: Any) -> Any:
        return caller.call(name, args, keywords, assigned_names(sys._getframe(1)))

    call.__name__ = call.__qualname__ = name
    call.__module__ = "mantid.simpleapi"
    call.__doc__ = documentation(algorithm)
    call.__signature__ = signature(algorithm)  # type: ignore[attr-defined]
    return call


def signature(algorithm: Algorithm) -> inspect.Signature:
    """Return the signature that `help` shows: properties in the order of positional arguments."""
    kind = inspect.Parameter.POSITIONAL_OR_KEYWORD
    empty = inspect.Parameter.empty
    parameters: list[inspect.Parameter] = []
    for one in in_order(algorithm):
        default = algorithm.default(one)
        # An output may always be left out, and nothing without default may follow one with it.
        optional = default is not UNSET or isinstance(one, Output) or any(each.default is not empty for each in parameters)
        parameters.append(inspect.Parameter(one.name, kind, default=(None if default is UNSET else default) if optional else empty))
    return inspect.Signature(parameters)


def documentation(algorithm: Algorithm) -> str:
    """Return the text that `help` shows."""
    lines = [_prose(algorithm.doc), "", "Properties", "----------"]
    for one in algorithm.properties:
        lines += [f"{one.name} : {_described(algorithm, one)}", *([f"    {one.doc}"] if one.doc else [])]
    return "\n".join(lines).strip()


def _prose(doc: str) -> str:
    """Return a docstring up to its first section, since sections speak of the function's arguments."""
    return re.split(r"\n\w+\n-{3,}", doc, maxsplit=1)[0].strip()


def _described(algorithm: Algorithm, one: Property) -> str:
    """Return kind, direction and default of a property in a few words."""
    direction = {Output: "made", Returned: "returned", InOut: "changed in place"}.get(type(one), "")
    default = algorithm.default(one)
    known = "" if isinstance(one, Returned | Output) else "mandatory" if default is UNSET else f"default {default!r}"
    allowed = getattr(one, "allowed", ())
    return ", ".join(filter(None, (one.kind, direction, f"one of {', '.join(allowed)}" if allowed else "", known)))
