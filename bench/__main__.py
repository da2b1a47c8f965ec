"""`python -m bench`: measure everything, print a table, write results.json."""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from rich.console import Console

from bench.machine import machine
from bench.room import ROOMS
from bench.table import table

RESULTS = Path(__file__).parent / "results.json"
"""Where results are kept."""

WIDTH = 150
"""Of the table where there is no terminal."""


def main() -> int:
    """Measure what the arguments ask for; return the exit code."""
    arguments = _parser().parse_args()
    console = Console()
    if not console.is_terminal:
        console = Console(width=WIDTH)
    rows = []
    for row in _rows(arguments.only, 1 if arguments.quick else arguments.repeat, arguments.quick):
        rows.append(row)
        console.print(f"[dim]{row['key']} ({row['cores']}): {row['times'][0]['median_ms']:.4g} ms[/]", highlight=False)
    if not rows:
        console.print(f"nothing is called {arguments.only!r}")
        return 1
    console.print(table(rows))
    if arguments.quick and arguments.output is None:
        return 0
    path = arguments.output or RESULTS
    path.write_text(json.dumps(_results(path, rows, whole=not arguments.only), indent=1) + "\n")
    console.print(f"written to {path}")
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m bench", description="How fast livereduce is, beside peers and limits measured in the same run.")
    parser.add_argument("--only", default="", metavar="PATTERN", help="cases whose key contains or matches PATTERN; the others keep their results")
    parser.add_argument("--repeat", type=int, default=7, help="how often each is measured; at least 5 (default: 7)")
    parser.add_argument("--quick", action="store_true", help="tiny sizes, once: whether it runs, not how fast")
    parser.add_argument("--output", type=Path, metavar="FILE", help=f"instead of {RESULTS.parent.name}/{RESULTS.name}")
    return parser


def _rows(only: str, repeat: int, quick: bool) -> Iterator[dict[str, Any]]:
    """Measure in one process per room and number of cores; yield what they say."""
    for room in ROOMS:
        for cores in ("all",) if quick else ("1", "all"):
            command = [sys.executable, "-m", "bench.room", room, cores, only, str(repeat if quick else max(5, repeat)), "quick" if quick else "full"]
            with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
                assert process.stdout is not None
                for line in process.stdout:
                    yield json.loads(line)
            if process.returncode:
                raise SystemExit(f"bench.{room} ended with {process.returncode}")


def _results(path: Path, rows: list[dict[str, Any]], *, whole: bool) -> dict[str, Any]:
    """Return what to write: the machine, the figures with their names, the rows they come from."""
    kept: list[dict[str, Any]] = []
    if path.exists() and not whole:
        new = {(row["key"], row["cores"]) for row in rows}
        kept = [row for row in json.loads(path.read_text())["rows"] if (row["key"], row["cores"]) not in new]
    rows = kept + rows
    figures: dict[str, float] = {}
    for row in rows:
        end = "" if row["cores"] == "all" else "_one_core"
        ms = {timing["name"]: timing["median_ms"] for timing in row["times"]}
        ours = row["times"][0]["median_ms"]
        for peer, key in row["figures"].items():
            figures[key + end] = round(ms[peer] / ours, 2)
        if row["seconds"]:
            figures[row["key"] + end] = round(ours / 1e3, 3)
    return {"machine": machine(), **figures, "rows": rows}


if __name__ == "__main__":
    sys.exit(main())
