import io
import json
import pickle
from pathlib import Path

import h5py
import numpy as np
import pytest
import shard_sets

from wav2patch.datasets.statistics.files import load_standard, save_statistics
from wav2patch.datasets.statistics.measure import Statistics, measure
from wav2patch.datasets.statistics.picture import draw_statistics
from wav2patch.datasets.statistics.summary import BLOCK, blocks
from wav2patch.datasets.statistics.words import describe, name_bins, to_json
from wav2patch.datasets.storage.base import open_storage
from wav2patch.datasets.verifying.verify import DAMAGED, GOOD, Thoroughness, verify
from wav2patch.datasets.views.places import open_whole
from wav2patch.datasets.views.view import View, open_view
from wav2patch.datasets.views.view_file import Extent, ViewContent, write_view_file
from wav2patch.errors import UserError

FIELD = "features/log_mel"


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """More rows than a block has, in shards that do not end where blocks do."""
    folder = tmp_path_factory.mktemp("sets") / "set"
    recipe = shard_sets.make_set(folder, shard_sets.make_recipe(rows=BLOCK + 44, shard_rows=130, channels=2))
    content = ViewContent(
        "train",
        recipe,
        (Extent("shards/shard-000002.h5", 3, 20), Extent("shards/shard-000000.h5", 100, 30)),
        open_view(folder).fields,
    )
    write_view_file(folder / "train.h5", content)
    return folder


def two_passes(view: View, field: str) -> tuple[np.ndarray, np.ndarray]:
    rows = view.read(field, slice(None)).astype(np.float64)
    return rows.mean(axis=0), rows.std(axis=0)


@pytest.mark.parametrize("name", ["", "train.h5"])
def test_means_and_deviations_are_those_of_all_rows(made: Path, name: str) -> None:
    view = open_view(made / name)
    found = measure(view)
    assert found.rows == len(view)
    mean, std = two_passes(view, FIELD)
    np.testing.assert_allclose(found.arrays()[f"{FIELD}/mean"], mean, rtol=1e-12)
    np.testing.assert_allclose(found.arrays()[f"{FIELD}/std"], std, rtol=1e-9, atol=1e-12)
    rows = view.read(FIELD, slice(None))
    np.testing.assert_array_equal(found.arrays()[f"{FIELD}/min"], rows.min(axis=0))
    np.testing.assert_array_equal(found.arrays()[f"{FIELD}/max"], rows.max(axis=0))


def test_the_number_of_workers_changes_nothing(made: Path) -> None:
    one, two = (measure(open_view(made), workers=count) for count in (1, 2))
    assert len(blocks(one.rows)) > 1
    for name, array in one.arrays().items():
        assert array.tobytes() == two.arrays()[name].tobytes(), name
    told, again = describe(one), describe(two)
    assert told.pop("seconds") != again.pop("seconds")
    assert told == again


def test_levels_notes_parameters_and_rejections_are_counted(made: Path) -> None:
    view = open_view(made)
    told = describe(measure(view))
    rows = range(len(view))
    assert told["loudness"]["counts"] == [sum(-20 - i % 10 == low + 1 for i in rows) for low in range(-70, 10)]
    assert told["notes"]["pitch"]["counts"] == [sum(48 + i % 25 == key for i in rows) for key in range(128)]
    assert told["notes"]["velocity"]["min"] == told["notes"]["velocity"]["max"] == 100
    assert told["rejected_before"] == sum(i % 5 == 4 for i in rows)
    assert told["shards"]["rejected"] == {"quiet": sum(i % 5 == 4 for i in rows)}
    peaks = 20 * np.log10(np.abs(view.read("audio", slice(None)).astype(float)).max(axis=(1, 2)))
    assert told["peak"]["max"] == pytest.approx(peaks.max())
    assert told["peak"]["mean"] == pytest.approx(peaks.mean())
    encodings = view.read("parameters", slice(None))
    assert [sum(one["counts"]) for one in told["parameters"]] == [len(view)] * encodings.shape[1]
    assert told["shards"]["file_bytes"] == sum(path.stat().st_size for path in (made / "shards").iterdir())


def test_clips_need_not_be_read(made: Path) -> None:
    told = describe(measure(open_view(made / "train.h5"), clips=False))
    assert "peak" not in told
    assert told["beyond_full_scale"] is None


def test_files_lie_beside_the_view_and_are_named_after_it(made: Path) -> None:
    for name, stem in (("", "stats"), ("train.h5", "train.stats")):
        view = open_view(made / name)
        found = measure(view, clips=False)
        assert sorted(save_statistics(found, view, draw_statistics(found))) == [
            f"{stem}.json",
            f"{stem}.npz",
            f"{stem}.png",
        ]
        with np.load(made / f"{stem}.npz", allow_pickle=False) as file:
            assert set(file.files) == found.arrays().keys()
        assert json.loads((made / f"{stem}.json").read_text())["rows"] == len(view)
        assert (made / f"{stem}.png").read_bytes().startswith(b"\x89PNG")


def test_a_bin_that_never_varies_stays_finite_when_standardised(tmp_path: Path) -> None:
    # After 25 ms of a silent clip's end there is nothing in any row: audio is made up, so it is cut off here.
    recipe = shard_sets.make_recipe(rows=6, features=("log_mel:top_db=1",))
    shard_sets.make_set(tmp_path, recipe)
    view = open_view(tmp_path)
    found = measure(view)
    save_statistics(found, view, None)
    (field,) = found.features
    constant = found.features[field].constant
    assert 0 < constant.sum() < constant.size
    standard = load_standard(open_storage(tmp_path), "stats.npz", "log_mel:top_db=1")
    rows = standard(view.read(field, slice(None)))
    assert rows.dtype == np.float32
    assert np.isfinite(rows).all()
    assert (rows[:, constant] == 0).all()
    np.testing.assert_allclose(rows[:, ~constant].std(axis=0), 1, atol=1e-2)
    told = describe(found)["features"]["log_mel:top_db=1"]
    assert told["zero_variance"] == constant.sum()


def test_bins_are_named_in_runs() -> None:
    marked = np.zeros((2, 2, 6), dtype=bool)
    marked[0, 1, [0, 2, 3]] = marked[1, 0] = True
    assert name_bins(marked) == ["0,1,0", "0,1,2-3", "1,0,0-5"]
    assert name_bins(np.array([True, True, False, True])) == ["0-1", "3"]


@pytest.mark.parametrize("field", ["audio", FIELD, "parameters", "loudness", "notes"])
def test_what_is_no_finite_number_is_named(tmp_path: Path, field: str) -> None:
    shard_sets.make_set(tmp_path)
    with h5py.File(tmp_path / "shards" / "shard-000001.h5", "r+") as file:
        row = file[field][3]
        if np.ndim(row):
            row.flat[0] = np.nan
        file[field][3] = row if np.ndim(row) else np.nan
    with pytest.raises(UserError, match=rf"{field} of row 11 holds what is no finite number"):
        measure(open_view(tmp_path))


def test_a_stop_in_the_middle_leaves_nothing(tmp_path: Path) -> None:
    shard_sets.make_set(tmp_path)
    before = sorted(tmp_path.rglob("*"))

    def stop(done: int, of: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        measure(open_view(tmp_path), report=stop)
    assert sorted(tmp_path.rglob("*")) == before


@pytest.mark.parametrize("content", [b"", b"text", b"PK\x03\x04 and no more"])
def test_a_damaged_file_of_statistics_is_named(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "stats.npz").write_bytes(content)
    with pytest.raises(UserError, match=r"stats\.npz is no file of statistics, or a damaged one"):
        load_standard(open_storage(tmp_path), "stats.npz", "log_mel")


def test_a_foreign_file_of_arrays_is_no_statistics(tmp_path: Path) -> None:
    file = io.BytesIO()
    np.savez(file, mean=np.zeros(3))
    (tmp_path / "stats.npz").write_bytes(file.getvalue())
    with pytest.raises(UserError, match="no file of statistics"):
        load_standard(open_storage(tmp_path), "stats.npz", "log_mel")
    with pytest.raises(UserError, match="wav2patch data stats"):
        load_standard(open_storage(tmp_path), "train.stats.npz", "log_mel")


def test_a_feature_that_was_not_measured_is_named(made: Path) -> None:
    view = open_view(made / "train.h5")
    save_statistics(measure(view, clips=False), view, None)
    with pytest.raises(UserError, match="no statistics of constant_q"):
        load_standard(view.storage, "train.stats.npz", "constant_q")


def test_a_set_of_a_synth_that_is_not_known_here_is_measured_by_its_names(tmp_path: Path) -> None:
    recipe = shard_sets.make_recipe(rows=4)
    shard_sets.make_set(tmp_path, recipe)
    known = describe(measure(open_view(tmp_path)))
    for path in [tmp_path / "manifest.json", *(tmp_path / "shards").iterdir()]:
        if path.suffix == ".json":
            path.write_text(path.read_text().replace('"ksin_4"', '"unheard_of"'))
        else:
            with h5py.File(path, "r+") as file:
                file.attrs["recipe"] = file.attrs["recipe"].replace('"ksin_4"', '"unheard_of"')
    told = describe(measure(open_view(tmp_path)))
    assert [one["name"] for one in told["parameters"]] == [one["name"] for one in known["parameters"]]
    assert {one["kind"] for one in told["parameters"]} == {"continuous"}


def test_a_remote_view_is_measured_and_verified_where_it_lies(made: Path, s3: str) -> None:
    remote = open_storage(f"{s3}/set")
    for path in made.rglob("*"):
        if path.is_file() and "stats" not in path.name:
            remote.write_bytes(path.relative_to(made).as_posix(), path.read_bytes())
    view, here = open_view(f"{s3}/set/train.h5"), measure(open_view(made / "train.h5"))
    found = measure(view)
    assert save_statistics(found, view, None) == ["train.stats.json", "train.stats.npz"]
    standard = load_standard(remote, "train.stats.npz", "log_mel")
    np.testing.assert_array_equal(standard.mean, here.features[FIELD].mean.astype(np.float32))
    whole = open_whole(f"{s3}/set")
    assert verify(whole, Thoroughness(0, 0)).code == GOOD
    remote.write_bytes("shards/shard-000001.h5", b"text")
    verdict = verify(whole, Thoroughness(0, 0))
    assert verdict.code == DAMAGED
    assert verdict.files[0].file == f"{s3}/set/shards/shard-000001.h5"


def test_statistics_are_plain_data(made: Path) -> None:
    found = measure(open_view(made / "train.h5"))
    json.loads(to_json(found))
    assert isinstance(pickle.loads(pickle.dumps(found)), Statistics)
