"""The board, on real files and in real processes."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec
import numpy as np
import pytest

from livereduce.errors import StoreError
from livereduce.store.board import About, Board, Checkpoint
from livereduce.store.status import ReceiverStatus, ReducerStatus, SupervisorStatus
from test.fakes import fill, workspace

ROOT = Path(__file__).resolve().parents[2]


@contextmanager
def board_in(folder: Path) -> Iterator[Board]:
    board = Board(folder / "board")
    try:
        yield board
    finally:
        board.close()


def about(number: int = 1) -> About:
    return About(run_number=number, chunk_first=0, chunk_last=number, chunks=1, data_ns=0, published_ns=0)


def checkpoint(position: int = 3) -> Checkpoint:
    return Checkpoint(
        position=position, run_position=0, first_position=1, recipe="r", chunks=2, previous_position=position - 1, data_ns=5, record_ns=5
    )  # fmt: skip


def test_a_fresh_board_has_nothing_to_show(tmp_path: Path) -> None:
    with board_in(tmp_path) as board:
        assert (board.names(), board.result("result"), board.about(), board.checkpoint(), board.checkpointed()) == ([], None, None, None, None)
        assert [board.status(role) for role in (ReceiverStatus, ReducerStatus, SupervisorStatus)] == [None] * 3


def test_what_is_published_takes_the_place_of_all_before(tmp_path: Path) -> None:
    with board_in(tmp_path) as board:
        board.publish({"a": workspace([[1.0]]), "b": workspace([[2.0]])}, about(1))
        board.publish({"c": workspace([[3.0]])}, about(2))
        assert board.names() == ["c"]
        assert board.result("a") is None
        assert board.result("c").y.tolist() == [[3.0]]
        assert board.about() == about(2)


READER = """
import sys
from pathlib import Path
from livereduce.store.board import Board
board = Board(Path(sys.argv[1]), readonly=True)
print("open", flush=True)
seen = set()
while max(seen, default=0) < int(sys.argv[2]):
    txn = board._env.begin()
    sets = {name: txn.get(name.encode(), db=board._db["results"]) for name in ("a", "b")}
    txn.abort()
    from livereduce.store.freeze import thaw
    values = [thaw(data).y[0, 0] for data in sets.values() if data is not None]
    if len(values) == 1 or len(set(values)) > 1:
        print("mixed", values)
        break
    seen |= set(values)
print("done")
board.close()
"""


def test_a_reader_in_another_process_never_sees_a_mixture_of_two_sets(tmp_path: Path) -> None:
    with board_in(tmp_path) as board:
        reader = subprocess.Popen([sys.executable, "-c", READER, str(board.folder), "300"], cwd=ROOT, stdout=subprocess.PIPE, text=True)
        assert reader.stdout is not None
        assert reader.stdout.readline() == "open\n"
        for k in range(1, 301):
            board.publish({"a": workspace([[k]]), "b": workspace([[k]])}, about(k))
        out, _ = reader.communicate(timeout=60)
    assert out == "done\n"


def test_checkpoint_and_accumulation_belong_together(tmp_path: Path) -> None:
    with board_in(tmp_path) as board:
        for position in range(1, 4):
            board.save_checkpoint(checkpoint(position), workspace([[position]]))
        found = board.checkpointed()
        assert found is not None
        assert found[0] == checkpoint(3) == board.checkpoint()
        assert found[1].y.tolist() == [[3.0]]
        board.save_checkpoint(checkpoint(4), None)
        assert board.checkpointed() == (checkpoint(4), None)
        board.forget_checkpoint()
        assert board.checkpointed() is None


WRITER = """
import sys
from pathlib import Path
import numpy as np
from livereduce.data.workspace import Spectra, Workspace
from livereduce.store.board import Board, Checkpoint
board = Board(Path(sys.argv[1]))
k = 0
while True:
    k += 1
    y = np.full((100, 100), float(k))
    where = Checkpoint(position=k, run_position=0, first_position=0, recipe="r", chunks=k, previous_position=0, data_ns=0, record_ns=0)
    board.save_checkpoint(where, Workspace(x=np.arange(101.0), y=y, variance=y, spectra=Spectra.counted(100)))
    print(k, flush=True)
"""


def test_a_checkpoint_is_whole_whenever_its_writer_is_killed(tmp_path: Path) -> None:
    for kill_after in (1, 7, 23):
        writer = subprocess.Popen([sys.executable, "-c", WRITER, str(tmp_path / "board")], cwd=ROOT, stdout=subprocess.PIPE, text=True)
        assert writer.stdout is not None
        for _ in range(kill_after):
            said = int(writer.stdout.readline())
        writer.kill()
        writer.communicate()
        with board_in(tmp_path) as board:
            found = board.checkpointed()
            assert found is not None
            assert found[0].position >= said
            np.testing.assert_array_equal(found[1].y, np.full((100, 100), float(found[0].position)))


def test_each_role_has_one_status(tmp_path: Path) -> None:
    with board_in(tmp_path) as board:
        board.set_status(ReceiverStatus(pid=1, state="connecting"))
        board.set_status(ReceiverStatus(pid=1, state="receiving"))
        board.set_status(ReducerStatus(pid=2))
        assert board.status(ReceiverStatus) == ReceiverStatus(pid=1, state="receiving")
        assert board.status(ReducerStatus) == ReducerStatus(pid=2)
        board.forget_status()
        assert board.status(ReceiverStatus) is None


@pytest.mark.parametrize(
    "data", [b"", b"\xc1", msgspec.msgpack.encode({"type": "receiver", "pid": "text"}), msgspec.msgpack.encode({"type": "receiver"})]
)
def test_what_another_version_wrote_is_ignored(tmp_path: Path, data: bytes) -> None:
    with board_in(tmp_path) as board:
        board._write("status", {b"receiver": data})
        board._write("about", {b"about": data})
        board._write("checkpoint", {b"where": data, b"accumulation": data})
        assert board.status(ReceiverStatus) is None
        assert board.about() is None
        assert board.checkpoint() is None
        assert board.checkpointed() is None


def test_an_accumulation_of_another_version_is_ignored(tmp_path: Path) -> None:
    with board_in(tmp_path) as board:
        board.save_checkpoint(checkpoint(), workspace([[1.0]]))
        data = board._read("checkpoint", b"accumulation")
        assert data is not None
        board._write("checkpoint", {b"accumulation": data.replace(b"Workspace", b"Workplace")})
        assert board.checkpointed() is None


def test_a_damaged_board_is_set_aside(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    (tmp_path / "board").mkdir()
    (tmp_path / "board" / "data.mdb").write_bytes(b"\x13" * 40_000)
    with pytest.raises(StoreError, match="board: cannot be opened"):
        Board(tmp_path / "board", readonly=True)
    with board_in(tmp_path) as board:
        board.set_status(ReceiverStatus(pid=1))
    assert "an empty one is started" in caplog.text
    assert len(list(tmp_path.glob("board.damaged-*"))) == 1


def test_a_board_that_does_not_exist_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="cannot be opened"):
        Board(tmp_path / "board", readonly=True)
    assert not (tmp_path / "board").exists()


def test_the_version_changes_with_each_write(tmp_path: Path) -> None:
    with board_in(tmp_path) as board:
        before = board.version()
        assert board.version() == before
        board.set_status(ReceiverStatus(pid=1))
        assert board.version() > before


def test_only_the_user_may_look_into_a_board(tmp_path: Path) -> None:
    with board_in(tmp_path) as board:
        assert board.folder.stat().st_mode & 0o777 == 0o700
        assert (board.folder / "data.mdb").stat().st_mode & 0o777 == 0o600


def test_status_is_written_on_a_full_disk_and_results_say_that_they_are_not(tmp_path: Path) -> None:
    if os.geteuid() != 0:
        pytest.skip("a small disk is a mounted tmpfs, and mounting needs root")
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=24m", "tmpfs", str(tmp_path)], capture_output=True, check=False).returncode != 0:
        pytest.skip("mounting a tmpfs is not allowed here")
    try:
        with board_in(tmp_path) as board:
            board.publish({"result": workspace([[1.0]])}, about(1))
            fill(tmp_path)
            big = workspace(np.zeros((1, 2_500_000)))
            with pytest.raises(StoreError, match="results cannot be published: "):
                board.publish({"result": big}, about(2))
            assert board.about() == about(1)
            for k in range(200):
                board.set_status(ReceiverStatus(pid=k, disk_full=True))
            assert board.status(ReceiverStatus) == ReceiverStatus(pid=199, disk_full=True)
            (tmp_path / "ballast").unlink()
            board.publish({"result": workspace([[3.0]])}, about(3))
            assert board.about() == about(3)
    finally:
        subprocess.run(["umount", "--lazy", str(tmp_path)], check=True)
