"""Where a data set lies: one interface to a local folder and to whatever fsspec reaches, S3 above all.

A remote address needs no settings of ours: credentials and server come from the usual places (`AWS_ACCESS_KEY_ID`,
`AWS_SECRET_ACCESS_KEY`, `AWS_PROFILE`, `AWS_REGION`, `AWS_ENDPOINT_URL` or `AWS_ENDPOINT_URL_S3`, `~/.aws`, and
fsspec's own `FSSPEC_S3_…` and `~/.config/fsspec`). Files that are read through `local` are copied to the folder that
`$WAV2PATCH_CACHE` names (see `cache.cache_folder`); deleting that folder clears it.
"""

from __future__ import annotations

from contextlib import AbstractContextManager
from pathlib import Path
from typing import Protocol, runtime_checkable

from wav2patch.datasets.storage.addresses import RemoteAddress, parse_address, relative_local, relative_remote
from wav2patch.datasets.storage.connection import Connection, file_system_class
from wav2patch.datasets.storage.local import LocalStorage
from wav2patch.datasets.storage.remote import RemoteStorage
from wav2patch.errors import UserError


@runtime_checkable
class Storage(Protocol):
    """A folder of files that are each whole or absent.

    Names are posix paths relative to it (ValueError for one that leads out). What cannot be done raises a UserError
    that names the file. A storage pickles, and may be used by threads and by forked processes.
    """

    @property
    def address(self) -> str:
        """As the user gave it, for sentences."""
        ...

    def exists(self, name: str) -> bool:
        """Whether there is a file of that name; an error if the place itself cannot be reached."""
        ...

    def names(self, folder: str = "") -> list[str]:
        """Sorted names of the files directly in a folder ("" for this one); [] if it is absent.

        Hidden files are left out, so also temporary ones that somebody is filling or left behind.
        """
        ...

    def size(self, name: str) -> int:
        """Bytes of a file."""
        ...

    def read_bytes(self, name: str) -> bytes:
        """What a file holds."""
        ...

    def write_bytes(self, name: str, content: bytes) -> None:
        """Write a file, whole or not at all, over one that may be there."""
        ...

    def writing(self, name: str) -> AbstractContextManager[Path]:
        """A local path to fill; it becomes the file, whole, when the block ends without an error, or nothing does."""
        ...

    def local(self, name: str) -> Path:
        """A local file with that content: itself, or a copy that is fetched once and again when the file changes.

        A remote file is asked for its version at every call.
        """
        ...

    def at(self, relative: str) -> Storage:
        """Another folder, relative to this one: "../full", "."."""
        ...

    def tidy(self, folder: str = "") -> list[str]:
        """Remove what killed writers left directly in a folder, nothing that may be filled; give the names."""
        ...


def open_storage(address: str | Path, *, cache: Path | None = None) -> Storage:
    """The folder at an address. Nothing is looked at yet: the folder need not exist.

    Args:
        address: A path (`~` is the home folder), `file://…`, `s3://bucket/folder` or another address of fsspec.
        cache: Folder for copies of remote files, instead of the usual one.

    Raises:
        UserError: It is no address, or what is needed for it is not installed.
    """
    place = parse_address(address)
    if isinstance(place, RemoteAddress):
        file_system_class(place)
        return RemoteStorage(place, cache, Connection(place))
    return LocalStorage(place.absolute(), str(address))


def relative_path(start: Storage, end: Storage) -> str:
    """The relative posix path that leads from one folder to another: `start.at(path)` is `end`.

    Raises:
        UserError: There is none, as from a local folder to a bucket.
    """
    if isinstance(start, LocalStorage) and isinstance(end, LocalStorage):
        return relative_local(start.folder, end.folder)
    if isinstance(start, RemoteStorage) and isinstance(end, RemoteStorage):
        return relative_remote(start.place, end.place)
    raise UserError(f"No relative path leads from {start.address} to {end.address}: put both in one place.")
