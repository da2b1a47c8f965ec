"""Bytes that broke a protocol's layout, kept for the report to whoever sends them."""

from __future__ import annotations

from pathlib import Path

KEPT_BYTES = 64 * 1024
"""Of each bad packet."""

KEPT_FILES = 20
"""The oldest is removed; a source that sends nonsense for a week does not fill the disk."""


def keep_evidence(folder: Path, data: bytes, time_ns: int) -> Path:
    """Write the first 64 kB of `data` to a file named by its time; return its path, also when the disk does not take it."""
    path = folder / f"bad-packet-{time_ns}.bin"
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        path.write_bytes(data[:KEPT_BYTES])
        path.chmod(0o600)
        for old in sorted(folder.glob("bad-packet-*.bin"))[:-KEPT_FILES]:
            old.unlink(missing_ok=True)
    except OSError:
        return Path(f"{path} (not written)")
    return path
