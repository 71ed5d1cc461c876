from __future__ import annotations

import json
import shutil
from pathlib import Path

import h5py
import numpy as np
import pytest
import real_sets
import shard_sets

from wav2patch.datasets.info import SAMPLE, inspect
from wav2patch.datasets.shards import open_shards
from wav2patch.datasets.shards.shard import Shard
from wav2patch.datasets.statistics.files import save_statistics
from wav2patch.datasets.statistics.measure import measure
from wav2patch.datasets.views.view import open_view
from wav2patch.errors import UserError


@pytest.fixture
def made(tmp_path: Path) -> Path:
    folder = tmp_path / "set"
    shard_sets.make_set(folder)
    return folder


def test_a_set_is_told(made: Path) -> None:
    facts = inspect(str(made))
    assert facts["kind"] == "data set"
    assert (facts["rows"], facts["rows_there"], facts["shards"], facts["missing_shards"]) == (20, 20, 3, [])
    assert (facts["synth"], facts["prior"], facts["notes"], facts["seed"]) == ("ksin_4", "synth", "C4", 0)
    assert facts["features"] == {"log_mel": [1, 128, 11]}
    assert facts["rejected"] == {"quiet": 4}
    assert facts["file_bytes"] == sum(path.stat().st_size for path in (made / "shards").iterdir())
    assert facts["all_opened"]
    assert inspect(str(made / "manifest.json")) == facts
    json.dumps(facts)


def test_missing_shards_are_told_in_runs(tmp_path: Path) -> None:
    shard_sets.make_set(tmp_path, shard_sets.make_recipe(rows=50), shards=[0, 3, 6])
    facts = inspect(str(tmp_path))
    assert facts["missing_shards"] == ["1-2", "4-5"]
    assert (facts["rows"], facts["rows_there"]) == (50, 18)


def test_a_view_is_told_with_its_cut_and_its_holes(made: Path) -> None:
    view = real_sets.cut_view(made)
    facts = inspect(str(view))
    assert (facts["kind"], facts["name"], facts["rows"], facts["shards"]) == ("view", "train", 6, 2)
    assert facts["missing_shards"] == []
    (made / "shards" / "shard-000001.h5").unlink()
    facts = inspect(str(view))
    assert facts["missing_shards"] == ["shards/shard-000001.h5"]
    assert facts["rows_there"] == 4


def test_a_view_in_another_folder_is_told(made: Path, tmp_path: Path) -> None:
    real_sets.cut_view(made)
    (tmp_path / "cuts").mkdir()
    with h5py.File(made / "train.h5") as file:
        attributes = {name: file.attrs[name].replace("shards/", "../set/shards/") for name in file.attrs}
    shutil.copy(made / "train.h5", tmp_path / "cuts" / "train.h5")
    with h5py.File(tmp_path / "cuts" / "train.h5", "r+") as file:
        file.attrs.update(attributes)
    facts = inspect(str(tmp_path / "cuts" / "train.h5"))
    assert facts["missing_shards"] == []
    assert facts["rejected"] == {"quiet": 3}
    assert inspect(str(tmp_path / "cuts")) == {
        "kind": "folder of views",
        "address": str(tmp_path / "cuts"),
        "views": ["train.h5"],
    }


def test_a_shard_is_told(made: Path) -> None:
    path = made / "shards" / "shard-000001.h5"
    facts = inspect(str(path))
    assert (facts["kind"], facts["first"], facts["rows"]) == ("shard", 8, 8)
    assert facts["file_bytes"] == path.stat().st_size
    assert 0.5 < sum(facts["bytes_of_fields"].values()) / facts["file_bytes"] <= 1


def test_statistics_are_told(made: Path) -> None:
    view = open_view(made)
    save_statistics(measure(view), view, None)
    facts = inspect(str(made / "stats.npz"))
    assert (facts["kind"], facts["rows"], facts["synth"]) == ("file of statistics", 20, "ksin_4")
    assert facts["features_measured"] == {"log_mel": [1, 128, 11]}
    assert inspect(str(made))["statistics"] == ["stats.npz"]


def test_of_many_shards_a_few_are_opened(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    recipe = shard_sets.make_recipe(rows=2000, shard_rows=1, features=(), length=0.01)
    shard_sets.make_set(tmp_path, recipe, shards=[0])
    one = tmp_path / "shards" / "shard-000000.h5"
    for number in range(1, 2000):
        (tmp_path / "shards" / f"shard-{number:06d}.h5").hardlink_to(one)
    opened: list[Path] = []

    class Counted(Shard):
        def __init__(self, path: Path, name: str | None = None) -> None:
            opened.append(path)
            super().__init__(path, name)
            self.first = int(path.stem[-6:])  # each holds other rows, as far as the check can see

    monkeypatch.setattr(open_shards, "Shard", Counted)
    facts = inspect(str(tmp_path))
    assert len(opened) == SAMPLE == facts["shards_opened"]
    assert not facts["all_opened"]
    assert {path.name for path in opened} >= {"shard-000000.h5", "shard-001999.h5"}
    assert facts["file_bytes"] == 2000 * one.stat().st_size


@pytest.mark.parametrize("content", [b"", b"text", b"\x89HDF\r\n\x1a\n" + bytes(200)], ids=["empty", "text", "hdf5"])
@pytest.mark.parametrize("name", ["x.h5", "x.npz", "manifest.json", "x.txt"])
def test_what_is_none_of_ours_is_named(tmp_path: Path, content: bytes, name: str) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(UserError, match=name):
        inspect(str(tmp_path / name))


def test_a_foreign_hdf5_file_is_named(tmp_path: Path) -> None:
    with h5py.File(tmp_path / "x.h5", "w") as file:
        file["audio"] = np.zeros(3)
    with pytest.raises(UserError, match=r"x\.h5 is an HDF5 file, but no view or shard"):
        inspect(str(tmp_path / "x.h5"))


@pytest.mark.parametrize("name", ["", "nowhere", "nowhere.h5"])
def test_nothing_is_told_as_nothing(tmp_path: Path, name: str) -> None:
    with pytest.raises(UserError, match="there is no data set, view, shard or file of statistics"):
        inspect(str(tmp_path / name))


def test_of_a_remote_set_no_shard_is_fetched(
    made: Path, s3: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from wav2patch.datasets.storage.base import open_storage

    remote = open_storage(f"{s3}/set")
    real_sets.cut_view(made)
    for path in made.rglob("*"):
        if path.is_file():
            remote.write_bytes(path.relative_to(made).as_posix(), path.read_bytes())
    monkeypatch.setattr(open_shards, "Shard", None)
    here = sum(path.stat().st_size for path in (made / "shards").iterdir())
    facts = inspect(f"{s3}/set")
    assert (facts["kind"], facts["rows_there"], facts["shards_opened"]) == ("data set", 20, 0)
    assert facts["file_bytes"] == here
    assert inspect(f"{s3}/set/train.h5")["rows"] == 6
