"""What goes wrong in scripts is said once, then counted."""

from __future__ import annotations

import logging

import pytest

from livereduce.errors import AccumulationError, ScriptError
from livereduce.reducer.failures import DISTINCT_ERRORS, Failures


def errors(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [record.getMessage() for record in caplog.records if record.levelno == logging.ERROR]


def test_the_first_failure_is_logged_with_the_scripts_own_traceback_and_what_happens_next(caplog: pytest.LogCaptureFixture) -> None:
    failures = Failures()
    failures.failed("processing", ScriptError("a.py:3: boom", traceback_text="Traceback of a.py"), "the chunk stays", 5)
    assert errors(caplog) == ["Processing failed: a.py:3: boom; the chunk stays\nTraceback of a.py"]
    newest = failures.newest
    assert newest is not None
    assert (newest.role, newest.message, newest.traceback, newest.count, newest.time_ns) == ("processing", "a.py:3: boom", "Traceback of a.py", 1, 5)


def test_the_same_failure_again_is_counted_and_logged_ever_less(caplog: pytest.LogCaptureFixture) -> None:
    failures = Failures()
    for k in range(100):
        failures.failed("processing", ScriptError("boom"), "next", k)
    assert len(errors(caplog)) == 7  # 1, 2, 4, 8, 16, 32, 64
    assert failures.newest is not None
    assert failures.newest.count == 100


def test_two_errors_that_alternate_are_said_once_each(caplog: pytest.LogCaptureFixture) -> None:
    failures = Failures()
    for k in range(20):
        failures.failed("processing", ScriptError(f"boom {k % 2}"), "next", k)
    assert sum("next" in line for line in errors(caplog)) == 2
    assert failures.newest is not None
    assert failures.newest.count == 10


def test_errors_with_a_changing_number_do_not_grow_memory() -> None:
    failures = Failures()
    for k in range(10 * DISTINCT_ERRORS):
        failures.failed("processing", ScriptError(f"boom {k}"), "next", k)
    assert len(failures._said) == DISTINCT_ERRORS


def test_a_success_mends_that_role_and_no_other(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    failures = Failures()
    for role, time_ns in (("processing", 1), ("post-processing", 2), ("processing", 3)):
        failures.failed(role, ScriptError("boom"), "next", time_ns)
    failures.succeeded("processing")
    assert "Processing works again after 2 failures" in caplog.text
    assert failures.newest is not None
    assert failures.newest.role == "post-processing"
    failures.succeeded("post-processing")
    assert failures.newest is None


def test_failures_of_a_script_that_never_worked_are_told_apart_from_those_of_one_that_did() -> None:
    failures = Failures()
    failures.succeeded("processing")
    failures.failed("processing", ScriptError("boom"), "next", 1)
    assert failures.never_worked == 0
    for k in range(3):
        failures.failed("post-processing", ScriptError(f"boom {k}"), "next", k)
    assert failures.never_worked == 3
    assert failures.worked(["processing"])
    assert not failures.worked(["processing", "post-processing"])
    assert failures.worked([])


@pytest.mark.parametrize(
    ("error", "message"), [(AccumulationError("bins"), "bins"), (ValueError("x"), "ValueError: x"), (SystemExit(3), "SystemExit: 3")]
)
def test_errors_that_are_not_ours_bear_their_kind(error: BaseException, message: str) -> None:
    failures = Failures()
    failures.failed("accumulation", error, "next", 1)
    assert failures.newest is not None
    assert failures.newest.message == message
