"""What it was measured on."""

from __future__ import annotations

import os
import platform
from importlib.metadata import version
from pathlib import Path


def machine() -> dict[str, str | int]:
    """Return processor, cores, memory and versions; nothing that names the machine."""
    return {
        "processor": _line("/proc/cpuinfo", "model name"),
        "cores": len(os.sched_getaffinity(0)),
        "cache": _line("/proc/cpuinfo", "cache size"),
        "memory_gb": int(_line("/proc/meminfo", "MemTotal").split()[0]) // 2**20,
        "kernel": platform.release().split("-")[0],
        "python": platform.python_version(),
        **{name: version(name) for name in ("numpy", "numba", "scipp", "boost-histogram", "h5py", "lmdb")},
    }


def _line(path: str, name: str) -> str:
    """Return what stands behind `name` in a file of lines ``name: value``."""
    for line in Path(path).read_text(encoding="utf-8").splitlines():
        key, _, value = line.partition(":")
        if key.strip() == name:
            return value.strip()
    return "0 unknown"
