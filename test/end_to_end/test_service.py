"""The main job on real processes and sockets: data in, the instrument's scripts, results out."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from end_to_end.service import PATIENCE_S, REPOSITORY, alive, kill, service, wait_for

from livereduce.data.group import WorkspaceGroup
from livereduce.simulators.faults import Fault
from livereduce.simulators.isis_histogram import HistogramDae, HistogramServer, Size

SUM_PERIODS = """
from mantid.simpleapi import *
SumSpectra(InputWorkspace="accumulation", OutputWorkspace=output)
"""


@pytest.fixture
def dae() -> Iterator[HistogramServer]:
    """10 spectra of 20 bins, 10 000 to 12 000 us, each count the spectrum's number; nothing grows."""
    with HistogramServer(HistogramDae(Size(spectra=10, bins=20))) as server:
        yield server


@pytest.fixture
def growing() -> Iterator[HistogramServer]:
    """The same size; counts grow when the test says so."""
    with HistogramServer(HistogramDae(Size(spectra=10, bins=20), growing=True)) as server:
        server.dae.add_frames(100)
        yield server


@pytest.fixture
def many_periods() -> Iterator[HistogramServer]:
    """Four periods of the same."""
    with HistogramServer(HistogramDae(Size(periods=4, spectra=10, bins=20))) as server:
        yield server


@pytest.fixture
def live(tmp_path, dae):
    """A service on a simulated DAE of 10 spectra and 20 bins, with both scripts; not started."""
    with service(tmp_path, dae.address) as one:
        one.proc.write_text("from mantid.simpleapi import *\nRebin(InputWorkspace=input, Params='10000,500,12000', OutputWorkspace=output)\n")
        one.post.write_text(SUM_PERIODS)
        yield one


def test_counts_of_the_daq_go_through_both_scripts_to_the_board(live, dae):
    live.start()
    result = live.wait_result()
    assert result.n_spectra == 1
    assert result.n_bins == 4
    np.testing.assert_array_equal(result.y, [[5.0 * sum(range(1, 11))] * 4])
    np.testing.assert_array_equal(result.variance, result.y)


def test_each_signal_ends_everything_in_two_seconds_with_exit_code_0(live):
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGQUIT):
        live.start()
        live.wait_log("Ready", count=1)
        pids = [live.pid_of("receiver"), live.pid_of("reducer")]
        assert live.end(number) == 0
        assert not any(alive(pid) for pid in pids)
        live.log_file.unlink()


def test_a_second_daemon_refuses_to_start_and_names_the_first(live):
    live.start()
    live.wait_log("Ready")
    second = subprocess.run(
        [sys.executable, str(REPOSITORY / "scripts" / "livereduce.py"), str(live.conf)], cwd=live.folder, capture_output=True, text=True
    )
    assert second.returncode == 1
    assert str(live.process.pid) in second.stderr
    assert second.stderr.count("\n") == 1
    assert live.process.poll() is None


@pytest.mark.parametrize(
    ("conf", "said"),
    [
        ('{"instrument": "X", "updat_every": 3}', "updat_every: unknown key; did you mean update_every?"),
        ('{"instrument": "X", "update_every": "3"}', 'update_every: got "3", wanted a number'),
        ('{"instrument": "X"', "is not JSON"),
        ('{"instrument": "ISIS_Histogram", "script_dir": "empty"}', "neither"),
        ('{"instrument": "ISIS_Histogram", "script_dir": "scripts", "listener": {"type": "ISIS_Histogran"}}', "did you mean 'ISIS_Histogram'?"),
        ('{"instrument": "ISIS_Histogram", "script_dir": "scripts", "listener": {"options": {"port": 3}}}', "port"),
        ('{"instrument": "ISIS_Histogram", "script_dir": "scripts", "listener": {"address": "here"}}', "wanted host:port"),
    ],
)
def test_a_wrong_configuration_is_one_line_on_stderr_and_exit_code_2(tmp_path, conf, said):
    path = tmp_path / "live.conf"
    path.write_text(conf)
    (tmp_path / "scripts").mkdir()
    (tmp_path / "scripts" / "reduce_ISIS_Histogram_live_proc.py").write_text("pass\n")
    ended = subprocess.run([sys.executable, "-m", "livereduce", "run", str(path)], cwd=tmp_path, capture_output=True, text=True, env=_env(tmp_path))
    assert ended.returncode == 2
    assert said in ended.stderr
    assert ended.stderr.count("\n") == 1


def test_without_scripts_the_error_names_both_full_paths(tmp_path):
    path = tmp_path / "live.conf"
    path.write_text('{"instrument": "ISIS_Histogram", "script_dir": "here"}')
    ended = subprocess.run([sys.executable, "-m", "livereduce", "run", str(path)], cwd=tmp_path, capture_output=True, text=True, env=_env(tmp_path))
    assert ended.returncode == 2
    for name in ("reduce_ISIS_Histogram_live_proc.py", "reduce_ISIS_Histogram_live_post_proc.py"):
        assert str(tmp_path / "here" / name) in ended.stderr


def test_a_killed_receiver_comes_back_and_the_run_goes_on(live, dae):
    live.start()
    live.wait_result()
    first = live.pid_of("receiver")
    kill(first)
    live.wait_log("The receiver died .killed by SIGKILL. - restarting")
    wait_for(lambda: live.overview.receiver.pid != first and live.overview.receiver.records > 1, "the next receiver's readings")
    assert len(live.wait_log("Run 0 started")) == 1


def test_a_killed_reducer_comes_back_with_the_same_totals(tmp_path, growing):
    with service(tmp_path, growing.address, accum_method="Add") as live:
        live.post.write_text("RenameWorkspace('accumulation', 'result')\n")
        live.start()
        for frames in (1, 2, 3):
            growing.dae.add_frames(1)
            truth = growing.dae.counts()[0]
            live.wait_result(lambda result, truth=truth: np.array_equal(result.y, truth))
            kill(live.pid_of("reducer"))
            live.wait_log("The reducer died", count=frames)


def test_killing_the_daemon_leaves_no_child_behind_and_the_next_one_goes_on(tmp_path, growing):
    with service(tmp_path, growing.address, accum_method="Add") as live:
        live.post.write_text("RenameWorkspace('accumulation', 'result')\n")
        live.start()
        live.wait_result()
        pids = [live.pid_of("receiver"), live.pid_of("reducer")]
        kill(live.process.pid)
        wait_for(lambda: not any(alive(pid) for pid in pids), "end of the children")
        live.process.communicate()
        growing.dae.add_frames(5)
        truth = growing.dae.counts()[0]
        live.start()
        live.wait_result(lambda result: np.array_equal(result.y, truth))
        assert len(live.wait_log("Run 0 started")) == 1
        assert live.end() == 0


def test_a_source_that_goes_away_is_waited_for_and_the_run_goes_on(live, dae):
    live.start()
    live.wait_result()
    port = dae.port
    dae.stop()
    live.wait_log("Connection lost: .*; retrying in")
    with HistogramServer(dae.dae, port=port):
        live.wait_log("Connected to ISIS_Histogram", count=2)
        before = live.overview.receiver.records
        wait_for(lambda: live.overview.receiver.records > before, "readings after the reconnection")
    assert len(live.wait_log("Run 0 started")) == 1


def test_other_dimensions_in_mid_run_begin_a_new_run(live, dae):
    live.start()
    live.wait_result()
    dae.dae.resize(spectra=4)
    live.wait_log("Run 0 ended: .*dimensions changed")
    live.wait_log("Run 0 started", count=2)
    live.wait_result(lambda result: result.y[0, 0] == 5.0 * sum(range(1, 5)))


def test_periods_come_as_a_group_and_only_those_asked_for(tmp_path, many_periods):
    with service(tmp_path, many_periods.address, periods=[3, 1], spectra=[5, 2, 5]) as live:
        live.post.write_text("RenameWorkspace(InputWorkspace=input, OutputWorkspace=output)\n")
        live.start()
        result = live.wait_result()
        assert isinstance(result, WorkspaceGroup)
        assert [member.y[:, 0].tolist() for member in result.members] == [[5.0, 2.0, 5.0], [2005.0, 2002.0, 2005.0]]
        assert [member.spectra.numbers.tolist() for member in result.members] == [[5, 2, 5]] * 2
        assert [member.spectra.detector_ids.tolist() for member in result.members] == [[5, 2, 5]] * 2


def test_post_processing_that_takes_long_holds_up_no_chunk(tmp_path, dae):
    with service(tmp_path, dae.address) as live:
        go_on = tmp_path / "go-on"
        live.post.write_text(
            f"import os\nwhile not os.path.exists({str(go_on)!r}):\n    time.sleep(0.01)\nRenameWorkspace('accumulation', 'result')\n"
        )
        live.start()
        wait_for(lambda: live.overview.reducer and live.overview.reducer.post_running_since_s, "post-processing to begin")
        begun = live.overview.reducer.chunks
        wait_for(lambda: live.overview.reducer.chunks >= begun + 5, "five chunks beside the post-processing")
        assert live.result() is None
        go_on.touch()
        live.wait_result()


def test_a_script_that_fails_is_told_once_and_the_service_goes_on(tmp_path, dae):
    with service(tmp_path, dae.address) as live:
        live.proc.write_text("x = 1\nraise ValueError('no beam today')\n")
        live.post.write_text(SUM_PERIODS)
        live.start()
        wait_for(lambda: live.overview.reducer and live.overview.reducer.failure and live.overview.reducer.failure.count >= 3, "three failures")
        failure = live.overview.reducer.failure
        assert "reduce_ISIS_Histogram_live_proc.py:2" in failure.message
        assert 'line 2, in <module>\n    raise ValueError("' not in live.log
        assert live.log.count("ValueError: no beam today\n") <= 3
        live.proc.write_text("SumSpectra(input, OutputWorkspace=output)\n")
        live.wait_result()


def test_what_a_script_prints_is_in_the_log_under_its_name(live):
    live.proc.write_text("print('hello', input.getNumberHistograms())\n")
    live.start()
    live.wait_log("reduce_ISIS_Histogram_live_proc.*INFO - hello 10")


def test_a_script_that_never_ends_does_not_keep_the_service_from_ending(live):
    live.proc.write_text("while True:\n    pass\n")
    live.start()
    wait_for(lambda: live.overview.reducer and live.overview.reducer.state == "processing", "the script to run")
    reducer = live.pid_of("reducer")
    began = time.monotonic()
    assert live.end() == 0
    print(f"ended in {time.monotonic() - began:.2f} s")
    assert not alive(reducer)


def test_a_hung_child_is_replaced_when_it_is_silent_for_too_long(tmp_path, dae):
    with service(tmp_path, dae.address, watchdog={"threshold": 20}) as live:
        live.post.write_text(SUM_PERIODS)
        live.start()
        live.wait_result()
        receiver = live.pid_of("receiver")
        os.kill(receiver, signal.SIGSTOP)
        live.wait_log("The receiver gave no sign of life for 20 s .limit 20 s. - restarting", patience_s=60)
        wait_for(lambda: live.overview.receiver.pid != receiver and live.overview.receiver.records > 1, "the next receiver's readings")


def test_post_processing_that_never_ends_is_cut_off_and_chunks_went_on_meanwhile(tmp_path, dae):
    with service(tmp_path, dae.address, watchdog={"threshold": 20}) as live:
        live.post.write_text("while True:\n    time.sleep(0.01)\n")
        live.start()
        reducer = live.pid_of("reducer")
        wait_for(lambda: live.overview.reducer.chunks >= 5, "chunks beside the post-processing")
        live.wait_log("The reducer has been post-processing for 20 s .limit 20 s. - restarting", patience_s=60)
        wait_for(lambda: live.overview.reducer.pid != reducer, "the next reducer")


def test_a_changed_configuration_is_applied_or_asks_for_a_new_start(live):
    live.start()
    live.wait_result()
    live.write_conf(system_mem_limit_perc=33)
    live.wait_log("Configuration changed: system_mem_limit_perc 70 -> 33.0 - applied")
    live.conf.write_text('{"instrument": ')
    live.wait_log("The configuration changed and is wrong: .* the service goes on with the one before")
    live.write_conf(update_every=0.3)
    assert live.process.wait(PATIENCE_S) == 0
    live.wait_log("Configuration changed: .*update_every 0.2 -> 0.3 - the daemon ends, to be started anew")


# --- scripts that change


def test_a_changed_script_takes_over(live):
    live.start()
    live.wait_result(lambda result: result.n_bins == 4)
    old = live.md5(live.proc)
    live.proc.write_text("from mantid.simpleapi import *\nRebin(InputWorkspace=input, Params='10000,1000,12000', OutputWorkspace=output)\n")
    saved = time.monotonic()
    live.wait_result(lambda result: result.n_bins == 2)
    print(f"first result {time.monotonic() - saved:.3f} s after saving")
    live.wait_log(f'Processing script "{live.proc}" changed md5 {old} -> {live.md5(live.proc)} - restarting')


def test_a_touched_script_changes_nothing(live):
    live.start()
    live.wait_result()
    pid = live.pid_of("reducer")
    live.proc.touch()
    live.wait_log(f'Processing script "{live.proc}" has not changed md5sum - continuing')
    assert live.pid_of("reducer") == pid


def test_a_script_replaced_by_rename_takes_over(live):
    live.start()
    live.wait_result(lambda result: result.n_bins == 4)
    new = live.scripts / ".new"
    new.write_text("from mantid.simpleapi import *\nRebin(InputWorkspace=input, Params='10000,1000,12000', OutputWorkspace=output)\n")
    new.rename(live.proc)
    live.wait_result(lambda result: result.n_bins == 2)


@pytest.mark.parametrize("how", ["delete", "empty"])
def test_a_script_that_is_deleted_or_emptied_is_done_without_and_comes_back(live, how):
    live.start()
    live.wait_result(lambda result: result.n_bins == 4)
    text, old = live.proc.read_text(), live.md5(live.proc)
    if how == "delete":
        live.proc.unlink()
    else:
        live.proc.write_text("")
    live.wait_log(f'Processing script "{live.proc}" changed md5 {old} -> none - restarting')
    live.wait_result(lambda result: result.n_bins == 20)
    live.proc.write_text(text)
    live.wait_log(f'Processing script "{live.proc}" changed md5 none -> {old} - restarting')
    live.wait_result(lambda result: result.n_bins == 4)


def test_a_script_with_a_typo_never_takes_over(live):
    live.start()
    live.wait_result()
    pid = live.pid_of("reducer")
    live.proc.write_text("Rebin(InputWorkspace=input,\n")
    live.wait_log("does not parse")
    records = live.overview.reducer.position
    wait_for(lambda: live.overview.reducer.position > records + 2, "chunks go on")
    assert live.pid_of("reducer") == pid
    live.proc.write_text("SumSpectra(input, OutputWorkspace=output)\n")
    live.wait_result(lambda result: result.n_bins == 20)


def test_a_helper_beside_the_script_counts_as_part_of_it(live):
    helper = live.scripts / "our_bins.py"
    helper.write_text("PARAMS = '10000,500,12000'\n")
    live.proc.write_text("import our_bins\nRebin(input, our_bins.PARAMS, OutputWorkspace=output)\n")
    live.start()
    live.wait_result(lambda result: result.n_bins == 4)
    helper.write_text("PARAMS = '10000,1000,12000'\n")
    live.wait_result(lambda result: result.n_bins == 2)
    live.wait_log(f'Processing script "{live.proc}" helper "{helper}" changed md5')


def test_a_new_script_that_never_works_gives_way_to_the_last_good_one(live):
    live.start()
    live.wait_result(lambda result: result.n_bins == 4)
    wait_for(lambda: live.overview.reducer.proven, "the scripts to be proven")
    live.proc.write_text("raise RuntimeError('never')\n")
    live.wait_log("the last good ones are in charge again")
    generation = live.overview.reducer.generation
    wait_for(lambda: live.overview.reducer.generation > generation - 1 and live.overview.reducer.proven, "the good ones to work again")
    live.wait_result(lambda result: result.n_bins == 4)


def test_a_new_script_that_ends_its_reducer_gives_way_to_the_last_good_one(live):
    live.start()
    live.wait_result(lambda result: result.n_bins == 4)
    wait_for(lambda: live.overview.reducer.proven, "the scripts to be proven")
    live.proc.write_text("os._exit(7)\n")
    live.wait_log(r"The new scripts .reduce_ISIS_Histogram_live_proc.py md5 [0-9a-f]{32}. failed 3 times in a row")
    wait_for(lambda: live.overview.reducer.proven, "the good ones to work again")
    wait_for(lambda: live.md5(live.proc) in live.overview.supervisor.refused, "the status to say which version was refused")
    live.proc.write_text("SumSpectra(input, OutputWorkspace=output)\n")
    live.wait_result(lambda result: result.n_bins == 20)
    wait_for(lambda: live.overview.supervisor.refused == "", "the status to forget it")


def test_counts_of_chunks_whose_script_failed_are_not_lost(tmp_path, growing):
    with service(tmp_path, growing.address, accum_method="Add") as live:
        broken = tmp_path / "broken"
        live.proc.write_text(f"if os.path.exists({str(broken)!r}):\n    raise RuntimeError('now and then')\n")
        live.post.write_text("RenameWorkspace('accumulation', 'result')\n")
        live.start()
        live.wait_result()
        broken.touch()
        growing.dae.add_frames(3)
        live.wait_log("Processing failed: .*now and then")
        growing.dae.add_frames(3)
        broken.unlink()
        truth = growing.dae.counts()[0]
        live.wait_result(lambda result: np.array_equal(result.y, truth))


def test_a_killed_server_of_processes_takes_nothing_with_it(live):
    live.start()
    live.wait_result()
    receiver, reducer = live.pid_of("receiver"), live.pid_of("reducer")
    parent = int(Path(f"/proc/{reducer}/stat").read_text().rpartition(")")[2].split()[1])
    assert parent != live.process.pid
    kill(parent)
    wait_for(lambda: live.overview.reducer.pid != reducer and live.overview.receiver.pid != receiver, "new processes")
    before = live.overview.reducer.position
    wait_for(lambda: live.overview.reducer.position > before, "chunks")
    assert not alive(reducer)
    assert not alive(receiver)


def test_a_journal_that_is_removed_while_it_is_open_is_noticed(live):
    live.start()
    live.wait_result()
    pids = live.pid_of("receiver"), live.pid_of("reducer")
    shutil.rmtree(Path(live.settings["state_dir"]) / live.instrument / "journal")
    live.wait_log("was removed or replaced while it was open", count=2)
    wait_for(lambda: live.overview.receiver.pid != pids[0] and live.overview.reducer.pid != pids[1], "new processes")
    wait_for(lambda: live.overview.reducer.chunks > 2, "chunks of the new journal")


def test_a_log_whose_folder_is_removed_ends_nothing_and_is_begun_again(tmp_path, dae):
    log = tmp_path / "logs" / "deep" / "live.log"
    with service(tmp_path, dae.address, log_file=str(log)) as live:
        live.post.write_text(SUM_PERIODS)
        live.start()
        live.wait_result()
        pids = live.process.pid, live.pid_of("reducer"), live.pid_of("receiver")
        shutil.rmtree(log.parent)
        live.post.write_text(SUM_PERIODS + "print('still here')\n")
        live.wait_log("still here")
        assert alive(pids[0])
        assert live.pid_of("receiver") == pids[2]


def test_what_lies_in_the_working_directory_is_not_taken_for_a_module(live):
    (live.folder / "json.py").write_text("raise SystemExit('not yours')\n")
    (live.folder / "livereduce").mkdir()
    live.start()
    live.wait_result()


def test_a_working_directory_that_is_removed_keeps_no_process_from_starting(tmp_path, dae):
    gone = tmp_path / "gone"
    gone.mkdir()
    with service(tmp_path, dae.address) as live:
        live.post.write_text(SUM_PERIODS)
        live.start(cwd=gone)
        live.wait_result()
        generation = live.overview.reducer.generation
        gone.rmdir()
        live.post.write_text(SUM_PERIODS + "# changed\n")
        wait_for(lambda: live.overview.reducer.generation > generation and live.overview.reducer.post_count, "the next reducer's result")
        assert live.end() == 0


# --- memory, disk, bad bytes


def test_a_script_that_leaks_is_replaced_at_the_limit_and_the_totals_stay_right(tmp_path, growing):
    limit_mb = 600
    total_mb = int(next(line for line in Path("/proc/meminfo").read_text().splitlines() if line.startswith("MemTotal")).split()[1]) / 1024
    with service(tmp_path, growing.address, accum_method="Add", system_mem_limit_perc=100 * limit_mb / total_mb, mem_check_interval_sec=0.1) as live:
        live.proc.write_text("import mantid, numpy\nmantid.hoard = getattr(mantid, 'hoard', [])\nmantid.hoard.append(numpy.ones(5_000_000))\n")
        live.post.write_text("RenameWorkspace('accumulation', 'result')\n")
        live.start()
        receiver = live.pid_of("receiver")
        live.wait_log(r"ERROR - Memory usage \d+ MB exceeds limit \d+ MB - restarting", count=2)
        growing.dae.add_frames(3)
        truth = growing.dae.counts()[0]
        live.wait_result(lambda result: np.array_equal(result.y, truth))
        assert live.pid_of("receiver") == receiver
        assert len(live.wait_log("Connected to")) == 1


def test_a_limit_that_no_reducer_can_keep_does_not_become_a_restart_loop(tmp_path, dae):
    with service(tmp_path, dae.address, system_mem_limit_perc=0.01, mem_check_interval_sec=0.05) as live:
        live.post.write_text(SUM_PERIODS)
        live.start()
        live.wait_log("reached the memory limit again too soon; the next one starts in 2.0 s")
        assert live.overview.receiver.records > 0


def test_nonsense_from_the_daq_closes_the_connection_and_is_kept_for_the_report(live, dae):
    live.start()
    live.wait_result()
    dae.fault = Fault(kind="garbage")
    live.wait_log("Connection lost: packet broke its layout: .* at byte")
    dae.fault = None
    live.wait_log("Connected to", count=2)
    assert list((Path(live.settings["state_dir"]) / live.instrument / "bad-packets").glob("*.bin"))


@pytest.mark.skipif(subprocess.run(["id", "-u"], capture_output=True, text=True).stdout.strip() != "0", reason="mounting a small disk needs root")
def test_a_full_disk_stops_neither_chunks_nor_results(tmp_path, growing):
    small = tmp_path / "small"
    small.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=24m", "tmpfs", str(small)], check=True)
    try:
        with service(tmp_path, growing.address, state_dir=str(small), accum_method="Add") as live:
            live.post.write_text("RenameWorkspace('accumulation', 'result')\n")
            live.start()
            live.wait_result()
            filler = small / "filler"
            with filler.open("wb") as file, pytest.raises(OSError, match="No space"):  # noqa: PT012 - fills until the disk says no
                while True:
                    file.write(bytes(65536))
                    file.flush()
            live.wait_log("ERROR - Journal stopped on disk: .*; chunks go on from memory")
            wait_for(lambda: live.overview.receiver.disk_full, "the status to say that the disk is full")
            assert live.end() == 0
            live.start()
            live.wait_log("Ready", count=2)
            growing.dae.add_frames(2)
            truth = growing.dae.counts()[0]
            live.wait_result(lambda result: np.array_equal(result.y, truth))
            filler.unlink()
            live.wait_log("Journal is back on disk")
            wait_for(lambda: not live.overview.receiver.disk_full, "the status to say that the disk takes records again")
            assert live.overview.receiver.lost_records == 0
            live.end()
    finally:
        subprocess.run(["umount", "-l", str(small)], check=True)


# --- the ways users start it


def test_three_terminals(tmp_path):
    fake = subprocess.Popen([sys.executable, str(REPOSITORY / "test" / "fake_server.py")], cwd=tmp_path, stdout=subprocess.PIPE, text=True)
    daemon = None
    try:
        assert "56789" in fake.stdout.readline()
        command = [sys.executable, str(REPOSITORY / "scripts" / "livereduce.py"), str(REPOSITORY / "test" / "fake.conf")]
        daemon = subprocess.Popen(command, cwd=REPOSITORY, stdout=subprocess.PIPE, text=True, env=_env(tmp_path))
        lines: list[str] = []
        wait_for(lambda: lines.append(daemon.stdout.readline()) or ("Run 0 started" in lines[-1]), "the run in the log")
        daemon.send_signal(signal.SIGINT)
        assert daemon.wait(PATIENCE_S) == 0
        fake.send_signal(signal.SIGINT)
        assert fake.wait(PATIENCE_S) == 0
    finally:
        for process in (fake, daemon):
            if process is not None:
                process.kill()
                process.communicate()


def test_the_demonstration_runs_and_leaves_its_results(tmp_path):
    command = [sys.executable, "-m", "livereduce", "demo", "--seconds", "8"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=60, env=_demo_env(tmp_path))
    assert done.returncode == 0, done.stderr
    assert "receiving, up to date" in done.stdout
    files = sorted(path.name for path in tmp_path.glob("livereduce-demo-*/results/*"))
    assert files == ["ISIS_Histogram_0_counts.txt", "ISIS_Histogram_0_result.nxs", "ISIS_Histogram_0_result.txt"]
    assert not list(tmp_path.glob("livereduce-demo-*/state"))


def test_status_tells_people_and_programs(live):
    live.start()
    live.wait_result()
    command = [sys.executable, "-m", "livereduce", "status", str(live.conf)]
    people = subprocess.run(command, capture_output=True, text=True, cwd=live.folder)
    assert people.returncode == 0
    assert "ISIS_Histogram" in people.stdout
    programs = subprocess.run([*command, "--json"], capture_output=True, text=True, cwd=live.folder)
    assert '"running": true' in programs.stdout
    live.end()
    assert subprocess.run(command, capture_output=True, text=True, cwd=live.folder).returncode == 1


def _env(home: Path) -> dict[str, str]:
    return {**os.environ, "XDG_STATE_HOME": str(home / "state")}


def _demo_env(folder: Path) -> dict[str, str]:
    return {**os.environ, "TMPDIR": str(folder), "PYTHONPATH": str(REPOSITORY)}
