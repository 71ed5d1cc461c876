"""Retrieval: ranks against sorting and hand-worked values, ties, subsets, and the gap of two sides."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import rankdata

from wav2patch.metrics.retrieval import (
    by_subsets,
    modality_gap,
    normalised_rank,
    ranks,
    recall,
    reciprocal_rank,
)


def pairs(n: int, size: int, noise: float, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    random = np.random.default_rng([seed, n, size])
    one = random.standard_normal((n, size))
    return one, one + noise * random.standard_normal((n, size))


def test_hand_worked() -> None:
    queries = np.array([[0.0, 0.0], [1.0, 0.0], [5.0, 5.0]])
    candidates = np.array([[0.0, 1.0], [0.0, 0.0], [5.0, 5.0]])
    # Of query 0, candidate 1 is nearer than its partner; of query 1, its partner is at 1, candidate 0 at 2.
    found = ranks(queries, candidates)
    assert found.tolist() == [2.0, 1.0, 1.0]
    assert reciprocal_rank(found).mean() == pytest.approx(2.5 / 3)
    assert recall(found, 1).tolist() == [0.0, 1.0, 1.0]
    assert recall(found, 2).mean() == 1.0
    assert normalised_rank(found, 3).tolist() == [0.5, 0.0, 0.0]


@pytest.mark.parametrize("distance", ["l1", "cosine"])
@given(n=st.integers(1, 40), size=st.integers(1, 6), coarse=st.booleans(), seed=st.integers(0, 99))
@settings(max_examples=40, deadline=None)
def test_as_scipy_ranks_them(distance, n, size, coarse, seed) -> None:
    one, other = pairs(n, size, 0.5, seed)
    if coarse:
        one, other = np.round(one), np.round(other)
    far = np.abs(one[:, None] - other[None]).sum(axis=-1)
    if distance == "cosine":
        units = [rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-300) for rows in (one, other)]
        far = 1.0 - units[0] @ units[1].T
    expected = np.diagonal(rankdata(far, axis=1))
    found = ranks(one, other, distance)
    if distance == "l1" or not coarse:
        np.testing.assert_array_equal(found, expected)
    # The order of the candidates and of the queries is nothing.
    order = np.random.default_rng(seed).permutation(n)
    if distance == "l1":
        np.testing.assert_array_equal(ranks(one[order], other[order], distance), found[order])


@pytest.mark.parametrize("distance", ["l1", "cosine"])
@pytest.mark.parametrize("n", [2, 16, 513])
def test_one_answer_for_everything_is_chance(distance, n) -> None:
    one, _ = pairs(n, 8, 0.0)
    found = ranks(one, np.ones_like(one), distance)
    assert (found == (n + 1) / 2).all()
    assert normalised_rank(found, n).mean() == 0.5
    assert recall(found, 1).sum() == 0


def test_many_queries_are_as_few() -> None:
    one, other = pairs(700, 5, 0.7)
    far = np.abs(one[:, None] - other[None]).sum(axis=-1)
    np.testing.assert_array_equal(ranks(one, other), np.diagonal(rankdata(far, axis=1)))


def test_more_noise_finds_less() -> None:
    found = [reciprocal_rank(ranks(*pairs(200, 8, noise))).mean() for noise in (0.0, 0.5, 2.0, 100.0)]
    assert found[0] == 1.0
    assert found == sorted(found, reverse=True)
    # By chance it is the harmonic number over n.
    assert found[-1] == pytest.approx((1 / np.arange(1, 201)).sum() / 200, abs=0.02)


def test_subsets_are_a_function_of_seed_and_number() -> None:
    one, other = pairs(300, 6, 1.0)
    settings = {"size": 50, "seed": 4}
    found = by_subsets(one, other, reciprocal_rank, repetitions=5, **settings)
    assert len(set(found)) == 5
    np.testing.assert_array_equal(found[:3], by_subsets(one, other, reciprocal_rank, repetitions=3, **settings))
    # Fewer candidates are easier.
    assert found.mean() > reciprocal_rank(ranks(one, other)).mean()


def test_a_subset_of_all_is_one() -> None:
    one, other = pairs(40, 6, 1.0)
    found = by_subsets(one, other, reciprocal_rank, size=40, repetitions=9)
    assert found == pytest.approx([reciprocal_rank(ranks(one, other)).mean()])


def test_perfect_pairs_are_not_told_apart() -> None:
    gap = modality_gap(*pairs(400, 16, 0.0))
    assert gap.centroids == 0.0
    assert gap.told_apart == 0.5


def test_sides_that_lie_apart_are_told_apart() -> None:
    one, other = pairs(400, 16, 0.1)
    other[:, 0] += 6.0
    gap = modality_gap(one, other)
    assert gap.told_apart > 0.95
    assert gap.centroids > 0.5


def test_noisy_pairs_of_one_cloud_are_told_apart_by_chance() -> None:
    found = [modality_gap(*pairs(600, 8, 0.3, seed)).told_apart for seed in range(8)]
    assert np.mean(found) == pytest.approx(0.5, abs=0.05)


def test_the_cut_is_that_of_a_logistic_regression() -> None:
    """Two sides on a line, one number each: the best cut is in the middle."""
    side = np.linspace(-1.0, 1.0, 50)[:, None]
    gap = modality_gap(np.hstack([np.ones((50, 1)), side - 3.0]), np.hstack([np.ones((50, 1)), side + 3.0]))
    assert gap.told_apart == 1.0


@pytest.mark.parametrize(
    ("call", "sentence"),
    [
        (lambda one: ranks(one, one[:-1]), "of one shape"),
        (lambda one: ranks(one[:0], one[:0]), "of one shape"),
        (lambda one: ranks(one[0], one[0]), "of one shape"),
        (lambda one: ranks(one * np.nan, one), "not finite"),
        (lambda one: ranks(one, one, "l2"), "distance is l1 or cosine, not 'l2'"),
        (lambda one: recall(ranks(one, one), 0), "at 1 or more, not at 0"),
        (lambda one: normalised_rank(ranks(one[:1], one[:1]), 1), "fewer than two"),
        (
            lambda one: by_subsets(one, one, reciprocal_rank, size=9, repetitions=1),
            "a subset of 9 cannot be drawn of 8",
        ),
        (lambda one: modality_gap(one[:1], one[:1]), "1 pairs cannot be split"),
    ],
)
def test_wrong_input_is_refused(call, sentence) -> None:
    with pytest.raises(ValueError, match=sentence):
        call(pairs(8, 3, 0.1)[0])
