import errno
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from wav2patch.errors import UserError
from wav2patch.files import atomic_path, remove_leftovers, write_text


def test_a_file_is_written_whole(tmp_path: Path) -> None:
    write_text(tmp_path / "new" / "file.txt", "whole")
    assert (tmp_path / "new" / "file.txt").read_text() == "whole"
    assert [p.name for p in (tmp_path / "new").iterdir()] == ["file.txt"]


def write_half(path: Path, error: Exception) -> None:
    with atomic_path(path) as temporary:
        temporary.write_text("half")
        raise error


def test_an_error_half_way_leaves_the_old_file_and_nothing_else(tmp_path: Path) -> None:
    path = tmp_path / "file.txt"
    path.write_text("old")
    with pytest.raises(RuntimeError):
        write_half(path, RuntimeError())
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_a_disk_that_is_full_half_way_is_one_sentence(tmp_path: Path) -> None:
    full = OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    with pytest.raises(UserError, match="could not be written: No space left on device"):
        write_half(tmp_path / "file.txt", full)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    "error",
    [
        OSError(
            "Can't write data (file write failed: time = Fri Nov 20\n, errno = 28, error message = 'No space left')"
        ),
        OSError(errno.ENOSPC, "Can't write data (time = Fri Nov 20\n, file descriptor = 3, errno = 28, buf = 0x56)"),
    ],
)
def test_what_hdf5_says_of_a_full_disk_becomes_one_sentence(tmp_path: Path, error: OSError) -> None:
    with pytest.raises(UserError, match=f"could not be written: {os.strerror(28)}\\.$"):
        write_half(tmp_path / "file.h5", error)


def test_a_folder_that_cannot_be_made_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(UserError, match="could not be written"):
        write_text(tmp_path / "file" / "below.txt", "x")


def test_a_kill_half_way_leaves_nothing_under_the_final_name(tmp_path: Path) -> None:
    code = (
        "import os, pathlib\n"
        "from wav2patch.files import atomic_path\n"
        f"with atomic_path(pathlib.Path({str(tmp_path / 'final.bin')!r})) as temporary:\n"
        "    temporary.write_bytes(b'half'); os.kill(os.getpid(), 9)\n"
    )
    killed = subprocess.run([sys.executable, "-c", code], env=os.environ, check=False)
    assert killed.returncode == -9
    assert not (tmp_path / "final.bin").exists()


def killed_writer(folder: Path) -> Path:
    """A temporary file whose writer was killed."""
    code = (
        "import os, pathlib, sys\n"
        "from wav2patch.files import atomic_path\n"
        "with atomic_path(pathlib.Path(sys.argv[1]) / 'final.h5') as temporary:\n"
        "    temporary.touch(); os.kill(os.getpid(), 9)\n"
    )
    before = set(folder.iterdir())
    subprocess.run([sys.executable, "-c", code, str(folder)], env=os.environ, check=False)
    (left,) = set(folder.iterdir()) - before
    return left


def test_what_a_killed_writer_left_is_removed_and_nothing_else(tmp_path: Path) -> None:
    left = killed_writer(tmp_path)
    kept = [tmp_path / name for name in ("final.h5", ".hidden.h5", ".DS_Store", "folder")]
    for path in kept:
        path.touch()
    with atomic_path(tmp_path / "other.h5") as temporary:
        temporary.touch()
        assert remove_leftovers(tmp_path) == [left.name]
        assert temporary.exists()
    assert sorted(tmp_path.iterdir()) == sorted([*kept, tmp_path / "other.h5"])
    assert remove_leftovers(tmp_path) == []


@pytest.mark.parametrize(("days", "removed"), [(0.0, False), (0.9, False), (1.1, True)])
def test_what_another_machine_left_is_removed_after_a_day(tmp_path: Path, days: float, removed: bool) -> None:
    left = killed_writer(tmp_path)
    marks = left.name.split("-")
    theirs = left.rename(left.with_name("-".join([*marks[:1], "01234567", *marks[2:]])))
    changed = time.time() - days * 24 * 3600
    os.utime(theirs, (changed, changed))
    assert remove_leftovers(tmp_path) == ([theirs.name] if removed else [])


def test_a_long_pause_does_not_cost_a_living_writer_its_file(tmp_path: Path) -> None:
    with atomic_path(tmp_path / "final.h5") as temporary:
        temporary.touch()
        os.utime(temporary, (0, 0))
        assert remove_leftovers(tmp_path) == []


def test_leftovers_of_a_folder_that_is_not_there_are_none(tmp_path: Path) -> None:
    assert remove_leftovers(tmp_path / "nowhere") == []
