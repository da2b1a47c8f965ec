"""`python -m bench.compare OLD NEW`: what got slower between two results files."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

WORSE = 1.10
"""More than this times the old time is a regression."""


def main(old: str, new: str) -> int:
    """Print both beside each other; return 1 when there is a regression."""
    before, after = (_times(json.loads(Path(path).read_text())) for path in (old, new))
    shown = Table(title=f"{old} and {new}: our own times", title_justify="left")
    for head in ("key", "cores", "old, ms", "new, ms", "new / old", ""):
        shown.add_column(head, justify="left" if head in ("key", "cores", "") else "right")
    regressions = 0
    for key, ms in after.items():
        ratio = ms / before[key] if key in before else None
        worse = ratio is not None and ratio > WORSE
        regressions += worse
        was = f"{before[key]:.4g}" if key in before else "new"
        shown.add_row(*key, was, f"{ms:.4g}", "" if ratio is None else f"{ratio:.2f}", "[bold red]slower[/]" if worse else "")
    for key in before.keys() - after.keys():
        shown.add_row(*key, f"{before[key]:.4g}", "gone", "", "")
    console = Console()
    console.print(shown)
    console.print(f"{regressions} of {len(after)} more than {WORSE - 1:.0%} slower")
    return int(regressions > 0)


def _times(results: dict[str, Any]) -> dict[tuple[str, str], float]:
    return {(row["key"], row["cores"]): row["times"][0]["median_ms"] for row in results["rows"]}


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit("usage: python -m bench.compare OLD NEW")
    sys.exit(main(*sys.argv[1:]))
