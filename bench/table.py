"""Results for the eye."""

from __future__ import annotations

from typing import Any

from rich.table import Table

MANTID = "Mantid, ms\n[dim]on 2 cores of the same\nkind, not in this run[/]"


def table(rows: list[dict[str, Any]]) -> Table:
    """Return a row for each contestant of each case; ours first, then how much longer others take."""
    shown = Table(title="median of several turns; x: how many times our time", title_justify="left", pad_edge=False)
    shown.add_column("work")
    shown.add_column("cores")
    shown.add_column("who", no_wrap=True)
    for head in ("median", "shortest", "x", MANTID):
        shown.add_column(head, justify="right")
    for row in rows:
        ours = row["times"][0]["median_ms"]
        for k, timing in enumerate(row["times"]):
            last = k == len(row["times"]) - 1
            shown.add_row(
                row["name"] if k == 0 else "",
                row["cores"] if k == 0 else "",
                timing["name"],
                _time(timing["median_ms"], row["seconds"]),
                _time(timing["best_ms"], row["seconds"]),
                f"{timing['median_ms'] / ours:.2f}" if k else "",
                _mantid(row["mantid_ms_not_in_this_run"], ours) if k == 0 else "",
                end_section=last,
            )
    return shown


def _time(ms: float, seconds: bool) -> str:
    return f"{ms / 1e3:.2f} s" if seconds else f"{ms:.3g} ms" if ms < 1000 else f"{ms:.0f} ms"


def _mantid(ms: float | None, ours: float) -> str:
    return "" if ms is None else f"{ms:g} ({ms / ours:.1f} x)"
