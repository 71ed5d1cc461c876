"""What the contrastive pair promises beside what all inverters do."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from torch import Tensor

from wav2patch.errors import UserError
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


def test_it_forgets_parameters_while_it_learns(monkeypatch: pytest.MonkeyPatch) -> None:
    model, vectors = make(forget=0.5), rows(WIDTH, 3, 400)
    told: list[Tensor] = []
    monkeypatch.setattr(model, "embed_patches", lambda given: told.append(given) or torch.rand(len(given), 4))
    examples, noise = Examples(rows(5, 4, 400), None, vectors), Noise(0, 0, torch.arange(400))
    model.train().loss(examples, noise)
    model.loss(examples, noise)
    model.eval().loss(examples, noise)
    assert torch.equal(told[0], told[1])
    assert ((told[0] == vectors) | (told[0] == 0.0)).all()
    assert float((told[0] == 0.0).float().mean()) == pytest.approx(0.5, abs=0.05)
    assert torch.equal(told[2], vectors)


def test_a_choice_is_forgotten_as_a_whole() -> None:
    layout = Layout(("a", "b"), ("categorical", "continuous"), (5, 0))
    torch.manual_seed(0)
    small = {"encoder": {"name": "mlp", "hidden": 8, "blocks": 1}, "width": 8, "hidden": 8, "size": 4}
    model = ContrastivePair(layout, (5,), note=False, forget=0.5, preset_encoder="mlp_oh", **small)
    vectors = torch.ones(200, 6)
    kept = model._forgotten(vectors, Noise(0, 0, torch.arange(200)))  # pyright: ignore[reportPrivateUsage]
    assert set(kept[:, :5].sum(dim=1).tolist()) == {0.0, 5.0}


def test_it_does_not_hear_some_bands_and_frames_while_it_learns() -> None:
    torch.manual_seed(0)
    small = {
        "encoder": {"name": "cnn_2d", "widths": [8], "blocks": [1], "hidden": 8},
        "width": 8,
        "hidden": 8,
        "size": 4,
    }
    model = ContrastivePair(LAYOUT, (1, 20, 30), note=False, mask=0.5, preset_encoder="mlp_oh", **small)
    features = torch.rand(300, 1, 20, 30)
    masked = model._masked(features, Noise(0, 0, torch.arange(300)))  # pyright: ignore[reportPrivateUsage]
    gone = (masked != features)[:, 0]
    bands, frames = gone.all(dim=2).sum(dim=1), gone.all(dim=1).sum(dim=1)
    assert int(bands.max()) <= 11
    assert int(frames.max()) <= 16
    assert float(bands.float().mean()) == pytest.approx(5.0, abs=0.7)
    assert float(frames.float().mean()) == pytest.approx(7.5, abs=1.0)
    torch.testing.assert_close(masked[gone[:, None]].mean(), features.mean(), atol=0.01, rtol=0)


def test_what_cannot_be_heard_is_not_read() -> None:
    model, draws = make(audible=True), rows(WIDTH, 2, 30)
    weights = (rows(WIDTH, 9, 30) > 0).float()
    other = torch.where(weights > 0, draws, rows(WIDTH, 10, 30))
    examples = [Examples(rows(5, 4, 30), None, one, weights) for one in (draws, other)]
    losses = [float(model.loss(one, Noise(0, 0, torch.arange(30)))["loss"].detach()) for one in examples]
    assert losses[0] == losses[1]
    model.show_draws(draws, weights)
    keys = model.memory.keys.clone()
    model.show_draws(other, weights)
    assert torch.equal(model.memory.keys, keys)
    assert torch.equal(model.memory.vectors, other)
    with pytest.raises(UserError, match="mask_inaudible=true"):
        model.loss(Examples(rows(5, 4, 30), None, draws), Noise(0, 0, torch.arange(30)))
