"""`wav2patch match` that is stopped, killed, or runs out of disk."""

import json
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from commands import one_sentence, run

from wav2patch.audio.files import read_audio


def wait_until_it_searches(folder: Path) -> None:
    # The folder is made just before; what it starts from is read and the first patches are rendered after.
    end = time.monotonic() + 60
    while not folder.exists() and time.monotonic() < end:
        time.sleep(0.05)
    time.sleep(4)


def test_ctrl_c_keeps_the_best_so_far(sound: Path, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "wav2patch", "match", str(sound), "--budget", "10m", "--out", str(tmp_path)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    wait_until_it_searches(tmp_path / "a bell")
    process.send_signal(signal.SIGINT)
    output, errors = process.communicate(timeout=60)
    assert process.returncode == 0, errors
    assert "stopped by you" in output
    told = json.loads((tmp_path / "a bell" / "match.json").read_text())
    assert told["stopped"] is True
    assert (tmp_path / "a bell" / "report.html").exists()


def test_a_second_ctrl_c_does_not_spoil_the_writing(sound: Path, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "wav2patch", "match", str(sound), str(tmp_path / "next.wav")]
    shutil.copy(sound, tmp_path / "next.wav")
    process = subprocess.Popen(
        [*command, "--budget", "10m", "--out", str(tmp_path)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    wait_until_it_searches(tmp_path / "a bell")
    for _ in range(3):
        process.send_signal(signal.SIGINT)
        time.sleep(0.1)
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 0, errors
    assert (tmp_path / "a bell" / "match.json").exists()
    assert not (tmp_path / "next").exists()


def test_an_output_folder_that_cannot_be_is_noticed_before_the_search(sound: Path, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    start = time.monotonic()
    done = run("match", sound, "--budget", "10m", "--out", tmp_path / "file")
    assert done.code == 2
    assert one_sentence(done.err)
    assert time.monotonic() - start < 30


def test_a_kill_leaves_no_half_written_file(sound: Path, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "wav2patch", "match", str(sound), "--renders", "80", "--out", str(tmp_path)]
    for delay in (1.5, 2.2, 2.8, 3.4):
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        time.sleep(delay)
        process.kill()
        process.wait()
        for path in tmp_path.rglob("*"):
            if path.is_file() and not path.name.startswith("."):
                assert_whole(path)


def assert_whole(path: Path) -> None:
    if path.suffix == ".wav":
        read_audio(path)
    elif path.suffix == ".syx":
        assert len(path.read_bytes()) in (163, 4104)
    elif path.suffix == ".json":
        json.loads(path.read_text())
    elif path.suffix == ".html":
        assert path.read_text().rstrip().endswith("</html>")


def test_a_full_disk_is_one_sentence(sound: Path, tmp_path: Path) -> None:
    resource = pytest.importorskip("resource")

    def small_files_only() -> None:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (10_000, 10_000))

    command = [sys.executable, "-m", "wav2patch", "match", str(sound), "--renders", "70", "--out", str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, preexec_fn=small_files_only, timeout=60, check=False)
    assert done.returncode == 2
    assert one_sentence(done.stderr)
    assert "could not be written" in done.stderr
    left = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert {path.suffix for path in left} == {".syx"}
    for path in left:
        assert_whole(path)
