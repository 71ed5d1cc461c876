"""A file for HDF5 to write to that never refuses."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any


class PatientFile(io.RawIOBase):
    """A new file that notes a full disk, instead of telling HDF5, which comes to grief over it at the program's end.

    After the first error nothing more is written; whoever has HDF5 write here asks `check` before trusting the file.

    Args:
        path: Of the file, which is made anew.
    """

    def __init__(self, path: Path) -> None:
        super().__init__()
        self._file: io.FileIO = path.open("w+b", buffering=0)
        self._error: OSError | None = None

    def check(self) -> None:
        """Raise the first error that there was.

        Raises:
            OSError: The system refused something.
        """
        if self._error is not None:
            raise OSError(self._error.errno, self._error.strerror) from self._error

    def readable(self) -> bool:
        """HDF5 reads its own notes back."""
        return True

    def writable(self) -> bool:
        """It is what the file is for."""
        return True

    def seekable(self) -> bool:
        """HDF5 writes here and there."""
        return True

    def write(self, content: Any) -> int:
        """Write all of it, or note why not."""
        left = memoryview(content).cast("B")
        size = len(left)
        try:
            while self._error is None and len(left):
                left = left[self._file.write(left) :]
        except OSError as error:
            self._error = error
        return size

    def readinto(self, buffer: Any) -> int:
        """Read; beyond the end there are zeros."""
        view = memoryview(buffer).cast("B")
        read = self._file.readinto(view)
        view[read:] = bytes(len(view) - read)
        return len(view)

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """As of any file."""
        return self._file.seek(offset, whence)

    def truncate(self, size: int | None = None) -> int:
        """Cut or lengthen it, or note why not."""
        try:
            if self._error is None:
                self._file.truncate(size)
        except OSError as error:
            self._error = error
        return size or 0

    def close(self) -> None:
        """Close it."""
        self._file.close()
        super().close()
