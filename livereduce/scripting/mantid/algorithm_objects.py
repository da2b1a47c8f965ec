"""Algorithms as objects: ``AlgorithmManager.create("Rebin")``, ``setProperty``, ``execute``."""

from __future__ import annotations

from typing import Any

from livereduce.scripting.mantid.calls import Caller
from livereduce.scripting.mantid.declaration import Output
from livereduce.scripting.mantid.errors import UnknownPropertyError, nearest


class AlgorithmObject:
    """An algorithm to be given its properties one by one.

    Parameters
    ----------
    caller:
        Runs it.
    name, version:
        The algorithm; None for its newest version.
    """

    def __init__(self, caller: Caller, name: str, version: int | None = None) -> None:
        self._caller = caller
        self._algorithm = caller.find(name, version)
        self._given: dict[str, Any] = {}
        self._results: dict[str, Any] = {}
        self._stored = True

    def name(self) -> str:
        """Return the algorithm's name."""
        return self._algorithm.name

    def version(self) -> int:
        """Return its version."""
        return self._algorithm.version

    def initialize(self) -> None:
        """Do nothing: it is ready."""

    def setChild(self, child: bool) -> None:
        """Keep results out of mtd when True."""
        self._stored = not child

    def setLogging(self, on: bool) -> None:
        """Do nothing: calls are logged at DEBUG."""

    def setRethrows(self, on: bool) -> None:
        """Do nothing: errors always come through."""

    def setProperty(self, name: str, value: Any) -> AlgorithmObject:
        """Give one property."""
        self._given[self._known(name)] = value
        return self

    setPropertyValue = setProperty

    def setProperties(self, **keywords: Any) -> AlgorithmObject:
        """Give several properties."""
        for name, value in keywords.items():
            self.setProperty(name, value)
        return self

    def execute(self) -> bool:
        """Run it; raises what is wrong."""
        keywords = {**self._given, "Version": self._algorithm.version, "StoreInADS": self._stored}
        returned = self._caller.call(self._algorithm.name, (), keywords, ())
        outputs = [one.name for one in self._algorithm.outputs]
        self._results = dict(zip(outputs, [returned] if len(outputs) == 1 else (returned or ()), strict=True))
        return True

    def isExecuted(self) -> bool:
        """Return True after `execute` went through."""
        return bool(self._results)

    def getProperty(self, name: str) -> PropertyValue:
        """Return a property; its ``value`` is the workspace after `execute`."""
        known = self._known(name)
        return PropertyValue(known, self._results.get(known, self._given.get(known)))

    def getPropertyValue(self, name: str) -> str:
        """Return a property as text."""
        value = self.getProperty(name).value
        return "" if value is None else str(value)

    def outputProperties(self) -> list[str]:
        """Return the names of the workspaces it makes."""
        return [one.name for one in self._algorithm.outputs if isinstance(one, Output)]

    def _known(self, name: str) -> str:
        one = self._algorithm.by_lower_name.get(name.lower())
        if one is None:
            known = [each.name for each in self._algorithm.properties]
            raise UnknownPropertyError(f"{self.name()}: no property {name!r}{nearest(name, known)}")
        return one.name


class PropertyValue:
    """One property of an algorithm object.

    Parameters
    ----------
    name:
        Its name.
    value:
        What was given, or the result.
    """

    __slots__ = ("name", "value")

    def __init__(self, name: str, value: Any) -> None:
        self.name = name
        self.value = value

    @property
    def valueAsStr(self) -> str:
        """The value as text."""
        return "" if self.value is None else str(self.value)


class AlgorithmManager:
    """Makes algorithm objects.

    Parameters
    ----------
    caller:
        Runs them.
    """

    def __init__(self, caller: Caller) -> None:
        self._caller = caller

    def create(self, name: str, version: int | None = None) -> AlgorithmObject:
        """Return an algorithm object; `CallError` when there is no such algorithm."""
        return AlgorithmObject(self._caller, name, version)

    createUnmanaged = create
