"""Local copies of remote files: fetched once, never seen half, fetched again when they change."""

from __future__ import annotations

import multiprocessing
import os
import subprocess
import sys
import textwrap
import threading
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from pathlib import Path

import pytest

from wav2patch.datasets.storage.base import Storage, open_storage
from wav2patch.datasets.storage.cache import cache_folder, cached
from wav2patch.errors import UserError

CONTENT = bytes(range(256)) * 4096


def fetch_slowly(folder: Path) -> bytes:
    """One of several processes that want the same copy; every fetch leaves a line."""

    def fetch(path: Path) -> None:
        with path.open("wb") as file:
            file.write(CONTENT[: len(CONTENT) // 2])
            file.flush()
            with (folder / "fetches").open("a") as log:
                log.write(f"{os.getpid()}\n")
            threading.Event().wait(0.2)
            file.write(CONTENT[len(CONTENT) // 2 :])

    return cached(folder / "cache", "s3://bucket/a", "1", len(CONTENT), fetch).read_bytes()


def read_local(storage: Storage) -> bytes:
    return storage.local("shards/a.h5").read_bytes()


@pytest.mark.parametrize("pool", ["threads", "processes"])
def test_several_that_ask_at_once_fetch_once(tmp_path: Path, pool: str) -> None:
    context = multiprocessing.get_context("spawn")
    with ThreadPoolExecutor(4) if pool == "threads" else ProcessPoolExecutor(4, mp_context=context) as executor:
        results = list(executor.map(fetch_slowly, [tmp_path] * 8))
    assert all(result == CONTENT for result in results)
    assert len((tmp_path / "fetches").read_text().splitlines()) == 1


@pytest.mark.filterwarnings("ignore:This process .* is multi-threaded, use of fork:DeprecationWarning")
@pytest.mark.parametrize("method", ["spawn", "fork"])
def test_worker_processes_read_through_a_storage_that_was_in_use(s3: str, method: str) -> None:
    if method not in multiprocessing.get_all_start_methods():
        pytest.skip(f"this system has no {method}")
    storage = open_storage(f"{s3}/set")
    storage.write_bytes("shards/a.h5", CONTENT)  # so that a connection and a thread are there when it forks
    with ProcessPoolExecutor(2, mp_context=multiprocessing.get_context(method)) as executor:
        assert all(result == CONTENT for result in executor.map(read_local, [storage] * 6))
    assert read_local(storage) == CONTENT
    copies = [path for path in Path(os.environ["WAV2PATCH_CACHE"]).rglob("*") if path.is_file()]
    assert sorted(path.name for path in copies) == ["a.h5", "lock"]


@pytest.mark.filterwarnings("ignore:This process .* is multi-threaded, use of fork:DeprecationWarning")
def test_a_forked_child_uses_its_own_line_without_hurting_its_parents(s3: str) -> None:
    context = multiprocessing.get_context("fork")
    storage = open_storage(f"{s3}/set")
    storage.write_bytes("a", b"parent")
    child = context.Process(target=storage.write_bytes, args=("a", b"child"))
    child.start()
    child.join(20)
    assert child.exitcode == 0
    assert storage.read_bytes("a") == b"child"


def test_threads_share_a_storage(s3: str) -> None:
    storage = open_storage(f"{s3}/set")
    storage.write_bytes("shards/a.h5", CONTENT)
    with ThreadPoolExecutor(8) as executor:
        assert all(result == CONTENT for result in executor.map(read_local, [storage] * 16))


def test_only_the_newest_copy_is_kept(s3: str) -> None:
    storage = open_storage(s3)
    for content in (b"old", b"new"):
        storage.write_bytes("a", content)
        assert storage.local("a").read_bytes() == content
    copies = [path for path in cache_folder().rglob("a") if path.is_file()]
    assert [path.read_bytes() for path in copies] == [b"new"]


def test_a_copy_is_used_as_long_as_the_file_is_the_same(s3: str) -> None:
    storage = open_storage(s3)
    storage.write_bytes("a", b"same")
    path = storage.local("a")
    path.write_bytes(b"SAME")
    assert storage.local("a").read_bytes() == b"SAME"
    path.write_bytes(b"cut")
    assert storage.local("a").read_bytes() == b"same"


def test_the_same_name_in_other_folders_is_another_file(s3: str) -> None:
    one, other = open_storage(f"{s3}/one"), open_storage(f"{s3}/other")
    one.write_bytes("a", b"1")
    other.write_bytes("a", b"2")
    assert (one.local("a").read_bytes(), other.local("a").read_bytes()) == (b"1", b"2")


def test_a_big_file_goes_and_comes_in_parts(s3: str) -> None:
    storage = open_storage(s3)
    content = os.urandom(2**20) * 40 + b"end"
    with storage.writing("a.h5") as path:
        path.write_bytes(content)
    assert storage.size("a.h5") == len(content)
    assert storage.local("a.h5").read_bytes() == content


def test_a_killed_fetch_leaves_nothing_that_is_taken_for_the_file(tmp_path: Path) -> None:
    code = """
        import os, sys
        from pathlib import Path
        from wav2patch.datasets.storage.cache import cached
        def fetch(path):
            path.write_bytes(b"half")
            os.kill(os.getpid(), 9)
        cached(Path(sys.argv[1]) / "cache", "s3://bucket/a", "1", 1048576, fetch)
    """
    killed = subprocess.run([sys.executable, "-c", textwrap.dedent(code), str(tmp_path)], timeout=60, check=False)
    assert killed.returncode == -9
    assert len(list((tmp_path / "cache").rglob(".a.*"))) == 1
    assert fetch_slowly(tmp_path) == CONTENT
    assert list((tmp_path / "cache").rglob(".a.*")) == []


def test_a_fetch_that_fails_leaves_nothing(tmp_path: Path) -> None:
    def fetch(path: Path) -> None:
        path.write_bytes(b"half")
        raise UserError("The line is cut.")

    with pytest.raises(UserError, match="line is cut"):
        cached(tmp_path, "s3://bucket/a", "1", 8, fetch)
    assert [path.name for path in tmp_path.rglob("*") if path.is_file()] == ["lock"]


def test_the_cache_lies_where_it_is_told(s3: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    open_storage(s3).write_bytes("a", b"x")
    assert open_storage(s3, cache=tmp_path / "chosen").local("a").is_relative_to(tmp_path / "chosen")
    monkeypatch.setenv("WAV2PATCH_CACHE", str(tmp_path / "named"))
    assert open_storage(s3).local("a").is_relative_to(tmp_path / "named")


@pytest.mark.parametrize(
    ("platform", "variables", "expected"),
    [
        ("linux", {"XDG_CACHE_HOME": "/x"}, "/x/wav2patch"),
        ("linux", {}, "HOME/.cache/wav2patch"),
        ("darwin", {}, "HOME/Library/Caches/wav2patch"),
        ("win32", {"LOCALAPPDATA": "/local"}, "/local/wav2patch/cache"),
    ],
)
def test_the_usual_cache_of_every_system(
    platform: str, variables: dict[str, str], expected: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("XDG_CACHE_HOME", "LOCALAPPDATA", "WAV2PATCH_CACHE"):
        monkeypatch.delenv(name, raising=False)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(sys, "platform", platform)
    monkeypatch.setattr(Path, "home", lambda: tmp_path)
    assert cache_folder() == Path(expected.replace("HOME", str(tmp_path)))
