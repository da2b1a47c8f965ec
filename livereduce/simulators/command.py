"""`livereduce fake KIND`: a simulated DAQ alone."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Sequence

KINDS = {
    "histogram": "livereduce.simulators.isis_histogram",
    "event": "livereduce.simulators.isis_event",
    "adara": "livereduce.simulators.adara",
}
"""Modules by the kind they simulate; each has a ``main`` that takes the further arguments."""


def main(argv: Sequence[str]) -> int:
    """Run the simulator that ``argv[0]`` names with the rest of `argv`; return its exit code."""
    usage = f"usage: livereduce fake {{{','.join(KINDS)}}} [options]; livereduce fake KIND --help tells the options"
    kind, *rest = argv or [""]
    if kind in ("-h", "--help"):
        print(usage)
        return 0
    if kind not in KINDS:
        print(f"livereduce fake: got {kind!r}, wanted one of {', '.join(KINDS)}\n{usage}", file=sys.stderr)
        return 2
    return int(importlib.import_module(KINDS[kind]).main(rest))
