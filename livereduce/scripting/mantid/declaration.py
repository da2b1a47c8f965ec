"""The one declaration of each algorithm, from which everything that scripts see of it is made.

A catalogue module declares, e.g.::

    ALGORITHMS = (
        Algorithm(
            "Rebin",
            rebin,
            Input("InputWorkspace", doc="What to rebin."),
            Output("OutputWorkspace"),
            Floats("Params", doc="First edge, width, last edge, ..."),
            Flag("PreserveEvents"),
            Flag("FullBinsOnly"),
        ),
    )

The function knows nothing of names, text or Mantid:

- A property's argument is its name in snake_case (`argument_name`): InputWorkspace -> ``input_workspace``, LHSWorkspace -> ``lhs_workspace``.
  All arguments are passed by keyword. `Output` and `Returned` properties are not arguments.
- Defaults live in the function's signature. A property that the script does not give (or gives as None) is not passed.
  A property whose argument has no default is mandatory. ``default=...`` in the declaration overrides the signature's;
  ``mandatory=True`` asks for the property although the signature has a default.
- Arguments arrive typed: `Input`, `InOut`: data value; `Inputs`: tuple of data values; `Floats`: float64 array;
  `Integers`: int64 array (ranges written out); `Flag`: bool; `Number`: float;
  `Integer`: int; `Text`: str, spelled as in ``allowed``; `Texts`: tuple of str; `Value`: untouched.
  Bounds (``at_least``, ``at_most``) and ``allowed`` are checked before the call.
- It returns the values of its `InOut`, `Output` and `Returned` properties in the order declared: the bare value for one, a tuple for several,
  None for none. An `Output` with ``default=""`` may be None.
- It raises `AlgorithmError`; the face adds the algorithm's name and, for properties, what came.
- Groups: with ``groups="each"`` the function never sees a group; the face calls it for each member (of all groups at once, which need the
  same length; single workspaces are repeated) and puts the results into groups whose members are named ``<out>_1``, ``<out>_2``, ...
  With ``groups="whole"`` the function receives the `WorkspaceGroup` itself.
- ``on_names=True``: the function acts on names (Rename, Delete): it receives ``names=`` (`livereduce.data.names.Names`), its `Input`,
  `InOut` and `Output` arguments are names (`Inputs`: a tuple of names), it puts results there itself and returns the `Returned` values only.
- The history of what it returns is extended by the face.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any, Literal

from livereduce.scripting.mantid.properties import (
    UNSET,
    Flag,
    Floats,
    InOut,
    Input,
    Inputs,
    Integer,
    Integers,
    Number,
    Output,
    Property,
    Returned,
    Text,
    Texts,
    Value,
    argument_name,
)

__all__ = [
    "Algorithm",
    "Flag",
    "Floats",
    "InOut",
    "Input",
    "Inputs",
    "Integer",
    "Integers",
    "Number",
    "Output",
    "Property",
    "Returned",
    "Text",
    "Texts",
    "UNSET",
    "Value",
    "argument_name",
]


class Algorithm:
    """What scripts call: a name, a function and the properties by which it is called.

    Parameters
    ----------
    name:
        Name in scripts.
    function:
        The function; see the module's text for how it is called.
    properties:
        Properties in Mantid's order, which is the order of positional arguments.
    version:
        Version; the newest of a name is called unless the script says ``Version=``.
    doc:
        What it does; the function's docstring when empty.
    groups:
        "each": called for each member of a group; "whole": receives groups.
    on_names:
        True when it acts on names instead of values.
    aliases:
        Older names of properties that scripts still use, older name -> name.

    Raises
    ------
    TypeError
        If a property has no argument in the function, or an argument without default has no property.
    """

    def __init__(
        self,
        name: str,
        function: Callable[..., Any],
        *properties: Property,
        version: int = 1,
        doc: str = "",
        groups: Literal["each", "whole"] = "each",
        on_names: bool = False,
        aliases: dict[str, str] | None = None,
    ) -> None:
        self.name = name
        self.function = function
        self.properties = properties
        self.version = version
        self.doc = doc or inspect.getdoc(function) or ""
        self.groups = groups
        self.on_names = on_names
        self.by_lower_name = {one.name.lower(): one for one in properties}
        for older, newer in (aliases or {}).items():
            self.by_lower_name[older.lower()] = self.by_lower_name[newer.lower()]
        self._defaults = self._find_defaults()

    def __repr__(self) -> str:
        return f"<{self.name} version {self.version}>"

    @property
    def results(self) -> tuple[Property, ...]:
        """The properties whose values the function returns, in order."""
        kinds = (Returned,) if self.on_names else (InOut, Output, Returned)
        return tuple(one for one in self.properties if isinstance(one, kinds))

    @property
    def outputs(self) -> tuple[Property, ...]:
        """The properties that a script gets back, in order."""
        return tuple(one for one in self.properties if isinstance(one, Output | Returned))

    def is_argument(self, one: Property) -> bool:
        """Return True when the function has an argument for the property."""
        return not isinstance(one, Returned) and (self.on_names or not isinstance(one, Output))

    def default(self, one: Property) -> object:
        """Return the default of a property; `UNSET` when it is mandatory."""
        return UNSET if one.mandatory else self._defaults[one.name]

    def _find_defaults(self) -> dict[str, object]:
        """Return the default of each property: its own, else that of the function's argument."""
        arguments = inspect.signature(self.function).parameters
        wanted = {one.argument for one in self.properties if self.is_argument(one)} | ({"names"} if self.on_names else set())
        missing = sorted(wanted - set(arguments))
        if missing and not any(one.kind is inspect.Parameter.VAR_KEYWORD for one in arguments.values()):
            raise TypeError(f"{self.name}: {self.function.__name__}() has no argument {', '.join(missing)}")
        open_arguments = [
            name for name, one in arguments.items() if one.default is one.empty and one.kind not in (one.VAR_KEYWORD, one.VAR_POSITIONAL)
        ]
        unasked = sorted(set(open_arguments) - wanted)
        if unasked:
            raise TypeError(f"{self.name}: no property for the argument {', '.join(unasked)} of {self.function.__name__}()")
        return {one.name: self._own_default(one, arguments.get(one.argument)) for one in self.properties}

    def _own_default(self, one: Property, argument: inspect.Parameter | None) -> object:
        """Return a property's default: declared, or the argument's, or `UNSET`."""
        if isinstance(one, Returned):
            return None
        if one.default is not UNSET or argument is None or argument.default is argument.empty:
            return one.default
        return argument.default
