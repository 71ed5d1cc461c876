"""What the nearest neighbour remembers, and what is near."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

from wav2patch.models.inverters.base import Examples
from wav2patch.models.inverters.nearest import NearestNeighbour
from wav2patch.models.layout import Layout
from wav2patch.models.noise import Noise

LAYOUT = Layout(("a", "b"), ("continuous", "continuous"), (0, 0))
SHAPE = (2, 8, 12)
ROWS = 60


def make_examples(rows: int = ROWS, seed: int = 0) -> Examples:
    rng = np.random.default_rng([8, seed])
    notes = np.stack([rng.integers(30, 90, rows), np.full(rows, 100), np.zeros(rows), 0.1 + rng.random(rows)], axis=1)
    features = rng.normal(size=(rows, *SHAPE)) * np.linspace(0.1, 3, 12) + 5.0
    return Examples(*(torch.tensor(x, dtype=torch.float32) for x in (features, notes, rng.uniform(-1, 1, (rows, 2)))))


def make(**settings: Any) -> NearestNeighbour:
    model = NearestNeighbour(LAYOUT, SHAPE, **{"cells": 16, **settings})
    examples = make_examples()
    assert examples.notes is not None
    halves = [
        Examples(examples.features[half], examples.notes[half], examples.vectors[half])
        for half in (slice(0, 25), slice(25, ROWS))
    ]
    model.fit_data(iter(halves))
    return model


def test_nearest_by_brute_force() -> None:
    examples, asked = make_examples(), make_examples(9, seed=1)
    assert examples.notes is not None
    assert asked.notes is not None

    def key(one: Examples) -> np.ndarray:
        return one.features.double().reshape(-1, 2, 4, 2, 4, 3).mean(dim=(3, 5)).flatten(1).numpy()

    mean, deviation = key(examples).mean(0), key(examples).std(0)
    known, wanted = ((key(one) - mean) / deviation for one in (examples, asked))
    order = np.linalg.norm(known[None] - wanted[:, None], axis=2).argsort(axis=1)[:, :3]
    found = make(note=False).propose_batch(asked.features, None, 3)
    np.testing.assert_array_equal(found.numpy(), examples.vectors.numpy()[order])


def test_a_key_is_standard() -> None:
    model = make()
    keys = model.memory.keys.float()
    assert model.key.width == 2 * 16 + 4
    torch.testing.assert_close(keys.mean(dim=0), torch.zeros(36), atol=2e-3, rtol=0)
    spread = keys.std(dim=0, correction=0)
    torch.testing.assert_close(spread[:32], torch.ones(32), atol=2e-3, rtol=0)
    # Velocity and onset are the same for all, so that pitch and duration have the note's half to themselves.
    torch.testing.assert_close(spread[32:], torch.tensor([4.0, 0.0, 0.0, 4.0]), atol=1e-2, rtol=0)


def test_the_note_counts_as_it_is_weighed() -> None:
    examples = make_examples()
    assert examples.notes is not None
    sounds, notes = examples.features[:5], examples.notes[10:15]
    by_sound = make(note_weight=1e-6).propose_batch(sounds, notes, 1)[:, 0]
    by_note = make(note_weight=1e4).propose_batch(sounds, notes, 1)[:, 0]
    torch.testing.assert_close(by_sound, examples.vectors[:5])
    torch.testing.assert_close(by_note, examples.vectors[10:15])


def test_only_so_many_are_remembered() -> None:
    model = make(rows=30)
    examples = make_examples()
    assert model.memory.keys.shape == (30, 36)
    torch.testing.assert_close(model.memory.vectors, examples.vectors[:30])


def test_more_proposals_than_examples() -> None:
    examples = make_examples()
    found = make(rows=4).propose_batch(examples.features, examples.notes, 10)
    assert found.shape == (ROWS, 10, 2)
    torch.testing.assert_close(found[:, 4:8], found[:, :4])


def test_many_examples_are_searched_piece_by_piece(monkeypatch: pytest.MonkeyPatch) -> None:
    examples, model = make_examples(9, seed=1), make()
    whole = model.propose_batch(examples.features, examples.notes, 7)
    monkeypatch.setattr("wav2patch.models.memory._AT_ONCE", 8)
    torch.testing.assert_close(model.propose_batch(examples.features, examples.notes, 7), whole)


def test_tables_are_all_that_numpy_needs() -> None:
    model, asked = make(), make_examples(9, seed=1)
    tables = model.tables()
    with torch.no_grad():
        keys = model.graphs()["network"].module(asked.features, asked.notes).numpy()
    distances = np.linalg.norm(tables["keys"].astype(np.float32)[None] - keys[:, None], axis=2)
    found = tables["vectors"][distances.argsort(axis=1)[:, :4]]
    np.testing.assert_array_equal(found, model.propose_batch(asked.features, asked.notes, 4).numpy())


def test_loading_takes_the_size_of_what_is_stored() -> None:
    model, other = make(), make(rows=7)
    other.load_state_dict(model.state_dict())
    assert len(other.memory.keys) == ROWS
    other.load_state_dict(NearestNeighbour(LAYOUT, SHAPE, cells=16).state_dict())
    assert len(other.memory.keys) == 0


def test_without_examples_there_is_no_answer() -> None:
    model, examples = NearestNeighbour(LAYOUT, SHAPE), make_examples()
    with pytest.raises(ValueError, match="call fit_data"):
        model.loss(examples, Noise(0, 0, torch.arange(ROWS)))
    with pytest.raises(ValueError, match="no example to remember"):
        model.fit_data([])


@pytest.mark.parametrize("shape", [(7,), (1, 513), (2, 128, 401), (1, 3, 50)])
def test_keys_of_any_feature(shape: tuple[int, ...]) -> None:
    model = NearestNeighbour(LAYOUT, shape, note=False, cells=64)
    features = torch.rand(4, *shape)
    keys = model.key(features)
    assert keys.shape == (4, model.key.width)
    assert model.key.width <= max(shape[0], 64 * shape[0])
    if len(shape) == 1:
        torch.testing.assert_close(keys, features)


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        ({"cells": 0}, "a cell, a component and a row"),
        ({"rows": 0}, "a cell, a component and a row"),
        ({"components": 0}, "a cell, a component and a row"),
        ({"per_octave": 12, "note": False}, "the model has to be told the note"),
        ({"per_octave": 13}, "per_octave is a multiple of 12"),
    ],
)
def test_what_makes_no_sense_is_refused(settings: dict[str, Any], sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        NearestNeighbour(LAYOUT, SHAPE, **settings)


def test_components_keep_distances_as_well_as_so_few_numbers_can() -> None:
    examples, whole = make_examples(), make(note=False)
    few, all_of_them = make(note=False, components=6), make(note=False, components=1_000)
    exact = torch.cdist(whole.memory.keys.float(), whole.memory.keys.float())
    torch.testing.assert_close(
        torch.cdist(all_of_them.memory.keys.float(), all_of_them.memory.keys.float()), exact, atol=2e-2, rtol=0
    )
    assert few.memory.keys.shape == (ROWS, 6)
    spread = whole.memory.keys.float().svd().S.square()
    torch.testing.assert_close(few.memory.keys.float().square().sum(), spread[:6].sum(), rtol=1e-3, atol=0)
    torch.testing.assert_close(few.propose_batch(examples.features, None, 1)[:, 0], examples.vectors)


def test_the_same_sound_on_another_key_is_the_nearest() -> None:
    rng = np.random.default_rng([8, 5])
    sounds = torch.full((20, 1, 108, 10), -100.0)
    sounds[:, :, 30:70] = torch.from_numpy(rng.uniform(-60, 0, (20, 1, 40, 10))).float()
    notes = torch.tensor([[55.0, 100.0, 0.0, 1.0]]).repeat(20, 1)
    vectors = torch.from_numpy(rng.uniform(-1, 1, (20, 2))).float()
    keyed = NearestNeighbour(LAYOUT, (1, 108, 10), per_octave=12, components=15)
    plain = NearestNeighbour(LAYOUT, (1, 108, 10))
    higher, up = sounds.roll(9, dims=2), notes + torch.tensor([9.0, 0.0, 0.0, 0.0])
    for model, near in ((keyed, True), (plain, False)):
        model.fit_data([Examples(sounds, notes, vectors)])
        found = model.propose_batch(higher, up, 1)[:, 0]
        assert torch.equal(found, vectors) == near
