"""Processing: runs on the neutrons that came since it ran last.

`input` holds events; Rebin counts them into bins, so that the accumulation does not grow with the run.
"""

from mantid.simpleapi import Rebin

# First edge, width, last edge in microseconds: the same bins each time, so that the chunks add up.
TOF_BINS = "10000,100,20000"

Rebin(InputWorkspace=input, Params=TOF_BINS, PreserveEvents=False, OutputWorkspace=output)
