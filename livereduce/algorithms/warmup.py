"""Compiled code made ready before the first chunk waits for it."""

from __future__ import annotations

import numpy as np

from livereduce.algorithms.binning import rebin
from livereduce.data.events import NO_PULSE_NS, EventKind, Events, EventWorkspace
from livereduce.data.workspace import Spectra, Workspace


def warm_up() -> None:
    """Run every kernel once on a few numbers: compiles it on this machine's first start, loads it on later ones.

    It goes through the algorithms, since a kernel is compiled for the kind of arrays that it is called with.
    """
    spectra = Spectra.counted(2)
    for x in (np.arange(4.0), np.array([[0.0, 1, 2, 3], [1.0, 2, 3, 4]])):
        y = np.ones((2, 3))
        rebin(Workspace(x=x, y=y, variance=y.copy(), spectra=spectra), (0.0, 0.7, 3.0))
        plain = Events(tof=np.array([0.5]), pulse_time_ns=np.array([NO_PULSE_NS]))
        for events, kind in ((plain, EventKind.TOF), (plain.weighted(), EventKind.WEIGHTED)):
            EventWorkspace.from_rows([events, events], [kind, kind], x=x, spectra=spectra).histogram()
