"""The memory guard: what a process takes, what it may take.

Covers memory that a process has for itself: heap, stacks, what numpy allocates. Pages of the stores that it has mapped do not count: the
kernel takes them back when it needs them. systemd's MemoryMax is the second guard, for when this process cannot answer.
"""

from __future__ import annotations

from pathlib import Path

MB = 2**20


def used_bytes(pid: int, proc: Path = Path("/proc")) -> int:
    """Return the memory that process `pid` has for itself, in memory or swapped out; 0 when it is gone.

    Fields RssAnon, RssShmem and VmSwap of ``/proc/<pid>/status`` (proc_pid_status(5)), kB.
    """
    try:
        lines = (proc / str(pid) / "status").read_text().splitlines()
    except (FileNotFoundError, ProcessLookupError):
        return 0
    fields = dict(line.split(":", 1) for line in lines if ":" in line)
    return sum(int(fields.get(name, "0 kB").split()[0]) for name in ("RssAnon", "RssShmem", "VmSwap")) * 1024


def total_bytes(proc: Path = Path("/proc"), cgroups: Path = Path("/sys/fs/cgroup")) -> int:
    """Return the memory of the machine, or of the control group that this process is in when that is less.

    ``MemTotal`` of /proc/meminfo; ``memory.max`` of the group and of those above it (cgroup v2).
    """
    meminfo = dict(line.split(":", 1) for line in (proc / "meminfo").read_text().splitlines())
    total = int(meminfo["MemTotal"].split()[0]) * 1024
    return min([total, *_group_limits(proc, cgroups)])


def limit_bytes(percent: float, total: int) -> int:
    """Return the limit that `percent` of `total` stands for; 0 for none."""
    return int(total * percent / 100)


def _group_limits(proc: Path, cgroups: Path) -> list[int]:
    try:
        lines = (proc / "self" / "cgroup").read_text().splitlines()
    except OSError:
        return []
    own = next((line.removeprefix("0::").strip("/") for line in lines if line.startswith("0::")), None)
    if own is None:
        return []
    folder, limits = cgroups / own, []
    while folder != cgroups.parent and folder.is_relative_to(cgroups):
        try:
            text = (folder / "memory.max").read_text().strip()
        except OSError:
            text = "max"
        if text.isdigit():
            limits.append(int(text))
        folder = folder.parent
    return limits
