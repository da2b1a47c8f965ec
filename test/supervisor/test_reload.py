"""Scripts that change under the service's feet. Real files, a clock of our own."""

import hashlib
import logging
import os
import threading
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from livereduce.scripting.script import Script
from livereduce.supervisor.reload import ScriptWatch
from livereduce.supervisor.script_change import Change, Kind, Role, loaded_line

PROC, POST = "reduce_X_live_proc.py", "reduce_X_live_post_proc.py"


def md5(text: str) -> str:
    return hashlib.md5(text.encode()).hexdigest()


@dataclass
class Bench:
    """A watch on a folder, and a clock that only tests move."""

    folder: Path
    now_s: float = 1000.0
    seen: list[Change] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.proc, self.post = self.folder / PROC, self.folder / POST

    def begin(self) -> None:
        self.watch = ScriptWatch(self.proc, self.post)
        assert self.after(5.0) == []

    def after(self, seconds: float, step: float = 0.25) -> list[str]:
        """What is told while time passes."""
        told: list[str] = []
        end = self.now_s + seconds
        while self.now_s < end:
            self.now_s += step
            told += self.look()
        return told

    def look(self) -> list[str]:
        changes = self.watch.look(self.now_s)
        self.seen += changes
        return [change.text for change in changes]


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    made = Bench(tmp_path)
    made.proc.write_text("a = 1\n")
    made.post.write_text("b = 1\n")
    made.begin()
    return made


def test_the_lines_of_scripts_that_are_put_to_use() -> None:
    assert loaded_line(Role.PROCESSING, Path("/x/p.py"), "ab") == 'Using processing script "/x/p.py" md5 ab'
    assert loaded_line(Role.POST_PROCESSING, Path("/x/p.py"), "ab") == 'Using post-processing script "/x/p.py" md5 ab'


def test_scripts_that_stay_as_they_are_say_nothing(bench: Bench) -> None:
    assert bench.after(10.0) == []


def test_a_touched_script_goes_on(bench: Bench) -> None:
    os.utime(bench.proc, (5, 5))
    assert bench.after(5.0) == [f'Processing script "{bench.proc}" has not changed md5sum - continuing']
    os.utime(bench.post, (5, 5))
    assert bench.after(5.0) == [f'Post-processing script "{bench.post}" has not changed md5sum - continuing']
    assert not any(change.restart for change in bench.seen)


def test_a_changed_script_restarts_with_what_was_read(bench: Bench) -> None:
    bench.proc.write_text("a = 2\n")
    assert bench.after(5.0) == [f'Processing script "{bench.proc}" changed md5 {md5("a = 1" + chr(10))} -> {md5("a = 2" + chr(10))} - restarting']
    (change,) = bench.seen
    assert change.restart
    assert change.level == logging.INFO
    assert change.script == bench.watch.process == Script.read(bench.proc)


def test_a_change_of_the_post_script_names_it(bench: Bench) -> None:
    bench.post.write_text("b = 2\n")
    (line,) = bench.after(5.0)
    assert line.startswith(f'Post-processing script "{bench.post}" changed md5 ')
    assert bench.seen[0].role is Role.POST_PROCESSING


@pytest.mark.parametrize("take_away", [Path.unlink, lambda path: path.write_text(""), lambda path: path.write_text(" \n")])
def test_a_removed_or_emptied_script_is_gone_and_one_that_appears_is_there(bench: Bench, take_away) -> None:  # type: ignore[no-untyped-def]
    take_away(bench.proc)
    assert bench.after(5.0) == [f'Processing script "{bench.proc}" changed md5 {md5("a = 1" + chr(10))} -> none - restarting']
    assert bench.watch.process is None
    bench.proc.write_text("a = 3\n")
    assert bench.after(5.0) == [f'Processing script "{bench.proc}" changed md5 none -> {md5("a = 3" + chr(10))} - restarting']


def test_a_content_has_to_stand_for_the_settling_time(bench: Bench) -> None:
    bench.proc.write_text("a = 2\n")
    assert bench.look() == []
    assert bench.watch.wait_s(bench.now_s) == pytest.approx(0.1)
    bench.now_s += 0.09
    assert bench.look() == []
    bench.proc.write_text("a = 23\n")
    bench.now_s += 0.02
    assert bench.look() == []
    bench.now_s += 0.1
    assert len(bench.look()) == 1
    assert bench.watch.wait_s(bench.now_s) == 1.0


def test_a_file_that_vanishes_for_a_moment_is_a_save_not_a_removal(bench: Bench) -> None:
    bench.proc.unlink()
    assert bench.after(0.4, 0.1) == []
    assert bench.watch.wait_s(bench.now_s) == pytest.approx(0.2)
    bench.proc.write_text("a = 2\n")
    (line,) = bench.after(2.0)
    assert line.endswith(f"-> {md5('a = 2' + chr(10))} - restarting")


def test_a_save_by_renaming_is_noticed_even_with_equal_time_and_size(bench: Bench) -> None:
    before = bench.proc.stat()
    swap = bench.folder / ".reduce.swp"
    swap.write_text("a = 7\n")
    os.utime(swap, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert bench.after(3.0) == []
    swap.rename(bench.proc)
    assert len(bench.after(3.0)) == 1


def test_a_second_write_within_one_tick_of_the_file_clock_is_noticed(bench: Bench) -> None:
    bench.proc.write_text("a = 2\n")
    os.utime(bench.proc, (7, 7))
    assert len(bench.after(0.5)) == 1
    with bench.proc.open("r+") as file:
        file.write("a = 3\n")
    os.utime(bench.proc, (7, 7))
    assert len(bench.after(2.5)) == 1


def test_a_link_that_leads_elsewhere_is_a_change(tmp_path: Path) -> None:
    for version in ("one", "two"):
        (tmp_path / version).mkdir()
        (tmp_path / version / PROC).write_text(f"a = '{version}'\n")
    (tmp_path / "..data").symlink_to("one")
    (tmp_path / PROC).symlink_to(Path("..data") / PROC)
    bench = Bench(tmp_path)
    bench.begin()
    (tmp_path / "..tmp").symlink_to("two")
    (tmp_path / "..tmp").rename(tmp_path / "..data")
    (line,) = bench.after(3.0)
    assert line.endswith(f"-> {md5(chr(10).join(['a = ' + repr('two'), '']))} - restarting")


def test_a_folder_that_comes_later_and_goes_and_comes_again_is_no_trouble(tmp_path: Path) -> None:
    bench = Bench(tmp_path / "later")
    bench.begin()
    for _ in range(2):
        bench.folder.mkdir()
        bench.proc.write_text("a = 1\n")
        assert len(bench.after(2.0)) == 1
        bench.proc.unlink()
        bench.folder.rmdir()
        assert len(bench.after(2.0)) == 1


def test_a_content_that_does_not_parse_is_told_once_and_the_old_one_goes_on(bench: Bench) -> None:
    old = md5("a = 1\n")
    bench.proc.write_text("a = = 2\n")
    line = f'Processing script "{bench.proc}" does not parse: {PROC}:1: invalid syntax - the version md5 {old} goes on'
    assert bench.after(5.0) == [line]
    os.utime(bench.proc, (5, 5))
    assert bench.after(5.0) == []
    assert (bench.seen[0].restart, bench.seen[0].level, bench.seen[0].kind) == (False, logging.WARNING, Kind.REFUSED)
    bench.proc.write_text("a = (2\n")
    assert len(bench.after(5.0)) == 1
    bench.proc.write_text("a = 2\n")
    assert bench.after(5.0) == [f'Processing script "{bench.proc}" changed md5 {old} -> {md5("a = 2" + chr(10))} - restarting']


def test_a_broken_script_that_is_put_back_goes_on(bench: Bench) -> None:
    bench.proc.write_text("a = = 2\n")
    bench.after(5.0)
    bench.proc.write_text("a = 1\n")
    assert bench.after(5.0) == [f'Processing script "{bench.proc}" has not changed md5sum - continuing']


def test_a_folder_in_the_place_of_the_script_is_told_once(bench: Bench) -> None:
    bench.proc.unlink()
    bench.proc.mkdir()
    (line,) = bench.after(5.0)
    assert "cannot be read: Is a directory - the version md5" in line
    bench.proc.rmdir()
    bench.proc.write_text("a = 2\n")
    assert len(bench.after(5.0)) == 1


def test_a_changed_helper_restarts_the_script_that_imports_it(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    helper = tmp_path / "plots.py"
    bench.proc.write_text("import plots\n")
    bench.post.write_text("import os\n")
    helper.write_text("x = 1\n")
    bench.begin()
    helper.write_text("x = 2\n")
    old, new = md5("x = 1\n"), md5("x = 2\n")
    assert bench.after(5.0) == [f'Processing script "{bench.proc}" helper "{helper}" changed md5 {old} -> {new} - restarting']
    os.utime(helper, (5, 5))
    assert bench.after(5.0) == []
    helper.write_text("x = (\n")
    (line,) = bench.after(5.0)
    assert line.startswith(f'Processing script "{bench.proc}" does not parse: plots.py:1: ')
    helper.unlink()
    assert bench.after(5.0) == [f'Processing script "{bench.proc}" helper "{helper}" changed md5 {new} -> none - restarting']
    helper.write_text("x = 3\n")
    assert bench.after(5.0) == [f'Processing script "{bench.proc}" helper "{helper}" changed md5 none -> {md5("x = 3" + chr(10))} - restarting']


def test_a_new_helper_that_does_not_parse_is_waited_for(bench: Bench) -> None:
    helper = bench.folder / "plots.py"
    helper.write_text("x = (\n")
    bench.proc.write_text("import plots\n")
    (line,) = bench.after(5.0)
    assert "does not parse: plots.py:1" in line
    with helper.open("w") as file:
        file.write("x = 1\n")
    (line,) = bench.after(5.0)
    assert line.endswith(f"-> {md5('import plots' + chr(10))} - restarting")


def test_what_runs_already_is_compared_with_at_the_first_look(bench: Bench) -> None:
    running = bench.watch.process
    bench.proc.write_text("a = 2\n")
    bench.watch = ScriptWatch(bench.proc, bench.post, running=(running, None))
    lines = bench.after(2.0)
    assert [line.partition(" changed ")[0] for line in lines] == [f'Processing script "{bench.proc}"', f'Post-processing script "{bench.post}"']


@settings(max_examples=25, deadline=None)
@given(steps=st.lists(st.sampled_from(["a = 1\n", "a = 2\n", "a = = 3\n", "", None]), max_size=6))
def test_whatever_happens_the_version_in_charge_is_the_last_good_content(tmp_path_factory: pytest.TempPathFactory, steps: list[str | None]) -> None:
    bench = Bench(tmp_path_factory.mktemp("scripts"))
    bench.proc.write_text("a = 1\n")
    bench.begin()
    good: str | None = "a = 1\n"
    for text in steps:
        bench.proc.unlink(missing_ok=True)
        if text is not None:
            bench.proc.write_text(text)
        good = good if text == "a = = 3\n" else text or None
        bench.after(3.0)
        assert (bench.watch.process.text if bench.watch.process else None) == good


def test_a_change_wakes_at_once_also_in_a_folder_made_anew(tmp_path: Path) -> None:
    woken = threading.Event()
    folder = tmp_path / "scripts"
    watch = ScriptWatch(folder / PROC, folder / POST, wake=woken.set)
    watch.start()
    try:
        for round_ in range(2):
            folder.mkdir()
            watch.look(10.0 * round_)
            woken.clear()
            (folder / PROC).write_text("a = 1\n")
            assert woken.wait(10.0)
            (folder / PROC).unlink()
            folder.rmdir()
            watch.look(10.0 * round_ + 1.0)
    finally:
        watch.stop()
