"""What every storage promises, over a local folder, fsspec's memory and an S3 server."""

from __future__ import annotations

import pickle
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

from wav2patch.datasets.storage.base import Storage, open_storage, relative_path
from wav2patch.errors import UserError


@pytest.fixture(params=["local", "memory", "s3"])
def storage(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Storage]:
    monkeypatch.setenv("WAV2PATCH_CACHE", str(tmp_path / "cache"))
    if request.param == "local":
        yield open_storage(tmp_path / "sets" / "full")
    elif request.param == "s3":
        yield open_storage(f"{request.getfixturevalue('s3')}/sets/full")
    else:
        pytest.importorskip("fsspec")
        from fsspec.implementations.memory import MemoryFileSystem

        yield open_storage(f"memory://{uuid.uuid4().hex}/sets/full")
        MemoryFileSystem.store.clear()


def test_it_is_a_storage(storage: Storage) -> None:
    assert isinstance(storage, Storage)
    assert storage.address.endswith("sets/full")


def test_what_is_written_is_there(storage: Storage) -> None:
    assert not storage.exists("shards/a.h5")
    storage.write_bytes("shards/a.h5", b"content")
    assert storage.exists("shards/a.h5")
    assert storage.size("shards/a.h5") == 7
    assert storage.read_bytes("shards/a.h5") == b"content"
    assert storage.local("shards/a.h5").read_bytes() == b"content"
    assert storage.local("shards/a.h5").name == "a.h5"


def test_an_empty_file_is_a_file(storage: Storage) -> None:
    storage.write_bytes("empty", b"")
    assert storage.exists("empty")
    assert storage.local("empty").read_bytes() == b""


def test_a_folder_is_not_a_file(storage: Storage) -> None:
    storage.write_bytes("shards/a.h5", b"content")
    assert not storage.exists("shards")
    with pytest.raises(UserError):
        storage.size("shards")
    with pytest.raises(UserError):
        storage.local("shards")


def test_names_are_the_files_directly_in_a_folder(storage: Storage) -> None:
    assert storage.names() == []
    assert storage.names("shards") == []
    for name in ("b", "a", "shards/2", "shards/1", "shards/deep/3", "shards.txt", ".hidden"):
        storage.write_bytes(name, b"x")
    assert storage.names() == ["a", "b", "shards.txt"]
    assert storage.names("shards") == ["1", "2"]
    assert storage.names("nowhere") == []


def test_a_listing_is_never_stale(storage: Storage) -> None:
    other = pickle.loads(pickle.dumps(storage))
    assert storage.names() == []
    other.write_bytes("a", b"1")
    assert storage.names() == ["a"]
    assert storage.size("a") == 1
    other.write_bytes("a", b"22")
    assert storage.size("a") == 2
    assert storage.read_bytes("a") == b"22"


def test_a_file_that_is_filled_takes_its_name_at_the_end(storage: Storage) -> None:
    with storage.writing("shards/a.h5") as path:
        assert path.suffix == ".h5"
        path.write_bytes(b"half")
        assert storage.names("shards") == []
        with path.open("ab") as file:
            file.write(b" and half")
    assert storage.names("shards") == ["a.h5"]
    assert storage.read_bytes("shards/a.h5") == b"half and half"
    assert not path.exists()


def test_an_error_while_filling_leaves_the_old_file_and_nothing_else(storage: Storage) -> None:
    storage.write_bytes("a", b"old")

    def fail() -> None:
        with storage.writing("a") as path:
            path.write_bytes(b"half")
            places.append(path.parent)
            raise RuntimeError

    places: list[Path] = []
    with pytest.raises(RuntimeError):
        fail()
    assert storage.read_bytes("a") == b"old"
    assert [file.name for file in places[0].iterdir()] in ([], ["a"])


def test_a_file_that_was_never_filled_is_a_sentence(storage: Storage) -> None:
    with pytest.raises(UserError, match="could not be written"), storage.writing("a"):
        pass
    assert not storage.exists("a")


def test_a_missing_file_is_named(storage: Storage) -> None:
    for ask in (storage.read_bytes, storage.local, storage.size):
        with pytest.raises(UserError, match=r"There is no file shards/a\.h5 in .*sets/full\.$"):
            ask("shards/a.h5")


def test_a_file_that_changed_is_read_anew(storage: Storage) -> None:
    for content in (b"one", b"two", b"three", b"one"):
        storage.write_bytes("a", content)
        assert storage.local("a").read_bytes() == content


def test_other_folders_are_reached_by_relative_paths(storage: Storage) -> None:
    storage.write_bytes("a", b"x")
    for relative in (".", "", "../full", "below/..", "../../sets/full"):
        assert storage.at(relative).names() == ["a"]
    views = storage.at("../cuts/small")
    views.write_bytes("train.h5", b"y")
    assert storage.at("..").at("cuts").names("small") == ["train.h5"]
    assert relative_path(views, storage) == "../../full"
    assert relative_path(storage, views) == "../cuts/small"
    assert relative_path(storage, storage.at(".")) == "."
    assert views.at(relative_path(views, storage)).read_bytes("a") == b"x"


def test_a_copy_from_a_pickle_works(storage: Storage) -> None:
    storage.write_bytes("a", b"x")
    copy = pickle.loads(pickle.dumps(storage))
    assert copy == storage
    assert copy.at("../full").read_bytes("a") == b"x"
    assert copy.local("a") == storage.local("a")


@pytest.mark.parametrize("name", ["", "/a", "../a", "a/../../b", "a//b", "a/", "./a", "a\\b", "."])
def test_a_name_that_leads_out_is_a_mistake(storage: Storage, name: str) -> None:
    with pytest.raises(ValueError, match="no name of a file"):
        storage.write_bytes(name, b"x")
    with pytest.raises(ValueError, match="no name of a file"), storage.writing(name):
        pass
    with pytest.raises(ValueError, match="no name of a file"):
        storage.exists(name)


def test_tidying_touches_neither_files_nor_what_is_being_filled(storage: Storage) -> None:
    storage.write_bytes("a", b"x")
    with storage.writing("b") as path:
        path.write_bytes(b"y")
        assert storage.tidy() == []
    assert storage.names() == ["a", "b"]
