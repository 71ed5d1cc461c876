"""What the contrastive pair promises beside what all inverters do."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from torch import Tensor

from wav2patch.models.inverters.base import Examples
from wav2patch.models.inverters.contrastive import ContrastivePair
from wav2patch.models.layout import Layout
from wav2patch.models.noise import Noise

WIDTH, ROWS = 6, 10
LAYOUT = Layout(tuple("abcdef"), ("continuous",) * WIDTH, (0,) * WIDTH)


def make(**settings: object) -> ContrastivePair:
    torch.manual_seed(0)
    small = {"encoder": {"name": "mlp", "hidden": 8, "blocks": 1}, "width": 8, "hidden": 8, "size": 4, "note": False}
    preset_encoder = {"name": "highway", "hidden": 8, "blocks": 2}
    return ContrastivePair(LAYOUT, (5,), **{**small, "preset_encoder": preset_encoder, **settings}).eval()


def rows(width: int, seed: int, n: int = ROWS) -> Tensor:
    return torch.from_numpy(np.random.default_rng([31, seed]).uniform(-1, 1, (n, width))).float()


def test_loss_and_rank_of_hand_worked_logits(monkeypatch: pytest.MonkeyPatch) -> None:
    # Sounds at 0° and 90°, patches at 60° and 90°: cosines 0.5 and 0, 0.866 and 1.
    model = make(temperature=0.5)
    heard = torch.tensor([[1.0, 0.0], [0.0, 1.0]])
    read = torch.tensor([[0.5, math.sqrt(0.75)], [0.0, 1.0]])
    monkeypatch.setattr(model, "forward", lambda features, notes: heard)
    monkeypatch.setattr(model, "embed_patches", lambda vectors: read)
    losses = model.loss(Examples(heard, None, read), Noise(0, 0, torch.arange(2)))
    e = math.exp
    by_sound = -math.log(e(1.0) / (e(1.0) + 1.0)), -math.log(e(2.0) / (e(2.0) + e(2.0 * math.sqrt(0.75))))
    by_patch = -math.log(e(1.0) / (e(1.0) + e(2.0 * math.sqrt(0.75)))), -math.log(e(2.0) / (1.0 + e(2.0)))
    assert float(losses["loss"].detach()) == pytest.approx((sum(by_sound) + sum(by_patch)) / 4, rel=1e-5)
    assert float(losses["mrr"]) == 1.0


def test_ties_count_half(monkeypatch: pytest.MonkeyPatch) -> None:
    model = make()
    same = torch.ones(3, 4) / 2.0
    monkeypatch.setattr(model, "forward", lambda features, notes: same)
    monkeypatch.setattr(model, "embed_patches", lambda vectors: same)
    losses = model.loss(Examples(same, None, same), Noise(0, 0, torch.arange(3)))
    assert float(losses["mrr"]) == pytest.approx(0.5)  # rank 2 of 3
    assert float(losses["loss"].detach()) == pytest.approx(math.log(3.0), rel=1e-5)


def test_it_chooses_by_the_cosine() -> None:
    model, features, draws = make(), rows(5, 1), rows(WIDTH, 2, 30)
    model.show_draws(draws)
    with torch.no_grad():
        cosines = model(features) @ model.embed_patches(draws).T
    found = model.propose_batch(features, None, 3)
    torch.testing.assert_close(found[:, 0], draws[cosines.argmax(dim=1)])


def test_what_is_kept_is_what_was_rehearsed() -> None:
    model, features, draws = make(), rows(5, 1), rows(WIDTH, 2, 30)
    assert model.wanted_draws == 100_000
    model.show_draws(draws, keep=False)
    rehearsed = model.propose_batch(features, None, 4)
    assert model.wanted_draws == 100_000
    assert len(model.state_dict()["memory.keys"]) == 0
    model.show_draws(draws)
    assert model.wanted_draws == 0
    torch.testing.assert_close(model.propose_batch(features, None, 4), rehearsed, rtol=0, atol=0)


def test_rehearsed_draws_follow_the_weights() -> None:
    model, features = make(), rows(5, 1)
    model.show_draws(rows(WIDTH, 2, 30), keep=False)
    before = model.propose_batch(features, None, 4)
    with torch.no_grad():
        for weights in model.presets.parameters():
            weights.copy_(torch.randn_like(weights))
    assert not torch.equal(model.propose_batch(features, None, 4), before)


def test_embedding_draws_leaves_no_trace_in_what_learns() -> None:
    model = make().train()
    state = {name: value.clone() for name, value in model.state_dict().items()}
    model.show_draws(rows(WIDTH, 2, 30), keep=False)
    model.propose_batch(rows(5, 1), None, 2)
    assert model.presets.training
    assert all(torch.equal(value, state[name]) for name, value in model.state_dict().items())


def test_without_draws_there_is_no_answer() -> None:
    with pytest.raises(ValueError, match="call show_draws"):
        make().propose_batch(rows(5, 1), None, 1)
    with pytest.raises(ValueError, match="above 0"):
        make(draws=0)
