"""How good a proxy is: embeddings that are expected of patches, beside those of their sounds.

The evaluation of Combes et al. (JAES 2025), with what it lacks: ties that count half, both directions at both sizes,
and anchors, which say what is worth nothing and what is as good as it gets.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from wav2patch.metrics.retrieval import modality_gap, recall, reciprocal_rank, subset_ranks

Values = NDArray[np.floating]

SIZES = (512, 4_096)
"""Candidates: those of the paper's validation, and of its test."""

RECALLS = (1, 5, 10)

_AT_ONCE = 512

REPETITIONS: Mapping[int, int] = {512: 32}
"""Subsets by their size; 8 of other sizes."""


@dataclass(frozen=True)
class Spread:
    """A figure over subsets of the test rows: mean and standard deviation; 0 where there is one subset only."""

    mean: float
    deviation: float


@dataclass(frozen=True)
class ProxyScores:
    """Figures of a proxy.

    Attributes:
        l1: Mean absolute difference of the embeddings' values.
        mrr_by_sound: MRR of a sound among patches, by the number of candidates.
        mrr_by_patch: MRR of a patch among sounds.
        recalls: Of a sound among the most patches: how often its own is among the first k.
        gap: Distance of the means of both sides' unit vectors.
        told_apart: How often a straight cut tells the sides of pairs apart; 0.5 where it cannot.
    """

    l1: float
    mrr_by_sound: Mapping[int, Spread]
    mrr_by_patch: Mapping[int, Spread]
    recalls: Mapping[int, Spread]
    gap: float
    told_apart: float


def score(expected: Values, heard: Values, *, sizes: Sequence[int] = SIZES, seed: int = 0) -> ProxyScores:
    """Figures of embeddings.

    Args:
        expected: ``(n, size)`` of patches.
        heard: ``(n, size)`` of their sounds.
        sizes: Numbers of candidates; larger ones than n are left out, unless all are.
        seed: Of the subsets.
    """
    fitting = [size for size in sizes if size <= len(heard)] or [len(heard)]
    sounds = {size: _ranks(heard, expected, size, seed) for size in fitting}
    patches = {size: _ranks(expected, heard, size, seed) for size in fitting}
    by_sound = {size: _spread(reciprocal_rank(places)) for size, places in sounds.items()}
    by_patch = {size: _spread(reciprocal_rank(places)) for size, places in patches.items()}
    recalls = {k: _spread(recall(sounds[max(fitting)], k)) for k in RECALLS}
    gap = modality_gap(expected, heard, seed=seed)
    return ProxyScores(
        float(np.abs(expected - heard).mean()), by_sound, by_patch, recalls, gap.centroids, gap.told_apart
    )


def mean_anchor(known: Values, rows: int) -> NDArray[np.float64]:
    """What says the same of every patch, ``(rows, size)``: the mean of known embeddings ``(m, size)``."""
    return np.repeat(known.mean(axis=0, dtype=np.float64)[None], rows, axis=0)


def neighbour_anchor(known_patches: Values, known: Values, patches: Values) -> NDArray[np.float64]:
    """The embedding of the known patch that is nearest by its encoding, ``(n, size)``.

    Args:
        known_patches: Encodings ``(m, D)``.
        known: Embeddings of their sounds ``(m, size)``.
        patches: Encodings ``(n, D)``.
    """
    points = np.asarray(known_patches, dtype=np.float64)
    # In hundreds of dimensions a tree looks at every point, one by one; products of matrices do so at once.
    squares = np.square(points).sum(axis=1)
    some = np.array_split(np.asarray(patches, dtype=np.float64), -(-len(patches) // _AT_ONCE))
    nearest = np.concatenate([(squares - 2.0 * one @ points.T).argmin(axis=1) for one in some])
    return np.asarray(known[nearest], dtype=np.float64)


def _ranks(queries: Values, candidates: Values, size: int, seed: int) -> NDArray[np.float64]:
    return subset_ranks(queries, candidates, size=size, repetitions=REPETITIONS.get(size, 8), seed=seed)


def _spread(values: NDArray[np.float64]) -> Spread:
    """Of the means of subsets ``(repetitions, size)``."""
    found = values.mean(axis=1)
    return Spread(float(found.mean()), float(found.std(ddof=1)) if len(found) > 1 else 0.0)
