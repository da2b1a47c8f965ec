"""The memory guard, on made-up /proc and cgroup trees and on this very process."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest

from livereduce.supervisor.memory import limit_bytes, total_bytes, used_bytes

KB, GB = 1024, 2**30


def proc_with(tmp_path: Path, *, status: str | None = None, total_kb: int = 16 * 2**20, cgroup: str | None = "0::/a/b\n") -> Path:
    proc = tmp_path / "proc"
    (proc / "7").mkdir(parents=True)
    (proc / "self").mkdir()
    (proc / "meminfo").write_text(f"MemTotal:       {total_kb} kB\nMemFree:        1 kB\n")
    if status is not None:
        (proc / "7" / "status").write_text(status)
    if cgroup is not None:
        (proc / "self" / "cgroup").write_text(cgroup)
    return proc


def groups_with(tmp_path: Path, limits: dict[str, str]) -> Path:
    root = tmp_path / "cgroup"
    (root / "a" / "b").mkdir(parents=True)
    for group, text in limits.items():
        (root / group / "memory.max").write_text(text)
    return root


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        ("Name:\tpython\nVmRSS:\t  900 kB\nRssAnon:\t  100 kB\nRssFile:\t  700 kB\nRssShmem:\t  20 kB\nVmSwap:\t  3 kB\n", 123 * KB),
        ("Name:\ta: b\nRssAnon:\t  100 kB\n", 100 * KB),
        ("Name:\tzombie\nState:\tZ (zombie)\n", 0),
        (None, 0),
    ],
)
def test_memory_that_a_process_has_for_itself_counts(tmp_path: Path, status: str | None, expected: int) -> None:
    assert used_bytes(7, proc_with(tmp_path, status=status)) == expected


def test_memory_that_numpy_takes_is_seen() -> None:
    before = used_bytes(os.getpid())
    taken = np.ones(50 * 2**20, dtype=np.uint8)
    assert used_bytes(os.getpid()) - before > 40 * 2**20
    assert taken[0] == 1


def test_a_process_that_is_gone_has_none(tmp_path: Path) -> None:
    assert used_bytes(8, proc_with(tmp_path)) == 0


@pytest.mark.parametrize(
    ("limits", "cgroup", "expected"),
    [
        ({}, "0::/a/b\n", 16 * GB),
        ({"a/b": "max\n", "a": "max\n"}, "0::/a/b\n", 16 * GB),
        ({"a/b": f"{2 * GB}\n"}, "0::/a/b\n", 2 * GB),
        ({"a": f"{3 * GB}\n", "a/b": "max\n"}, "0::/a/b\n", 3 * GB),
        ({"a": f"{3 * GB}\n", "a/b": f"{4 * GB}\n"}, "0::/a/b\n", 3 * GB),
        ({"a/b": f"{99 * GB}\n"}, "0::/a/b\n", 16 * GB),
        ({".": f"{5 * GB}\n"}, "0::/\n", 5 * GB),
        ({"a/b": f"{2 * GB}\n"}, "1:memory:/a/b\n0::/a\n", 16 * GB),
        ({"a/b": f"{2 * GB}\n"}, "4:memory:/a/b\n", 16 * GB),
        ({"a/b": f"{2 * GB}\n"}, None, 16 * GB),
        ({}, "0::/not/there\n", 16 * GB),
        ({}, "0::/../outside\n", 16 * GB),
    ],
)
def test_the_lowest_limit_on_the_way_to_the_root_counts(tmp_path: Path, limits: dict[str, str], cgroup: str | None, expected: int) -> None:
    assert total_bytes(proc_with(tmp_path, cgroup=cgroup), groups_with(tmp_path, limits)) == expected


def test_this_machine_has_memory() -> None:
    assert total_bytes() > 100 * 2**20


@pytest.mark.parametrize(("percent", "expected"), [(70, 700), (0, 0), (100, 1000), (0.5, 5)])
def test_a_limit_is_a_share_of_the_total(percent: float, expected: int) -> None:
    assert limit_bytes(percent, 1000) == expected
