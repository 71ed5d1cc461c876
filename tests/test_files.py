import errno
import os
import subprocess
import sys
from pathlib import Path

import pytest

from wav2patch.errors import UserError
from wav2patch.files import atomic_path, write_text


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
