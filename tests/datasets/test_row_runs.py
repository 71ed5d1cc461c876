"""Sets of rows, and the cuts of a user, against plain sets of numbers."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from shard_sets import make_recipe

from wav2patch.datasets.views.cuts import Cut, allocate, parse_cut
from wav2patch.datasets.views.row_runs import Runs
from wav2patch.errors import UserError

ranges = st.lists(st.builds(lambda start, size: range(start, start + size), st.integers(0, 40), st.integers(0, 9)))
RECIPE = make_recipe(rows=100, shard_rows=8)


def as_set(runs: Runs) -> set[int]:
    return {row for run in runs.runs for row in run}


@given(ranges, ranges)
def test_runs_are_sets(one: list[range], other: list[range]) -> None:
    mine, theirs = Runs.of(one), Runs.of(other)
    a, b = {row for run in one for row in run}, {row for run in other for row in run}
    assert as_set(mine) == a
    assert (len(mine), bool(mine)) == (len(a), bool(a))
    assert as_set(mine - theirs) == a - b
    assert as_set(mine & theirs) == a & b
    assert as_set(mine | theirs) == a | b
    for made in (mine, mine - theirs, mine & theirs, mine | theirs):
        assert all(made.runs)
        assert all(left.stop < right.start for left, right in zip(made.runs, made.runs[1:], strict=False))


@given(ranges, st.integers(0, 50))
def test_heads_and_numbers(one: list[range], count: int) -> None:
    runs = Runs.of(one)
    np.testing.assert_array_equal(runs.numbers(), sorted(as_set(runs)))
    assert runs.head(count).numbers().tolist() == sorted(as_set(runs))[:count]
    shuffled = np.random.default_rng([count, 0]).permutation(runs.numbers())
    assert Runs.from_numbers(shuffled) == runs


def cut(**words: str) -> dict[str, set[int]]:
    views = {"train": Runs((range(0, 20), range(30, 60))), "val": Runs((range(60, 70),))}
    cuts = [parse_cut(name, text) for name, text in words.items()]
    return {name: as_set(rows) for name, rows in allocate(cuts, RECIPE, {}, views.__getitem__).items()}


def rows(start: int, stop: int) -> set[int]:
    return set(range(start, stop))


def test_shares_and_counts_are_taken_in_order() -> None:
    assert cut(train="80%", val="10%", test="10%") == {"train": rows(0, 80), "val": rows(80, 90), "test": rows(90, 100)}
    assert cut(a="50", b="0.02k") == {"a": rows(0, 50), "b": rows(50, 70)}


def test_shards_are_numbers_and_no_places_in_a_list() -> None:
    assert cut(a="shards:10,12", b="shards:2-3") == {"a": rows(80, 88) | rows(96, 100), "b": rows(16, 32)}


def test_rows_are_numbers_and_the_last_is_included() -> None:
    assert cut(a="rows:3-5,9", b="3") == {"a": {3, 4, 5, 9}, "b": {0, 1, 2}}


def test_rows_of_other_views() -> None:
    first = rows(0, 20) | rows(30, 35)
    assert cut(train="train:25", val="val") == {"train": first, "val": rows(60, 70)}
    assert cut(train="train:50%") == {"train": first}
    # What a view says itself comes first, wherever it stands.
    assert cut(new="30", train="train") == {"new": rows(20, 30) | rows(60, 80), "train": rows(0, 20) | rows(30, 60)}


def test_cuts_of_one_view_are_nested() -> None:
    sizes = [cut(train=f"train:{count}")["train"] for count in (5, 21, 50)]
    assert sizes[0] < sizes[1] < sizes[2]


@given(st.lists(st.integers(1, 60), min_size=1, max_size=5))
def test_whatever_fits_is_disjoint_and_has_its_size(shares: list[int]) -> None:
    words = {f"v{i}": f"{share}%" for i, share in enumerate(shares)}
    if sum(shares) > 100:
        with pytest.raises(UserError, match="are free"):
            cut(**words)
        return
    made = list(cut(**words).values())
    assert [len(one) for one in made] == shares
    assert len(set.union(*made)) == sum(shares)


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ({"a": "80%", "b": "30%"}, "want 110 rows, but 100 of the set's 100 are free"),
        ({"a": "101"}, "want 101 rows"),
        ({"a": "2M"}, "want 2000000 rows"),
        ({"a": "shards:0-9", "b": "30"}, "but 20 of the set's 100 are free"),
        ({"a": "shards:13"}, "shards 0 to 12"),
        ({"a": "rows:99-100"}, "rows 0 to 99"),
        ({"a": "rows:5-3"}, "backwards"),
        ({"a": "shards:x"}, "names no shards"),
        ({"a": "shards:0", "b": "rows:7"}, "b and a would share 1 rows, such as row 7"),
        ({"a": "train", "b": "train:5"}, "would share 5 rows"),
        ({"a": "val:11"}, "more rows than the 10"),
        ({"a": "rest", "b": "rest"}, "cannot both have the rest"),
        ({"a": "100%", "b": "rest"}, "b=rest would have no rows"),
        ({"a": "0"}, "no rows"),
        ({"a": "101%"}, "100% at most"),
        ({"a": "1.5"}, "whole number"),
        ({"a": ""}, "cannot be understood"),
        ({"a": "80 percent"}, "cannot be understood"),
        ({"ä/b": "5"}, "called by letters"),
    ],
)
def test_what_makes_no_sense_is_refused(words: dict[str, str], told: str) -> None:
    with pytest.raises(UserError, match=told):
        cut(**words)


def test_rows_that_are_taken_stay_so() -> None:
    taken = {"test": Runs((range(0, 10),))}
    made = allocate([Cut("train", "rest")], RECIPE, taken, dict[str, Runs]().__getitem__)
    assert as_set(made["train"]) == rows(10, 100)
    with pytest.raises(UserError, match="train and test would share 1 rows"):
        allocate([parse_cut("train", "rows:9")], RECIPE, taken, dict[str, Runs]().__getitem__)
