"""Parameter metrics: values that can be worked out by hand, and every permutation tried."""

from __future__ import annotations

from itertools import permutations

import numpy as np
import pytest
from numpy.testing import assert_allclose

from wav2patch.metrics.parameters import (
    accuracy,
    assignment_distance,
    chamfer_distance,
    masked_mean,
    mean_absolute_error,
    mean_squared_error,
    parameter_errors,
)

BLOCKS = ((0, 2), (1, 3))
TRUTH = np.array([[0.0, 1.0, 0.0, 1.0]])  # tokens (0, 0) and (1, 1)
SWAPPED = np.array([[1.0, 0.0, 1.0, 0.0]])
REPEATED = np.array([[0.0, 0.0, 0.0, 0.0]])


def random_vectors(seed: int, n: int = 6, k: int = 4, c: int = 3) -> np.ndarray:
    return np.random.default_rng([71, seed]).uniform(-1, 1, (n, k * c))


def test_errors_are_means_over_columns() -> None:
    truth, guess = np.array([[-1.0, 1.0], [0.0, 0.5]]), np.array([[1.0, 1.0], [0.5, 0.0]])
    assert_allclose(mean_squared_error(truth, guess), [2.0, 0.25])
    assert_allclose(mean_absolute_error(truth, guess), [1.0, 0.5])


def test_uniform_draws_have_the_error_that_they_ought_to() -> None:
    rng = np.random.default_rng(4)
    truth, guess = rng.uniform(-1, 1, (2, 4000, 12))
    assert_allclose(mean_squared_error(truth, guess).mean(), 2 / 3, rtol=0.02)
    assert_allclose(mean_squared_error(truth, np.zeros_like(truth)).mean(), 1 / 3, rtol=0.02)


def test_a_mask_leaves_out_what_does_not_count() -> None:
    truth, guess = np.zeros((3, 2)), np.array([[1.0, 3.0], [1.0, 3.0], [1.0, 3.0]])
    mask = np.array([[True, False], [True, True], [False, False]])
    assert_allclose(mean_squared_error(truth, guess, mask), [1.0, 5.0, np.nan])
    assert_allclose(mean_absolute_error(truth, guess, mask), [1.0, 2.0, np.nan])
    assert_allclose(masked_mean(np.array([[np.nan, 2.0]]), np.array([[False, True]])), [2.0])


def test_exchanged_blocks_cost_nothing_but_plain_error() -> None:
    assert_allclose(chamfer_distance(TRUTH, SWAPPED, BLOCKS), [0.0])
    assert_allclose(assignment_distance(TRUTH, SWAPPED, BLOCKS), [0.0])
    assert_allclose(mean_squared_error(TRUTH, SWAPPED), [1.0])


def test_a_repeated_block_is_worked_out_by_hand() -> None:
    # From the truth: 0 and 2 (squared); from the proposal 0 and 0. One of two pairs is √2 apart.
    assert_allclose(chamfer_distance(TRUTH, REPEATED, BLOCKS), [0.5 * (2.0 / 2 + 0.0)])
    assert_allclose(assignment_distance(TRUTH, REPEATED, BLOCKS), [np.sqrt(2.0) / 2])


def brute_assignment(truth: np.ndarray, guess: np.ndarray, blocks: np.ndarray) -> list[float]:
    found = []
    for one, other in zip(truth, guess, strict=True):
        costs = []
        for order in permutations(range(len(blocks))):
            pairs = zip(blocks, blocks[list(order)], strict=True)
            costs.append(sum(float(np.linalg.norm(one[a] - other[b])) for a, b in pairs) / len(blocks))
        found.append(min(costs))
    return found


def brute_chamfer(truth: np.ndarray, guess: np.ndarray, blocks: np.ndarray) -> list[float]:
    found = []
    for one, other in zip(truth, guess, strict=True):
        there = [min(sum((one[a] - other[b]) ** 2) for b in blocks) for a in blocks]
        back = [min(sum((one[a] - other[b]) ** 2) for a in blocks) for b in blocks]
        found.append((sum(there) / len(there) + sum(back) / len(back)) / 2)
    return found


@pytest.mark.parametrize(("k", "c"), [(1, 3), (4, 3), (5, 2)])
def test_distances_of_blocks_are_those_of_every_permutation_tried(k: int, c: int) -> None:
    truth, guess = random_vectors(1, k=k, c=c), random_vectors(2, k=k, c=c)
    blocks = np.arange(k * c).reshape(c, k).T
    assert_allclose(assignment_distance(truth, guess, blocks), brute_assignment(truth, guess, blocks))
    assert_allclose(chamfer_distance(truth, guess, blocks), brute_chamfer(truth, guess, blocks))


def test_distances_of_blocks_do_not_see_their_order() -> None:
    truth, guess = random_vectors(1), random_vectors(2)
    blocks = np.arange(12).reshape(3, 4).T
    moved = guess.copy()
    moved[:, blocks.ravel()] = guess[:, blocks[[2, 0, 3, 1]].ravel()]
    for metric in (chamfer_distance, assignment_distance):
        assert_allclose(metric(truth, moved, blocks), metric(truth, guess, blocks))
        assert_allclose(metric(guess, truth, blocks), metric(truth, guess, blocks))
        assert (metric(truth, truth, blocks) == 0).all()


def test_accuracy_counts_what_is_right() -> None:
    truth, guess = np.array([[0, 3, 5], [1, 1, 1]]), np.array([[0, 4, 9], [1, 1, 1]])
    assert_allclose(accuracy(truth, guess), [1 / 3, 1.0])
    assert_allclose(accuracy(truth, guess, steps=1), [2 / 3, 1.0])
    mask = np.array([[False, True, True], [False, False, False]])
    assert_allclose(accuracy(truth, guess, mask), [0.0, np.nan])
    assert_allclose(accuracy(truth, guess, mask, steps=1), [0.5, np.nan])


def test_errors_of_parameters_are_means_over_their_columns() -> None:
    truth = np.array([[0.5, 1.0, -1.0, -1.0]])
    guess = np.array([[0.0, -1.0, 1.0, -1.0]])
    assert_allclose(parameter_errors(truth, guess, (1, 3)), [[0.5, 4 / 3]])
    assert_allclose(parameter_errors(truth, guess, (1, 1, 2)), [[0.5, 2.0, 1.0]])


def test_what_cannot_be_compared_is_refused() -> None:
    one = np.zeros((2, 4))
    with pytest.raises(ValueError, match="cannot be compared"):
        mean_squared_error(one, np.zeros((2, 3)))
    with pytest.raises(ValueError, match="cannot be compared"):
        assignment_distance(one[0], one[0], BLOCKS)
    with pytest.raises(ValueError, match="does not go with values"):
        mean_squared_error(one, one, np.ones((2, 3), dtype=bool))
    with pytest.raises(ValueError, match="k rows of c columns"):
        chamfer_distance(one, one, (0, 1))
    with pytest.raises(ValueError, match="do not add up to 4"):
        parameter_errors(one, one, (1, 2))
