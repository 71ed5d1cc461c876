"""`wav2patch data subset` as a person types it."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from commands import one_sentence, run
from shard_sets import make_recipe, make_set

from wav2patch.datasets.views.view import open_view

THIRDS = ("train=60%", "val=20%", "test=20%")


@pytest.fixture(scope="module")
def original(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("original")
    make_set(folder, make_recipe(audio="none", features=()))
    return folder


@pytest.fixture
def place(original: Path, tmp_path: Path) -> Path:
    shutil.copytree(original, tmp_path / "full")
    return tmp_path


def test_a_set_and_a_small_cut_of_it(place: Path) -> None:
    done = run("data", "subset", "full", *THIRDS, cwd=place)
    assert done.code == 0, done.err
    assert done.out.splitlines() == [
        "written: full/train.h5, 12 rows",
        "written: full/val.h5, 4 rows",
        "written: full/test.h5, 4 rows",
    ]
    done = run("data", "subset", "full", "out=cuts/5", "train=train:5", "val=val", "test=test", "--json", cwd=place)
    assert done.code == 0, done.err
    made = json.loads(done.out)
    assert made["out"] == "cuts/5"
    assert made["views"][0] == {"name": "train", "rows": 5, "shards": 1, "dropped": 0, "state": "written"}
    np.testing.assert_array_equal(open_view(place / "cuts/5/train.h5").read("index", slice(None)), np.arange(5))


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["train=80%", "val=30%"], "want 22 rows"),
        (["train=shards:3"], "shards 0 to 2"),
        (["train=80%", "train=10%"], "train is given twice"),
        (["train"], "such as train=80%"),
        (["out=cuts"], "no view is named"),
        (["train=many"], "no view full/many.h5"),
        (["train=80%", "duplicates=perhaps"], "refuse, drop, group or keep"),
        (["train=80%", "tolerance=much"], "tolerance is a number"),
        (["train=80%", "replace=perhaps"], "true or false"),
    ],
)
def test_what_makes_no_sense_is_told_in_a_sentence(place: Path, words: list[str], told: str) -> None:
    done = run("data", "subset", "full", *words, cwd=place)
    assert done.code == 2
    assert one_sentence(done.err), done.err
    assert told in done.err
    assert not list(place.rglob("*.h5")) or not list((place / "full").glob("*.h5"))


def test_near_duplicates_are_refused_until_it_is_said_what_to_do(place: Path) -> None:
    recipe = make_recipe(audio="none", features=())
    patches = np.full((20, 8), 0.5)
    patches[:, 0] = np.arange(20) % 16 / 20
    make_set(place / "full", recipe, patches=patches)
    refused = run("data", "subset", "full", *THIRDS, cwd=place)
    assert refused.code == 2
    assert one_sentence(refused.err), refused.err
    assert "4 of 12 rows of train are near-duplicates" in refused.err
    done = run("data", "subset", "full", *THIRDS, "duplicates=drop", cwd=place)
    assert done.out.splitlines()[0] == "written: full/train.h5, 8 rows, 4 near-duplicates dropped"


def test_the_help_teaches_what_rows_a_view_may_have() -> None:
    done = run("data", "subset", "--help")
    assert done.code == 0
    for words in ("80%", "shards:0-9,12", "train:20k", "rest", "duplicates=refuse", "tolerance=0.001"):
        assert words in done.out
