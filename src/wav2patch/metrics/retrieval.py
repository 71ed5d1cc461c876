"""Whether an embedding finds its partner among others: of a patch among sounds, of a sound among patches.

Conventions:
    Embeddings are ``(n, size)``; row i of one side belongs to row i of the other. A query is a row of one side, its
    candidates are all rows of the other, and its rank is the place of its partner when they are sorted by distance:
    1 is best, n worst. Where candidates are equally far, ranks are the middle of the places that they share, so that a
    model that gives one answer for everything has the ranks of chance, whatever the order of the rows.

Metrics:
    * `ranks`, and of them `reciprocal_rank` (its mean is the MRR), `recall` at k, `normalised_rank`.
    * `by_subsets`: the same with fewer candidates, again and again.
    * `modality_gap`: how far apart the two sides lie as a whole, and how well a straight line tells them apart.

Combes et al. (JAES 2025) rank sounds of a patch in tests and patches of a sound in validation, by the mean absolute
difference, and break ties by the order of rows: a model that gives one answer for everything had the MRR 1.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize
from scipy.spatial.distance import cdist
from scipy.special import expit

Values = NDArray[np.floating]
Result = NDArray[np.float64]
Distance = Literal["l1", "cosine"]

_ROWS = 256
"""Queries whose distances are held at once."""


def ranks(queries: Values, candidates: Values, distance: Distance = "l1") -> Result:
    """The place of each query's partner among all candidates; equally far ones share the middle of their places.

    Args:
        queries: ``(n, size)``.
        candidates: ``(n, size)``; row i is the partner of query i.
        distance: ``l1``, or ``cosine``, for which a row of zeros is as far from all as a right angle.

    Returns:
        ``(n,)``, from 1 to n, whole or halves.

    Raises:
        ValueError: The shapes differ, there are no rows, a number is not finite, or there is no such distance.
    """
    first, second = _pairs(queries, candidates)
    if distance not in ("l1", "cosine"):
        raise ValueError(f"distance is l1 or cosine, not {distance!r}")
    if distance == "cosine":
        first, second = _directions(first), _directions(second)
    found = np.empty(len(first))
    for start in range(0, len(first), _ROWS):
        part = slice(start, start + _ROWS)
        far = _cosine(first[part], second) if distance == "cosine" else cdist(first[part], second, "cityblock")
        own = far[np.arange(len(far)), np.arange(len(first))[part]][:, None]
        nearer, ties = (far < own).sum(axis=1), (far == own).sum(axis=1)
        found[part] = 1.0 + nearer + (ties - 1) / 2.0
    return found


def reciprocal_rank(places: Result) -> Result:
    """``1 / rank`` of each query, in (0, 1]; the mean over queries is the MRR."""
    return 1.0 / places


def recall(places: Result, k: int) -> Result:
    """Whether each query's partner is among the first k, 0 or 1.

    Raises:
        ValueError: k is below 1.
    """
    if k < 1:
        raise ValueError(f"recall is taken at 1 or more, not at {k}")
    return (places <= k).astype(np.float64)


def normalised_rank(places: Result, candidates: int) -> Result:
    """Each query's rank from 0, the best, to 1, the worst; 0.5 is chance.

    Raises:
        ValueError: There is one candidate, or none.
    """
    if candidates < 2:
        raise ValueError("ranks among fewer than two candidates say nothing")
    return (places - 1.0) / (candidates - 1.0)


def by_subsets(
    queries: Values,
    candidates: Values,
    measure: Callable[[Result], Result],
    *,
    size: int,
    repetitions: int,
    seed: int = 0,
    distance: Distance = "l1",
) -> Result:
    """The mean of a measure of ranks, over and over among other candidates.

    Args:
        queries: ``(n, size)``.
        candidates: ``(n, size)``; row i is the partner of query i.
        measure: From ranks ``(size,)`` to values ``(size,)``, such as `reciprocal_rank`.
        size: Pairs of a subset, drawn without replacement.
        repetitions: Subsets; subset i is a function of (seed, i).
        seed: Of the subsets.
        distance: See `ranks`.

    Returns:
        ``(repetitions,)``, for their mean and deviation. Where there are as many pairs as a subset has, all are the
        same subset, and one value comes back: a deviation would say nothing.

    Raises:
        ValueError: There are fewer pairs than a subset has.
    """
    places = subset_ranks(queries, candidates, size=size, repetitions=repetitions, seed=seed, distance=distance)
    return np.array([measure(one).mean() for one in places])


def subset_ranks(
    queries: Values,
    candidates: Values,
    *,
    size: int,
    repetitions: int,
    seed: int = 0,
    distance: Distance = "l1",
) -> Result:
    """The ranks that `by_subsets` measures, ``(repetitions, size)`` or ``(1, size)``, for several measures of them."""
    first, second = _pairs(queries, candidates)
    if not 1 <= size <= len(first):
        raise ValueError(f"a subset of {size} cannot be drawn of {len(first)} pairs")
    rows = _subsets(len(first), size, repetitions if size < len(first) else 1, seed)
    return np.stack([ranks(first[one], second[one], distance) for one in rows])


@dataclass(frozen=True)
class ModalityGap:
    """How two sides of paired embeddings differ as a whole.

    Attributes:
        centroids: Distance of the means of both sides' unit vectors, 0 to 2.
        told_apart: How often a straight cut tells the side of pairs that it was not fitted to; 0.5 where it cannot.
    """

    centroids: float
    told_apart: float


def modality_gap(one: Values, other: Values, *, seed: int = 0, share: float = 0.8) -> ModalityGap:
    """How far apart two sides of paired embeddings lie, and how well they are told apart.

    Both rows of a pair are on the same side of the split: with one of them in what is fitted, its twin in the test
    would be taken for it, and perfect pairs would be told apart less often than by chance.

    Args:
        one: ``(n, size)``.
        other: ``(n, size)``.
        seed: Of the split.
        share: Of the pairs that are fitted to.

    Raises:
        ValueError: The shapes differ, a number is not finite, or there are too few pairs for a split.
    """
    first, second = (_directions(side) for side in _pairs(one, other))
    order = np.random.default_rng([seed, len(first)]).permutation(len(first))
    cut = round(share * len(order))
    if not 0 < cut < len(order):
        raise ValueError(f"{len(order)} pairs cannot be split {share:g} to {1 - share:g}")
    cuts = _fit(np.concatenate([first[order[:cut]], second[order[:cut]]]))
    tests = np.concatenate([first[order[cut:]], second[order[cut:]]])
    margins = tests @ cuts[:-1] + cuts[-1]
    sides = np.repeat([-1.0, 1.0], len(order) - cut)
    told = np.where(margins == 0.0, 0.5, np.sign(margins) == sides)
    return ModalityGap(float(np.linalg.norm(first.mean(axis=0) - second.mean(axis=0))), float(told.mean()))


def _fit(rows: Result) -> Result:
    """Weights and bias of a logistic regression with a small penalty; the second half of the rows is the one side."""
    sides = np.repeat([-1.0, 1.0], len(rows) // 2)
    penalty = 1.0 / len(rows)

    def loss(weights: Result) -> tuple[float, Result]:
        margins = sides * (rows @ weights[:-1] + weights[-1])
        pull = -sides * expit(-margins) / len(rows)
        slope = np.append(pull @ rows + penalty * weights[:-1], pull.sum())
        return float(np.logaddexp(0.0, -margins).mean() + 0.5 * penalty * weights[:-1] @ weights[:-1]), slope

    return minimize(loss, np.zeros(rows.shape[1] + 1), jac=True, method="L-BFGS-B").x


def _subsets(n: int, size: int, repetitions: int, seed: int) -> Iterator[NDArray[np.int64]]:
    for i in range(repetitions):
        yield np.random.default_rng([seed, i]).permutation(n)[:size]


def _cosine(one: Result, other: Result) -> Result:
    """Rounded, as a product of matrices sums up equal rows in different orders, and ties have to stay ties."""
    return np.round(1.0 - one @ other.T, 12)


def _directions(rows: Result) -> Result:
    length = np.linalg.norm(rows, axis=1, keepdims=True)
    return rows / np.where(length == 0.0, 1.0, length)


def _pairs(one: Values, other: Values) -> tuple[Result, Result]:
    first, second = np.asarray(one, dtype=np.float64), np.asarray(other, dtype=np.float64)
    if first.ndim != 2 or first.shape != second.shape or not len(first):
        raise ValueError(f"pairs of embeddings are of one shape (n, size), not {first.shape} and {second.shape}")
    if not (np.isfinite(first).all() and np.isfinite(second).all()):
        raise ValueError("an embedding is not finite")
    return first, second
