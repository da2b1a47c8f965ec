"""Processing: runs on every reading of the source.

`input` is the data that just arrived; the workspace named by `output` goes into the accumulation.
With several periods `input` is a group, and Rebin treats each of its members.
"""

from mantid.simpleapi import Rebin

# First edge, width, last edge in microseconds: the same bins each time, whatever the source was set to.
TOF_BINS = "10000,200,50000"

Rebin(InputWorkspace=input, Params=TOF_BINS, OutputWorkspace=output)
