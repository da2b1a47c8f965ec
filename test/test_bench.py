"""The benchmark runs, and says what got slower; how fast anything is, is never tested."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from bench.compare import main as compare
from bench.room import wanted

ROOT = Path(__file__).resolve().parents[1]


def results(path: Path, **ms: float) -> str:
    """Write results with our times of some keys; return where."""
    rows = [{"key": key, "cores": "all", "times": [{"name": "livereduce", "median_ms": value}]} for key, value in ms.items()]
    path.write_text(json.dumps({"rows": rows}))
    return str(path)


def test_every_case_runs_in_small_and_its_figures_are_written(tmp_path: Path) -> None:
    output = tmp_path / "results.json"
    command = [sys.executable, "-m", "bench", "--quick", "--output", str(output)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    written: dict[str, Any] = json.loads(output.read_text())
    wanted_keys = {"kernel_2d_vs_scipp", "kernel_2d_vs_numpy", "kernel_log_vs_scipp", "kernel_edges_vs_scipp", "kernel_1d_vs_scipp", "machine"}
    assert wanted_keys <= written.keys()
    assert all(row["times"][0]["name"] == "livereduce" for row in written["rows"])


def test_what_got_more_than_a_tenth_slower_is_a_regression(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    old = results(tmp_path / "old", rebin=100.0, plus=10.0, gone=1.0)
    assert compare(old, results(tmp_path / "fine", rebin=109.0, plus=2.0, fresh=5.0)) == 0
    assert compare(old, results(tmp_path / "slow", rebin=111.0, plus=10.0)) == 1
    assert "1 of 2 more than 10% slower" in capsys.readouterr().out


def test_cases_are_chosen_by_a_part_of_their_key_or_a_pattern() -> None:
    assert wanted("kernel_2d", "")
    assert wanted("kernel_2d", "2d")
    assert wanted("start_s_warm", "start*")
    assert not wanted("kernel_2d", "journal")
