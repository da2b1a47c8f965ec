"""What is known of a run: normalising by its charge, noting logs."""

from __future__ import annotations

from livereduce.algorithms import logs, normalise
from livereduce.scripting.mantid.declaration import Algorithm, Flag, InOut, Input, Output, Text

ALGORITHMS = (
    Algorithm(
        "NormaliseByCurrent",
        normalise.normalise_by_current,
        Input("InputWorkspace", doc="What to normalise."),
        Output("OutputWorkspace", doc="Counts per proton charge."),
        Flag("RecalculatePCharge", doc="Integrate the log proton_charge."),
    ),
    Algorithm(
        "AddSampleLog",
        logs.add_sample_log,
        InOut("Workspace", doc="Whose run gets the log."),
        Text("LogName", doc="Name of the log."),
        Text("LogText", doc="Its value."),
        Text("LogType", allowed=("String", "Number", "Number Series"), doc="What the value is."),
        Text("LogUnit", doc="Its unit."),
        Text("NumberType", allowed=("AutoDetect", "Double", "Int"), doc="What kind of number."),
    ),
)
