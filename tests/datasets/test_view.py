"""Views: every field equals the shards' rows, however it is read; what cannot be read is named."""

import pickle
import shutil
import subprocess
import sys
import textwrap
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import h5py
import numpy as np
import pytest
from shard_sets import make_clip, make_recipe, make_set, write_shard

from wav2patch.datasets.recipes.recipe import Recipe, shard_name
from wav2patch.datasets.shards import open_shards
from wav2patch.datasets.shards.shard import Shard
from wav2patch.datasets.storage.base import open_storage
from wav2patch.datasets.views.view import View, open_view
from wav2patch.datasets.views.view_file import Extent, ViewContent, write_view_file
from wav2patch.errors import UserError

EXTENTS = (("shards/shard-000001.h5", 2, 6), ("shards/shard-000002.h5", 0, 3), ("shards/shard-000000.h5", 4, 1))
NUMBERS = (10, 11, 12, 13, 14, 15, 16, 17, 18, 4)


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("a data set")
    write_view(folder, make_set(folder))
    return folder


@pytest.fixture
def copied(whole: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(whole, tmp_path / "copy"))


def write_view(folder: Path, recipe: Recipe, extents: tuple[tuple[str, int, int], ...] = EXTENTS) -> Path:
    with Shard(folder / shard_name(0)) as shard:
        fields = shard.fields
    content = ViewContent("train", recipe, tuple(Extent(*extent) for extent in extents), fields, {"cut": "so"})
    write_view_file(folder / "train.h5", content)
    return folder / "train.h5"


def truth(folder: Path, field: str, numbers: tuple[int, ...] | range) -> np.ndarray:
    """Rows as another reader has them."""
    rows = []
    for number in numbers:
        with h5py.File(folder / shard_name(number // 8)) as file:
            rows.append(file[field][number % 8])  # type: ignore[index]
    return np.array(rows)


def test_a_view_knows_what_it_is(whole: Path) -> None:
    view = open_view(whole / "train.h5")
    assert (view.name, len(view), view.recipe, view.remarks) == ("train", 10, make_recipe(), {"cut": "so"})
    assert view.extents == EXTENTS
    assert view.fields == open_view(whole).fields
    assert view.fields["audio"].shape == (1, 1600)
    assert view.fields["audio"].packed
    assert not view.fields["notes"].packed


def test_a_folder_is_all_rows(whole: Path) -> None:
    view = open_view(whole)
    assert (view.name, len(view)) == ("all", 20)
    np.testing.assert_array_equal(view.read("index", slice(None)), np.arange(20))


@pytest.mark.parametrize("address", ["train.h5", "."])
@pytest.mark.parametrize("field", ["audio", "features/log_mel", "parameters", "notes", "index", "attempt", "loudness"])
def test_every_field_equals_the_rows_of_the_shards(whole: Path, field: str, address: str) -> None:
    view = open_view(whole / address)
    expected = truth(whole, field, NUMBERS if address == "train.h5" else range(20))
    order = np.random.default_rng([7, len(field)]).integers(-len(view), len(view), 40)
    np.testing.assert_array_equal(view.read(field, order), expected[order])
    np.testing.assert_array_equal(view.read(field, list(order)), expected[order])
    for rows in (slice(None), slice(3, 8), slice(-4, None), slice(8, 2, -2), slice(5, 5), slice(1, 99, 3)):
        np.testing.assert_array_equal(view.read(field, rows), expected[rows])
    for run in (range(2, 9), np.arange(4, 8), [-2, -1], [-1, 0], [3], np.array([], dtype=np.int64)):
        np.testing.assert_array_equal(view.read(field, run), expected[np.asarray(run, dtype=np.int64)])
    for row in (0, 5, 6, 9, -1, np.int64(3)):
        np.testing.assert_array_equal(view.read(field, row), expected[row])
    assert view.read(field, slice(None)).dtype == expected.dtype
    assert view.read(field, []).shape == (0, *expected.shape[1:])


def test_a_clip_is_what_was_written(whole: Path) -> None:
    np.testing.assert_array_equal(open_view(whole / "train.h5").read("audio", 9), make_clip(make_recipe(), 4))


@pytest.mark.parametrize("rows", [10, -11, [3, 10]])
def test_a_row_that_is_not_there_is_refused(whole: Path, rows: int | list[int]) -> None:
    with pytest.raises(IndexError, match="0 to 9"):
        open_view(whole / "train.h5").read("index", rows)


def test_a_field_that_is_not_there_is_refused(whole: Path) -> None:
    with pytest.raises(KeyError, match="mel"):
        open_view(whole / "train.h5").read("mel", 0)


def test_a_view_pickles_without_what_it_has_open(whole: Path) -> None:
    view = open_view(whole / "train.h5")
    view.read("audio", 0)
    again = pickle.loads(pickle.dumps(view))
    np.testing.assert_array_equal(again.read("audio", [9, 0, 6]), view.read("audio", [9, 0, 6]))
    assert (again.name, again.address, again.extents, again.remarks) == ("train", view.address, EXTENTS, view.remarks)


def test_few_shards_stay_open_while_threads_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(open_shards, "most_open", lambda: 3)
    make_set(tmp_path, make_recipe(rows=24, shard_rows=2))
    view, expected = open_view(tmp_path), truth_of_index(24)

    def read(seed: int) -> bool:
        order = np.random.default_rng([seed, 0]).permutation(24)
        return all((view.read("index", int(row)) == expected[row]) for row in order) and bool(
            (view.read("index", order) == expected[order]).all()
        )

    with ThreadPoolExecutor(8) as threads:
        assert all(threads.map(read, range(40)))
    assert len(view._shards._open) <= 3


def truth_of_index(rows: int) -> np.ndarray:
    return np.arange(rows)


def test_forked_processes_read_while_threads_of_their_parent_do(whole: Path) -> None:
    # In a process of its own: a fork of one that has run other tests proves nothing about this.
    script = textwrap.dedent("""
        import os, sys, threading
        import numpy as np
        from wav2patch.datasets.views.view import open_view
        view = open_view(sys.argv[1])
        expected = view.read("audio", slice(None))
        stop = threading.Event()
        def go_on():
            while not stop.is_set():
                view.read("audio", np.arange(10))
        threads = [threading.Thread(target=go_on) for _ in range(3)]
        for thread in threads:
            thread.start()
        children = []
        for seed in range(8):
            child = os.fork()
            if not child:
                order = np.random.default_rng([seed, 1]).permutation(10)
                os._exit(0 if (view.read("audio", order) == expected[order]).all() else 1)
            children.append(child)
        codes = [os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) for child in children]
        stop.set()
        for thread in threads:
            thread.join()
        print(codes, (view.read("audio", slice(None)) == expected).all())
    """)
    command = [sys.executable, "-W", "ignore", "-c", script, str(whole / "train.h5")]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.stdout == f"{[0] * 8} True\n", done.stderr


def test_a_view_that_is_whole_passes_and_says_how_far_it_is(whole: Path) -> None:
    seen: list[tuple[int, int]] = []
    open_view(whole / "train.h5").check(lambda done, of: seen.append((done, of)))
    open_view(whole).check()
    assert seen == [(1, 3), (2, 3), (3, 3)]


def remove(shard: Path) -> None:
    shard.unlink()


def truncate(shard: Path) -> None:
    shard.write_bytes(shard.read_bytes()[:-500])


def empty(shard: Path) -> None:
    shard.write_bytes(b"")


def overwrite(shard: Path) -> None:
    shard.write_bytes(b"no HDF5 at all" * 100)


def make_foreign(shard: Path) -> None:
    shard.unlink()
    with h5py.File(shard, "w") as file:
        file["audio"] = np.zeros((8, 1, 1600))


def take_another_sets(shard: Path) -> None:
    recipe = make_recipe(seed=1)
    write_shard(shard, recipe, recipe.rows_of(2))


def take_other_rows(shard: Path) -> None:
    shutil.copy(shard.with_name("shard-000001.h5"), shard)


def take_other_features(shard: Path) -> None:
    with h5py.File(shard, "r+") as file:
        del file["features/log_mel"]
        file["features/log_mel"] = np.zeros((4, 1, 128, 9), dtype=np.float16)


@pytest.mark.parametrize("address", ["train.h5", "."])
@pytest.mark.parametrize(
    ("damage", "told"),
    [
        (remove, r"no shard|unfinished"),
        (truncate, "damaged"),
        (empty, "damaged"),
        (overwrite, "damaged"),
        (make_foreign, "no shard of a wav2patch data set"),
        (take_another_sets, r"another data set \(seed 0 and seed 1\)"),
        (take_other_rows, "other rows"),
        (take_other_features, "not as in the other shards"),
    ],
)
def test_a_shard_that_is_not_what_it_ought_to_be_is_named(copied: Path, damage, told: str, address: str) -> None:
    damage(copied / shard_name(2))
    with pytest.raises(UserError, match=told) as caught:
        open_view(copied / address).check()
    assert "shard-000002.h5" in str(caught.value) or damage is remove
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("damage", [remove, truncate, make_foreign, take_another_sets, take_other_rows])
def test_reading_refuses_such_a_shard_too(copied: Path, damage) -> None:
    view = open_view(copied / "train.h5")
    assert view.read("index", 0) == 10
    damage(copied / shard_name(2))
    with pytest.raises(UserError, match="shard-000002"):
        view.read("index", 7)
    with pytest.raises(UserError, match="shard-000002"):
        view.read("audio", slice(None))


def test_a_damaged_clip_is_named_when_it_is_read(copied: Path) -> None:
    shard = copied / shard_name(1)
    with h5py.File(shard) as file:
        place = file["audio"].id.get_chunk_info(5)  # type: ignore[attr-defined]
    content = bytearray(shard.read_bytes())
    content[place.byte_offset : place.byte_offset + place.size] = b"\xff" * place.size
    shard.write_bytes(bytes(content))
    view = open_view(copied / "train.h5")
    assert view.read("audio", 2).shape == (1, 1600)
    with pytest.raises(UserError, match=r"shard-000001.h5 is damaged: audio of row 5"):
        view.read("audio", 3)


def test_a_hole_never_passes(copied: Path) -> None:
    (copied / shard_name(1)).unlink()
    with pytest.raises(UserError, match=r"hole: there is no shard .*shard-000001.h5"):
        open_view(copied / "train.h5").check()
    with pytest.raises(UserError, match=r"lacks 1 of 3 shards \(1\); `wav2patch data generate out=.*copy` finishes it"):
        open_view(copied)


def test_a_view_that_wants_more_than_a_shard_has_does_not_pass(copied: Path) -> None:
    path = write_view(copied, make_recipe(), (("shards/shard-000002.h5", 0, 4),))
    content = path.read_bytes().replace(b'"shards/shard-000002.h5", 0, 4', b'"shards/shard-000002.h5", 3, 4')
    path.write_bytes(content)
    with pytest.raises(UserError, match=r"shard-000002.h5 that it does not have|damaged"):
        open_view(path).check()


def test_a_view_without_rows_does_not_pass(whole: Path) -> None:
    with pytest.raises(UserError, match="no rows"):
        View("empty", "empty", make_recipe(), open_storage(whole), ()).check()


@pytest.mark.parametrize(
    ("make", "told"),
    [
        (lambda path: None, r"no view .*other.h5; there is train.h5"),
        (lambda path: path.write_bytes(b""), "damaged or no HDF5 file"),
        (lambda path: path.write_bytes(path.with_name("train.h5").read_bytes()[:-100]), "damaged or no HDF5 file"),
        (lambda path: shutil.copy(path.parent / shard_name(0), path), "single shard: open its data set's folder"),
        (lambda path: h5py.File(path, "w").close(), "no view of a wav2patch data set"),
        (lambda path: spoil(path, "extents", "[[1]]"), "does not say which rows"),
        (lambda path: spoil(path, "extents", '[["shards/shard-000000.h5", 0, 3]]'), "does not say which rows"),
        (lambda path: spoil(path, "extents", '[["shards/shard-000000.h5", -1, 10]]'), "does not say which rows"),
        (lambda path: spoil(path, "recipe", "{}"), "no recipe"),
        (lambda path: spoil(path, "name", None), "does not say which rows"),
    ],
)
def test_a_file_that_is_no_view_is_named(copied: Path, make, told: str) -> None:
    make(copied / "other.h5")
    with pytest.raises(UserError, match=told) as caught:
        open_view(copied / "other.h5")
    assert "other.h5" in str(caught.value)


def spoil(path: Path, attribute: str, value: str | None) -> None:
    shutil.copy(path.with_name("train.h5"), path)
    with h5py.File(path, "r+") as file:
        del file.attrs[attribute]
        if value is not None:
            file.attrs[attribute] = value


def test_a_folder_that_is_no_data_set_is_named(copied: Path, tmp_path: Path) -> None:
    with pytest.raises(UserError, match="no data set"):
        open_view(tmp_path / "nowhere")
    (copied / "manifest.json").unlink()
    with pytest.raises(UserError, match=r"no whole data set; there is train\.h5"):
        open_view(copied)


def test_opening_a_view_opens_no_shard(copied: Path) -> None:
    for shard in (copied / "shards").iterdir():
        shard.write_bytes(b"")
    assert len(open_view(copied / "train.h5")) == 10
    assert len(open_view(copied)) == 20


def test_two_views_of_one_shard_do_not_close_it_for_each_other(whole: Path) -> None:
    one, other = open_view(whole / "train.h5"), open_view(whole)
    assert one.read("index", 0) == other.read("index", 10)
    one.close()
    assert other.read("index", 11) == 11
    assert one.read("index", 1) == 11


def test_opening_a_view_of_a_hundred_shards_takes_a_moment(tmp_path: Path) -> None:
    recipe = make_set(tmp_path, make_recipe(rows=100, shard_rows=1, audio="none", features=()))
    write_view(tmp_path, recipe, tuple((shard_name(shard), 0, 1) for shard in range(100)))
    for address in (tmp_path, tmp_path / "train.h5"):
        started = time.perf_counter()
        assert len(open_view(address)) == 100
        assert time.perf_counter() - started < 0.2
