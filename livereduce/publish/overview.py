"""What the board says of the service, for people (a table) and for programs (JSON)."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import msgspec
from rich.console import Console, Group, RenderableType
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from livereduce.errors import StoreError
from livereduce.store.board import About, Board
from livereduce.store.places import Places
from livereduce.store.status import OutlineStatus, ReceiverStatus, ReducerStatus, SupervisorStatus

STALE_S = 5.0
"""A process that said nothing for so long is shown as silent: each speaks twice a second."""

FILES_SHOWN = 4
"""Newest files that the table names."""

BLOCKS = " ▁▂▃▄▅▆▇█"
"""Heights of a sketch."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Overview:
    """Everything the board says, read at one time."""

    instrument: str
    """Instrument."""

    now_s: float
    """When it was read, s of the monotonic clock."""

    supervisor: SupervisorStatus | None
    """What the supervisor says, None when it never said anything."""

    receiver: ReceiverStatus | None
    """What the receiver says."""

    reducer: ReducerStatus | None
    """What the reducer says."""

    about: About | None
    """What the published results were made from."""

    results: list[str]
    """Names of the published results."""

    @property
    def running(self) -> bool:
        """Whether the daemon gives life signs."""
        return self.supervisor is not None and not self.supervisor.stopped and 0 <= self.now_s - self.supervisor.beat_s < STALE_S


def read_overview(board: Board, instrument: str) -> Overview:
    """Return what the board says now."""
    return Overview(
        instrument=instrument,
        now_s=time.monotonic(),
        supervisor=board.status(SupervisorStatus),
        receiver=board.status(ReceiverStatus),
        reducer=board.status(ReducerStatus),
        about=board.about(),
        results=board.names(),
    )


def print_status(state: Path, instrument: str, *, as_json: bool) -> int:
    """Print the status of the service whose state folder is `state`; return 0 when it runs, else 1."""
    try:
        board = Board(Places(state).board, readonly=True)
        overview = read_overview(board, instrument)
        board.close()
    except StoreError as error:
        if as_json:
            print(json.dumps({"instrument": instrument, "running": False, "reason": str(error)}))
        else:
            print(f"{instrument}: no daemon has run with the state folder {state}")
        return 1
    if as_json:
        print(as_text(overview))
    else:
        Console().print(table(overview))
    return 0 if overview.running else 1


def as_text(overview: Overview) -> str:
    """Return `overview` as JSON."""
    plain = {
        "instrument": overview.instrument,
        "running": overview.running,
        "supervisor": msgspec.to_builtins(overview.supervisor),
        "receiver": msgspec.to_builtins(overview.receiver),
        "reducer": msgspec.to_builtins(overview.reducer),
        "result": {"names": overview.results, "about": msgspec.to_builtins(overview.about)},
    }
    return msgspec.json.format(msgspec.json.encode(plain), indent=2).decode()


def table(overview: Overview) -> RenderableType:
    """Return `overview` as a table for the terminal."""
    grid = Table.grid(padding=(0, 2))
    grid.add_column(style="bold", no_wrap=True)
    grid.add_column()
    for name, value in _rows(overview):
        # As Text, never as str: titles and reasons come from outside, and rich takes [...] in a str for its markup.
        grid.add_row(name, Text(value) if isinstance(value, str) else value)
    state = Text("running", style="green") if overview.running else Text("not running", style="red")
    parts: list[RenderableType] = [grid]
    failure = overview.reducer.failure if overview.reducer is not None else None
    if overview.supervisor is not None and overview.supervisor.refused:
        parts.append(Text(f"\nrefused, the last good scripts are in charge: {overview.supervisor.refused}", style="red"))
    if failure is not None:
        parts.append(Text(f"\n{failure.role} fails ({failure.count} x): {failure.message}\n{failure.traceback}".rstrip(), style="red"))
    return Panel(Group(*parts), title=Text.assemble("livereduce  ", (overview.instrument, "bold"), "  ", state), title_align="left")


def _rows(overview: Overview) -> list[tuple[str, str | Text]]:
    return [*_source_rows(overview.receiver), *_reducer_rows(overview), *_supervisor_rows(overview.supervisor)]


def _source_rows(receiver: ReceiverStatus | None) -> list[tuple[str, str | Text]]:
    if receiver is None:
        return [("source", "nothing known yet")]
    source = f"{receiver.source}  {receiver.state}" + (f": {receiver.reason}" if receiver.reason else "")
    journal = (
        f"{receiver.journal_records:,} records, {_bytes(receiver.journal_bytes)} of {_bytes(receiver.journal_max_bytes)}"
        + ("  DISK FULL, in memory" if receiver.disk_full else "")
        + (f"  {receiver.lost_records:,} LOST" if receiver.lost_records else "")
    )
    return [
        ("source", Text(source, style="" if receiver.state == "receiving" else "yellow")),
        ("counts", f"{receiver.counts:,}" + (f"  at {receiver.counts_per_s:,.0f} /s" if receiver.counts_per_s else "")),
        ("journal", journal),
    ]


def _reducer_rows(overview: Overview) -> list[tuple[str, str | Text]]:
    reducer = overview.reducer
    if reducer is None:
        return [("reducer", "nothing known yet")]
    number = reducer.run_number or "without a number"
    run = "no run" if reducer.run_number is None else f"{number}  {reducer.run_title}  since {_clock(reducer.run_start_ns)}"
    state = reducer.state + (f": {reducer.reason}" if reducer.reason else "")
    charge = "" if reducer.charge_uah is None else f", {reducer.charge_uah:.4g} uAh"
    left_out = f"  {reducer.events_left_out:,} EVENTS LEFT OUT" if reducer.events_left_out else ""
    rows: list[tuple[str, str | Text]] = [
        ("run", run),
        ("reducer", f"{state}  (number {reducer.generation})"),
        ("chunks", f"{reducer.chunks:,}  at {reducer.chunks_per_s:.2f} /s, the last took {reducer.chunk_s * 1e3:.1f} ms"),
        ("lag", f"{reducer.lag_records:,} records wait; the result was {reducer.lag_s:.2f} s behind its data when it was published"),
        ("accumulation", (f"{reducer.accumulation}, {reducer.counts:,.0f} counts{charge}" if reducer.accumulation else "empty") + left_out),
        ("post-processing", _post(overview)),
        ("result", _sketch(reducer.outline)),
        ("files written", _files(reducer)),
    ]
    rows += [("script", f"{Path(script.path).name}  md5 {script.md5[:8]}") for script in reducer.scripts]
    return rows


def _files(reducer: ReducerStatus) -> str:
    """Tell the newest files, their folder once."""
    if not reducer.files:
        return f"{reducer.files_written:,}"
    folder = Path(reducer.files[0]).parent
    names = [name.name if name.parent == folder else str(name) for name in map(Path, reducer.files[:FILES_SHOWN])]
    return f"{reducer.files_written:,} in {folder}\n{', '.join(names)}"


def _sketch(outline: OutlineStatus | None) -> str:
    """Draw a result with blocks of eight heights."""
    if outline is None:
        return "none yet"
    low, high = min(0.0, *outline.columns), max(outline.columns)
    steps = len(BLOCKS) - 1
    drawn = "".join(BLOCKS[round((value - low) / (high - low) * steps) if high > low else 0] for value in outline.columns)
    return f"{drawn}\n{outline.x_first:g} to {outline.x_last:g} {outline.x_unit}, up to {high:.4g} {outline.y_unit}"


def _post(overview: Overview) -> str:
    reducer = overview.reducer
    assert reducer is not None
    since = reducer.post_running_since_s
    now = f"  (runs since {overview.now_s - since:.1f} s)" if since is not None else ""
    if reducer.post_time_ns is None:
        return f"not yet{now}"
    age = (time.time_ns() - reducer.post_time_ns) / 1e9
    return f"{reducer.post_count} x, the last {age:.0f} s ago took {reducer.post_s * 1e3:.0f} ms{now}"


def _supervisor_rows(supervisor: SupervisorStatus | None) -> list[tuple[str, str | Text]]:
    if supervisor is None:
        return [("supervisor", "nothing known yet")]
    limit = f" of {supervisor.memory_limit_mb:,.0f} MB" if supervisor.memory_limit_mb else " MB, no limit"
    happened = f"{supervisor.reloads} reloads, {supervisor.memory_restarts} at the memory limit, {supervisor.crashes} crashes"
    rows: list[tuple[str, str | Text]] = [
        ("memory", f"{supervisor.memory_mb:,.0f}{limit}"),
        ("replaced", happened),
        ("daemon", f"pid {supervisor.pid}, version {supervisor.version}, since {_clock(supervisor.started_ns)}"),
    ]
    return [*rows, ("last event", supervisor.message)] if supervisor.message else rows


def _clock(time_ns: int | None) -> str:
    if not time_ns:
        return "?"
    return datetime.fromtimestamp(time_ns / 1e9).strftime("%Y-%m-%d %H:%M:%S")


def _bytes(size: int) -> str:
    value, units = float(size), ["B", "kB", "MB", "GB"]
    while value >= 1000 and len(units) > 1:
        value, units = value / 1000, units[1:]
    return f"{value:.3g} {units[0]}"
