"""What was done to a workspace, as scripts see it: ``ws.getHistory()``."""

from __future__ import annotations

from collections.abc import Iterator

from livereduce.data.workspace import Step
from livereduce.scripting.mantid.errors import CallError, nearest


class History:
    """What was done to a workspace, oldest first.

    Parameters
    ----------
    steps:
        The steps.
    """

    def __init__(self, steps: tuple[Step, ...]) -> None:
        self.steps = steps

    def getAlgorithmHistories(self) -> list[StepFace]:
        """Return the steps."""
        return [StepFace(step) for step in self.steps]

    def getAlgorithmHistory(self, index: int) -> StepFace:
        """Return one step."""
        return StepFace(self.steps[index])

    def lastAlgorithm(self) -> StepFace:
        """Return the newest step."""
        return StepFace(self.steps[-1])

    def size(self) -> int:
        """Return the number of steps."""
        return len(self.steps)

    __len__ = size

    def __iter__(self) -> Iterator[StepFace]:
        return iter(self.getAlgorithmHistories())


class StepFace:
    """One step of a history.

    Parameters
    ----------
    step:
        The step.
    """

    def __init__(self, step: Step) -> None:
        self.step = step

    def name(self) -> str:
        """Return the algorithm."""
        return self.step.name

    def version(self) -> int:
        """Return its version."""
        return self.step.version

    def getPropertyValue(self, name: str) -> str:
        """Return a property as it was given; RuntimeError when it was not."""
        for given, value in self.step.properties:
            if given.lower() == name.lower():
                return value
        raise CallError(f"{self.step.name} was not given a property {name!r}{nearest(name, [one for one, _ in self.step.properties])}")

    def __str__(self) -> str:
        return f"{self.step.name} v{self.step.version}({', '.join(f'{name}={value}' for name, value in self.step.properties)})"
