"""``a + b``, ``ws * 2``, ``ws /= monitor``: arithmetic of workspaces, by the algorithms of that name.

The result is named by the variable it is assigned to; a result in the middle of an expression lives as long as the expression.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np

from livereduce.data.events import EventWorkspace
from livereduce.data.group import WorkspaceGroup
from livereduce.data.workspace import Workspace

if TYPE_CHECKING:
    from livereduce.scripting.mantid.service import DataService

Self = TypeVar("Self", bound="Operators")


class Operators:
    """Operators of workspaces and groups; each calls the algorithm of the data service's face."""

    __slots__ = ()

    _service: DataService

    def __add__(self, other: Any) -> Any:
        return self._service.calculate("Plus", self, other)

    def __radd__(self, other: Any) -> Any:
        return self._service.calculate("Plus", self, other)

    def __sub__(self, other: Any) -> Any:
        return self._service.calculate("Minus", self, other)

    def __rsub__(self, other: Any) -> Any:
        negative = self._service.calculate("Multiply", self, -1.0, named=False)
        return self._service.calculate("Plus", negative, other)

    def __mul__(self, other: Any) -> Any:
        return self._service.calculate("Multiply", self, other)

    def __rmul__(self, other: Any) -> Any:
        return self._service.calculate("Multiply", self, other)

    def __truediv__(self, other: Any) -> Any:
        return self._service.calculate("Divide", self, other)

    def __rtruediv__(self, other: Any) -> Any:
        return self._service.calculate("Divide", self._filled(float(other)), self) if isinstance(other, int | float | np.number) else NotImplemented

    def __iadd__(self: Self, other: Any) -> Self:
        return self._in_place("Plus", other)

    def __isub__(self: Self, other: Any) -> Self:
        return self._in_place("Minus", other)

    def __imul__(self: Self, other: Any) -> Self:
        return self._in_place("Multiply", other)

    def __itruediv__(self: Self, other: Any) -> Self:
        return self._in_place("Divide", other)

    def _in_place(self: Self, algorithm: str, other: Any) -> Self:
        result = self._service.calculate(algorithm, self, other, output=str(self))
        return self if result is not NotImplemented else result

    def _filled(self, number: float) -> Any:
        """Return a value shaped as this one with `number` everywhere, without errors."""

        def fill(value: Workspace | EventWorkspace) -> Workspace:
            histogram = value if isinstance(value, Workspace) else value.histogram()
            y = np.full(histogram.y.shape, number)
            return histogram.replace(y=y, variance=np.zeros_like(y), y_unit="")

        value = self._service.names[str(self)]
        return value.map(fill) if isinstance(value, WorkspaceGroup) else fill(value)
