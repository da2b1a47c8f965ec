"""What HDF5 writes into instead of a file of its own.

HDF5 keeps pieces in memory and writes them when it closes; when the disk is full by then, it can neither write nor close, and the process
carries the open file to its end, where it may die of it. So HDF5 is never told: the first error is kept, what follows is thrown away, and the
error is raised when HDF5 has closed.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from io import FileIO
from pathlib import Path

import h5py


class Sink:
    """A file that keeps its first error to itself."""

    def __init__(self, file: FileIO) -> None:
        self._file = file
        self.error: OSError | None = None

    def write(self, data: memoryview) -> int:
        """Write all of `data`, or pretend to."""
        if self.error is None:
            try:
                self._write_all(memoryview(data).cast("B"))
            except OSError as error:
                self.error = error
        return memoryview(data).nbytes

    def _write_all(self, data: memoryview) -> None:
        # The system takes what it likes: at most 2 GiB, and less where the disk ends.
        while data:
            data = data[self._file.write(data) :]

    def read(self, size: int) -> bytes:
        """Return `size` bytes; zeros where nothing could be written. By this method h5py knows a file."""
        buffer = bytearray(size)
        self.readinto(memoryview(buffer))
        return bytes(buffer)

    def readinto(self, buffer: memoryview) -> int:
        """Read into `buffer`; zeros where nothing could be written."""
        got = 0 if self.error is not None else self._file.readinto(buffer)
        buffer[got:] = bytes(len(buffer) - got)
        return len(buffer)

    def seek(self, offset: int, whence: int = 0) -> int:
        """Go to a place in the file."""
        return self._file.seek(offset, whence)

    def tell(self) -> int:
        """Return the place in the file."""
        return self._file.tell()

    def truncate(self, size: int) -> int:
        """Set the length of the file, or pretend to."""
        if self.error is None:
            try:
                return self._file.truncate(size)
            except OSError as error:
                self.error = error
        return size

    def flush(self) -> None:
        """Do nothing: what is written goes to the system at once."""


@contextmanager
def hdf5_into(path: Path) -> Iterator[h5py.File]:
    """Open a file, which may be there, as HDF5 to be written.

    Raises
    ------
    OSError
        If something could not be written, once HDF5 has closed.
    """
    there = path.exists()
    with FileIO(path, "r+" if there else "x+") as file:
        sink = Sink(file)
        with h5py.File(sink, "r+" if there else "w") as hdf5:
            yield hdf5
        if sink.error is not None:
            raise sink.error
