"""What people and programs see of the service."""

from __future__ import annotations

import io
import json
import math
import time
from pathlib import Path

import pytest
from rich.console import Console

from livereduce.publish.overview import Overview, as_text, print_status, read_overview, table
from livereduce.store.board import About, Board
from livereduce.store.places import Places
from livereduce.store.status import FailureStatus, ReceiverStatus, ReducerStatus, ScriptStatus, SupervisorStatus
from test.fakes import workspace

NOW_S = 5000.0
ABOUT = About(run_number=7, chunk_first=1, chunk_last=9, chunks=3, data_ns=0, published_ns=0, scripts={"processing": "abc"})


def receiver(**changes: object) -> ReceiverStatus:
    known = {"state": "receiving", "source": "isis_histogram host:6789", "counts": 1234567, "counts_per_s": 8900.0, "journal_records": 42}
    return ReceiverStatus(pid=1, beat_s=NOW_S, journal_bytes=2_500_000, journal_max_bytes=10**10, **{**known, **changes})  # type: ignore[arg-type]


def reducer(**changes: object) -> ReducerStatus:
    known = {
        "state": "up to date", "run_number": 777, "run_title": "Ni powder", "run_start_ns": 10**18, "charge_uah": 1.25, "chunks": 31,
        "accumulation": "5 spectra x 9 bins", "counts": 4.5e6, "post_time_ns": time.time_ns(), "post_count": 12,
        "scripts": [ScriptStatus(role="processing", path="/s/proc.py", md5="0123456789abcdef")], "files": ["/out/a.nxs"], "files_written": 3,
    }  # fmt: skip
    return ReducerStatus(pid=2, beat_s=NOW_S, **{**known, **changes})  # type: ignore[arg-type]


def supervisor(**changes: object) -> SupervisorStatus:
    known = {"instrument": "ARCS", "version": "9.9", "memory_mb": 512.0, "memory_limit_mb": 2048.0, "reloads": 4, "crashes": 1, "message": "fine"}
    return SupervisorStatus(pid=3, **{"beat_s": NOW_S, **known, **changes})  # type: ignore[arg-type]


def overview(**changes: object) -> Overview:
    full = {"supervisor": supervisor(), "receiver": receiver(), "reducer": reducer(), "about": ABOUT, "results": ["result"]}
    return Overview(instrument="ARCS", now_s=NOW_S + 1.0, **{**full, **changes})  # type: ignore[arg-type]


def drawn(shown: Overview) -> str:
    out = io.StringIO()
    Console(file=out, width=160, force_terminal=False).print(table(shown))
    return out.getvalue()


NOTHING = overview(supervisor=None, receiver=None, reducer=None, about=None, results=[])


def test_a_board_with_nothing_on_it_is_shown_as_such() -> None:
    text = drawn(NOTHING)
    assert text.count("nothing known yet") == 3
    assert "not running" in text


@pytest.mark.parametrize(
    "figure",
    ["isis_histogram host:6789  receiving", "1,234,567  at 8,900 /s", "42 records, 2.5 MB of 10 GB", "777  Ni powder", "31  at", "5 spectra x 9 bins",
     "4,500,000 counts, 1.25 uAh", "12 x, the last", "/out", "a.nxs", "md5 01234567", "512 of 2,048 MB", "4 reloads", "1 crashes",
     "fine", "pid 3, version 9.9"],
)  # fmt: skip
def test_the_figures_that_matter_are_on_it(figure: str) -> None:
    text = drawn(overview())
    assert figure in text
    assert "not running" not in text


def test_trouble_is_shown() -> None:
    failure = FailureStatus(role="processing", message="proc.py:3: boom", traceback="Traceback [of the script]", count=5)
    shown = overview(
        receiver=receiver(state="waiting to reconnect", reason="refused", disk_full=True, lost_records=17),
        reducer=reducer(failure=failure, post_time_ns=None, post_running_since_s=NOW_S - 4, charge_uah=None, run_number=None, accumulation=""),
        supervisor=supervisor(memory_limit_mb=0.0),
    )
    text = drawn(shown)
    for words in (
        "waiting to reconnect: refused", "DISK FULL, in memory", "17 LOST", "processing fails (5 x): proc.py:3: boom", "Traceback [of the script]",
        "not yet  (runs since 5.0 s)", "no run", "empty", "512 MB, no limit",
    ):  # fmt: skip
        assert words in text


@pytest.mark.parametrize("title", ["[/red] done", "[bold]x[/bold]", "a[", "[link=http://x]y"])
def test_brackets_in_what_comes_from_outside_are_only_brackets(title: str) -> None:
    text = drawn(overview(reducer=reducer(run_title=title), supervisor=supervisor(message=title)))
    assert text.count(title) == 2


@pytest.mark.parametrize(("age_s", "running"), [(0.0, True), (4.9, True), (5.1, False), (-10.0, False)])
def test_a_daemon_that_says_nothing_does_not_run(age_s: float, running: bool) -> None:
    shown = overview(supervisor=supervisor(beat_s=NOW_S + 1.0 - age_s))
    assert shown.running is running
    assert json.loads(as_text(shown))["running"] is running


def test_json_has_all_of_it() -> None:
    found = json.loads(as_text(overview(receiver=receiver(counts_per_s=math.nan))))
    assert found["receiver"]["counts"] == 1234567
    assert found["receiver"]["counts_per_s"] is None
    assert found["reducer"]["scripts"][0]["path"] == "/s/proc.py"
    assert found["supervisor"]["reloads"] == 4
    assert found["result"] == {"names": ["result"], "about": json.loads(json.dumps(found["result"]["about"]))}
    assert found["result"]["about"]["run_number"] == 7
    assert json.loads(as_text(NOTHING))["supervisor"] is None


def test_the_status_of_a_running_service_is_printed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    board = Board(Places(tmp_path).board)
    board.set_status(supervisor(beat_s=time.monotonic()))
    board.publish({"result": workspace([[1.0]])}, ABOUT)
    assert read_overview(board, "ARCS").results == ["result"]
    board.close()
    assert print_status(tmp_path, "ARCS", as_json=True) == 0
    assert json.loads(capsys.readouterr().out)["result"]["about"]["chunks"] == 3
    assert print_status(tmp_path, "ARCS", as_json=False) == 0
    assert "ARCS" in capsys.readouterr().out


def test_a_service_that_never_ran_is_said_to_be_none(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert print_status(tmp_path, "ARCS", as_json=False) == 1
    assert capsys.readouterr().out == f"ARCS: no daemon has run with the state folder {tmp_path}\n"
    assert print_status(tmp_path, "ARCS", as_json=True) == 1
    assert json.loads(capsys.readouterr().out)["running"] is False
