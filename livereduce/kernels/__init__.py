"""Compiled loops over plain arrays; nothing here knows a workspace.

Every kernel releases the GIL and is compiled at its first call for the types it gets, once per machine (the compiled code is cached on disk).
Kernels that call each other stand in one module: the cache looks at the time of the caller's file only.
"""

from livereduce.kernels.adara import gather_banks, walk_banks
from livereduce.kernels.compiling import compiled
from livereduce.kernels.counting import bin_of, count_events, count_in_rows, weigh_events
from livereduce.kernels.isis_event import gather_bytes, look_at_isis_event_packet, walk_isis_event_packets, word_at
from livereduce.kernels.lookup import Lookup, lookup
from livereduce.kernels.overlaps import gather_shares, share
from livereduce.kernels.scatter import Dropped, scatter_events

__all__ = [
    "Dropped",
    "Lookup",
    "bin_of",
    "compiled",
    "count_events",
    "count_in_rows",
    "gather_banks",
    "gather_bytes",
    "gather_shares",
    "look_at_isis_event_packet",
    "lookup",
    "scatter_events",
    "share",
    "walk_banks",
    "walk_isis_event_packets",
    "weigh_events",
    "word_at",
]
