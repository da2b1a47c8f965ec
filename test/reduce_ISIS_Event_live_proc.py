from mantid.simpleapi import Rebin

Rebin(InputWorkspace=input, Params="10000,100,20000", PreserveEvents=False, OutputWorkspace=output)
