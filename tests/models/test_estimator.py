"""What the estimator promises beside what all inverters do."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import Tensor

from wav2patch.errors import UserError
from wav2patch.models.inverters.base import Examples
from wav2patch.models.inverters.estimator import Estimator
from wav2patch.models.layout import Layout, space_layout
from wav2patch.models.noise import Noise
from wav2patch.models.preset_encoders.catalogue import make_preset_encoder
from wav2patch.synths.catalogue import load_synth

LAYOUT = Layout(("a", "b", "c"), ("continuous", "categorical", "discrete"), (0, 3, 5))
SIZE, ROWS = 6, 10
PROXY = {"name": "highway", "hidden": 16, "blocks": 2}
NOISE = Noise(0, 0, torch.arange(ROWS))


def make(layout: Layout = LAYOUT, **settings: object) -> Estimator:
    torch.manual_seed(0)
    small = {"encoder": {"name": "mlp", "hidden": 8, "blocks": 1}, "width": 8, "hidden": 8, "embedding": SIZE}
    return Estimator(layout, (5,), proxy=PROXY, **{**small, **settings})  # pyright: ignore[reportArgumentType]


def with_proxy(**settings: object) -> Estimator:
    model = make(**settings)  # pyright: ignore[reportArgumentType]
    model.take_proxy(make_preset_encoder(PROXY, LAYOUT, SIZE).state_dict())
    return model


def examples(embedding: bool = True) -> Examples:
    rng = np.random.default_rng([63, 0])
    number, step = rng.uniform(-1, 1, (ROWS, 1)), rng.integers(0, 5, (ROWS, 1)) / 2.0 - 1.0
    vectors = np.concatenate([number, 2.0 * np.eye(3)[rng.integers(0, 3, ROWS)] - 1.0, step], axis=1)
    heard = torch.from_numpy(rng.normal(size=(ROWS, SIZE))).float() if embedding else None
    features = torch.from_numpy(rng.normal(size=(ROWS, 5))).float()
    return Examples(features, None, torch.from_numpy(vectors).float(), embedding=heard)


def test_parameters_by_hand(monkeypatch: pytest.MonkeyPatch) -> None:
    model = make(smoothing=0.3, choice_weight=0.5)
    outputs = torch.tensor([[0.0, 1.0, 0.0, -1.0, 2.0]])
    monkeypatch.setattr(model, "_outputs", lambda features: outputs)
    wanted = torch.tensor([[1.0, -1.0, 1.0, -1.0, -0.5]])
    losses = model.loss(Examples(outputs, None, wanted), Noise(0, 0, torch.arange(1)))
    numbers = (0.5 + (1 / (1 + np.exp(-2.0)) - 0.25)) / 2
    logs = np.log(np.exp([1.0, 0.0, -1.0]) / np.exp([1.0, 0.0, -1.0]).sum())
    entropy = 0.7 * -logs[1] + 0.3 * -logs.mean()
    assert float(losses["parameters"]) == pytest.approx(numbers + 0.5 * entropy, rel=1e-5)
    assert float(losses["loss"]) == float(losses["parameters"])


@pytest.mark.parametrize(
    ("parameter", "perceptual"), [((1.0, 1.0), (0.0, 0.0)), ((1.0, 0.5), (0.0, 5.0)), ((1.0, 0.0), (0.0, 10.0))]
)
def test_weights_go_in_straight_lines(parameter: tuple[float, float], perceptual: tuple[float, float]) -> None:
    model = with_proxy(parameter_weights=parameter, perceptual_weights=perceptual, ramp=(2, 6)).train()
    for step in range(9):
        losses = {name: float(value.detach()) for name, value in model.loss(examples(), NOISE).items()}
        done = min(max((step - 2) / 4, 0.0), 1.0)
        wanted = sum(
            (first + (last - first) * done) * losses.get(name, 0.0)
            for name, (first, last) in (("parameters", parameter), ("perceptual", perceptual))
        )
        assert losses["loss"] == pytest.approx(wanted, rel=1e-5)
    assert int(model.steps) == 9
    model.eval().loss(examples(), NOISE)
    assert int(model.steps) == 9


@pytest.mark.parametrize("name", ["dexed", "vital", "inversynth_fm", "kosc_4"])
def test_what_is_heard_alone_reaches_every_parameter(name: str) -> None:
    layout = space_layout(load_synth(name).space)
    model = make(layout, parameter_weights=(0, 0), perceptual_weights=(1, 1))
    model.take_proxy(make_preset_encoder(PROXY, layout, SIZE).state_dict())
    model.train()
    features, embedding = torch.randn(64, 5), torch.randn(64, SIZE)
    outputs: list[Tensor] = []
    model.head.register_forward_hook(lambda module, given, found: outputs.append(found) or found.retain_grad())
    some = Examples(features, None, torch.zeros(64, layout.width), embedding=embedding)
    model.loss(some, Noise(0, 0, torch.arange(64)))["loss"].backward()
    grad = outputs[0].grad
    assert grad is not None
    assert bool((grad[:, 0].abs().amax(dim=0) > 0).all())


def test_the_proxy_stays_as_it_is() -> None:
    model = with_proxy(perceptual_weights=(1, 1)).train()
    before = {name: value.clone() for name, value in model.proxy.state_dict().items()}
    optimizer = torch.optim.Adam([one for one in model.parameters() if one.requires_grad], 0.01)
    for _ in range(3):
        optimizer.zero_grad()
        model.loss(examples(), NOISE)["loss"].backward()
        optimizer.step()
    assert all(torch.equal(value, before[name]) for name, value in model.proxy.state_dict().items())
    assert not model.proxy.training


def test_it_learns_to_sound_alike_by_the_proxy_alone() -> None:
    model = with_proxy(parameter_weights=(0, 0), perceptual_weights=(1, 1), width=32, hidden=32).train()
    with torch.no_grad():
        truth = examples()
        wanted = truth.replace(embedding=model.proxy(truth.vectors))
    optimizer = torch.optim.Adam([one for one in model.parameters() if one.requires_grad], 0.01)
    found = []
    for _ in range(150):
        optimizer.zero_grad()
        loss = model.loss(wanted, NOISE)["loss"]
        loss.backward()
        optimizer.step()
        found.append(float(loss.detach()))
    assert np.mean(found[-5:]) < 0.3 * found[0]


def test_what_is_missing_is_told() -> None:
    with pytest.raises(UserError, match="takes a trained proxy"):
        make(perceptual_weights=(1, 1)).loss(examples(), NOISE)
    with pytest.raises(UserError, match=r"takes data\.embedding="):
        with_proxy(perceptual_weights=(1, 1)).loss(examples(embedding=False), NOISE)
    with pytest.raises(ValueError, match="of one note"):
        make(note=True)
    with pytest.raises(ValueError, match="ramp"):
        make(ramp=(3, 3))
