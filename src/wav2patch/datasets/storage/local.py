"""A data set in a local folder."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path

from wav2patch import files
from wav2patch.datasets.storage.addresses import check_folder_name, check_name, local_folder_at
from wav2patch.errors import UserError


@dataclass(frozen=True)
class LocalStorage:
    """A folder, which need not exist before something is written (see `storage.Storage`).

    Attributes:
        folder: Where it lies.
        address: As the user gave it.
    """

    folder: Path
    address: str

    def exists(self, name: str) -> bool:
        """Whether there is a file of that name."""
        with self._told(check_name(name)):
            return self._path(name).is_file()

    def names(self, folder: str = "") -> list[str]:
        """Sorted names of the files directly in a folder; hidden ones, so temporary ones too, are not files of it."""
        with self._told(check_folder_name(folder)):
            place = self._path(folder)
            if not place.exists():
                return []
            return sorted(file.name for file in place.iterdir() if not file.name.startswith(".") and file.is_file())

    def size(self, name: str) -> int:
        """Bytes of a file."""
        with self._told(name):
            return self.local(name).stat().st_size

    def read_bytes(self, name: str) -> bytes:
        """What a file holds."""
        with self._told(name):
            return self.local(name).read_bytes()

    def write_bytes(self, name: str, content: bytes) -> None:
        """Write a file, whole or not at all."""
        files.write_bytes(self._path(check_name(name)), content)

    def writing(self, name: str) -> AbstractContextManager[Path]:
        """A path to fill, which becomes the file when the block ends without an error."""
        return files.atomic_path(self._path(check_name(name)))

    def local(self, name: str) -> Path:
        """The file itself."""
        path = self._path(check_name(name))
        with self._told(name):
            if not path.is_file():
                raise UserError(f"There is no file {name} in {self.address}.")
        return path

    def at(self, relative: str) -> LocalStorage:
        """Another folder, relative to this one."""
        folder = local_folder_at(self.folder, relative)
        return LocalStorage(folder, str(folder))

    def tidy(self, folder: str = "") -> list[str]:
        """Remove what killed writers left in a folder, and give the names (see `files.remove_leftovers`)."""
        return files.remove_leftovers(self._path(check_folder_name(folder)))

    def _path(self, name: str) -> Path:
        return self.folder.joinpath(*name.split("/")) if name else self.folder

    @contextlib.contextmanager
    def _told(self, name: str) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise UserError(f"{self._path(name)} could not be read: {error.strerror or error}.") from error
