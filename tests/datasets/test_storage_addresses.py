"""Addresses as people write them, and the ways between folders."""

from __future__ import annotations

from pathlib import Path

import pytest

from wav2patch.datasets.storage.base import open_storage, relative_path
from wav2patch.datasets.storage.local import LocalStorage
from wav2patch.datasets.storage.remote import RemoteStorage
from wav2patch.errors import UserError


@pytest.mark.parametrize(
    ("address", "folder"),
    [
        ("sets/full", "sets/full"),
        (Path("sets/full"), "sets/full"),
        ("~/sets", "HOME/sets"),
        ("file:///data/my%20sets", "/data/my sets"),
        ("file://localhost/data", "/data"),
        (Path("file:///data"), "/data"),
        ("C:\\sets\\full", "C:\\sets\\full"),
        ("C:/sets", "C:/sets"),
        (Path("C:/sets"), "C:/sets"),
        ("a folder: with a colon", "a folder: with a colon"),
    ],
)
def test_local_addresses(address: str | Path, folder: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv("USERPROFILE", str(tmp_path / "home"))
    storage = open_storage(address)
    assert isinstance(storage, LocalStorage)
    assert storage.folder == tmp_path / folder.replace("HOME", str(tmp_path / "home"))
    assert storage.address == str(address)
    monkeypatch.chdir("/")
    assert storage.at(".").folder == storage.folder


@pytest.mark.parametrize(
    ("address", "understood"),
    [
        ("s3://bucket/set", "s3://bucket/set"),
        ("s3://bucket/sets/../set//full/", "s3://bucket/set/full"),
        ("s3://bucket", "s3://bucket"),
        ("s3://bucket/", "s3://bucket"),
        (Path("s3://bucket/set"), "s3://bucket/set"),
        ("memory://host/set", "memory://host/set"),
    ],
)
def test_remote_addresses(address: str | Path, understood: str) -> None:
    pytest.importorskip("s3fs")
    storage = open_storage(address)
    assert isinstance(storage, RemoteStorage)
    assert storage.address == understood


@pytest.mark.parametrize(
    ("address", "words"),
    [
        ("", "empty address"),
        (" ", "empty address"),
        ("s3://", "names no bucket"),
        ("s3:///set", "names no bucket"),
        ("s3://bucket/../other", "leads out of s3://bucket"),
        ("simplecache::s3://bucket/set", "is no address"),
        ("S3 ://bucket", "is no address"),
        ("~nobody-of-that-name/set", "does not know"),
        ("pigeon://bucket/set", "pigeon:// is not known"),
    ],
)
def test_what_is_no_address_is_one_sentence(address: str, words: str) -> None:
    with pytest.raises(UserError, match=words) as error:
        open_storage(address)
    assert str(error.value).endswith(".")


def test_nothing_is_looked_at_when_a_storage_is_opened(tmp_path: Path) -> None:
    open_storage(tmp_path / "new")
    open_storage("s3://nobodys-bucket/set")
    assert not (tmp_path / "new").exists()


def test_a_relative_path_stays_in_the_bucket() -> None:
    storage = open_storage("s3://bucket/set")
    assert storage.at("..").address == "s3://bucket"
    for relative in ("../..", "../../other/set", "/set"):
        with pytest.raises(UserError, match="leads out of s3://bucket"):
            storage.at(relative)


@pytest.mark.parametrize(
    ("start", "end"),
    [
        ("s3://bucket/set", "s3://other/set"),
        ("s3://bucket/set", "memory://bucket/set"),
        ("s3://bucket/set", "sets"),
        ("sets", "s3://bucket/set"),
    ],
)
def test_no_way_leads_from_one_place_to_another(start: str, end: str) -> None:
    with pytest.raises(UserError, match=r"No relative path leads from .* to .*: put both in one"):
        relative_path(open_storage(start), open_storage(end))


def test_the_top_of_a_bucket_is_a_folder_like_others() -> None:
    top, below = open_storage("s3://bucket"), open_storage("s3://bucket/sets/full")
    assert relative_path(top, below) == "sets/full"
    assert relative_path(below, top) == "../.."
    assert below.at("../..") == top


def test_ways_through_symbolic_links(tmp_path: Path) -> None:
    for name in ("data/view", "data/full", "big/shards"):
        (tmp_path / name).mkdir(parents=True)
    (tmp_path / "data" / "linked").symlink_to(tmp_path / "big" / "shards")
    (tmp_path / "short").symlink_to(tmp_path / "data" / "view")
    view, full, linked, short = (
        open_storage(tmp_path / name) for name in ("data/view", "data/full", "data/linked", "short")
    )
    # The link is part of what is moved along, so the way goes through it.
    assert relative_path(view, linked) == "../linked"
    assert view.at("../linked") == open_storage(tmp_path / "data" / "linked")
    # From a link to the view, `..` is the view's own parent, as for the system and HDF5.
    full.write_bytes("a", b"x")
    assert relative_path(short, full) == "../full"
    assert short.at("../full").read_bytes("a") == b"x"
    linked.write_bytes("b", b"y")
    assert short.at(relative_path(short, linked)).read_bytes("b") == b"y"
    assert linked.at(relative_path(linked, full)).read_bytes("a") == b"x"


def test_a_moved_folder_keeps_its_ways(tmp_path: Path) -> None:
    view, full = open_storage(tmp_path / "old" / "cuts"), open_storage(tmp_path / "old" / "full")
    full.write_bytes("a", b"x")
    view.write_bytes("train", b"y")
    way = relative_path(view, full)
    (tmp_path / "old").rename(tmp_path / "new")
    assert open_storage(tmp_path / "new" / "cuts").at(way).read_bytes("a") == b"x"
