"""Files that are whole or absent: written under a temporary name, synced, then renamed."""

from __future__ import annotations

import contextlib
import functools
import hashlib
import os
import platform
import re
import secrets
import time
from collections.abc import Iterator
from pathlib import Path

from wav2patch.errors import UserError

LEFTOVER_AGE = 24 * 3600.0  # seconds without a change after which another machine's temporary file counts as left over

_TEMPORARY = re.compile(r"\..*\.w2p-(?P<machine>[0-9a-f]{8})-(?P<process>\d+)-[0-9a-f]{12}(\.[^.]*)?")
_HDF5_ERROR = re.compile(r"\berrno = (?P<number>\d+)")


@contextlib.contextmanager
def atomic_path(path: Path) -> Iterator[Path]:
    """A temporary path beside `path` that takes its name when the block ends without an error.

    A kill or a full disk leaves nothing under the final name; an error removes the temporary file.

    Raises:
        UserError: The folder cannot be made or the disk refuses the file.
    """
    temporary: Path | None = None
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary = temporary_path(path)
        yield temporary
        _sync(temporary)
        temporary.replace(path)
        _sync_folder(path.parent)
    except OSError as error:
        raise UserError(f"{path} could not be written: {_reason(error)}.") from error
    finally:
        if temporary is not None:
            with contextlib.suppress(OSError):
                temporary.unlink()


def temporary_path(path: Path) -> Path:
    """A new hidden name beside `path`, with its suffix, that says who is writing (see `remove_leftovers`)."""
    mark = f"w2p-{_machine(os.getpid())}-{os.getpid()}-{secrets.token_hex(6)}"
    return path.with_name(f".{path.stem}.{mark}{path.suffix}")


def remove_leftovers(folder: Path) -> list[str]:
    """Remove the temporary files in `folder` (not below) that killed writers left, and give their names, sorted.

    A file stays as long as it may be somebody's: one written on this machine goes when its process is gone, one of
    another machine (or container, or of this one before it was started again) when nobody changed it for a day.
    """
    removed: list[str] = []
    with contextlib.suppress(OSError):
        for path in sorted(folder.iterdir()):
            with contextlib.suppress(OSError):
                if _is_left_over(path):
                    path.unlink()
                    removed.append(path.name)
    return removed


def check_folder(folder: Path) -> None:
    """Make a folder and try it out.

    Raises:
        UserError: It cannot be made or written to.
    """
    probe = folder / f".{secrets.token_hex(6)}"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        probe.touch()
        probe.unlink()
    except OSError as error:
        raise UserError(f"{folder} cannot be written to: {error.strerror or error}.") from error


def write_bytes(path: Path, content: bytes) -> None:
    """Write `content` to `path`, whole or not at all."""
    with atomic_path(path) as temporary:
        temporary.write_bytes(content)


def write_text(path: Path, content: str) -> None:
    """Write `content` to `path` as UTF-8, whole or not at all."""
    write_bytes(path, content.encode("utf-8"))


def _reason(error: OSError) -> str:
    """What the system said; HDF5 puts its number into a message of many lines."""
    if found := _HDF5_ERROR.search(str(error)):
        return os.strerror(int(found["number"]))
    return error.strerror or " ".join(str(error).split())


def _sync(path: Path) -> None:
    with path.open("rb+") as file:
        os.fsync(file.fileno())


def _sync_folder(folder: Path) -> None:
    # The rename is on the disk only when the folder is; some systems and file systems do not let one ask for that.
    with contextlib.suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def _is_left_over(path: Path) -> bool:
    named = _TEMPORARY.fullmatch(path.name)
    if named is None:
        return False
    if named["machine"] == _machine(os.getpid()) and os.name == "posix":
        return not _lives(int(named["process"]))
    return time.time() - path.stat().st_mtime > LEFTOVER_AGE


def _lives(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except OSError:  # it lives and is somebody else's
        return True
    return True


@functools.lru_cache(maxsize=1)
def _machine(_process: int) -> str:
    """Eight hex digits for where process ids have the same meaning: a host since its start, and a container in it.

    The process is an argument so that a fork into another container does not remember its parent's answer.
    """
    marks = [platform.node()]
    for read in (lambda: Path("/proc/sys/kernel/random/boot_id").read_text(), lambda: os.readlink("/proc/self/ns/pid")):
        with contextlib.suppress(OSError):
            marks.append(read())
    return hashlib.blake2s("\n".join(marks).encode()).hexdigest()[:8]
