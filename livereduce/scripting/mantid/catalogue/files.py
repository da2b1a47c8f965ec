"""Save and load."""

from __future__ import annotations

from livereduce.algorithms import files
from livereduce.scripting.mantid import saving
from livereduce.scripting.mantid.declaration import Algorithm, Flag, Input, Integer, Integers, Output, Text, Texts

_SAVE_NEXUS = (
    Input("InputWorkspace", doc="What to write; all members of a group."),
    Text("Filename", doc="Where to; relative to the working directory, ~ is the home folder."),
    Text("Title", default="", doc="Title of the entry; the workspace's own when empty."),
    Integer("WorkspaceIndexMin", default=None, at_least=0, doc="First row to write."),
    Integer("WorkspaceIndexMax", default=None, at_least=0, doc="Last row to write."),
    Integers("WorkspaceIndexList", default=(), doc="Rows to write beside those."),
    Flag("Append", default=False, doc="Add to the file if it is there."),
)
_PRESERVE_EVENTS = Flag("PreserveEvents", default=True, doc="Write events; otherwise their histogram.")
_COMPRESS = Flag("CompressNexus", default=False, doc="Compress events; counts are always compressed.")
_LOAD_NEXUS = (
    Text("Filename", doc="A processed NeXus file."),
    Output("OutputWorkspace", doc="What it holds; a group when it holds several entries."),
    Integer("SpectrumMin", at_least=1, doc="First spectrum number to keep."),
    Integer("SpectrumMax", at_least=1, doc="Last spectrum number to keep."),
    Integers("SpectrumList", doc="Spectrum numbers to keep beside those."),
    Integer("EntryNumber", at_least=0, doc="Which entry, from 1; 0 for all."),
)
_LOAD_HISTORY = Flag("LoadHistory", doc="Load what was done to it.")

ALGORITHMS = (
    Algorithm("SaveNexus", saving.save_nexus, *_SAVE_NEXUS, groups="whole"),
    Algorithm("SaveNexusProcessed", saving.save_nexus, *_SAVE_NEXUS, _PRESERVE_EVENTS, _COMPRESS, groups="whole"),
    Algorithm("LoadNexus", files.load_nexus, *_LOAD_NEXUS),
    Algorithm("LoadNexusProcessed", files.load_nexus, *_LOAD_NEXUS, _LOAD_HISTORY),
    Algorithm(
        "SaveAscii",
        files.save_ascii,
        Input("InputWorkspace", doc="What to write; members of a group go to files of their own."),
        Text("Filename", doc="Where to; relative to the working directory, ~ is the home folder."),
        Integer("WorkspaceIndexMin", at_least=0, doc="First row to write."),
        Integer("WorkspaceIndexMax", at_least=0, doc="Last row to write."),
        Integers("SpectrumList", doc="Rows, counted from 0, to write beside those."),
        Integer("Precision", doc="Significant digits; behind the point with ScientificFormat."),
        Flag("ScientificFormat", doc="Write 1.5e+02 instead of 150."),
        Flag("WriteXError", doc="Write the resolution of x as a fourth column."),
        Flag("WriteSpectrumID", doc="Write the spectrum number above each spectrum."),
        Texts("SpectrumMetaData", doc="What stands above each spectrum: SpectrumNumber, Angle, Q."),
        Text("CommentIndicator", doc="What begins the lines that are no numbers."),
        Text("Separator", allowed=("CSV", "Tab", "Space", "Colon", "SemiColon", "UserDefined"), doc="What stands between columns."),
        Text("CustomSeparator", doc="The separator when it is UserDefined."),
        Flag("ColumnHeader", doc="Write what the columns are."),
        Flag("AppendToFile", doc="Add to the file if it is there."),
        groups="whole",
    ),
)
