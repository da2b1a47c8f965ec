"""Calling an algorithm as a script does: properties to arguments, workspaces to values, results to names.

The order of a call: which version; which value for which property (`arguments.bind`); text to types; names to values; the function, for each
member of groups; results under their names with one more step of history; handles back to the script.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from livereduce.data.events import EventWorkspace
from livereduce.data.group import AnyWorkspace, WorkspaceGroup
from livereduce.data.workspace import Step
from livereduce.data.workspace import Workspace as Histograms
from livereduce.errors import LiveReduceError
from livereduce.scripting.mantid import workspaces
from livereduce.scripting.mantid.arguments import Bound, bind
from livereduce.scripting.mantid.declaration import UNSET, Algorithm, InOut, Input, Inputs, Output, Property
from livereduce.scripting.mantid.errors import CallError, MissingInputError, nearest
from livereduce.scripting.mantid.properties import items
from livereduce.scripting.mantid.results import several
from livereduce.scripting.mantid.service import HIDDEN, DataService
from livereduce.scripting.mantid.texts import as_text

logger = logging.getLogger(__name__)

Versions = Mapping[int, Algorithm]


@dataclass(frozen=True, slots=True)
class Target:
    """Where a result goes."""

    name: str
    """Name in mtd."""

    keep: bool
    """False: a temporary one."""


class Caller:
    """Runs algorithms over one data service.

    Parameters
    ----------
    service:
        Where workspaces are found and put.
    algorithms:
        Declarations by name and version.
    """

    def __init__(self, service: DataService, algorithms: Mapping[str, Versions]) -> None:
        self.service = service
        self.algorithms = algorithms

    def find(self, name: str, version: int | None = None) -> Algorithm:
        """Return a declaration, the newest without `version`.

        Raises
        ------
        CallError
            If there is none; names the nearest.
        """
        versions = self.algorithms.get(name)
        if versions is None:
            raise CallError(f"no algorithm {name!r}{nearest(name, self.algorithms)}")
        if version in (None, -1):
            return versions[max(versions)]
        if int(version) not in versions:
            raise CallError(f"no version {version} of {name}; there is {', '.join(map(str, sorted(versions)))}")
        return versions[int(version)]

    def call(self, name: str, positional: Sequence[object], keywords: Mapping[str, object], assigned: Sequence[str]) -> Any:
        """Run an algorithm and return what the script gets.

        Parameters
        ----------
        name:
            The algorithm.
        positional, keywords:
            What the script gave.
        assigned:
            Variables that the script assigns the result to; they name outputs that the script does not name.

        Returns
        -------
        None without outputs, the handle or value of one output, a named tuple of several.

        Raises
        ------
        CallError
            Whatever is wrong with the call or in the algorithm; begins with the algorithm's name.
        """
        general = {key.lower(): value for key, value in keywords.items() if key.lower() in _GENERAL}
        algorithm = self.find(name, general.get("version"))  # type: ignore[arg-type]
        own = {key: value for key, value in keywords.items() if key.lower() not in _GENERAL}
        stored = general.get("storeinads") not in (False, 0)
        bound = bind(algorithm, positional, own, assigned if stored else ())
        targets = {one.name: self._target(algorithm, one, bound, stored) for one in algorithm.properties if isinstance(one, Output | InOut)}
        arguments = self._arguments(algorithm, bound, targets)
        logger.debug("%s(%s)", algorithm.name, ", ".join(f"{key}={value}" for key, value in bound.texts))
        try:
            returned = self._run(algorithm, arguments)
        except LiveReduceError as error:
            if isinstance(error, CallError):
                raise
            text = str(error)
            raise CallError(text if text.startswith(f"{algorithm.name}: ") else f"{algorithm.name}: {text}") from error
        return self._hand_over(algorithm, returned, targets, Step(name=algorithm.name, version=algorithm.version, properties=bound.texts))

    # -- before

    def _target(self, algorithm: Algorithm, one: Property, bound: Bound, stored: bool) -> Target:
        """Return where the workspace of an `Output` or `InOut` property goes."""
        given = bound.given.get(one.name)
        name = "" if given is None else str(given)
        if isinstance(one, InOut):
            return Target(name, keep=False)
        if name and stored:
            return Target(name, keep=True)
        return Target(self.service.names.unused(f"{HIDDEN}{algorithm.name}_"), keep=algorithm.on_names)

    def _arguments(self, algorithm: Algorithm, bound: Bound, targets: Mapping[str, Target]) -> dict[str, Any]:
        """Return the function's arguments by name; those not given and without declared default are left out."""
        arguments: dict[str, Any] = {}
        for one in filter(algorithm.is_argument, algorithm.properties):
            given = bound.given.get(one.name)
            if isinstance(one, Output):
                arguments[one.argument] = targets[one.name].name
            elif given is not None:
                arguments[one.argument] = self._argument(algorithm, one, given)
            elif one.default is not UNSET and not one.mandatory:
                arguments[one.argument] = one.default
        return arguments

    def _argument(self, algorithm: Algorithm, one: Property, given: object) -> Any:
        """Return the function's value of one property."""
        if isinstance(one, Input | InOut):
            return self._workspace(algorithm, one, given)
        if isinstance(one, Inputs):
            single = isinstance(given, workspaces.Workspace | Histograms | EventWorkspace | WorkspaceGroup)
            return tuple(self._workspace(algorithm, one, each) for each in ([given] if single else items(given)))
        try:
            return one.parse(given)
        except (ValueError, TypeError) as error:
            raise CallError(f"{algorithm.name}: {one.name} = {as_text(given)!r}: {error}") from error

    def _workspace(self, algorithm: Algorithm, one: Property, given: object) -> Any:
        """Return the value of a workspace given as handle, name or value; its name for an algorithm on names."""
        if isinstance(given, Histograms | EventWorkspace | WorkspaceGroup) and not algorithm.on_names:
            return given
        if not isinstance(given, str | workspaces.Workspace):
            raise CallError(f"{algorithm.name}: {one.name} = {as_text(given)!r}: wanted a workspace or its name, got {type(given).__name__}")
        try:
            if isinstance(given, workspaces.Workspace) and not algorithm.on_names:
                return given.value
            return self.service.names.entry(str(given)).name if algorithm.on_names else self.service.names[str(given)]
        except KeyError as error:
            raise MissingInputError(f"{algorithm.name}: {one.name} = {str(given)!r}: {error}") from error

    # -- the function

    def _run(self, algorithm: Algorithm, arguments: dict[str, Any]) -> tuple[Any, ...]:
        """Call the function, for each member where it wants single workspaces, and return its results as a tuple."""
        if algorithm.on_names:
            return self._tuple(algorithm, algorithm.function(names=self.service.names, **arguments))
        groups = [value for value in arguments.values() if isinstance(value, WorkspaceGroup)]
        groups += [one for value in arguments.values() if isinstance(value, tuple) for one in value if isinstance(one, WorkspaceGroup)]
        if algorithm.groups == "whole" or not groups:
            return self._tuple(algorithm, algorithm.function(**arguments))
        sizes = {len(one) for one in groups}
        if len(sizes) > 1:
            raise CallError(f"{algorithm.name}: the groups have {', '.join(map(str, sorted(sizes)))} members; wanted as many in each")
        each = [self._tuple(algorithm, algorithm.function(**_member(arguments, index))) for index in range(sizes.pop())]
        return tuple(_gathered(column) for column in zip(*each, strict=True))

    def _tuple(self, algorithm: Algorithm, returned: Any) -> tuple[Any, ...]:
        """Return what the function returned as a tuple with one value per result."""
        count = len(algorithm.results)
        found = () if count == 0 else (returned,) if count == 1 else tuple(returned)
        if len(found) != count:
            raise TypeError(f"{algorithm.name}: the function returned {len(found)} results for {count} result properties")
        return found

    # -- after

    def _hand_over(self, algorithm: Algorithm, returned: tuple[Any, ...], targets: Mapping[str, Target], step: Step) -> Any:
        """Put results under their names and return what the script gets."""
        values = dict(zip((one.name for one in algorithm.results), returned, strict=True))
        handed: dict[str, Any] = {}
        with self.service.names.lock:
            for one in algorithm.properties:
                if isinstance(one, Output | InOut):
                    handed[one.name] = self._put(algorithm, one, values.get(one.name), targets[one.name], step)
                elif one.name in values:
                    handed[one.name] = values[one.name]
        return several(algorithm, [handed[one.name] for one in algorithm.outputs])

    def _put(self, algorithm: Algorithm, one: Property, value: AnyWorkspace | None, target: Target, step: Step) -> Any:
        """Put one workspace under its name, with its new step of history, and return its handle."""
        if algorithm.on_names:
            return self._named(target.name, step)
        if value is None:
            if isinstance(one, Output) and one.optional:
                return None
            raise TypeError(f"{algorithm.name}: the function returned nothing for {one.name}")
        return self.service.put(target.name, _with_step(value, step), keep=target.keep)

    def _named(self, name: str, step: Step) -> Any:
        """Return the handle of what a function put under a name itself, with its new step of history; groups keep theirs."""
        if name not in self.service.names:
            return None
        entry = self.service.names.entry(name)
        if entry.members is None:
            # Not put anew: a script may hold arrays of it to write into.
            entry.update(lambda value: value.replace(history=(*value.history, step)))
        return self.service.handle(entry)


_GENERAL = {"version", "enablelogging", "storeinads", "startprogress", "endprogress", "rethrows"}
"""Keywords that every algorithm takes."""


def _member(arguments: Mapping[str, Any], index: int) -> dict[str, Any]:
    """Return the arguments with groups replaced by their members `index`."""

    def one(value: Any) -> Any:
        if isinstance(value, WorkspaceGroup):
            return value.members[index]
        return tuple(one(each) for each in value) if isinstance(value, tuple) else value

    return {key: one(value) for key, value in arguments.items()}


def _gathered(column: tuple[Any, ...]) -> Any:
    """Return the results of the members as one: a group of workspaces, None when there are none, else a tuple."""
    if all(isinstance(one, Histograms | EventWorkspace) for one in column):
        return WorkspaceGroup(members=column)
    return None if all(one is None for one in column) else column


def _with_step(value: AnyWorkspace, step: Step) -> AnyWorkspace:
    if isinstance(value, WorkspaceGroup):
        return value.map(lambda one: one.replace(history=(*one.history, step)))
    return value.replace(history=(*value.history, step))
