"""Local copies of remote files.

A copy lies in `<cache>/<digest of the address>/<digest of the version>/<name>`: a remote file that changed is another
version and is fetched anew, and then takes the place of the old one. Any folder in the cache may be deleted at any
time that nobody reads from it; that is how to clear it.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import shutil
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from wav2patch.errors import UserError
from wav2patch.files import atomic_path, remove_leftovers

CACHE_VARIABLE = "WAV2PATCH_CACHE"


def cache_folder(chosen: Path | None = None) -> Path:
    """The folder of copies: `chosen`, or $WAV2PATCH_CACHE, or `wav2patch` where this system keeps caches."""
    if chosen is not None:
        return Path(chosen).expanduser()
    if named := os.environ.get(CACHE_VARIABLE):
        return Path(named).expanduser()
    if sys.platform == "win32":
        return Path(os.environ.get("LOCALAPPDATA") or Path.home() / "AppData/Local") / "wav2patch" / "cache"
    if sys.platform == "darwin":
        return Path.home() / "Library/Caches/wav2patch"
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "wav2patch"


def cached(cache: Path, address: str, version: str, size: int, fetch: Callable[[Path], None]) -> Path:
    """The local copy of a remote file, fetched if it is not there; once, however many processes ask.

    Args:
        cache: The folder of copies.
        address: Of the remote file.
        version: Changes when the file does.
        size: Its bytes.
        fetch: Fills a path with the file.

    Raises:
        UserError: It cannot be fetched or stored.
    """
    place = cache / _digest(address)
    path = place / _digest(version) / address.rsplit("/", 1)[-1]
    if _is_whole(path, size):
        return path
    with _locked(place):
        if not _is_whole(path, size):
            _forget(place)
            with atomic_path(path) as temporary:
                fetch(temporary)
    return path


def _is_whole(path: Path, size: int) -> bool:
    try:
        return path.stat().st_size == size
    except OSError:
        return False


def _forget(place: Path) -> None:
    """Remove other versions, and what was left of attempts to fetch."""
    for version in place.iterdir():
        if version.is_dir():
            remove_leftovers(version)
            if not any(file.name.startswith(".") for file in version.iterdir()):
                shutil.rmtree(version, ignore_errors=True)


@contextlib.contextmanager
def _locked(place: Path) -> Iterator[None]:
    """Keep other processes and threads out of a folder; the system ends that with the process, however it ends."""
    try:
        place.mkdir(parents=True, exist_ok=True)
        lock = (place / "lock").open("ab")
    except OSError as error:
        reason = error.strerror or error
        raise UserError(f"{place} cannot hold copies: {reason}; {CACHE_VARIABLE} names another folder.") from error
    with lock:
        release = _lock(lock.fileno())
        try:
            yield
        finally:
            release()


def _lock(descriptor: int) -> Callable[[], None]:
    """Wait for the lock and give what releases it; where files cannot be locked, copies are merely fetched twice."""
    if sys.platform == "win32":
        import msvcrt  # noqa: PLC0415 - Windows only

        while True:
            try:
                msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
                return lambda: msvcrt.locking(descriptor, msvcrt.LK_UNLCK, 1)
            except OSError:
                time.sleep(0.1)
    import fcntl  # noqa: PLC0415 - not on Windows

    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
    except OSError:
        return lambda: None
    return lambda: fcntl.flock(descriptor, fcntl.LOCK_UN)


def _digest(text: str) -> str:
    return hashlib.blake2s(text.encode()).hexdigest()[:20]
