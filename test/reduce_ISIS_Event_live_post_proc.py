from mantid.simpleapi import SumSpectra

SumSpectra(InputWorkspace="accumulation", OutputWorkspace=output)
