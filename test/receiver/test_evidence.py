"""Bytes that broke a layout, as files."""

from __future__ import annotations

from pathlib import Path

from livereduce.receiver.evidence import KEPT_BYTES, KEPT_FILES, keep_evidence


def test_the_first_64_kb_are_kept(tmp_path: Path) -> None:
    path = keep_evidence(tmp_path / "new", b"a" * 100_000, 17)
    assert path == tmp_path / "new" / "bad-packet-17.bin"
    assert path.read_bytes() == b"a" * 65536
    assert KEPT_BYTES == 65536


def test_the_oldest_make_room_for_the_newest(tmp_path: Path) -> None:
    for k in range(KEPT_FILES + 5):
        keep_evidence(tmp_path, b"x", 1_700_000_000_000_000_000 + k)
    kept = sorted(tmp_path.iterdir())
    assert len(kept) == KEPT_FILES
    assert kept[0].name == "bad-packet-1700000000000000005.bin"


def test_a_disk_that_takes_nothing_is_no_further_trouble(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    assert str(keep_evidence(tmp_path / "file", b"x", 1)).endswith("bad-packet-1.bin (not written)")
