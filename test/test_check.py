"""`livereduce check`, run as a user runs it."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parent.parent


def check(path: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-m", "livereduce", "check", str(path)], cwd=path.parent, capture_output=True, text=True, timeout=120)


def test_a_script_that_works_is_told_with_time_memory_and_output_of_each_chunk(tmp_path: Path) -> None:
    script = tmp_path / "reduce_X_live_proc.py"
    script.write_text("from mantid.simpleapi import *\nRebin(InputWorkspace=input, Params='10000,1000,50000', OutputWorkspace=output)\n")
    done = check(script)
    assert done.returncode == 0, done
    assert done.stdout.count("MB, 100 spectra x 40 bins") == 6
    assert done.stdout.endswith("works\n")


def test_a_script_that_leaks_shows_it(tmp_path: Path) -> None:
    script = tmp_path / "reduce_X_live_proc.py"
    script.write_text("import mantid, numpy\nmantid.hoard = getattr(mantid, 'hoard', []) + [numpy.ones(5_000_000)]\n")
    done = check(script)
    assert done.stdout.count(" +38.") >= 5


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("reduce_X_live_proc.py", "x = (\n", "FAILS: reduce_X_live_proc.py:1: "),
        ("reduce_X_live_proc.py", "from mantid.simpleapi import Rebn\n", "FAILS: reduce_X_live_proc.py:1: no algorithm 'Rebn'"),
        ("reduce_X_live_proc.py", "\nRebin(input)\n", "FAILS: reduce_X_live_proc.py:2: "),
        ("reduce_X_live_post_proc.py", "1 / 0\n", "FAILS: reduce_X_live_post_proc.py:1: ZeroDivisionError: division by zero"),
        ("reduce_X_live_proc.py", " \n", "is not there or empty"),
    ],
)
def test_a_script_that_would_fail_is_told_with_its_line(tmp_path: Path, name: str, text: str, said: str) -> None:
    script = tmp_path / name
    script.write_text(text)
    done = check(script)
    assert done.returncode == 1, done
    assert said in done.stdout


def test_what_a_script_writes_by_a_relative_name_does_not_stay(tmp_path: Path) -> None:
    script = tmp_path / "reduce_X_live_post_proc.py"
    script.write_text("SaveAscii('accumulation', 'here.txt')\n")
    assert check(script).returncode == 0
    assert [path.name for path in tmp_path.iterdir()] == [script.name]


def test_a_configuration_is_checked_with_its_scripts(tmp_path: Path) -> None:
    (tmp_path / "reduce_ISIS_Histogram_live_post_proc.py").write_text("SumSpectra('accumulation', OutputWorkspace='result')\n")
    conf = tmp_path / "live.conf"
    conf.write_text(json.dumps({"instrument": "ISIS_Histogram", "script_dir": str(tmp_path), "periods": [1, 2]}))
    done = check(conf)
    assert done.returncode == 0, done
    assert "source ISIS_Histogram 127.0.0.1:56789" in done.stdout
    assert "a group of 2" in done.stdout
    conf.write_text('{"instrument": "ISIS_Histogram", "update_evry": 3}')
    done = check(conf)
    assert done.returncode == 2
    assert done.stderr == f"livereduce: {conf}: update_evry: unknown key; did you mean update_every?\n"
