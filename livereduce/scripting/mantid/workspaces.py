"""Workspaces as scripts hold them: a handle of a name, over immutable values.

A handle follows its name. When an algorithm replaces the value, a variable that a script got earlier shows the new one; after a
rename it shows the new name. There is one handle for one name, so that ``mtd["a"] is mtd["a"]``; its class follows the value.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, NoReturn

import numpy as np

from livereduce.algorithms.create import is_single_value
from livereduce.data.events import EventWorkspace as Events
from livereduce.data.group import AnyWorkspace
from livereduce.data.names import Entry
from livereduce.data.workspace import FloatArray, Step
from livereduce.data.workspace import Workspace as Histograms
from livereduce.scripting.mantid.axes import Axis, HorizontalAxis, VerticalAxis
from livereduce.scripting.mantid.drafts import Column, Draft
from livereduce.scripting.mantid.errors import nearest
from livereduce.scripting.mantid.instruments import InstrumentFace
from livereduce.scripting.mantid.operators import Operators
from livereduce.scripting.mantid.runs import RunFace
from livereduce.scripting.mantid.spectrum import SpectrumFace

if TYPE_CHECKING:
    from livereduce.scripting.mantid.service import DataService


class Workspace:
    """What all workspaces of a script have; made by the data service only."""

    __slots__ = ("__weakref__", "_entry", "_service")

    def __init__(self, entry: Entry, service: DataService) -> None:
        self._entry = entry
        self._service = service

    def name(self) -> str:
        """Return the name under which it stands in mtd."""
        return self._entry.name

    getName = name

    def __str__(self) -> str:
        return self._entry.name

    def __repr__(self) -> str:
        return f"<{self.id()} {self._entry.name!r}{' (deleted)' if self._entry.removed else ''}>"

    def id(self) -> str:
        """Return the name of its class."""
        return type(self).__name__

    @property
    def value(self) -> AnyWorkspace:
        """The immutable value that stands under the name now."""
        return self._entry.value

    def getMemorySize(self) -> int:
        """Return the size of the arrays, bytes."""
        return self.value.nbytes

    def __getattr__(self, name: str) -> NoReturn:
        # Only reached when nothing of that name exists.
        public = [one for one in dir(type(self)) if not one.startswith("_")]
        raise AttributeError(f"{type(self).__name__} has no method {name!r}{nearest(name, public)}", name=name, obj=self)


class MatrixWorkspace(Operators, Workspace):
    """Spectra over one quantity."""

    __slots__ = ()

    @property
    def _unedited(self) -> Histograms | Events:
        return self._entry.unedited

    def _replace(self, **changes: Any) -> None:
        self._entry.update(lambda value: value.replace(**changes))

    def getNumberHistograms(self) -> int:
        """Return the number of spectra."""
        return self._unedited.n_spectra

    __len__ = getNumberHistograms

    def __bool__(self) -> bool:
        return True

    def blocksize(self) -> int:
        """Return the number of bins or points of a spectrum."""
        return self._unedited.n_bins

    def size(self) -> int:
        """Return the number of bins of all spectra."""
        return self.getNumberHistograms() * self.blocksize()

    def getNumberEvents(self) -> float:
        """Return the number of events; of a histogram the sum of its counts."""
        return float(np.nansum(self.extractY()))

    def isDistribution(self) -> bool:
        """Return True when y is divided by the bin width."""
        return self._unedited.distribution

    def setDistribution(self, distribution: bool) -> None:
        """Say whether y is divided by the bin width; the numbers stay."""
        self._replace(distribution=bool(distribution))

    def isHistogramData(self) -> bool:
        """Return True when x holds bin edges, False for points."""
        return self._unedited.is_histogram

    def isCommonBins(self) -> bool:
        """Return True when all spectra share one x."""
        return self._current("x").ndim == 1 or bool((self.extractX() == self.readX(0)).all())

    def isRaggedWorkspace(self) -> bool:
        """Return False: all spectra have as many bins."""
        return False

    # -- the numbers

    def _written(self, column: Column) -> FloatArray | None:
        """Return the array that the script writes into; None when it writes into none of that column."""
        draft = self._entry.edit
        return draft.array(column) if isinstance(draft, Draft) else None

    def _current(self, column: Column) -> FloatArray:
        """Return one array as it is now, with what was written into it."""
        written = self._written(column)
        if written is not None:
            return written
        value = self._unedited
        return value.x if column == "x" else value.y if column == "y" else value.errors

    def _row(self, column: Column, row: int) -> FloatArray:
        self._check(row)
        if column == "e" and self._written("e") is None:
            # All errors at once would cost a root of every bin for one row.
            view: FloatArray = np.sqrt(self._unedited.variance[row])
        else:
            array = self._current(column)
            view = (array if array.ndim == 1 else array[row]).view()
        view.flags.writeable = False
        return view

    def _check(self, row: int) -> None:
        if not 0 <= row < self.getNumberHistograms():
            raise IndexError(f"{self.name()}: spectrum index {row} is out of range; wanted 0 to {self.getNumberHistograms() - 1}")

    def readX(self, row: int) -> FloatArray:
        """Return x of a spectrum, read-only."""
        return self._row("x", row)

    def readY(self, row: int) -> FloatArray:
        """Return y of a spectrum, read-only."""
        return self._row("y", row)

    def readE(self, row: int) -> FloatArray:
        """Return the errors of a spectrum, read-only."""
        return self._row("e", row)

    def readDx(self, row: int) -> FloatArray:
        """Return the resolution of x of a spectrum, read-only; empty when there is none."""
        self._check(row)
        dx = self._unedited.dx
        return np.empty(0) if dx is None else dx if dx.ndim == 1 else dx[row]

    x, y, e, dx = readX, readY, readE, readDx

    def hasDx(self, row: int = 0) -> bool:
        """Return True when there is a resolution of x."""
        return self._unedited.dx is not None

    def extractX(self) -> FloatArray:
        """Return x of all spectra, (spectra, n), a copy."""
        x = self._current("x")
        return np.array(np.broadcast_to(x, (self.getNumberHistograms(), x.shape[-1])))

    def extractY(self) -> FloatArray:
        """Return y of all spectra, (spectra, bins), a copy."""
        return self._current("y").copy()

    def extractE(self) -> FloatArray:
        """Return the errors of all spectra, (spectra, bins), a copy."""
        return self._current("e").copy()

    def extractDx(self) -> FloatArray:
        """Return the resolution of x of all spectra, a copy."""
        return np.array([self.readDx(row) for row in range(self.getNumberHistograms())])

    def _writable(self, column: Column, row: int) -> FloatArray:
        self._check(row)
        with self._service.names.lock:
            value = self._unedited
            if not isinstance(value, Histograms):
                raise TypeError(f"{self.name()} holds events, whose counts cannot be written; wanted a histogram (ConvertToMatrixWorkspace)")
            draft = self._entry.edit if isinstance(self._entry.edit, Draft) else Draft()
            self._entry.edit = draft
            array: FloatArray = draft.writable(column, value)[row]
            return array

    def dataX(self, row: int) -> FloatArray:
        """Return x of a spectrum to write into."""
        return self._writable("x", row)

    def dataY(self, row: int) -> FloatArray:
        """Return y of a spectrum to write into."""
        return self._writable("y", row)

    def dataE(self, row: int) -> FloatArray:
        """Return the errors of a spectrum to write into."""
        return self._writable("e", row)

    def setX(self, row: int, values: Any) -> None:
        """Set x of a spectrum."""
        self._set("x", row, values)

    def setY(self, row: int, values: Any) -> None:
        """Set y of a spectrum."""
        self._set("y", row, values)

    def setE(self, row: int, values: Any) -> None:
        """Set the errors of a spectrum."""
        self._set("e", row, values)

    def _set(self, column: Column, row: int, values: Any) -> None:
        place, new = self._writable(column, row), np.asarray(values, dtype=np.float64)
        if new.shape != place.shape:
            raise ValueError(f"{self.name()}: {len(new.ravel())} values for the {column} of a spectrum; wanted {len(place)}")
        place[:] = new

    # -- spectra and axes

    def getSpectrum(self, row: int) -> SpectrumFace:
        """Return number and detectors of a spectrum."""
        self._check(row)
        return SpectrumFace(self, row)

    def getSpectrumNumbers(self) -> list[int]:
        """Return the spectrum number of each row."""
        return [int(one) for one in self._unedited.spectra.numbers]

    def getIndexFromSpectrumNumber(self, number: int) -> int:
        """Return the row of a spectrum number; RuntimeError when there is none."""
        rows = np.flatnonzero(self._unedited.spectra.numbers == number)
        if not len(rows):
            raise RuntimeError(f"{self.name()} has no spectrum number {number}")
        return int(rows[0])

    def getSpectrumIterator(self) -> Iterator[SpectrumFace]:
        """Go through the spectra."""
        return (SpectrumFace(self, row) for row in range(self.getNumberHistograms()))

    def getAxis(self, index: int) -> Axis:
        """Return axis 0 (x) or 1 (vertical)."""
        if index not in (0, 1):
            raise IndexError(f"a workspace has axis 0 and 1, asked for {index}")
        return HorizontalAxis(self) if index == 0 else VerticalAxis(self)

    def axes(self) -> int:
        """Return the number of axes, 2."""
        return 2

    def getDimension(self, index: int) -> NoReturn:
        """Refuse: dimensions are those of multi-dimensional workspaces."""
        raise AttributeError(f"{type(self).__name__} has no dimensions to ask for; wanted getAxis({index})")

    def YUnit(self) -> str:
        """Return what y counts."""
        return self._unedited.y_unit

    def setYUnit(self, unit: str) -> None:
        """Say what y counts."""
        self._replace(y_unit=str(unit))

    def YUnitLabel(self) -> str:
        """Return the caption of y, with the unit of x it is divided by."""
        value = self._unedited
        per = HorizontalAxis(self).getUnit().symbol()
        return f"{value.y_unit} per {per}" if value.distribution and per else value.y_unit

    setYUnitLabel = setYUnit

    # -- what it was measured in

    def getTitle(self) -> str:
        """Return the title, that of the run when it has none of its own."""
        return self._unedited.title or self._unedited.run.title

    def setTitle(self, title: str) -> None:
        """Set the title."""
        self._replace(title=str(title))

    def getComment(self) -> str:
        """Return the comment."""
        return self._unedited.comment

    def setComment(self, comment: str) -> None:
        """Set the comment."""
        self._replace(comment=str(comment))

    def getRun(self) -> RunFace:
        """Return the run and its sample logs."""
        return RunFace(self)

    run = getRun

    def mutableRun(self) -> RunFace:
        """Return the run and its sample logs."""
        return RunFace(self)

    def getInstrument(self) -> InstrumentFace:
        """Return the instrument; AttributeError when nothing is known of it."""
        instrument = self._unedited.instrument
        if instrument is None:
            raise AttributeError(f"{self.name()} has no instrument: the source does not say where its detectors are")
        return InstrumentFace(instrument)

    def getRunNumber(self) -> int:
        """Return the run number, 0 when unknown."""
        return self._unedited.run.number

    def getTofMin(self) -> float:
        """Return the smallest x."""
        return float(np.min(self._current("x")))

    def getTofMax(self) -> float:
        """Return the largest x."""
        return float(np.max(self._current("x")))

    def getHistory(self) -> History:
        """Return what was done to it."""
        return History(self._unedited.history)


class Workspace2D(MatrixWorkspace):
    """Histograms or points."""

    __slots__ = ()


class WorkspaceSingleValue(MatrixWorkspace):
    """One number with its error."""

    __slots__ = ()


class EventWorkspace(MatrixWorkspace):
    """Every neutron kept."""

    __slots__ = ()

    def _events(self) -> Events:
        value = self._unedited
        assert isinstance(value, Events)
        return value

    def getNumberEvents(self) -> int:
        """Return the number of events."""
        return self._events().n_events

    def getTofMin(self) -> float:
        """Return the smallest x of an event; that of the bins when there is none."""
        events = self._events().events
        return float(events.tof.min()) if len(events) else super().getTofMin()

    def getTofMax(self) -> float:
        """Return the largest x of an event; that of the bins when there is none."""
        events = self._events().events
        return float(events.tof.max()) if len(events) else super().getTofMax()


class WorkspaceGroup(Operators, Workspace):
    """Workspaces in order: periods, or what a script put together."""

    __slots__ = ()

    def _members(self) -> tuple[Entry, ...]:
        if self._entry.members is None:
            self._entry.value  # noqa: B018 - tells what became of the name
        return self._entry.members or ()

    def size(self) -> int:
        """Return the number of members."""
        return len(self._members())

    getNumberOfEntries = size
    __len__ = size

    def __bool__(self) -> bool:
        return True

    def getNames(self) -> list[str]:
        """Return the names of the members."""
        return [one.name for one in self._members()]

    def getItem(self, index: int) -> Workspace:
        """Return one member."""
        members = self._members()
        if not -len(members) <= index < len(members):
            raise IndexError(f"group {self.name()} has {len(members)} members, asked for index {index}")
        return self._service.handle(members[index])

    __getitem__ = getItem

    def __iter__(self) -> Iterator[Workspace]:
        return iter([self._service.handle(one) for one in self._members()])

    def __contains__(self, name: object) -> bool:
        return str(name) in self.getNames()

    contains = __contains__

    def add(self, name: str) -> None:
        """Take a workspace that exists into the group."""
        self._service.names.group(self.name(), [*self.getNames(), str(name)])

    def remove(self, name: str) -> None:
        """Put a member out of the group; it stays in mtd."""
        self._service.names.group(self.name(), [one for one in self.getNames() if one != str(name)])

    def getNumberHistograms(self) -> int:
        """Return the number of spectra of the first member."""
        return data_of(self.getItem(0)).n_spectra

    def getHistory(self) -> History:
        """Return what was done to the first member."""
        return History(data_of(self.getItem(0)).history)


def data_of(workspace: Workspace) -> Histograms | Events:
    """Return the value of a single workspace; TypeError for a group."""
    return workspace._entry.unedited


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
        raise RuntimeError(f"{self.step.name} was not given a property {name!r}{nearest(name, [one for one, _ in self.step.properties])}")

    def __str__(self) -> str:
        return f"{self.step.name} v{self.step.version}({', '.join(f'{name}={value}' for name, value in self.step.properties)})"


def class_for(entry: Entry) -> type[Workspace]:
    """Return the class that a handle of `entry` has now."""
    if entry.members is not None:
        return WorkspaceGroup
    value = entry.unedited
    if isinstance(value, Events):
        return EventWorkspace
    return WorkspaceSingleValue if is_single_value(value) else Workspace2D
