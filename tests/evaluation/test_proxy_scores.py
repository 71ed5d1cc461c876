"""Figures of proxies, on embeddings whose figures are known."""

from __future__ import annotations

import math

import numpy as np
import pytest

from wav2patch.evaluation.proxy_scores import mean_anchor, neighbour_anchor, score

ROWS, SIZE = 600, 12


def heard(seed: int = 0) -> np.ndarray:
    return np.random.default_rng([61, seed]).normal(size=(ROWS, SIZE))


def test_who_knows_all_is_perfect() -> None:
    found = score(heard(), heard())
    assert found.l1 == 0.0
    assert [*found.mrr_by_sound] == [*found.mrr_by_patch] == [512]
    assert (found.mrr_by_sound[512].mean, found.mrr_by_sound[512].deviation) == (1.0, 0.0)
    assert {k: one.mean for k, one in found.recalls.items()} == {1: 1.0, 5: 1.0, 10: 1.0}
    assert found.gap == pytest.approx(0.0)


def test_who_says_the_mean_has_chance() -> None:
    found = score(mean_anchor(heard(), ROWS), heard(), sizes=(100,))
    assert found.mrr_by_sound[100].mean == pytest.approx(1 / 50.5)
    assert found.mrr_by_sound[100].deviation == pytest.approx(0.0, abs=1e-12)
    harmonic = sum(1 / k for k in range(1, 101)) / 100
    assert found.mrr_by_patch[100].mean == pytest.approx(harmonic, rel=0.25)
    assert found.recalls[10].mean == 0.0
    assert found.l1 == pytest.approx(math.sqrt(2 / math.pi), rel=0.05)
    assert found.told_apart == pytest.approx(1.0, abs=0.02)


def test_noise_costs_and_more_candidates_cost_more() -> None:
    noisy = heard() + 1.2 * heard(1)
    found = score(noisy, heard(), sizes=(64, 512))
    assert 1.0 > found.mrr_by_sound[64].mean > found.mrr_by_sound[512].mean > 0.1
    assert found.mrr_by_sound[64].deviation > 0.0
    assert found.recalls[1].mean < found.recalls[5].mean < found.recalls[10].mean


def test_few_rows_are_one_subset() -> None:
    found = score(heard()[:40], heard()[:40])
    assert [*found.mrr_by_sound] == [40]


def test_the_nearest_patch_s_sound() -> None:
    known_patches = np.array([[0.0, 0.0], [1.0, 1.0]])
    known = np.array([[1.0], [2.0]])
    found = neighbour_anchor(known_patches, known, np.array([[0.9, 0.8], [0.1, 0.0], [0.6, 0.6]]))
    assert found.tolist() == [[2.0], [1.0], [2.0]]
