from __future__ import annotations

import sys
from collections.abc import Callable, Iterator

import numpy as np
import pytest

from livereduce.data.names import Names
from livereduce.data.run import LogNumber, LogSeries, Run
from livereduce.data.workspace import Spectra, Workspace
from livereduce.scripting.mantid import DataService, install


@pytest.fixture
def service() -> Iterator[DataService]:
    """A face of its own, in place of whatever `import mantid` found before."""
    before = {name: module for name, module in sys.modules.items() if name.split(".")[0] == "mantid"}
    yield install(Names())
    for name in [name for name in sys.modules if name.split(".")[0] == "mantid"]:
        del sys.modules[name]
    sys.modules.update(before)


def histogram(y: float = 1.0, spectra: int = 3, bins: int = 10) -> Workspace:
    """A histogram with the same count in every bin, x = 0, 1, 2, ..."""
    counts = np.full((spectra, bins), float(y))
    run = Run(
        number=42,
        title="vanadium",
        start_ns=1_600_000_000_000_000_000,
        charge_uah=2.5,
        logs={
            "frequency": LogNumber(value=60.0, unit="Hz"),
            "temperature": LogSeries(time_ns=np.array([0, 10**9]), values=np.array([290.0, 291.0]), unit="K"),
        },
    )
    return Workspace(x=np.arange(bins + 1.0), y=counts, variance=counts.copy(), spectra=Spectra.counted(spectra), y_unit="Counts", run=run)


@pytest.fixture
def put(service: DataService) -> Callable[..., object]:
    """Put a histogram under a name and return its handle."""

    def put_one(name: str, y: float = 1.0, **size: int) -> object:
        return service.put(name, histogram(y, **size))

    return put_one
