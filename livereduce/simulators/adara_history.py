"""What a simulated ADARA server has sent so far, so that clients may begin earlier and read at their own speed."""

from __future__ import annotations

import threading
from collections import deque
from dataclasses import dataclass
from typing import Final

HISTORY_BYTES: Final = 256 * 1024 * 1024
"""Most bytes kept; beyond them the oldest go, whoever still wants them."""

WINDOW_BYTES: Final = 16 * 1024 * 1024
"""How far the slowest client may be behind while data are made as fast as clients read them."""

IDLE_S: Final = 0.1
"""How often a client that waits for data is looked after, s."""

READ_BYTES: Final = 1024 * 1024
"""About how many bytes are read at once."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """Whole packets that belong together."""

    data: bytes
    """The packets."""

    paused: bool = False
    """Whether they were taken while the run was paused."""

    end: int
    """Bytes up to its end since the beginning of everything."""


class History:
    """Blocks by position: 0, 1, 2, ...; the oldest are dropped. Threads may share it."""

    def __init__(self, *, limit_bytes: int = HISTORY_BYTES) -> None:
        self._limit = limit_bytes
        self._blocks: deque[Block] = deque()
        self._first = self._keep_from = 0
        self._changed = threading.Condition()
        self._readers: set[HistoryReader] = set()

    @property
    def first(self) -> int:
        """Position of the oldest block that is kept."""
        with self._changed:
            return self._first

    @property
    def end(self) -> int:
        """Position that the next block will have."""
        with self._changed:
            return self._first + len(self._blocks)

    def append(self, data: bytes, *, paused: bool = False) -> None:
        """Add a block."""
        with self._changed:
            self._blocks.append(Block(data=data, paused=paused, end=self._end_bytes() + len(data)))
            self._trim()
            self._changed.notify_all()

    def keep_from(self, position: int) -> None:
        """Let go what is before `position`, as soon as no reader wants it."""
        with self._changed:
            self._keep_from = position
            self._trim()

    def wait_for_readers(self, timeout_s: float) -> bool:
        """Return whether there are readers within `timeout_s` and none of them is further behind than `WINDOW_BYTES`."""
        with self._changed:
            return self._changed.wait_for(lambda: bool(self._readers) and self._behind() < WINDOW_BYTES, timeout_s)

    def reader(self, position: int) -> HistoryReader:
        """Return a reader that begins at `position`, or at the oldest block if that is later."""
        with self._changed:
            reader = HistoryReader(self, max(position, self._first))
            self._readers.add(reader)
            self._changed.notify_all()
            return reader

    def read(self, reader: HistoryReader, timeout_s: float) -> list[Block]:
        """Return what comes next for `reader`, nothing after `timeout_s`; LookupError when it is gone already."""
        with self._changed:
            self._changed.wait_for(lambda: reader.position < self._first + len(self._blocks), timeout_s)
            if reader.position < self._first:
                raise LookupError(f"block {reader.position} is gone, the oldest is {self._first}; wanted a client that reads faster")
            found, size = [], 0
            while size < READ_BYTES and reader.position < self._first + len(self._blocks):
                block = self._blocks[reader.position - self._first]
                found.append(block)
                size += len(block.data)
                reader.position += 1
            self._trim()
            self._changed.notify_all()
            return found

    def leave(self, reader: HistoryReader) -> None:
        """Take note that `reader` reads no more."""
        with self._changed:
            self._readers.discard(reader)
            self._trim()
            self._changed.notify_all()

    def _end_bytes(self) -> int:
        return self._blocks[-1].end if self._blocks else 0

    def _behind(self) -> int:
        slowest = min(reader.position for reader in self._readers) - self._first
        if slowest >= len(self._blocks):
            return 0
        block = self._blocks[max(0, slowest)]
        return self._end_bytes() - block.end + len(block.data)

    def _trim(self) -> None:
        wanted = min([self._keep_from, *(reader.position for reader in self._readers)])
        # One block stays: it knows how many bytes there have been.
        while len(self._blocks) > 1 and (self._first < wanted or self._end_bytes() - self._blocks[0].end > self._limit):
            self._blocks.popleft()
            self._first += 1


class HistoryReader:
    """A place in a history; leave it with ``close`` or a ``with``."""

    def __init__(self, history: History, position: int) -> None:
        self.position = position
        """Of the block that is read next."""
        self._history = history

    def read(self, timeout_s: float) -> list[Block]:
        """Return what comes next, nothing after `timeout_s`; LookupError when it is gone already."""
        return self._history.read(self, timeout_s)

    def close(self) -> None:
        """Let go what this reader wanted."""
        self._history.leave(self)

    def __enter__(self) -> HistoryReader:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
