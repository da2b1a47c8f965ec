"""Where one instrument's stores lie."""

from __future__ import annotations

import hashlib
import os
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Places:
    """The folders and files under one instrument's state folder."""

    root: Path
    """The state folder."""

    @property
    def journal(self) -> Path:
        """Folder of the journal."""
        return self.root / "journal"

    @property
    def board(self) -> Path:
        """Folder of the board."""
        return self.root / "board"

    @property
    def evidence(self) -> Path:
        """Folder of packets that broke their layout."""
        return self.root / "bad-packets"

    @property
    def lock(self) -> Path:
        """File that a running daemon holds, with its pid in it."""
        return self.root / "lock"

    @property
    def overflow(self) -> Path:
        """Folder in memory where the journal goes on when the disk is full; one for each state folder and user."""
        name = hashlib.sha256(str(self.root.absolute()).encode()).hexdigest()[:16]
        return Path("/dev/shm") / f"livereduce-{os.getuid()}-{name}"
