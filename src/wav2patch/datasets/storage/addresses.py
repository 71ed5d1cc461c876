"""Addresses of folders: a local path, or an address such as `s3://bucket/folder`."""

from __future__ import annotations

import os
import posixpath
import re
from dataclasses import dataclass, replace
from pathlib import Path
from urllib.request import url2pathname

from wav2patch.errors import UserError

_SCHEME = re.compile(r"(?P<scheme>[a-z][a-z0-9+.-]+)://(?P<rest>.*)", re.DOTALL)
# What `Path("s3://bucket/folder")` makes of an address; one letter is a Windows drive.
_FLATTENED = re.compile(r"(?P<scheme>[a-z][a-z0-9+.-]+):[/\\](?P<rest>[^/\\].*)", re.DOTALL)


@dataclass(frozen=True)
class RemoteAddress:
    """A folder that is reached through fsspec.

    Attributes:
        scheme: `s3`, `memory`, `gs`, …
        host: The bucket or machine; nothing above it can be reached.
        path: Of the folder below it, normalised, "" for the top.
    """

    scheme: str
    host: str
    path: str

    def __str__(self) -> str:
        return f"{self.scheme}://{self.host}" + (f"/{self.path}" if self.path else "")

    def below(self, name: str) -> str:
        """The address of a file in this folder."""
        return f"{self}/{name}" if name else str(self)

    def at(self, relative: str) -> RemoteAddress:
        """Another folder, relative to this one.

        Raises:
            UserError: It lies above the bucket.
        """
        path = posixpath.normpath(posixpath.join("/", self.path, relative))
        # normpath would quietly stop at the top, and the reader would look into some other folder.
        if posixpath.normpath(posixpath.join(self.path, relative)).split("/")[0] == ".." or relative.startswith("/"):
            raise UserError(f"{relative!r} leads out of {self.scheme}://{self.host}, seen from {self}.")
        return replace(self, path=path.strip("/"))


def parse_address(address: str | Path) -> Path | RemoteAddress:
    """Read an address as a person writes it: a path (`~` is the home folder), `file://…`, `s3://bucket/folder`, ….

    Raises:
        UserError: It is empty, names no bucket or is none of these.
    """
    text = str(address).strip()
    if not text:
        raise UserError('An empty address names no folder; the current one is ".".')
    pattern = _FLATTENED if isinstance(address, Path) else _SCHEME
    found = pattern.fullmatch(text)
    if found is None:
        if "://" in text:
            raise UserError(f"{text} is no address: expected a folder, or something like s3://bucket/folder.")
        return _at_home(Path(text))
    if found["scheme"] in ("file", "local"):
        rest = found["rest"] if pattern is _SCHEME else f"/{found['rest']}"
        return Path(url2pathname(rest.removeprefix("localhost")))
    host, _, path = found["rest"].replace("\\", "/").partition("/")
    if not host:
        raise UserError(f"{text} names no bucket: expected something like {found['scheme']}://bucket/folder.")
    return RemoteAddress(found["scheme"], host, "").at(path)


def _at_home(path: Path) -> Path:
    try:
        return path.expanduser()
    except RuntimeError as error:
        raise UserError(f"{path} lies in a home folder that this system does not know.") from error


def check_name(name: str) -> str:
    """`name`, if it is the posix path of something below a folder.

    Raises:
        ValueError: It is not.
    """
    if name != posixpath.normpath(name) or name.startswith(("/", "..")) or name == "." or "\\" in name:
        raise ValueError(f"{name!r} is no name of a file below a folder")
    return name


def check_folder_name(name: str) -> str:
    """`name`, if it is as `check_name` says, or "" for the folder itself."""
    return check_name(name) if name else name


def local_folder_at(folder: Path, relative: str) -> Path:
    """Another local folder, relative to `folder`, as the system (and HDF5) would find it."""
    joined = os.path.join(folder, *relative.split("/"))
    plain = os.path.normpath(joined)
    # `..` after a symbolic link leads to the parent of what it points to.
    return Path(plain if os.path.realpath(plain) == os.path.realpath(joined) else os.path.realpath(joined))


def relative_local(start: Path, end: Path) -> str:
    """The posix path that leads from one local folder to another.

    Raises:
        UserError: There is none: they lie on different drives.
    """
    try:
        plain = os.path.relpath(end.absolute(), start.absolute())
        if os.path.realpath(start / plain) != os.path.realpath(end):
            plain = os.path.relpath(os.path.realpath(end), os.path.realpath(start))
    except ValueError as error:
        raise UserError(f"No relative path leads from {start} to {end}: put both on one drive.") from error
    return Path(plain).as_posix()


def relative_remote(start: RemoteAddress, end: RemoteAddress) -> str:
    """The path that leads from one remote folder to another.

    Raises:
        UserError: They are not in the same bucket.
    """
    if (start.scheme, start.host) != (end.scheme, end.host):
        raise UserError(f"No relative path leads from {start} to {end}: put both in one bucket.")
    return posixpath.relpath(f"/{end.path}", f"/{start.path}")
