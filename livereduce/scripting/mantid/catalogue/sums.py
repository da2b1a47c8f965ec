"""Spectra and bins added up: SumSpectra, Integration."""

from __future__ import annotations

from livereduce.algorithms import integration, sums
from livereduce.scripting.mantid.declaration import Algorithm, Flag, Floats, Input, Integer, Integers, Number, Output

_START = Integer("StartWorkspaceIndex", at_least=0, doc="First spectrum, counted from 0.")
_END = Integer("EndWorkspaceIndex", at_least=0, doc="Last spectrum; not given: the last there is.")

ALGORITHMS = (
    Algorithm(
        "SumSpectra",
        sums.sum_spectra,
        Input("InputWorkspace", doc="Spectra with common bins."),
        Output("OutputWorkspace", doc="One spectrum."),
        _START,
        _END,
        Integers("ListOfWorkspaceIndices", doc="Spectra, instead of a range or besides it: 0,2-5."),
        Flag("IncludeMonitors", doc="Whether monitors are added too."),
        Flag("WeightedSum", doc="Weight by 1/error^2."),
        Flag("RemoveSpecialValues", doc="Take 0 for NaN and infinity."),
        Flag("MultiplyBySpectra", doc="Multiply a weighted average by the number of spectra."),
        Flag("UseFractionalArea", doc="Without effect here."),
    ),
    Algorithm(
        "Integration",
        integration.integration,
        Input("InputWorkspace", doc="What to integrate."),
        Output("OutputWorkspace", doc="One bin for each spectrum."),
        Number("RangeLower", doc="From this x; not given: from the start."),
        Number("RangeUpper", doc="To this x; not given: to the end."),
        _START,
        _END,
        Flag("IncludePartialBins", doc="Count bins that are partly inside by that part."),
        Floats("RangeLowerList", doc="A lower limit for each spectrum."),
        Floats("RangeUpperList", doc="An upper limit for each spectrum."),
    ),
)
