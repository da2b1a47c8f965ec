"""Rebin."""

from __future__ import annotations

from livereduce.algorithms import binning
from livereduce.scripting.mantid.declaration import Algorithm, Flag, Floats, Input, Output

ALGORITHMS = (
    Algorithm(
        "Rebin",
        binning.rebin,
        Input("InputWorkspace", doc="What to rebin."),
        Output("OutputWorkspace", doc="The result."),
        Floats("Params", doc="First edge, width, edge, width, ..., last edge; or only a width. A negative width is logarithmic."),
        Flag("PreserveEvents", doc="Keep events and only change the bins they are looked at in."),
        Flag("FullBinsOnly", doc="Leave out a last bin shorter than its width."),
        Flag("IgnoreBinErrors", doc="Zeros for spectra whose bins do not ascend."),
    ),
)
