"""A data set at the other end of a line: S3 or whatever else fsspec reaches."""

from __future__ import annotations

import contextlib
import datetime
import posixpath
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from wav2patch.datasets.storage.addresses import RemoteAddress, check_folder_name, check_name
from wav2patch.datasets.storage.cache import CACHE_VARIABLE, cache_folder, cached
from wav2patch.datasets.storage.connection import PART, Connection, FileSystem, info
from wav2patch.datasets.storage.remote_errors import Incomplete, is_no_bucket
from wav2patch.errors import UserError
from wav2patch.files import LEFTOVER_AGE, remove_leftovers, temporary_path

T = TypeVar("T")

# Where an object is there when its upload is complete, and not before.
_OBJECT_STORES = {"s3", "s3a", "gs", "gcs", "az", "abfs", "abfss", "adl", "oss", "r2"}
_VERSION_FIELDS = ("md5Hash", "generation", "LastModified", "last_modified", "mtime", "created")


@dataclass(frozen=True)
class RemoteStorage:
    """A remote folder (see `storage.Storage`). It pickles; a process that gets it opens a line of its own.

    Attributes:
        place: Where it lies.
        cache: Folder for copies and for files that are being made, or None for the usual one.
    """

    place: RemoteAddress
    cache: Path | None
    connection: Connection = field(compare=False, repr=False)

    @property
    def address(self) -> str:
        """The address, for sentences."""
        return str(self.place)

    def exists(self, name: str) -> bool:
        """Whether there is a file of that name."""

        def look(system: FileSystem) -> bool:
            try:
                return bool(info(system, self._path(system, name)))
            except FileNotFoundError as error:
                if is_no_bucket(error):
                    raise
                return False

        return self._run(check_name(name), look)

    def names(self, folder: str = "") -> list[str]:
        """Sorted names of the files directly in a folder; hidden ones, so temporary ones too, are not files of it."""

        def look(system: FileSystem) -> list[str]:
            path = self._path(system, folder)
            try:
                entries = system.ls(path, detail=True)
            except FileNotFoundError as error:
                if is_no_bucket(error):
                    raise
                return []
            return [entry["name"] for entry in entries if entry["type"] == "file" and entry["name"].rstrip("/") != path]

        names = {posixpath.basename(name) for name in self._run(check_folder_name(folder), look)}
        return sorted(name for name in names if name and not name.startswith("."))

    def size(self, name: str) -> int:
        """Bytes of a file."""
        return self._info(name)["size"]

    def read_bytes(self, name: str) -> bytes:
        """What a file holds."""
        return self._run(check_name(name), lambda system: bytes(system.cat_file(self._path(system, name))))

    def write_bytes(self, name: str, content: bytes) -> None:
        """Write a file, whole or not at all."""
        self._publish(name, len(content), lambda system, path: system.pipe_file(path, content))

    @contextlib.contextmanager
    def writing(self, name: str) -> Iterator[Path]:
        """A local path to fill, which is sent when the block ends without an error."""
        check_name(name)
        with self._draft(name) as draft:
            yield draft
            options = {"chunksize": PART} if self.connection.is_s3 else {}
            size = draft.stat().st_size
            self._publish(name, size, lambda system, path: system.put_file(str(draft), path, **options))

    def local(self, name: str) -> Path:
        """A local copy (see `cache.cached`)."""
        found = self._info(name)
        version = _version(found)

        def fetch(path: Path) -> None:
            self._run(name, lambda system: self._fetch(system, name, path, version))

        return cached(cache_folder(self.cache), self.place.below(name), version, found["size"], fetch)

    def at(self, relative: str) -> RemoteStorage:
        """Another folder, relative to this one, over the same line."""
        return RemoteStorage(self.place.at(relative), self.cache, self.connection)

    def tidy(self, folder: str = "") -> list[str]:
        """Remove what killed writers left: uploads that nobody went on with for a day, and their local files.

        Such an upload is invisible and yet paid for. Gives the names of the files they were for.
        """
        remove_leftovers(self._drafts())
        if not self.connection.is_s3:
            return []
        return self._run(check_folder_name(folder), lambda system: self._abort_uploads(system, folder))

    def _run(self, name: str, action: Callable[[FileSystem], T]) -> T:
        return self.connection.run(name, action, self.place)

    def _info(self, name: str) -> dict[str, Any]:
        return self._run(check_name(name), lambda system: info(system, self._path(system, name)))

    def _path(self, system: FileSystem, name: str) -> str:
        return str(system._strip_protocol(self.place.below(name)))

    def _publish(self, name: str, size: int, send: Callable[[FileSystem, str], object]) -> None:
        """Send a file so that nobody sees a part of it."""

        def act(system: FileSystem) -> None:
            path = self._path(system, name)
            if self.place.scheme in _OBJECT_STORES:
                send(system, path)
                _check_size(system, path, size)
                return
            system.makedirs(posixpath.dirname(path), exist_ok=True)
            hidden = posixpath.join(posixpath.dirname(path), temporary_path(Path(name)).name)
            send(system, hidden)
            _check_size(system, hidden, size)
            system.mv(hidden, path)

        self._run(check_name(name), act)

    def _fetch(self, system: FileSystem, name: str, path: Path, version: str) -> None:
        remote = self._path(system, name)
        system.get_file(remote, str(path))
        found = info(system, remote)
        # A big file comes in parts, which may be of two versions.
        if _version(found) != version:
            raise UserError(
                f"{self.place.below(name)} changed while it was fetched: try again when nobody writes to it."
            )
        if path.stat().st_size != found["size"]:
            raise Incomplete("it was cut off")

    def _drafts(self) -> Path:
        return cache_folder(self.cache) / "drafts"

    @contextlib.contextmanager
    def _draft(self, name: str) -> Iterator[Path]:
        drafts = self._drafts()
        try:
            drafts.mkdir(parents=True, exist_ok=True)
            remove_leftovers(drafts)
            draft = temporary_path(drafts / posixpath.basename(name))
            try:
                yield draft
            finally:
                draft.unlink(missing_ok=True)
        except OSError as error:
            where, reason = self.place.below(name), error.strerror or error
            raise UserError(
                f"{where} could not be written to {drafts} first: {reason}; {CACHE_VARIABLE} names another folder."
            ) from error

    def _abort_uploads(self, system: FileSystem, folder: str) -> list[str]:
        place = self.place.at(folder).path
        try:
            listing = system.call_s3("list_multipart_uploads", Bucket=self.place.host, Prefix=place and f"{place}/")
        except OSError:  # a courtesy that not everybody may do, and not every server knows
            return []
        now = datetime.datetime.now(datetime.UTC)
        stale = [
            upload
            for upload in listing.get("Uploads") or []
            if posixpath.dirname(upload["Key"]) == place and (now - upload["Initiated"]).total_seconds() > LEFTOVER_AGE
        ]
        for upload in stale:
            system.call_s3(
                "abort_multipart_upload", Bucket=self.place.host, Key=upload["Key"], UploadId=upload["UploadId"]
            )
        return sorted(posixpath.basename(upload["Key"]) for upload in stale)


def _check_size(system: FileSystem, path: str, size: int) -> None:
    if (arrived := info(system, path)["size"]) != size:
        raise Incomplete(f"{arrived} of {size} bytes arrived")


def _version(found: dict[str, Any]) -> str:
    """What changes when a file does."""
    tag = found.get("ETag") or found.get("etag")
    marks = [tag] if tag else [found.get(field) for field in _VERSION_FIELDS]
    return f"{found['size']} {marks}"
