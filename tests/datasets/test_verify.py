from __future__ import annotations

import dataclasses
import shutil
from collections.abc import Callable
from pathlib import Path

import h5py
import hdf5plugin
import numpy as np
import pytest
import real_sets
import shard_sets

from wav2patch.datasets.recipes.recipe import Recipe
from wav2patch.datasets.shards.shard import Shard
from wav2patch.datasets.verifying.rerender import Again, Rerendered
from wav2patch.datasets.verifying.verify import DAMAGED, DIFFERENT, GOOD, Thoroughness, Verdict, cut, verify
from wav2patch.datasets.views.places import DamageError, open_whole
from wav2patch.errors import UserError

FULL, QUICK = Thoroughness(None, 0, 0, 1), Thoroughness(0, 0, 0, 1)
FIRST, SECOND = "shards/shard-000000.h5", "shards/shard-000001.h5"


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return real_sets.make_real_set(tmp_path_factory.mktemp("real") / "set")


@pytest.fixture
def real(whole: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(whole, tmp_path / "set"))


def look(place: Path, wanted: Thoroughness = FULL) -> Verdict:
    return verify(open_whole(str(place)), wanted)


def holds(verdict: Verdict) -> dict[str, bool | None]:
    return {finding.name: finding.holds for finding in verdict.findings}


@pytest.mark.parametrize("cut_first", [False, True], ids=["set", "view"])
def test_a_good_set_is_good_in_every_way(real: Path, cut_first: bool) -> None:
    place = real_sets.cut_view(real) if cut_first else real
    verdict = look(place, Thoroughness(None, 5, 0, 1))
    assert (verdict.code, verdict.sentence, verdict.files) == (GOOD, "", [])
    assert holds(verdict) == dict.fromkeys(("files", "rows", "clips", "draws", "rendered again"), True)
    assert verdict.rows == (6 if cut_first else 12)
    rendered = verdict.findings[-1].figures
    assert (rendered["rerendered"], rendered["exact"]) == (5, 5)


def test_a_quick_look_reads_no_clip(real: Path) -> None:
    corrupt(real / SECOND, "audio", 2)
    assert look(real, QUICK).code == GOOD
    assert look(real).code == DAMAGED


def test_the_number_of_workers_changes_nothing(real: Path) -> None:
    corrupt(real / SECOND, "audio", 2)
    one, two = (look(real, Thoroughness(None, 0, 0, count)) for count in (1, 2))
    assert dataclasses.replace(one, seconds=0) == dataclasses.replace(two, seconds=0)


def corrupt(path: Path, field: str, row: int) -> None:
    """Flip one bit in the middle of what is stored of a row."""
    with h5py.File(path, "r") as file:
        place = file[field].id.get_chunk_info(row)
    content = bytearray(path.read_bytes())
    content[place.byte_offset + place.size // 2] ^= 1
    path.write_bytes(content)


@pytest.mark.parametrize("field", ["audio", "features/log_mel"])
def test_one_bit_is_found_and_its_row_named(real: Path, field: str) -> None:
    corrupt(real / SECOND, field, 2)
    verdict = look(real)
    assert verdict.code == DAMAGED
    (bad,) = verdict.files
    assert bad.file.endswith(SECOND)
    assert bad.rows == (2,)
    assert SECOND in verdict.sentence
    assert f"run `wav2patch data generate out={real}` again" in bad.cure


def test_bits_anywhere_are_found_or_mean_nothing(real: Path) -> None:
    before = (real / SECOND).read_bytes()
    with Shard(real / SECOND) as shard:
        content = {name: shard.read_slice(name, 0, 6) for name in shard.fields}
    rng = np.random.default_rng(6)
    found = 0
    for _ in range(25):
        after = bytearray(before)
        after[int(rng.integers(len(before)))] ^= 1 << int(rng.integers(8))
        (real / SECOND).write_bytes(after)
        if look(real).code == DAMAGED:
            found += 1
        else:
            with Shard(real / SECOND) as shard:
                assert all(shard.read_slice(name, 0, 6).tobytes() == one.tobytes() for name, one in content.items())
    assert found > 20


def zeroed(content: bytes) -> bytes:
    middle = len(content) // 2
    return content[:middle] + bytes(4096) + content[middle + 4096 :]


DAMAGES: dict[str, Callable[[bytes], bytes]] = {
    "empty": lambda content: b"",
    "text": lambda content: b"this is no HDF5 file\n",
    "truncated": lambda content: content[: len(content) * 2 // 3],
    "last byte lost": lambda content: content[:-1],
    "zeroed": zeroed,
    "all zeros": lambda content: bytes(len(content)),
}


@pytest.mark.parametrize("damage", DAMAGES)
@pytest.mark.parametrize("cut_first", [False, True], ids=["set", "view"])
def test_a_damaged_shard_is_named(real: Path, damage: str, cut_first: bool) -> None:
    place = real_sets.cut_view(real) if cut_first else real
    path = real / FIRST
    path.write_bytes(DAMAGES[damage](path.read_bytes()))
    verdict = look(place, Thoroughness(None, 3, 0, 1))
    assert verdict.code == DAMAGED
    assert [bad.file for bad in verdict.files] == [str(path)]
    assert str(path) in verdict.sentence


def test_missing_shards_are_all_listed(real: Path) -> None:
    (real / FIRST).unlink()
    (real / SECOND).unlink()
    verdict = look(real, QUICK)
    assert verdict.code == DAMAGED
    assert [Path(bad.file).name for bad in verdict.files] == ["shard-000000.h5", "shard-000001.h5"]
    assert "1 more" in verdict.sentence
    assert all("delete" not in bad.cure for bad in verdict.files)


def test_a_shard_of_another_set_is_told_from_its_own(real: Path, tmp_path: Path) -> None:
    other = real_sets.make_real_set(tmp_path / "other", seed=1)
    shutil.copy(other / SECOND, real / SECOND)
    verdict = look(real, QUICK)
    assert verdict.code == DAMAGED
    assert "another data set (seed" in verdict.files[0].what


def test_a_shard_under_the_name_of_another_is_found(real: Path) -> None:
    shutil.copy(real / FIRST, real / SECOND)
    assert look(real, QUICK).code == DAMAGED


def test_a_foreign_hdf5_file_is_found(real: Path) -> None:
    with h5py.File(real / SECOND, "w") as file:
        file["audio"] = np.zeros((6, 1, 22050))
    assert look(real, QUICK).code == DAMAGED


def rewrite(path: Path, changed: dict[str, Callable[[np.ndarray], np.ndarray]]) -> None:
    """Write a shard anew, checksums and all, with fields that somebody changed."""
    with h5py.File(path, "r") as file:
        names = [*changed, *(name for name in ("audio", "features/log_mel") if name not in changed)]
        names += [n for n in ("parameters", "notes", "index", "attempt", "loudness") if n not in changed]
        content = {name: file[name][:] for name in names}
        attributes = dict(file.attrs)
    packing = hdf5plugin.Blosc2(cname="zstd", clevel=1, filters=hdf5plugin.Blosc2.BITSHUFFLE)
    with h5py.File(path, "w", libver="latest") as file:
        file.attrs.update(attributes)
        for name, values in content.items():
            packed = dict(packing) if values.dtype == np.float16 else {}
            value = changed.get(name, lambda same: same)(values.copy())
            file.create_dataset(name, data=value, chunks=(1, *values.shape[1:]), fletcher32=True, **packed)


def setting(place: object, value: object) -> Callable[[np.ndarray], np.ndarray]:
    def change(values: np.ndarray) -> np.ndarray:
        values[place] = value
        return values

    return change


@pytest.mark.parametrize(
    ("field", "change", "words"),
    [
        ("index", setting(3, 99), "index is not its place"),
        ("attempt", setting(3, -1), "attempt"),
        ("attempt", lambda values: values + 1, "counts other rejections"),
        ("loudness", setting(3, -41.0), "below the gate"),
        ("loudness", setting(3, np.nan), "below the gate"),
        ("loudness", lambda values: values + 0.5, "LUFS"),
        ("notes", setting((3, 0), 200.0), "note cannot be played"),
        ("notes", setting((3, 3), 0.0), "note cannot be played"),
        ("notes", setting((3, 2), np.nan), "note cannot be played"),
        ("parameters", setting((3, 0), 1.5), "no patch"),
        ("parameters", setting((3, 0), np.nan), "no patch"),
        ("parameters", setting(slice(None), 0.0), "no patch"),
        ("audio", setting((3, 0, 100), np.inf), "not finite"),
        ("audio", setting((3, 0, slice(100, 9000)), 0.25), "features/log_mel of row 3|said to have"),
        ("features/log_mel", setting((3, 0, 5, 5), np.nan), "not finite"),
        ("features/log_mel", setting((3, 0, 5, 5), -3.0), "not what its clip gives"),
    ],
)
def test_what_contradicts_itself_is_damage_though_every_checksum_is_right(
    real: Path, field: str, change: Callable[[np.ndarray], np.ndarray], words: str
) -> None:
    rewrite(real / FIRST, {field: change})
    verdict = look(real)
    assert verdict.code == DAMAGED
    (bad,) = verdict.files
    assert bad.file == str(real / FIRST)
    assert any(part in bad.what for part in words.split("|")), bad.what


def test_rewriting_alone_is_no_damage(real: Path) -> None:
    rewrite(real / FIRST, {})
    assert look(real).code == GOOD


@pytest.mark.parametrize("field", ["parameters", "notes"])
def test_rows_that_the_seed_does_not_give_are_another_code(real: Path, field: str) -> None:
    # Rows 1 and 2 change places: each is a valid patch, and not that of its index.
    rewrite(real / FIRST, {field: lambda values: values[[0, 2, 1, 3, 4, 5]]})
    verdict = look(real)
    assert verdict.code == DIFFERENT
    assert holds(verdict)["draws"] is False
    assert "1, 2" in verdict.sentence
    assert not verdict.files


def test_clips_of_other_rows_are_found_by_rendering_alone(real: Path) -> None:
    swapped = [0, 2, 1, 3, 4, 5]
    fields = ("audio", "features/log_mel", "loudness")
    rewrite(real / FIRST, dict.fromkeys(fields, lambda values: values[swapped]))
    assert look(real).code == GOOD
    verdict = look(real, Thoroughness(None, 12, 0, 1))
    assert verdict.code == DIFFERENT
    rendered = verdict.findings[-1]
    assert rendered.figures["exact"] == 10
    assert rendered.figures["distance_worst"] > 1
    assert "leaves nothing to chance" in rendered.sentence
    assert "rows 1, 2" in rendered.sentence


def test_features_without_audio_are_rendered_again_too(tmp_path: Path) -> None:
    folder = real_sets.make_real_set(tmp_path / "set", audio="none", count=6)
    assert look(folder, Thoroughness(None, 6, 0, 1)).code == GOOD
    with h5py.File(folder / FIRST, "r+") as file:
        file["features/log_mel"][1, 0, 5, 5] = -3.0
    assert look(folder, Thoroughness(None, 6, 0, 1)).code == DIFFERENT


@pytest.mark.parametrize(
    ("distances", "floor", "good"),
    [
        ([0.0] * 20, 0.0, True),
        ([0.0] * 19 + [0.004], 0.0, True),
        ([0.0] * 19 + [0.02], 0.0, False),
        ([0.5] * 20, 0.5, True),
        ([0.5] * 18 + [3.0] * 2, 0.5, True),
        ([0.5] * 17 + [3.0] * 3, 0.5, False),
        ([0.9] * 20, 0.5, False),
    ],
)
def test_chance_may_do_what_the_noise_floor_says(distances: list[float], floor: float, good: bool) -> None:
    rows = [Again(i, distance == 0, distance) for i, distance in enumerate(distances)]
    judged = Rerendered(rows, floor).judge()
    assert judged.holds is good
    assert judged.figures["exact"] == distances.count(0.0)
    assert judged.figures["distance_worst"] == max(distances)


def test_a_render_that_fails_is_told_with_its_reason() -> None:
    rows = [Again(0, True, 0.0), Again(7, failed="the engine hung")]
    judged = Rerendered(rows, 0.5, " (dexed-py 1 then and 2 now)").judge()
    assert judged.holds is False
    assert "row 7" in judged.sentence
    assert "the engine hung (dexed-py 1 then and 2 now)" in judged.sentence


def test_chosen_clips_depend_on_the_seed_and_cover_what_is_asked(real: Path) -> None:
    view = open_whole(str(real))
    chosen = [
        [(piece.path, row) for piece in cut(view, Thoroughness(5, 0, seed)) for row in piece.clips]
        for seed in (0, 0, 1)
    ]
    assert [len(set(rows)) for rows in chosen] == [5, 5, 5]
    assert chosen[0] == chosen[1] != chosen[2]
    covered = [(piece.path, row) for piece in cut(view, FULL) for row in piece.rows]
    assert len(covered) == len(set(covered)) == len(view)


@pytest.mark.parametrize("change", ["lost", "damaged", "of another set"])
def test_a_manifest_is_needed_behind_a_view(real: Path, change: str) -> None:
    place, manifest = real_sets.cut_view(real), real / "manifest.json"
    if change == "lost":
        manifest.unlink()
    elif change == "damaged":
        manifest.write_text(manifest.read_text()[:100])
    else:
        recipe = Recipe.from_json(manifest.read_text())
        manifest.write_text(dataclasses.replace(recipe, seed=5).to_json())
    verdict = look(place, QUICK)
    assert verdict.code == DAMAGED
    assert [bad.file for bad in verdict.files] == [str(manifest)]


@pytest.mark.parametrize("damage", ["empty", "text", "truncated"])
@pytest.mark.parametrize("name", ["manifest.json", "train.h5"])
def test_a_damaged_beginning_is_damage_and_no_mistake(real: Path, damage: str, name: str) -> None:
    real_sets.cut_view(real)
    (real / name).write_bytes(DAMAGES[damage]((real / name).read_bytes()))
    with pytest.raises(DamageError, match=name):
        open_whole(str(real if name == "manifest.json" else real / name))


def test_shards_without_a_manifest_are_damage(real: Path) -> None:
    (real / "manifest.json").unlink()
    with pytest.raises(DamageError, match="bring it back"):
        open_whole(str(real))


@pytest.mark.parametrize("name", ["nowhere", "nowhere/train.h5", "shards", "."])
def test_what_is_not_there_is_a_mistake(tmp_path: Path, name: str) -> None:
    with pytest.raises(UserError) as caught:
        open_whole(str(tmp_path / name))
    assert not isinstance(caught.value, DamageError)


def test_a_synth_that_is_unknown_here_keeps_from_rendering_and_not_from_looking(tmp_path: Path) -> None:
    recipe = dataclasses.replace(shard_sets.make_recipe(rows=4), synth="ksin_8")
    shard_sets.make_set(tmp_path, shard_sets.make_recipe(rows=4))
    (tmp_path / "manifest.json").write_text(recipe.to_json())
    with h5py.File(tmp_path / FIRST, "r+") as file:
        file.attrs["recipe"] = recipe.to_json()
    verdict = look(tmp_path, QUICK)
    assert verdict.code == GOOD
    assert holds(verdict)["draws"] is None
    with pytest.raises(UserError, match="rerender=0"):
        look(tmp_path, Thoroughness(0, 1, 0, 1))
