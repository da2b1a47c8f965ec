"""Workspaces from bare numbers."""

from __future__ import annotations

from livereduce.algorithms import create
from livereduce.scripting.mantid.declaration import Algorithm, Flag, Floats, Input, Integer, Number, Output, Text, Texts

ALGORITHMS = (
    Algorithm(
        "CreateWorkspace",
        create.create_workspace,
        Output("OutputWorkspace", doc="The workspace."),
        Floats("DataX", doc="Edges or points."),
        Floats("DataY", doc="Counts, one spectrum after another."),
        Floats("DataE", doc="Errors, as DataY."),
        Integer("NSpec", at_least=1, doc="Number of spectra."),
        Text("UnitX", doc="Unit of x."),
        Text("VerticalAxisUnit", doc="Unit of the vertical axis; SpectraNumber, Text, or the id of a unit."),
        Texts("VerticalAxisValues", doc="Values of the vertical axis."),
        Flag("Distribution", doc="Whether y is per unit of x."),
        Input("ParentWorkspace", doc="Where run, instrument and title come from."),
        Text("YUnitLabel", doc="What y is."),
        Text("WorkspaceTitle", doc="Title."),
        Floats("Dx", doc="Resolution of x."),
    ),
    Algorithm(
        "CreateSingleValuedWorkspace",
        create.create_single_valued_workspace,
        Output("OutputWorkspace", doc="The workspace."),
        Number("DataValue", doc="The number."),
        Number("ErrorValue", at_least=0, doc="Its standard deviation."),
    ),
)
