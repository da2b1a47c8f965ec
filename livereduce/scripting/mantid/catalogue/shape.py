"""Parts of workspaces, one below the other, edges and points."""

from __future__ import annotations

from livereduce.algorithms import appending, cropping, shape
from livereduce.scripting.mantid.declaration import Algorithm, Flag, Input, Integer, Integers, Number, Output

_FROM_TO = (
    Input("InputWorkspace", doc="What to take from."),
    Output("OutputWorkspace", doc="The part."),
    Number("XMin", doc="From this x; not given: from the start."),
    Number("XMax", doc="To this x; not given: to the end."),
    Integer("StartWorkspaceIndex", at_least=0, doc="First spectrum, counted from 0."),
    Integer("EndWorkspaceIndex", at_least=0, doc="Last spectrum; not given: the last there is."),
)
_WHOLE = (Input("InputWorkspace", doc="What to convert."), Output("OutputWorkspace", doc="The result."))

ALGORITHMS = (
    Algorithm("CropWorkspace", cropping.crop_workspace, *_FROM_TO),
    Algorithm(
        "ExtractSpectra",
        cropping.extract_spectra,
        *_FROM_TO,
        Integers("WorkspaceIndexList", doc="Spectra by index, instead of a range: 1,3-5."),
        Integers("DetectorList", doc="Spectra by the detectors they count."),
    ),
    Algorithm(
        "AppendSpectra",
        appending.append_spectra,
        Input("InputWorkspace1", doc="Comes first."),
        Input("InputWorkspace2", doc="Comes below."),
        Output("OutputWorkspace", doc="Both."),
        Flag("ValidateInputs", doc="Require the same units and instrument."),
        Integer("Number", at_least=1, doc="How many times the second is appended."),
        Flag("MergeLogs", doc="Continue the first's run by the second's."),
        Flag("AppendYAxisLabels", doc="Continue the vertical axis."),
    ),
    Algorithm("ConvertToPointData", shape.convert_to_point_data, *_WHOLE),
    Algorithm("ConvertToHistogram", shape.convert_to_histogram, *_WHOLE),
)
