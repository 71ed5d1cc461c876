"""Patches that are asked for by a key."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import Tensor

from wav2patch.models.memory import Distance, Memory

DISTANCES: dict[Distance, int] = {"euclidean": 2, "manhattan": 1}


def some(n: int, width: int, seed: int) -> Tensor:
    return torch.from_numpy(np.random.default_rng([77, seed]).normal(size=(n, width))).float()


@pytest.mark.parametrize("distance", DISTANCES)
@pytest.mark.parametrize("at_once", [7, 1_000])
def test_the_nearest_by_brute_force(distance: Distance, at_once: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("wav2patch.models.memory._AT_ONCE", at_once)
    memory, keys, vectors, asked = Memory(5, 3, distance), some(40, 5, 0), some(40, 3, 1), some(6, 5, 2)
    memory.fill(keys, vectors)
    apart = np.linalg.norm(keys.half().double().numpy()[None] - asked.numpy()[:, None], DISTANCES[distance], axis=2)
    wanted = vectors.numpy()[apart.argsort(axis=1)[:, :4]]
    np.testing.assert_array_equal(memory.nearest(asked, 4).numpy(), wanted)


def test_it_begins_again_when_all_were_given() -> None:
    memory = Memory(2, 1)
    memory.fill(torch.tensor([[0.0, 0.0], [1.0, 0.0]]), torch.tensor([[0.25], [0.75]]))
    assert memory.nearest(torch.tensor([[0.9, 0.0]]), 5)[0, :, 0].tolist() == [0.75, 0.25, 0.75, 0.25, 0.75]


def test_nothing_can_be_asked_of_nothing() -> None:
    with pytest.raises(ValueError, match="nothing to choose from"):
        Memory(2, 1).nearest(torch.zeros(1, 2), 1)


def test_there_is_no_other_distance() -> None:
    with pytest.raises(ValueError, match="euclidean or manhattan"):
        Memory(2, 1, "cosine")  # pyright: ignore[reportArgumentType]
