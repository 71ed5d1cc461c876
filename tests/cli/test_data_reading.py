"""The commands that read a data set, on good ones and on everything that can be wrong with one."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import h5py
import numpy as np
import pytest
import real_sets
import shard_sets
from commands import Said, one_sentence, run

Say = Callable[..., Said]
SHARD = "shards/shard-000001.h5"


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = real_sets.make_real_set(tmp_path_factory.mktemp("real") / "set")
    real_sets.cut_view(folder)
    return folder


@pytest.fixture
def made(whole: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(whole, tmp_path / "set"))


@pytest.fixture
def wav2patch() -> Say:
    return lambda *words: run("data", *words)


def everything(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


def foreign(path: Path) -> None:
    path.unlink()
    with h5py.File(path, "w") as file:
        file["audio"] = np.zeros(3)


def of_another_set(path: Path) -> None:
    recipe = shard_sets.make_recipe()
    path.unlink()
    shard_sets.write_shard(path, recipe, recipe.rows_of(1))


DAMAGES: dict[str, Callable[[Path], object]] = {
    "missing": lambda path: path.unlink(),
    "empty": lambda path: path.write_bytes(b""),
    "text": lambda path: path.write_text("This is no HDF5 file.\n"),
    "truncated": lambda path: os.truncate(path, path.stat().st_size // 2),
    "foreign": foreign,
    "of another set": of_another_set,
}
COMMANDS: dict[str, tuple[str, ...]] = {
    "stats": ("stats", "{place}", "picture=no", "workers=1"),
    "verify": ("verify", "{place}", "quick=yes"),
    "verify in full": ("verify", "{place}", "workers=1", "rerender=2"),
    "subset": ("subset", "{place}", "small=6"),
}


def words_of(command: str, place: Path) -> list[str]:
    return [word.format(place=place) for word in COMMANDS[command]]


@pytest.mark.parametrize("damage", DAMAGES)
@pytest.mark.parametrize("command", COMMANDS)
def test_a_bad_shard_is_named_in_one_sentence(made: Path, wav2patch: Say, command: str, damage: str) -> None:
    DAMAGES[damage](made / SHARD)
    before = everything(made)
    said = wav2patch(*words_of(command, made))
    assert said.code == (3 if command.startswith("verify") else 2)
    assert one_sentence(said.err), said.err
    assert "shard-000001.h5" in said.err or (damage == "missing" and "(1)" in said.err)
    assert everything(made) == before


@pytest.mark.parametrize("damage", DAMAGES)
@pytest.mark.parametrize("command", ["stats", "verify", "info"])
def test_a_bad_view_is_named_in_one_sentence(made: Path, wav2patch: Say, command: str, damage: str) -> None:
    DAMAGES[damage](made / "train.h5")
    before = everything(made)
    said = wav2patch(command, made / "train.h5")
    if damage == "of another set" and command == "info":
        assert (said.code, said.err) == (0, "")
        return
    assert said.code == (3 if command == "verify" and damage != "missing" else 2)
    assert one_sentence(said.err), said.err
    assert "train.h5" in said.err
    assert everything(made) == before


@pytest.mark.parametrize("damage", ["empty", "text", "truncated", "foreign"])
@pytest.mark.parametrize("command", ["stats", "verify", "info", "subset"])
def test_a_bad_manifest_is_named_in_one_sentence(made: Path, wav2patch: Say, command: str, damage: str) -> None:
    DAMAGES[damage](made / "manifest.json")
    said = wav2patch(command, made, *(["small=6"] if command == "subset" else []))
    assert said.code == (3 if command == "verify" else 2)
    assert one_sentence(said.err), said.err
    assert "manifest.json" in said.err


@pytest.mark.parametrize("damage", ["empty", "text", "truncated", "foreign"])
def test_info_names_a_bad_shard(made: Path, wav2patch: Say, damage: str) -> None:
    DAMAGES[damage](made / SHARD)
    for place in (made, made / SHARD):
        said = wav2patch("info", place)
        assert said.code == 2
        assert one_sentence(said.err), said.err
        assert "shard-000001.h5" in said.err


@pytest.mark.parametrize("command", ["stats", "verify", "info"])
@pytest.mark.parametrize("name", ["nowhere", "nowhere.h5", "set/nowhere.h5", "set/shards"])
def test_what_is_not_there_is_a_mistake(made: Path, wav2patch: Say, command: str, name: str) -> None:
    said = wav2patch(command, made.parent / name)
    assert said.code == 2
    assert one_sentence(said.err), said.err
    assert said.out == ""


@pytest.mark.parametrize(
    "words",
    [
        ("stats", "{set}", "clip=no"),
        ("stats", "{set}", "workers=0"),
        ("stats", "{set}", "picture=maybe"),
        ("verify", "{set}", "clips=some"),
        ("verify", "{set}", "rerender=-1"),
        ("verify", "{set}", "seed=-1"),
        ("verify", "{set}", "workers=0"),
        ("verify", "{set}", "quick"),
    ],
    ids=" ".join,
)
def test_a_wrong_setting_is_a_mistake(made: Path, wav2patch: Say, words: tuple[str, ...]) -> None:
    before = everything(made)
    said = wav2patch(*(word.format(set=made) for word in words))
    assert said.code == 2
    assert one_sentence(said.err), said.err
    assert everything(made) == before


def test_stats_writes_three_files_and_tells_what_is_in_them(made: Path, wav2patch: Say) -> None:
    before = everything(made)
    said = wav2patch("stats", made / "train.h5")
    assert (said.code, said.err) == (0, "")
    assert "6 rows" in said.out
    assert set(everything(made)) - set(before) == {"train.stats.npz", "train.stats.json", "train.stats.png"}
    told = json.loads(wav2patch("stats", made / "train.h5", "--json").out)
    kept = json.loads((made / "train.stats.json").read_text())
    assert told["rows"] == kept["rows"] == 6
    assert len(told["files"]) == 3
    assert told["features"] == kept["features"]


def test_verify_tells_scripts_by_its_code_and_people_by_its_words(made: Path, wav2patch: Say) -> None:
    said = wav2patch("verify", made, "rerender=3", "workers=1")
    assert (said.code, said.err) == (0, "")
    assert "3 rows came out the same" in said.out
    quiet = wav2patch("verify", made, "quick=yes", "--quiet")
    assert (quiet.code, quiet.out, quiet.err) == (0, "", "")
    told = json.loads(wav2patch("verify", made / "train.h5", "quick=yes", "--json").out)
    assert (told["good"], told["code"], told["rows"], told["files"]) == (True, 0, 6, [])


def test_verify_lists_every_bad_file_for_programs(made: Path, wav2patch: Say) -> None:
    DAMAGES["missing"](made / "shards/shard-000000.h5")
    DAMAGES["truncated"](made / SHARD)
    said = wav2patch("verify", made, "quick=yes", "--json")
    told = json.loads(said.out)
    assert (said.code, told["code"], told["good"]) == (3, 3, False)
    assert [Path(file["file"]).name for file in told["files"]] == ["shard-000000.h5", "shard-000001.h5"]
    assert all("wav2patch data generate" in file["cure"] for file in told["files"])
    assert one_sentence(said.err)
    quiet = wav2patch("verify", made, "quick=yes", "--quiet")
    assert (quiet.code, quiet.out, quiet.err) == (3, "", said.err)


def test_verify_has_a_code_of_its_own_for_rows_that_come_out_otherwise(made: Path, wav2patch: Say) -> None:
    # A seed that was written over everywhere: whole files, and not the rows that this recipe gives.
    for path in [made / "manifest.json", *made.rglob("*.h5")]:
        if path.suffix == ".json":
            path.write_text(path.read_text().replace('"seed": 0', '"seed": 1'))
        else:
            with h5py.File(path, "r+") as file:
                file.attrs["recipe"] = file.attrs["recipe"].replace('"seed": 0', '"seed": 1')
    assert wav2patch("verify", made, "quick=yes").code == 0
    said = wav2patch("verify", made, "rerender=0", "workers=1")
    assert said.code == 4
    assert one_sentence(said.err)
    assert "12 of 12 rows are not what seed and index give here" in said.err


@pytest.mark.parametrize("name", ["", "train.h5", SHARD, "manifest.json", "train.stats.npz"])
def test_info_tells_what_there_is(made: Path, wav2patch: Say, name: str) -> None:
    wav2patch("stats", made / "train.h5", "picture=no")
    said = wav2patch("info", made / name)
    assert (said.code, said.err) == (0, "")
    assert "dexed" in said.out
    told = json.loads(wav2patch("info", made / name, "--json").out)
    assert told["synth"] == "dexed"
    assert told["kind"] in said.out


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="looks for the workers in /proc")
def test_ctrl_c_leaves_nothing(tmp_path: Path) -> None:
    recipe = shard_sets.make_recipe(rows=3000, shard_rows=3000, features=("constant_q",), length=1.0)
    shard_sets.make_set(tmp_path, recipe, shards=[])
    # One row written three thousand times over would do, were it not for its index: what is read is the same.
    row = shard_sets.make_row(recipe, 0)
    from wav2patch.datasets.shards.layout import packed_fields
    from wav2patch.datasets.shards.writer import ShardWriter
    from wav2patch.features.catalogue import load_feature

    shapes = {"constant_q": load_feature("constant_q").shape(1, recipe.samples, recipe.sample_rate)}
    (tmp_path / "shards").mkdir(exist_ok=True)
    writer = ShardWriter(tmp_path / "shards/shard-000000.h5", recipe, packed_fields(recipe, shapes), range(3000))
    for index in range(3000):
        writer.write(type(row)(index, 0, row.parameters, row.note, row.loudness, row.clips))
    writer.finish()
    before = sorted(everything(tmp_path))
    command = [sys.executable, "-m", "wav2patch", "data", "stats", str(tmp_path), "workers=2"]
    process = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True
    )
    children = Path(f"/proc/{process.pid}/task/{process.pid}/children")
    end = time.monotonic() + 60
    # Multiprocessing's own helper and two workers.
    while len(children.read_text().split()) < 3 and time.monotonic() < end:
        time.sleep(0.02)
    assert process.poll() is None
    os.killpg(process.pid, signal.SIGINT)
    out, err = process.communicate(timeout=60)
    assert (process.returncode, out, err) == (130, "", "error: stopped.\n")
    assert sorted(everything(tmp_path)) == before
