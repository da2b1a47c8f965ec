"""What the processes say of themselves on the board."""

from __future__ import annotations

import msgspec


class ReceiverStatus(msgspec.Struct, kw_only=True, tag="receiver"):
    """What the receiver does."""

    pid: int
    """Process id."""

    beat_s: float = 0.0
    """When it last made progress or waited in good order, s of the machine's monotonic clock."""

    state: str = "starting"
    """starting, connecting, receiving, holding back, waiting to reconnect, stopped."""

    reason: str = ""
    """Why, when it is not receiving."""

    source: str = ""
    """Type and address of the source."""

    run_number: int | None = None
    """Number of the run that goes on; None between runs."""

    records: int = 0
    """Records received since the process started."""

    connections: int = 0
    """Connections made."""

    bad_packets: int = 0
    """Packets that broke their layout."""

    last_record_ns: int | None = None
    """Time of the newest record, ns since 1970-01-01 UTC."""

    counts: int = 0
    """Counts in the newest reading, all spectra and periods."""

    counts_per_s: float = 0.0
    """Rate of counts between the last two readings of a run."""

    journal_records: int = 0
    """Records in the journal."""

    journal_bytes: int = 0
    """Bytes they take."""

    journal_max_bytes: int = 0
    """Bound on that."""

    journal_end: int = 0
    """Position after the newest record."""

    disk_full: bool = False
    """True while the journal lives in memory."""

    lost_records: int = 0
    """Records that nothing could keep."""


class ScriptStatus(msgspec.Struct, kw_only=True, frozen=True):
    """A script that is in charge."""

    role: str
    """processing or post-processing."""

    path: str
    """Its file."""

    md5: str
    """md5 of its text."""


class FailureStatus(msgspec.Struct, kw_only=True, frozen=True):
    """What went wrong last in a script."""

    role: str
    """processing, post-processing or accumulation."""

    message: str
    """File, line and error."""

    traceback: str = ""
    """The script's own traceback."""

    count: int = 1
    """How often this very error came since the script last ran well."""

    time_ns: int = 0
    """When it came last, ns since 1970-01-01 UTC."""


class OutlineStatus(msgspec.Struct, kw_only=True, frozen=True):
    """A result in a few numbers."""

    columns: list[float]
    """Mean over the spectra and over the bins of each column, ascending in x."""

    x_first: float
    """x at the left."""

    x_last: float
    """x at the right."""

    x_unit: str
    """Unit id of x."""

    y_unit: str
    """What the columns count."""


class ReducerStatus(msgspec.Struct, kw_only=True, tag="reducer"):
    """What the reducer does."""

    pid: int
    """Process id."""

    generation: int = 0
    """Which reducer since the daemon started, from 1."""

    beat_s: float = 0.0
    """When it last made progress or waited in good order, s of the machine's monotonic clock."""

    state: str = "starting"
    """starting, catching up, waiting for data, processing, up to date, stopped."""

    reason: str = ""
    """Why, in words."""

    run_number: int | None = None
    """Run that it works on."""

    run_title: str = ""
    """Its title."""

    run_start_ns: int | None = None
    """Its start, ns since 1970-01-01 UTC."""

    charge_uah: float | None = None
    """Proton charge of the accumulation, uA·h."""

    position: int = 0
    """Journal position of the next record to process."""

    lag_records: int = 0
    """Records in the journal that wait."""

    lag_s: float = 0.0
    """Age of the newest data when their result stood on the board, s."""

    chunks: int = 0
    """Chunks processed in this run by this reducer."""

    chunks_per_s: float = 0.0
    """Chunks over the last minute."""

    chunk_s: float = 0.0
    """Time the last chunk took, s."""

    failures_of_new_script: int = 0
    """Executions in a row that failed of a script that has never run well here."""

    proven: bool = False
    """Whether each script has run well at least once."""

    events_left_out: int = 0
    """Events whose spectrum or period the run does not have, since the process started."""

    restarts_of_accumulation: int = 0
    """How often the accumulation began anew because a chunk did not fit."""

    accumulation: str = ""
    """Shape of the accumulation in words."""

    counts: float = 0.0
    """Counts in the accumulation."""

    post_time_ns: int | None = None
    """End of the last post-processing, ns since 1970-01-01 UTC."""

    post_s: float = 0.0
    """Time it took, s."""

    post_count: int = 0
    """How often post-processing ran."""

    post_running_since_s: float | None = None
    """Start of the one that runs now, s of the monotonic clock; None when none runs."""

    files: list[str] = msgspec.field(default_factory=list)
    """Files that the scripts wrote last, newest first."""

    files_written: int = 0
    """Files written by this reducer."""

    outline: OutlineStatus | None = None
    """The result published last, None before the first."""

    scripts: list[ScriptStatus] = msgspec.field(default_factory=list)
    """Scripts in charge."""

    failure: FailureStatus | None = None
    """Last failure, None when the scripts run well."""


class SupervisorStatus(msgspec.Struct, kw_only=True, tag="supervisor"):
    """What the supervisor does."""

    pid: int
    """Process id."""

    beat_s: float = 0.0
    """When its loop last turned, s of the monotonic clock."""

    instrument: str = ""
    """Instrument."""

    version: str = ""
    """Version of livereduce."""

    started_ns: int = 0
    """Start of the daemon, ns since 1970-01-01 UTC."""

    memory_mb: float = 0.0
    """Memory of the reducer, MB."""

    memory_limit_mb: float = 0.0
    """Limit on it, MB; 0 for none."""

    memory_restarts: int = 0
    """How often the reducer was replaced at the limit."""

    reloads: int = 0
    """How often a changed script took over."""

    crashes: int = 0
    """How often a child died or hung."""

    message: str = ""
    """The last thing it did."""

    refused: str = ""
    """Scripts on disk that never worked and gave way to the last good ones, and why; empty when those on disk are in charge."""

    stopped: bool = False
    """True when it ended in good order."""


Status = ReceiverStatus | ReducerStatus | SupervisorStatus
