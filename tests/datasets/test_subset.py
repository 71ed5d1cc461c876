"""Data sets cut into views that share no row and no patch, wherever these lie."""

import itertools
import os
import shutil
from pathlib import Path

import h5py
import hdf5plugin  # noqa: F401 - what another reader needs as well
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from shard_sets import make_recipe, make_set

from wav2patch.datasets.recipes.recipe import Recipe, shard_name
from wav2patch.datasets.storage.base import open_storage
from wav2patch.datasets.views.cuts import parse_cut
from wav2patch.datasets.views.splits import share_groups
from wav2patch.datasets.views.subset import Subset, make_subset
from wav2patch.datasets.views.view import open_view
from wav2patch.errors import UserError
from wav2patch.parameters import Patch
from wav2patch.synths.catalogue import load_synth

THIRDS = {"train": "60%", "val": "20%", "test": "20%"}


@pytest.fixture(scope="module")
def original(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("original")
    make_set(folder)
    return folder


@pytest.fixture
def data(original: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(original, tmp_path / "full set"))


def cut(data: Path | str, out: Path | str | None = None, words: dict[str, str] | None = None, **options) -> Subset:
    storage = open_storage(data)
    cuts = [parse_cut(name, text) for name, text in (words or THIRDS).items()]
    return make_subset(storage, open_storage(out) if out else storage, cuts, **options)


def numbers(view: Path | str) -> list[int]:
    return open_view(view).read("index", slice(None)).tolist()


def states(made: Subset) -> list[str]:
    return [view.state for view in made.views]


def test_a_set_is_cut(data: Path) -> None:
    made = cut(data)
    assert [(view.name, view.rows, view.shards, view.dropped) for view in made.views] == [
        ("train", 12, 2, 0),
        ("val", 4, 1, 0),
        ("test", 4, 1, 0),
    ]
    assert [numbers(data / f"{name}.h5") for name in THIRDS] == [list(range(12)), [12, 13, 14, 15], [16, 17, 18, 19]][
        :3
    ]
    for name in THIRDS:
        open_view(data / f"{name}.h5").check()


def test_the_same_cut_again_changes_nothing(data: Path) -> None:
    assert states(cut(data)) == ["written"] * 3
    before = [(data / f"{name}.h5").stat().st_mtime_ns for name in THIRDS]
    assert states(cut(data)) == ["unchanged"] * 3
    assert states(cut(data, replace=True)) == ["unchanged"] * 3
    assert [(data / f"{name}.h5").stat().st_mtime_ns for name in THIRDS] == before


def test_another_cut_has_to_be_wanted(data: Path) -> None:
    cut(data)
    other = {"test": "1", "train": "10", "val": "2"}
    with pytest.raises(UserError, match=r"test.h5 is there and has other rows: replace=true"):
        cut(data, words=other)
    assert len(numbers(data / "train.h5")) == 12
    assert states(cut(data, words=other, replace=True)) == ["replaced"] * 3
    assert numbers(data / "train.h5") == list(range(1, 11))


def test_a_damaged_view_can_be_replaced(data: Path) -> None:
    cut(data)
    (data / "val.h5").write_bytes(b"")
    with pytest.raises(UserError, match=r"val.h5 is there"):
        cut(data)
    assert states(cut(data, replace=True)) == ["unchanged", "replaced", "unchanged"]
    open_view(data / "val.h5").check()


def test_views_are_the_same_bytes_each_time(data: Path, tmp_path: Path) -> None:
    cut(data, tmp_path / "a")
    cut(data, tmp_path / "b")
    for name in THIRDS:
        assert (tmp_path / "a" / f"{name}.h5").read_bytes() == (tmp_path / "b" / f"{name}.h5").read_bytes()


def test_views_that_are_there_keep_their_rows(data: Path) -> None:
    cut(data, words={"test": "shards:0"})
    cut(data, words={"train": "rest"})
    assert numbers(data / "train.h5") == list(range(8, 20))
    with pytest.raises(UserError, match="more and train would share 1 rows, such as row 9"):
        cut(data, words={"more": "rows:9"})
    with pytest.raises(UserError, match="0 of the set's 20 are free"):
        cut(data, words={"more": "1"})


def test_a_view_goes_by_the_name_of_its_file(data: Path) -> None:
    cut(data, words={"train": "rows:0-9"})
    (data / "train.h5").rename(data / "old.h5")
    with pytest.raises(UserError, match="train and old would share 1 rows"):
        cut(data, words={"train": "rows:9"})
    cut(data, words={"train": "rows:10"})
    assert cut(data, data / "cuts", {"train": "old:3"}).views[0].rows == 3


def test_small_cuts_share_validation_and_test(data: Path, tmp_path: Path) -> None:
    cut(data)
    for size in ("4", "8"):
        cut(data, tmp_path / "cuts" / size, {"train": f"train:{size}", "val": "val", "test": "test"})
    cut(data, tmp_path / "tiny", {"train": f"{tmp_path}/cuts/8/train.h5:25%"})
    trains = [numbers(tmp_path / place / "train.h5") for place in ("tiny", "cuts/4", "cuts/8", "full set")]
    assert trains == [[0, 1], [0, 1, 2, 3], list(range(8)), list(range(12))]
    assert numbers(tmp_path / "cuts/8/val.h5") == numbers(data / "val.h5")
    assert open_view(tmp_path / "cuts/8/test.h5").extents[0].path == "../../full set/shards/shard-000002.h5"


@pytest.mark.parametrize("cuts_in", ["full set", "full set/cuts ü", "50% of all, ärgerlich/20k"])
def test_a_tree_can_be_moved(data: Path, tmp_path: Path, cuts_in: str, monkeypatch: pytest.MonkeyPatch) -> None:
    tree = tmp_path / "100% tree"
    tree.mkdir()
    shutil.move(data, tree / "full set")
    cut(tree / "full set", tree / cuts_in)
    moved = tmp_path / "moved to" / "somewhere é"
    moved.parent.mkdir()
    shutil.move(tree, moved)
    monkeypatch.chdir(moved)
    for name in THIRDS:
        for address in (moved / cuts_in / f"{name}.h5", Path(cuts_in) / f"{name}.h5"):
            view = open_view(address)
            view.check()
            mine = {field: view.read(field, slice(None)) for field in view.fields}
            view.close()
            # What anybody else sees: no reader of ours, no shard of ours open.
            with h5py.File(address) as file:
                for field, values in mine.items():
                    np.testing.assert_array_equal(file[field][:], values)  # type: ignore[index]
                assert file["audio"][3].any()  # type: ignore[index]


def test_rows_that_are_not_there_yet_are_refused(tmp_path: Path) -> None:
    make_set(tmp_path, shards=[0, 2])
    with pytest.raises(UserError, match=r"train needs 1 shards that are not there yet \(1\): finish the set"):
        cut(tmp_path)
    assert not list(tmp_path.glob("*.h5"))
    cut(tmp_path, words={"train": "shards:0", "val": "shards:2"})
    open_view(tmp_path / "val.h5").check()


def test_a_view_of_another_set_gives_no_rows(data: Path, tmp_path: Path) -> None:
    make_set(tmp_path / "other", make_recipe(seed=1))
    cut(tmp_path / "other")
    with pytest.raises(UserError, match=r"view of another data set \(seed 0 and seed 1\)"):
        cut(data, words={"val": f"{tmp_path}/other/val.h5"})
    with pytest.raises(UserError, match="no view"):
        cut(data, words={"val": "validation"})


def test_what_is_no_data_set_is_not_cut(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="no data set"):
        cut(tmp_path)


def test_what_cannot_be_written_leaves_nothing(data: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(UserError, match="could not be"):
        cut(data, tmp_path / "file" / "cuts")


# Near-duplicates


def some_patches(rows: int, synth: str = "ksin_4") -> Patch:
    return load_synth(synth).prior().sample(np.random.default_rng([6, rows]), rows)


def set_with(folder: Path, patches: Patch, synth: str = "ksin_4", **recipe) -> Recipe:
    made = make_recipe(rows=len(patches), synth=synth, audio="none", features=(), **recipe)
    return make_set(folder, made, patches=patches)


def leaky(folder: Path) -> None:
    """Rows 1 and 2 of train come again in val and test, the latter with its oscillators exchanged."""
    patches, space = some_patches(20), load_synth("ksin_4").space
    patches[13] = np.clip(patches[1] + 0.0008 * (space.high - space.low), space.low, space.high)
    patches[17] = space.permute(patches[2], space.symmetries[0])
    set_with(folder, patches)


def test_patches_in_two_views_are_refused_and_one_pair_is_named(tmp_path: Path) -> None:
    leaky(tmp_path)
    with pytest.raises(
        UserError, match=r"^2 of 12 rows of train are near-duplicates .*row 1 of train and row 13 of val"
    ):
        cut(tmp_path)
    assert not list(tmp_path.glob("*.h5"))


def test_they_can_be_dropped_from_the_larger_view(tmp_path: Path) -> None:
    leaky(tmp_path)
    made = cut(tmp_path, duplicates="drop")
    assert [(view.rows, view.dropped) for view in made.views] == [(10, 2), (4, 0), (4, 0)]
    assert numbers(tmp_path / "train.h5") == [0, *range(3, 12)]
    assert open_view(tmp_path / "train.h5").remarks == {"duplicates": "drop", "tolerance": 1e-3}
    assert states(cut(tmp_path, duplicates="drop")) == ["unchanged"] * 3


def test_of_two_views_of_one_size_the_one_that_was_named_last_keeps_its_rows(tmp_path: Path) -> None:
    set_with(tmp_path, some_patches(20)[[*range(16), 12, 17, 18, 19]])
    made = cut(tmp_path, duplicates="drop")
    assert [view.rows for view in made.views] == [12, 3, 4]


def test_they_can_be_kept_knowingly(tmp_path: Path) -> None:
    leaky(tmp_path)
    assert cut(tmp_path, duplicates="keep").kept == 2
    assert len(numbers(tmp_path / "train.h5")) == 12
    assert open_view(tmp_path / "train.h5").remarks["duplicates"] == "keep"


@pytest.mark.parametrize(("tolerance", "dropped"), [(0.0, 1), (5e-4, 1), (1e-3, 2)])
def test_the_tolerance_decides(tmp_path: Path, tolerance: float, dropped: int) -> None:
    leaky(tmp_path)
    assert cut(tmp_path, duplicates="drop", tolerance=tolerance).views[0].dropped == dropped


def test_patches_that_differ_in_what_cannot_be_heard_are_the_same(tmp_path: Path) -> None:
    synth = load_synth("dexed")
    patches = some_patches(20, "dexed")
    patches[13] = np.where(synth.space.active(patches[1]), patches[1], patches[2])
    assert (patches[13] != patches[1]).any()
    recipe = set_with(tmp_path, patches, "dexed")
    made = cut(tmp_path, duplicates="drop")
    assert (made.views[0].dropped, made.caveat) == (1, None)
    # Where nobody knows what can be heard, they are two.
    unknown = Recipe(**{**recipe.__dict__, "space": "0" * 16})
    make_set(tmp_path / "unknown", unknown, patches=patches)
    made = cut(tmp_path / "unknown", duplicates="drop")
    assert made.views[0].dropped == 0
    assert "described otherwise" in str(made.caveat)


def test_new_views_are_compared_with_those_that_are_there(tmp_path: Path) -> None:
    leaky(tmp_path)
    cut(tmp_path, words={"train": "60%"})
    with pytest.raises(UserError, match=r"1 of 4 rows of val are .* row 13 of val and row 1 of train"):
        cut(tmp_path, words={"val": "20%"})
    cut(tmp_path, words={"val": "20%"}, duplicates="drop")
    assert (numbers(tmp_path / "val.h5"), len(numbers(tmp_path / "train.h5"))) == ([12, 14, 15], 12)


def test_leaks_that_were_kept_stop_nobody_later(tmp_path: Path) -> None:
    leaky(tmp_path)
    cut(tmp_path, words={"train": "60%", "val": "20%"}, duplicates="keep")
    with pytest.raises(UserError, match="1 of 4 rows of test"):
        cut(tmp_path, words={"test": "rest"})
    cut(tmp_path, words={"test": "rows:18-19"})


def test_a_copy_of_a_view_stays_as_it_is(tmp_path: Path) -> None:
    leaky(tmp_path)
    cut(tmp_path, duplicates="keep")
    out = tmp_path / "cuts"
    made = cut(tmp_path, out, {"train": "train:6", "val": "val", "test": "test"}, duplicates="drop")
    assert [(view.rows, view.dropped) for view in made.views] == [(4, 2), (4, 0), (4, 0)]
    with pytest.raises(UserError, match="cut that one anew"):
        cut(tmp_path, tmp_path / "other", {"train": "train", "val": "val"}, duplicates="drop")


def test_views_that_would_be_empty_are_refused(tmp_path: Path) -> None:
    set_with(tmp_path, np.repeat(some_patches(1), 20, axis=0))
    with pytest.raises(UserError, match=r"every row of .* is a near-duplicate .*duplicates=group"):
        cut(tmp_path, duplicates="drop")


def test_a_bank_that_is_drawn_from_again_and_again_is_shared_out(tmp_path: Path) -> None:
    rng = np.random.default_rng([8, 0])
    which = np.where(rng.random(400) < 0.5, rng.integers(0, 20, 400), np.arange(400) + 20)
    patches = some_patches(420)[which]
    set_with(tmp_path, patches, shard_rows=50)
    words = {"train": "80%", "val": "10%", "test": "10%"}
    lost = cut(tmp_path, tmp_path / "dropped", words, duplicates="drop").views[0].dropped
    made = cut(tmp_path, words=words, duplicates="group")
    rows = {name: numbers(tmp_path / f"{name}.h5") for name in words}
    assert lost > 100
    assert [view.dropped for view in made.views] == [0, 0, 0]
    assert sorted(itertools.chain(*rows.values())) == list(range(400))
    assert all(abs(len(rows[name]) - wanted) <= 20 for name, wanted in zip(words, (320, 40, 40), strict=True))
    sounds = [set(which[theirs]) for theirs in rows.values()]
    assert not any(one & other for one, other in itertools.combinations(sounds, 2))
    # Patches that come once stay where counting put them.
    assert all(row in rows["train"] for row in range(320) if which[row] >= 20)
    for name in words:
        open_view(tmp_path / f"{name}.h5").check()
        with h5py.File(tmp_path / f"{name}.h5") as file:
            np.testing.assert_array_equal(file["index"][:], rows[name])  # type: ignore[index]
    assert states(cut(tmp_path, words=words, duplicates="group")) == ["unchanged"] * 3


@given(st.lists(st.tuples(st.integers(0, 6), st.integers(0, 2)), min_size=1, max_size=60))
def test_groups_have_one_owner_and_owners_keep_their_share(rows: list[tuple[int, int]]) -> None:
    groups, owners = (np.array(column) for column in zip(*rows, strict=True))
    shared = share_groups(groups.astype(np.uint64), owners, 3)
    sizes = np.bincount(groups)
    for group in np.unique(groups):
        (owner,) = set(shared[groups == group])
        before = set(owners[groups == group])
        assert len(before) > 1 or before == {owner}
    change = np.abs(np.bincount(shared, minlength=3) - np.bincount(owners, minlength=3))
    assert change.max() <= sizes.max()


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"tolerance": 0.5}, "0 to 0.1"),
        ({"tolerance": -1.0}, "0 to 0.1"),
        ({"duplicates": "no"}, "refuse, drop, group or keep"),
    ],
)
def test_settings_that_mean_nothing_are_refused(data: Path, options: dict, told: str) -> None:
    with pytest.raises(UserError, match=told):
        cut(data, **options)


# Far away


def upload(folder: Path, address: str) -> None:
    storage = open_storage(address)
    for place, _, names in os.walk(folder):
        for name in names:
            path = Path(place, name)
            storage.write_bytes(path.relative_to(folder).as_posix(), path.read_bytes())


def test_a_set_in_a_bucket_is_cut_and_read_there(data: Path, s3: str, tmp_path: Path) -> None:
    upload(data, f"{s3}/sets/full")
    cut(f"{s3}/sets/full")
    cut(f"{s3}/sets/full", f"{s3}/cuts/4", {"train": "train:4", "val": "val"})
    cache = tmp_path / "cache"
    view = open_view(f"{s3}/cuts/4/train.h5", cache=cache)
    view.check()
    assert view.extents[0].path == "../../sets/full/shards/shard-000000.h5"
    assert len(list(cache.rglob("shard-*.h5"))) == 0
    truth = open_view(data)
    for field in view.fields:
        np.testing.assert_array_equal(view.read(field, slice(None)), truth.read(field, slice(0, 4)))
    assert [path.name for path in cache.rglob("shard-*.h5")] == ["shard-000000.h5"]
    assert len(open_view(f"{s3}/sets/full", cache=cache)) == 20
    assert numbers(f"{s3}/sets/full/val.h5") == [12, 13, 14, 15]
    with pytest.raises(UserError, match="No relative path"):
        cut(f"{s3}/sets/full", tmp_path / "here")


def test_a_hole_in_a_bucket_is_named(data: Path, s3: str) -> None:
    (data / shard_name(1)).unlink()
    upload(data, f"{s3}/full")
    with pytest.raises(UserError, match=r"s3://.*/full is unfinished: it lacks 1 of 3 shards"):
        open_view(f"{s3}/full")
    cut(f"{s3}/full", words={"train": "shards:0,2"})
    view = open_view(f"{s3}/full/train.h5")
    view.check()
    open_storage(f"{s3}/full").write_bytes(shard_name(2), b"not a shard")
    with pytest.raises(UserError, match=r"s3://.*/full/shards/shard-000002.h5 is damaged"):
        view.read("index", -1)
