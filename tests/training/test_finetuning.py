"""Finetuning for one sound."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
import torch
from torch import Tensor

from wav2patch.models.inverters.base import Examples
from wav2patch.models.inverters.catalogue import make_inverter
from wav2patch.models.inverters.inversynth import InverSynth
from wav2patch.models.layout import Layout
from wav2patch.models.noise import Noise
from wav2patch.training.finetuning import Finetuned, finetune_answer, finetune_weights

SIZES = (4, 5, 3)
LAYOUT = Layout(("a", "b", "c"), ("categorical", "discrete", "categorical"), SIZES)
SHAPE = (1, 8, 12)
ROWS = 60


def sounds_of(vectors: Tensor) -> Tensor:
    """A synth that a decoder can learn: each class has a picture, and they add up."""
    pictures = torch.from_numpy(np.random.default_rng([81, 0]).normal(size=(vectors.shape[1], *SHAPE))).float()
    return torch.einsum("nd,dcbf->ncbf", vectors, pictures)


def drawn(rows: int, seed: int) -> Tensor:
    rng = np.random.default_rng([82, seed])
    columns = []
    for kind, size in zip(LAYOUT.kinds, SIZES, strict=True):
        classes = rng.integers(0, size, rows)
        scalar = 2 * classes[:, None] / (size - 1) - 1
        columns.append(np.eye(size)[classes] * 2 - 1 if kind == "categorical" else scalar)
    return torch.from_numpy(np.concatenate(columns, axis=1)).float()


@pytest.fixture(scope="module")
def model() -> InverSynth:
    """One that knows the synth well, and hears half as well."""
    torch.manual_seed(0)
    settings = {
        **{"kind": "inversynth", "width": 16, "hidden": 32, "blocks": 1, "decoder_width": 32},
        "encoder": {"name": "mlp", "hidden": 32, "blocks": 1},
    }
    made = make_inverter(settings, LAYOUT, SHAPE, note=False)
    assert isinstance(made, InverSynth)
    hears, knows = [*made.listener.parameters(), *made.head.parameters()], [*made.decoder.parameters()]
    for weights, steps, rate in ((hears, 25, 2e-3), (knows, 400, 3e-3)):
        optimizer = torch.optim.Adam(weights, rate)
        for step in range(steps):
            vectors = drawn(64, 100 + step)
            losses = made.loss(Examples(sounds_of(vectors), None, vectors), Noise(0, 0, torch.arange(64)))
            optimizer.zero_grad()
            losses["loss"].backward()
            optimizer.step()
    return made.eval()


def judge_of(wanted: Tensor) -> tuple[list[Tensor], object]:
    heard: list[Tensor] = []

    def judge(vector: Tensor) -> float:
        heard.append(vector)
        return float((sounds_of(vector[None]) - sounds_of(wanted[None])).abs().mean())

    return heard, judge


def others() -> itertools.cycle[Examples]:
    vectors = drawn(32, 7)
    return itertools.cycle([Examples(sounds_of(vectors), None, vectors)])


def tune(form: str, model: InverSynth, wanted: Tensor, judge: object, steps: int = 30) -> Finetuned:
    features = sounds_of(wanted[None])[0]
    if form == "weights":
        return finetune_weights(model, features, None, judge, others(), steps=steps, learning_rate=3e-3)  # type: ignore[arg-type]
    return finetune_answer(model, features, None, judge, steps=steps)  # type: ignore[arg-type]


FORMS = ("weights", "answer")


@pytest.mark.parametrize("form", FORMS)
def test_it_finds_more_than_the_first_answer(form: str, model: InverSynth) -> None:
    before, after = [], []
    for wanted in drawn(12, 3):
        found = tune(form, model, wanted, judge_of(wanted)[1])
        assert len(found.distances) == 31
        assert found.distance == min(found.distances) == found.distances[found.step]
        before.append(found.distances[0])
        after.append(found.distance)
    assert np.mean(before) > 0.1
    assert np.mean(after) < 0.6 * np.mean(before)


@pytest.mark.parametrize("form", FORMS)
def test_each_answer_is_heard_once_and_the_model_stays(form: str, model: InverSynth) -> None:
    kept = {name: value.clone() for name, value in model.state_dict().items()}
    wanted = drawn(1, 4)[0]
    heard, judge = judge_of(wanted)
    found = tune(form, model, wanted, judge)
    assert found.renders == len(heard) == len({one.numpy().tobytes() for one in heard})
    assert all(torch.equal(value, kept[name]) for name, value in model.state_dict().items())
    assert torch.equal(tune(form, model, wanted, judge_of(wanted)[1]).vector, found.vector)


@pytest.mark.parametrize("form", FORMS)
def test_without_steps_it_is_the_first_answer(form: str, model: InverSynth) -> None:
    wanted = drawn(1, 5)[0]
    found = tune(form, model, wanted, judge_of(wanted)[1], steps=0)
    first = model.propose_batch(sounds_of(wanted[None]), None, 1)[0, 0]
    assert (found.step, found.renders) == (0, 1)
    assert torch.equal(found.vector, first)


def test_logits_cannot_be_told_of_true_patches() -> None:
    settings = {"kind": "inversynth", "encoder": {"name": "mlp"}, "reads": "logits"}
    with pytest.raises(Exception, match="proxy_weight=0"):
        make_inverter(settings, LAYOUT, SHAPE, note=False)
    published = make_inverter({**settings, "proxy_weight": 0.0}, LAYOUT, SHAPE, note=False)
    losses = published.loss(Examples(sounds_of(drawn(4, 1)), None, drawn(4, 1)), Noise(0, 0, torch.arange(4)))
    assert "proxy" not in losses
    losses["audio"].backward()
    assert isinstance(published, InverSynth)
    assert all(one.grad is not None for one in published.head.parameters())


def test_the_loss_is_its_parts_by_their_weights() -> None:
    settings = {"kind": "inversynth", "encoder": {"name": "mlp"}, "audio_weight": 0.5, "proxy_weight": 2.0}
    made = make_inverter(settings, LAYOUT, SHAPE, note=False)
    losses = made.loss(Examples(sounds_of(drawn(4, 1)), None, drawn(4, 1)), Noise(0, 0, torch.arange(4)))
    summed = losses["parameters"] + 0.5 * losses["audio"] + 2.0 * losses["proxy"]
    torch.testing.assert_close(losses["loss"], summed)
