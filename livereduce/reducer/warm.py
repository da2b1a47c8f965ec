"""Imported by the server that reducers are forked from: compiles or loads the kernels once, so that no reducer's first chunk waits for it."""

import numpy as np

from livereduce.algorithms.warmup import warm_up
from livereduce.data.run import Run
from livereduce.reducer.chunks import spectra_of
from livereduce.reducer.neutrons import event_workspace
from livereduce.store.record import EVENT, PULSE, Layout, Neutrons


def _warm_up_events() -> None:
    of = Layout(spectrum_numbers=[1], periods=[1], x=[], detector_ids=[1], detector_spectra=[1])
    pulses, events = np.zeros(1, dtype=PULSE), np.zeros(1, dtype=EVENT)
    pulses["n_events"] = 1
    event_workspace(of, spectra_of(of), [Neutrons(pulses, events)], Run())


warm_up()
_warm_up_events()
