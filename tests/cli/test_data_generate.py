"""`wav2patch data generate` as a person uses it, and as a machine room mistreats it."""

from __future__ import annotations

import json
import os
import random
import resource
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from commands import one_sentence, run

ROWS = ("synth=dexed", "shard_rows=8", "length=0.5", "sample_rate=22050", "prior=uniform", "seed=5")
SETTINGS = (*ROWS, "count=160")
# `WAV2PATCH_TEST_KILLS=20 pytest tests/cli/test_data_generate.py -k killed` is the long version.
KILLS = int(os.environ.get("WAV2PATCH_TEST_KILLS", "3"))


def contents(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def start(folder: Path, *settings: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "wav2patch", "data", "generate", f"out={folder}", *settings]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("sets") / "whole"
    done = run("data", "generate", f"out={folder}", *SETTINGS, "workers=2")
    assert done.code == 0, done.err
    assert "160 rows" in done.out
    assert "too quiet" in done.out
    return folder


def test_json_is_all_there_is(made: Path, tmp_path: Path) -> None:
    done = run("data", "generate", f"out={tmp_path}/set", "count=3", "length=0.5", "workers=1", "--json")
    printed = json.loads(done.out)
    assert (printed["rows"], printed["wanted"], printed["there"], printed["failure"]) == (3, 3, 0, None)
    assert done.err == ""


def test_one_worker_makes_the_same_bytes(made: Path, tmp_path: Path) -> None:
    assert run("data", "generate", f"out={tmp_path}/set", *SETTINGS, "workers=1").code == 0
    assert contents(tmp_path / "set") == contents(made)


def wait_for_work(process: subprocess.Popen[str], folder: Path, seconds: float = 60.0) -> None:
    """Until the process has a shard of its own under way, or has ended."""
    until = time.monotonic() + seconds
    while process.poll() is None and not list(folder.glob(f"shards/.*-{process.pid}-*")):
        assert time.monotonic() < until
        time.sleep(0.005)


@pytest.mark.slow
def test_killed_at_any_moment_it_goes_on_where_it_was(tmp_path: Path) -> None:
    settings, moments = (*ROWS, f"count={100 * KILLS}", "workers=2"), random.Random(0)
    assert run("data", "generate", f"out={tmp_path}/whole", *settings).code == 0
    whole, folder = contents(tmp_path / "whole"), tmp_path / "set"
    while_working = 0
    for _ in range(KILLS):
        process = start(folder, *settings)
        wait_for_work(process, folder)
        time.sleep(moments.random() * 0.3)
        while_working += process.poll() is None
        os.kill(process.pid, signal.SIGKILL)
        process.communicate()
        shards = {name: content for name, content in contents(folder).items() if name.startswith("shards/shard-")}
        assert shards.items() <= whole.items()
    assert while_working > KILLS / 2
    done = run("data", "generate", f"out={folder}")
    assert done.code == 0, done.err
    assert contents(folder) == whole


def test_ctrl_c_leaves_whole_shards(made: Path, tmp_path: Path) -> None:
    folder = tmp_path / "set"
    process = start(folder, *ROWS, "count=100k")
    while not list(folder.glob("shards/shard-*.h5")):
        time.sleep(0.02)
        assert process.poll() is None
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=30)
    assert process.returncode == 130
    assert said == "the shards that are finished stay; the same command goes on from there.\nerror: stopped.\n"
    there = contents(folder)
    assert there["shards/shard-000000.h5"] != b""
    assert not [name for name in there if "/." in f"/{name}"]


def test_out_alone_goes_on_with_a_set(made: Path) -> None:
    done = run("data", "generate", f"out={made}")
    assert done.code == 0
    assert "complete: all 160 rows" in done.out


def small_files() -> None:
    resource.setrlimit(resource.RLIMIT_FSIZE, (1_000_000, 1_000_000))


@pytest.mark.skipif(sys.platform == "win32", reason="no limits on files")
def test_a_full_disk_is_one_sentence(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "wav2patch", "data", "generate", f"out={tmp_path}/set", "count=16", "workers=1"]
    done = subprocess.run(
        command,
        capture_output=True,
        text=True,
        timeout=120,
        preexec_fn=small_files,
        check=False,
    )
    assert done.returncode == 2
    assert one_sentence(done.stderr)
    assert "shard-000000.h5 could not be written: File too large." in done.stderr
    assert [path.name for path in (tmp_path / "set").rglob("*") if path.is_file()] == ["manifest.json"]


@pytest.mark.parametrize(
    ("settings", "wanted"),
    [
        (["synth=dexed"], "out=… has to be given"),
        (["out=SET", "cuont=3"], "is count meant?"),
        (["out=SET", "count=many"], "count is a whole number, not 'many'"),
        (["out=SET", "100"], "settings are given as key=value"),
        (["out=SET", "count=1", "count=2"], "count is given twice"),
        (["out=SET", "synth=minimoog"], "minimoog"),
        (["out=SET", "synth=diva"], "Diva"),
        (["out=SET", "features=cepstrum"], "cepstrum"),
        (["out=SET", "prior=presets:nowhere"], "nowhere"),
        (["out=SET", "notes=Z4"], "Z4"),
        (["out=SET", "workers=0"], "workers is 1 or more"),
        (["out=SET", "deadline=0"], "deadline lies above 0"),
        (["out=SET", "shards=7-9", "count=10"], "shards 0 to 0, not 7 to 9"),
        (["out=SET", "gate=40", "count=2", "length=0.5"], "rejected every time"),
        (["out=FILE/set"], "could not be written"),
    ],
    ids=" ".join,
)
def test_mistakes_are_one_sentence_each(settings: list[str], wanted: str, tmp_path: Path) -> None:
    (tmp_path / "FILE").write_text("a file")
    done = run("data", "generate", *settings, cwd=tmp_path)
    assert done.code == 2
    assert one_sentence(done.err)
    assert wanted in done.err
    assert not list(tmp_path.rglob("*.h5"))


def _damage_manifest(folder: Path) -> None:
    (folder / "manifest.json").write_text('{"seed": 3}')


def _cut_shard(folder: Path) -> None:
    path = folder / "shards" / "shard-000002.h5"
    path.write_bytes(path.read_bytes()[:5000])


@pytest.mark.parametrize(
    ("damage", "wanted"),
    [(_damage_manifest, "manifest.json"), (_cut_shard, "shard-000002.h5")],
    ids=["recipe", "shard"],
)
def test_a_damaged_set_is_named(made: Path, tmp_path: Path, damage: Callable[[Path], None], wanted: str) -> None:
    folder = tmp_path / "set"
    for name, content in contents(made).items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)
    damage(folder)
    before = contents(folder)
    done = run("data", "generate", f"out={folder}")
    assert done.code == 2
    assert one_sentence(done.err)
    assert wanted in done.err
    assert contents(folder) == before
