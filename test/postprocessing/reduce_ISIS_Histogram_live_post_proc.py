from mantid.simpleapi import RenameWorkspace

RenameWorkspace(InputWorkspace="accumulation", OutputWorkspace="result")
