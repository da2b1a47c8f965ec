"""Writes docs/demo.svg, the table of a real demonstration: ``python docs/generate_picture.py``. Takes a quarter of a minute."""

from __future__ import annotations

import re
import signal
import subprocess
import sys
from pathlib import Path

from rich._export_format import CONSOLE_SVG_FORMAT
from rich.console import Console

from livereduce.demo import INSTRUMENT
from livereduce.publish.overview import read_overview, table
from livereduce.store.board import Board
from livereduce.store.places import Places

PICTURE = Path(__file__).resolve().parent / "demo.svg"
LINES = 6
"""Lines that the demonstration prints, one each 2 s, before the picture is taken."""
COLUMNS = 126


def main() -> None:
    """Run the demonstration for a while and draw what it shows."""
    command = [sys.executable, "-u", "-m", "livereduce", "demo", "--seconds", "30"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=PICTURE.parent.parent) as demo:
        assert demo.stdout is not None
        folder = Path(demo.stdout.readline().removeprefix("Everything happens in ").partition(";")[0])
        for _ in range(LINES):
            demo.stdout.readline()
        board = Board(Places(folder / "state" / INSTRUMENT).board, readonly=True)
        draw(board)
        board.close()
        demo.send_signal(signal.SIGINT)
    print(f"wrote {PICTURE}")


def draw(board: Board) -> None:
    """Draw the board's table."""
    with open("/dev/null", "w", encoding="utf-8") as nowhere:
        console = Console(record=True, width=COLUMNS, file=nowhere, force_terminal=True)
        console.print(table(read_overview(board, INSTRUMENT)))
        # The reader's own fonts: the format would load some from a server.
        template = re.sub(r"@font-face \{\{.*?\}\}\s*", "", CONSOLE_SVG_FORMAT, flags=re.DOTALL)
        console.save_svg(str(PICTURE), title="livereduce demo", code_format=template)


if __name__ == "__main__":
    main()
