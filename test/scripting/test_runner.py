"""Scripts that run against workspaces, through the face that they import."""

import gc
import logging
import os
import sys
import textwrap
import threading
import weakref
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

from livereduce.data.group import AnyWorkspace, WorkspaceGroup
from livereduce.data.names import Names
from livereduce.data.workspace import Spectra, Workspace
from livereduce.errors import ScriptError
from livereduce.scripting import mantid
from livereduce.scripting.mantid import DataService
from livereduce.scripting.runner import Runner
from livereduce.scripting.script import Script

NAME = "reduce_X_live_proc"


def workspace(scale: float = 1.0) -> Workspace:
    y = scale * np.array([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]])
    return Workspace(x=np.array([0.0, 10.0, 20.0, 30.0]), y=y, variance=y.copy(), spectra=Spectra.counted(2))


def total(value: AnyWorkspace) -> float:
    assert isinstance(value, Workspace)
    return float(value.y.sum())


def group() -> WorkspaceGroup:
    return WorkspaceGroup(members=(workspace(1), workspace(10)))


@pytest.fixture
def service(monkeypatch: pytest.MonkeyPatch) -> Iterator[DataService]:
    before = {name: module for name, module in sys.modules.items() if name.partition(".")[0] == "mantid"}
    monkeypatch.setattr(sys, "path", list(sys.path))
    yield mantid.install(Names())
    for name in [name for name in sys.modules if name.partition(".")[0] == "mantid"]:
        del sys.modules[name]
    sys.modules.update(before)


@pytest.fixture
def runner(service: DataService, tmp_path: Path) -> Runner:
    return Runner(service, tmp_path)


@pytest.fixture
def script(tmp_path: Path) -> Callable[..., Script]:
    def make(text: str, name: str = NAME) -> Script:
        path = tmp_path / f"{name}.py"
        path.write_text(textwrap.dedent(text))
        made = Script.read(path)
        assert made is not None
        return made

    return make


Make = Callable[..., Script]


# --- a chunk


@pytest.mark.parametrize("text", ["pass", "output = None", "del output", "print(input.name())\nreturn input", "DeleteWorkspace(input)"])
def test_a_script_that_makes_nothing_passes_the_chunk(runner: Runner, script: Make, text: str) -> None:
    chunk = workspace()
    assert runner.run_chunk(script(text), chunk) is chunk


@pytest.mark.parametrize(
    "text",
    [
        "Scale(input, 2, OutputWorkspace=output)",
        "Scale(InputWorkspace=str(input), Factor=2, OutputWorkspace=str(input))",
        "output = Scale(input, 2)",
        "output = input * 2",
        "output = input + input",
        "ws = Scale(input, 2)\noutput = 'ws'",
        "ws = Scale(input, 2)\noutput = ws",
        "def work():\n    Scale(input, 2, OutputWorkspace=output)\nif __name__ == '__main__':\n    work()\n    return",
        "from mantid.simpleapi import *\nimport mantid.simpleapi as api\napi.Scale(mtd[output], 2, OutputWorkspace=output)",
        "for i in range(input.getNumberHistograms()):\n    input.setY(i, 2 * input.readY(i))",
        "input *= 2",
    ],
)
def test_what_the_script_makes_of_the_chunk_is_taken(runner: Runner, script: Make, text: str) -> None:
    chunk = workspace()
    assert total(runner.run_chunk(script(text), chunk)) == 42.0
    assert total(chunk) == 21.0


def test_a_group_is_processed_and_leaves_nothing_behind(runner: Runner, service: DataService, script: Make) -> None:
    made = runner.run_chunk(script("Scale(input, 2, OutputWorkspace=output)"), group())
    assert isinstance(made, WorkspaceGroup)
    assert [total(one) for one in made.members] == [42.0, 420.0]
    assert list(service.names) == []


@pytest.mark.parametrize("text", ["Scale(input, 2, OutputWorkspace=output)", "1 / 0", "ws = CloneWorkspace(input); DeleteWorkspace(ws)"])
def test_the_chunk_is_gone_from_mtd_afterwards_also_after_an_error(runner: Runner, service: DataService, script: Make, text: str) -> None:
    try:
        runner.run_chunk(script(text), workspace())
    except ScriptError:
        assert text == "1 / 0"
    assert list(service.names) == []


def test_input_is_called_what_output_says(runner: Runner, script: Make) -> None:
    runner.run_chunk(script("assert str(input) == output == input.name() and mtd[output] is input and isinstance(output, str)"), workspace())


def test_output_answers_as_the_workspace_that_it_names(runner: Runner, script: Make) -> None:
    runner.run_chunk(script("assert output.getNumberHistograms() == 2 and mtd[str(output)].getNumberHistograms() == 2"), workspace())
    with pytest.raises(
        ScriptError, match=r"AttributeError: 'output' is the name 'result' and no workspace bears it yet: it has no 'getNumberEvents'"
    ):
        runner.run_post(script("output.getNumberEvents()"), workspace())


def test_output_that_names_nothing_is_an_error_with_the_nearest(runner: Runner, script: Make) -> None:
    with pytest.raises(ScriptError, match=rf"^{NAME}.py: output is 'focusd'. .*did you mean 'focused'\?"):
        runner.run_chunk(script("focused = CloneWorkspace(input); output = 'focusd'"), workspace())


def test_output_that_is_something_else_is_an_error(runner: Runner, script: Make) -> None:
    with pytest.raises(ScriptError, match=rf"^{NAME}.py: output is int 5; wanted a name, a workspace or None$"):
        runner.run_chunk(script("output = 5"), workspace())


def test_output_that_was_deleted_is_an_error(runner: Runner, script: Make) -> None:
    with pytest.raises(ScriptError, match=rf"^{NAME}.py: output: .*'ws' was deleted"):
        runner.run_chunk(script("ws = CloneWorkspace(input); output = ws; DeleteWorkspace('ws')"), workspace())


# --- from one execution to the next


def test_nothing_leaks_but_workspaces_modules_and_files(runner: Runner, service: DataService, script: Make) -> None:
    text = """
        import os
        assert 'leak' not in globals()
        leak = 1
        os.seen_by_script = getattr(os, 'seen_by_script', 0) + 1
        if 'kept' in mtd:
            kept = Plus('kept', input)
        else:
            kept = CloneWorkspace(input)
    """
    made = script(text)
    try:
        for _ in range(3):
            runner.run_chunk(made, workspace())
        assert os.seen_by_script == 3  # type: ignore[attr-defined]
    finally:
        del os.seen_by_script  # type: ignore[attr-defined]
    assert total(service.value("kept")) == 63.0
    assert list(service.names) == ["kept"]


def test_a_global_of_the_script_is_one_name(runner: Runner, script: Make) -> None:
    runner.run_chunk(script("n = 0\ndef more():\n    global n\n    n += 1\nmore(); more()\nassert n == 2"), workspace())


def test_the_names_that_scripts_expect_are_there(runner: Runner, script: Make) -> None:
    text = """
        assert __name__ == '__main__' and __file__.endswith('.py')
        assert mantid.simpleapi.Rebin is Rebin and mantid.mtd is mtd and mtd is mantid.simpleapi.mtd
        assert os.getcwd() and sys.path and json.dumps(1) and time.time()
        logger.info('%d', 1); logger.information('2'); logger.notice('3'); mantid.logger.warning('4')
        assert 'accumulation' not in globals()
    """
    runner.run_chunk(script(text), workspace())


def test_modules_beside_the_script_are_importable(runner: Runner, tmp_path: Path, script: Make) -> None:
    (tmp_path / "helper_of_runner_test.py").write_text(
        "from mantid.simpleapi import Scale\ndef double(ws, out):\n    return Scale(ws, 2, OutputWorkspace=out)\n"
    )
    try:
        made = runner.run_chunk(script("import helper_of_runner_test as h\nh.double(input, output)"), workspace())
    finally:
        del sys.modules["helper_of_runner_test"]
    assert total(made) == 42.0
    assert not (tmp_path / "__pycache__").exists()


def test_the_arrays_of_a_chunk_do_not_outlive_it(runner: Runner, script: Make) -> None:
    # Functions and globals hold one another; the chunk must not wait for the collector of cycles.
    made = script("keep = input\ndef f():\n    return input, keep\nif input.readY(0)[0] < 0:\n    raise ValueError('negative')\n")
    gc.disable()
    try:
        for scale in (1.0, -1.0):
            chunk = workspace(scale)
            gone = weakref.ref(chunk.y)
            try:
                runner.run_chunk(made, chunk)
            except ScriptError as error:
                kept = error.with_traceback(None)
            del chunk
            assert gone() is None
    finally:
        gc.enable()
    assert "negative" in str(kept)


# --- post-processing


@pytest.mark.parametrize(
    "text",
    [
        "Scale(input, 2, OutputWorkspace=output)",
        "Scale('accumulation', 2, OutputWorkspace='result')",
        "result = Scale(accumulation, 2)",
        "Scale(mtd['accumulation'], 2, OutputWorkspace='other')\noutput = 'other'",
        "output = accumulation * 2",
        "Scale(accumulation, 2, OutputWorkspace=accumulation)\nRenameWorkspace('accumulation', 'result')",
        "Scale(accumulation, 2, OutputWorkspace=accumulation)",
        "assert accumulation is input and str(input) == 'accumulation' and output == 'result'\noutput = Scale(input, 2)\nreturn",
    ],
)
def test_what_the_script_makes_of_the_accumulation_is_the_result_each_time(runner: Runner, script: Make, text: str) -> None:
    snapshot, made = workspace(), script(text)
    assert [total(runner.run_post(made, snapshot)) for _ in range(3)] == [42.0] * 3
    assert total(snapshot) == 21.0


def test_no_result_publishes_the_accumulation_and_says_so_once(runner: Runner, script: Make, caplog: pytest.LogCaptureFixture) -> None:
    made, snapshot = script("pass"), workspace()
    assert runner.run_post(made, snapshot) is snapshot
    assert runner.run_post(made, snapshot) is snapshot
    assert [one.levelname for one in caplog.records if "made no 'result'" in one.message] == ["WARNING"]


@pytest.mark.parametrize("make", [workspace, group])
def test_a_result_of_the_time_before_is_not_taken_again(runner: Runner, script: Make, make: Callable[[], AnyWorkspace]) -> None:
    runner.run_post(script("CloneWorkspace(input, OutputWorkspace=output)"), make())
    snapshot = make()
    left = runner.run_post(script("assert mtd.doesExist('result')"), snapshot)
    members = (
        (left.members, snapshot.members) if isinstance(left, WorkspaceGroup) and isinstance(snapshot, WorkspaceGroup) else ((left,), (snapshot,))
    )
    assert all(a is b for a, b in zip(*members, strict=True))


def test_a_result_may_grow_from_the_one_before(runner: Runner, script: Make) -> None:
    made = script(
        "if mtd.doesExist(output):\n    Plus(output, input, OutputWorkspace=output)\nelse:\n    CloneWorkspace(input, OutputWorkspace=output)"
    )
    assert [total(runner.run_post(made, workspace())) for _ in range(3)] == [21.0, 42.0, 63.0]


def test_a_result_cloned_from_what_was_one_before_is_new(runner: Runner, script: Make) -> None:
    runner.run_post(script("Scale(input, 2, OutputWorkspace='result')\nkept = CloneWorkspace('result')"), workspace())
    assert total(runner.run_post(script("CloneWorkspace('kept', OutputWorkspace='result')"), workspace())) == 42.0


def test_both_scripts_see_the_same_workspaces(runner: Runner, script: Make) -> None:
    runner.run_chunk(script("vanadium = Scale(input, 2)"), workspace())
    assert total(runner.run_post(script("output = mtd['vanadium']"), workspace())) == 42.0


# --- errors


def failure(runner: Runner, made: Script) -> ScriptError:
    with pytest.raises(ScriptError) as caught:
        runner.run_chunk(made, workspace())
    assert caught.value.__context__ is None or isinstance(caught.value.__context__, SyntaxError)
    return caught.value


def test_an_error_names_file_line_and_kind_and_shows_the_scripts_frames_alone(runner: Runner, script: Make) -> None:
    error = failure(runner, script("def f():\n    return 1 / 0\nf()"))
    assert str(error) == f"{NAME}.py:2: ZeroDivisionError: division by zero"
    assert error.traceback_text.count("File ") == 2
    assert "in <module>\n    f()\n" in error.traceback_text
    assert "runner.py" not in error.traceback_text


def test_an_error_in_a_helper_names_the_helper(runner: Runner, tmp_path: Path, script: Make) -> None:
    (tmp_path / "failing_of_runner_test.py").write_text("\n\nraise KeyError('x')\n")
    error = failure(runner, script("import failing_of_runner_test"))
    assert str(error) == "failing_of_runner_test.py:3: KeyError: 'x'"
    (tmp_path / "failing_of_runner_test.py").write_text("\nx = = 1\n")
    assert str(failure(runner, script("import failing_of_runner_test"))).startswith("failing_of_runner_test.py:2: SyntaxError: invalid syntax")


@pytest.mark.parametrize(
    "line",
    ["Rebin(input, Params='1,x')", "Rebin(input, Parms='1,2,3')", "Rebin('nothing', '0,10,30')", "mtd['nothing']", "input.readZ(0)", "Rebn(input)"],
)
def test_what_the_face_refuses_shows_the_scripts_line_last(runner: Runner, script: Make, line: str) -> None:
    error = failure(runner, script(f"x = 1\n{line}"))
    assert str(error).startswith(f"{NAME}.py:2: ")
    assert error.traceback_text.count("File ") == 1
    assert "livereduce/" not in error.traceback_text


def test_a_name_that_is_not_defined_is_told_with_the_nearest_that_is(runner: Runner, script: Make) -> None:
    assert (
        str(failure(runner, script("def f():\n    Rebn(input)\nf()"))) == f"{NAME}.py:2: NameError: name 'Rebn' is not defined; did you mean 'Rebin'?"
    )
    assert str(failure(runner, script("quite_another"))) == f"{NAME}.py:1: NameError: name 'quite_another' is not defined"


def test_an_algorithm_that_does_not_exist_is_told_before_anything_runs(runner: Runner, script: Make, service: DataService) -> None:
    error = failure(runner, script("kept = CloneWorkspace(input)\nfrom mantid.simpleapi import Rebn"))
    assert str(error) == f"{NAME}.py:2: no algorithm 'Rebn'; did you mean 'Rebin'?"
    assert "kept" not in service


@pytest.mark.parametrize("call", ["sys.exit()", "sys.exit(0)", "exit_quietly()"])
def test_a_script_that_exits_quietly_has_ended(runner: Runner, script: Make, call: str, caplog: pytest.LogCaptureFixture) -> None:
    made = script(
        f"def exit_quietly():\n    raise SystemExit\nScale(input, 2, OutputWorkspace=output)\n{call}\nScale(input, 2, OutputWorkspace=output)"
    )
    assert total(runner.run_chunk(made, workspace())) == 42.0
    assert total(runner.run_chunk(made, workspace())) == 42.0
    assert sum("sys.exit()" in one.message for one in caplog.records) == 1


def test_a_script_that_exits_with_a_code_has_failed(runner: Runner, script: Make) -> None:
    assert str(failure(runner, script("import sys\nsys.exit(3)"))) == f"{NAME}.py:2: the script called sys.exit(3)"
    assert str(failure(runner, script("sys.exit('no beam')"))) == f"{NAME}.py:1: the script called sys.exit('no beam')"


def test_a_keyboard_interrupt_of_a_script_is_its_error_like_any_other(runner: Runner, script: Make, service: DataService) -> None:
    assert str(failure(runner, script("raise KeyboardInterrupt"))) == f"{NAME}.py:1: KeyboardInterrupt"
    assert list(service.names) == []


def test_a_script_that_does_not_parse_is_an_error_with_its_line(runner: Runner, script: Make) -> None:
    error = failure(runner, script("x = 1\ny = = 2"))
    assert str(error) == f"{NAME}.py:2: invalid syntax"
    assert "y = = 2" in error.traceback_text


def test_the_origin_of_an_error_is_told_too(runner: Runner, script: Make) -> None:
    error = failure(runner, script("try:\n    {}['a']\nexcept KeyError as e:\n    raise ValueError('no a') from e"))
    assert str(error) == f"{NAME}.py:4: ValueError: no a"
    assert "KeyError: 'a'" in error.traceback_text


# --- what a script prints, and leaves behind


def lines(caplog: pytest.LogCaptureFixture) -> list[tuple[str, str, str]]:
    return [(one.levelname, one.name.rpartition(".")[2], one.message) for one in caplog.records if one.name.startswith("livereduce.script")]


@pytest.fixture
def at_info(caplog: pytest.LogCaptureFixture) -> pytest.LogCaptureFixture:
    caplog.set_level(logging.INFO)
    return caplog


def test_prints_are_logged_line_by_line_under_the_scripts_name(runner: Runner, script: Make, at_info: pytest.LogCaptureFixture) -> None:
    text = """
        print('a', 1)
        print('b\\nc', end='')
        sys.stdout.flush()
        print('d')
        print('wrong', file=sys.stderr)
        print('10 %', end='\\r'); print('20 %', end='\\r'); print('30 %', end='\\r\\n')
        print('end', end='')
    """
    runner.run_chunk(script(text), workspace())
    expected = [("INFO", "a 1"), ("INFO", "b"), ("INFO", "cd"), ("WARNING", "wrong"), ("INFO", "30 %"), ("INFO", "end")]
    assert lines(at_info) == [(level, NAME, text) for level, text in expected]


def test_a_flood_of_prints_is_counted(runner: Runner, script: Make, at_info: pytest.LogCaptureFixture) -> None:
    runner.run_chunk(script("for i in range(1434):\n    print(i)\nprint('x' * 50000)"), workspace())
    told = lines(at_info)
    assert len(told) == 201
    assert told[-1][2] == "… 1235 further lines not shown"


def test_a_line_without_end_is_cut(runner: Runner, script: Make, at_info: pytest.LogCaptureFixture) -> None:
    runner.run_chunk(script("print('x' * 50000)\nfor i in range(30000):\n    print('y', end='')"), workspace())
    assert [text[9_999:] for _, _, text in lines(at_info)] == ["x… (50000 characters)", "y… (30000 characters)"]


def test_prints_before_an_error_are_logged(runner: Runner, script: Make, at_info: pytest.LogCaptureFixture) -> None:
    failure(runner, script("print('half', end='')\n1 / 0"))
    assert lines(at_info) == [("INFO", NAME, "half")]


def test_two_scripts_in_two_threads_print_under_their_own_names(runner: Runner, script: Make, at_info: pytest.LogCaptureFixture) -> None:
    meet = threading.Barrier(2, timeout=30)
    sys.modules["meet_of_runner_test"] = meet  # type: ignore[assignment]
    text = "import meet_of_runner_test as b\nfor i in range(20):\n    print(__file__[-7:], end=' '); b.wait(); print(i)\n"
    made = [script(text, "first_1"), script(text, "second_2")]
    results: list[AnyWorkspace] = []
    threads = [
        threading.Thread(target=lambda: results.append(runner.run_chunk(made[0], workspace()))),
        threading.Thread(target=lambda: results.append(runner.run_post(made[1], workspace()))),
    ]
    try:
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(60)
    finally:
        del sys.modules["meet_of_runner_test"]
    assert len(results) == 2
    for name, ending in (("first_1", "rst_1.py"[-7:]), ("second_2", "ond_2.py"[-7:])):
        assert [text for _, who, text in lines(at_info) if who == name] == [f"{ending} {i}" for i in range(20)]


def test_what_a_script_breaks_is_mended(runner: Runner, script: Make, tmp_path: Path) -> None:
    before = os.getcwd(), sys.stdout, sys.stderr, sys.dont_write_bytecode
    text = """
        os.chdir(os.path.dirname(__file__))
        sys.stdout = None
        sys.stderr = open(os.devnull, 'w')
        sys.stderr.close()
        sys.path.insert(0, '/x')
        sys.path.insert(0, '/x')
    """
    for _ in range(3):
        runner.run_chunk(script(text), workspace())
    assert (os.getcwd(), sys.stdout, sys.stderr, sys.dont_write_bytecode) == before
    runner.run_chunk(script(f"assert sys.path[0] == {str(tmp_path)!r} and sys.path.count('/x') == 1"), workspace())


def test_programs_that_a_script_starts_have_an_output(runner: Runner, script: Make, capfd: pytest.CaptureFixture[str]) -> None:
    with capfd.disabled():
        runner.run_chunk(
            script("import subprocess\nsubprocess.run([sys.executable, '-c', ''], stdout=sys.stdout, stderr=sys.stderr, check=True)"), workspace()
        )
