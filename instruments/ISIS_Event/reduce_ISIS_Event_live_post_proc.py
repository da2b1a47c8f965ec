"""Post-processing: runs every few seconds, and at run end, on a copy of everything accumulated.

Publishes `result`: one pattern per period, counts per proton charge against time of flight. The patterns and the counts of each
detector also stand in the folder `results`, as NeXus and as text; the newest of a run replaces the one before.
"""

import os

from mantid.api import WorkspaceGroup
from mantid.simpleapi import Integration, NormaliseByCurrent, SaveAscii, SaveNexus, SumSpectra, mtd


def periods(name):
    """Return the workspace of each period: with several periods a workspace is a group of them."""
    workspace = mtd[name]
    return list(workspace) if isinstance(workspace, WorkspaceGroup) else [workspace]


run = periods("accumulation")[0].run()
run_number = periods("accumulation")[0].getRunNumber()

# What each detector counted, one number for all times of flight.
Integration(InputWorkspace="accumulation", OutputWorkspace="counts")

# The pattern of all detectors together. Before the first protons there is nothing to divide by.
SumSpectra(InputWorkspace="accumulation", OutputWorkspace="result")
if run.getProtonCharge() > 0:
    NormaliseByCurrent(InputWorkspace="result", OutputWorkspace="result")

folder = os.path.join(os.getcwd(), "results")
os.makedirs(folder, exist_ok=True)
start = os.path.join(folder, f"ISIS_Event_{run_number}")
SaveNexus(InputWorkspace="result", Filename=f"{start}_result.nxs")
for workspace in periods("result") + periods("counts"):
    SaveAscii(InputWorkspace=workspace, Filename=f"{start}_{workspace.name()}.txt")
