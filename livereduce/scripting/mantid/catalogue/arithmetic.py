"""Plus, Minus, Multiply, Divide, Scale."""

from __future__ import annotations

from livereduce.algorithms import arithmetic
from livereduce.scripting.mantid.declaration import Algorithm, Flag, Input, Number, Output, Text

_SIDES = (
    Input("LHSWorkspace", doc="Left side."),
    Input("RHSWorkspace", doc="Right side; a single value, one spectrum or one bin stands for all."),
    Output("OutputWorkspace", doc="The result."),
    Flag("AllowDifferentNumberSpectra", doc="Find the right side's spectra by detector."),
    Flag("ClearRHSWorkspace", doc="Without effect here: workspaces share their events."),
)

ALGORITHMS = (
    Algorithm("Plus", arithmetic.plus, *_SIDES),
    Algorithm("Minus", arithmetic.minus, *_SIDES),
    Algorithm("Multiply", arithmetic.multiply, *_SIDES),
    Algorithm("Divide", arithmetic.divide, *_SIDES, Flag("WarnOnZeroDivide", doc="Without effect here: NaN and infinity show.")),
    Algorithm(
        "Scale",
        arithmetic.scale,
        Input("InputWorkspace", doc="What to scale."),
        Output("OutputWorkspace", doc="The result."),
        Number("Factor", doc="Multiplied or added."),
        Text("Operation", allowed=("Multiply", "Add"), doc="Which of the two."),
    ),
)
