from mantid.simpleapi import Rebin

Rebin(InputWorkspace=input, Params="10000,500,20000", OutputWorkspace=output)
