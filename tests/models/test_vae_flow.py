"""The parts of the VAE's loss, and its schedule."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch.distributions import Normal, kl_divergence

from wav2patch.models.decoders import interleave, make_decoder
from wav2patch.models.inverters.base import Examples
from wav2patch.models.inverters.vae_flow import VaeFlow
from wav2patch.models.layout import Layout
from wav2patch.models.noise import Noise

LAYOUT = Layout(("a", "b", "c"), ("continuous", "categorical", "continuous"), (0, 3, 0))
SMALL = {
    "width": 8,
    "encoder": {"name": "mlp", "hidden": 8, "blocks": 1},
    "decoder_width": 8,
    "latent_layers": 2,
    "regression_layers": 2,
    "hidden": 8,
    "blocks": 1,
}
ROWS = 3


def make(layout: Layout = LAYOUT, **changes: Any) -> VaeFlow:
    torch.manual_seed(0)
    return VaeFlow(layout, (6,), note=False, **{**SMALL, **changes})


def make_examples(rows: int = ROWS, width: int = LAYOUT.width) -> Examples:
    generator = torch.Generator().manual_seed(1)
    features = torch.randn(1, 6, generator=generator).expand(rows, 6)
    return Examples(features, None, torch.rand(1, width, generator=generator).expand(rows, width) * 2 - 1)


def test_the_divergence_is_that_of_gaussians_where_there_is_no_flow() -> None:
    model, examples = make(latent_layers=0).eval(), make_examples(20_000)
    with torch.no_grad():
        mean, deviation = model.encoded(examples.features[:1])
        expected = kl_divergence(Normal(mean, deviation), Normal(0.0, 1.0)).mean()
        found = model.loss(examples, Noise(0, 0, torch.arange(20_000)))["latent"]
    assert float(found) == pytest.approx(float(expected), abs=0.02)


def test_a_flow_changes_the_divergence_by_its_determinant() -> None:
    """The divergence of z from the prior is that of z₀ from what the inverse flow makes of the prior."""
    model, examples, noise = make().eval(), make_examples(), Noise(0, 0, torch.arange(ROWS))
    with torch.no_grad():
        mean, deviation = model.encoded(examples.features)
        first = mean + deviation * noise.normal("latent", LAYOUT.width)
        latent, stretch = model.latent_flow(first)
        own = Normal(mean, deviation).log_prob(first).sum(dim=1) - stretch
        expected = (own - Normal(0.0, 1.0).log_prob(latent).sum(dim=1)).mean() / LAYOUT.width
        assert float(model.loss(examples, noise)["latent"]) == pytest.approx(float(expected), rel=1e-4)


def test_the_loss_is_the_sum_of_its_parts() -> None:
    losses = {word: float(value.detach()) for word, value in loss_of(make()).items()}
    summed = losses["parameters"] + losses["reconstruction"] + losses["beta"] * losses["latent"]
    assert losses["loss"] == pytest.approx(summed, rel=1e-6)


def loss_of(model: VaeFlow) -> dict[str, torch.Tensor]:
    return model.loss(make_examples(), Noise(0, 0, torch.arange(ROWS)))


def test_beta_grows_with_the_steps_of_training_alone() -> None:
    model = make(beta_start=0.1, beta=0.5, beta_steps=4)
    seen = [float(loss_of(model)["beta"]) for _ in range(6)]
    assert seen == pytest.approx([0.1, 0.2, 0.3, 0.4, 0.5, 0.5])
    model.eval()
    loss_of(model)
    assert int(model.steps) == 6


def test_a_resumed_schedule_goes_on() -> None:
    model, other = make(beta_steps=10), make(beta_steps=10)
    for _ in range(3):
        loss_of(model)
    other.load_state_dict(model.state_dict())
    assert float(loss_of(other)["beta"]) == float(loss_of(model)["beta"]) > float(loss_of(make(beta_steps=10))["beta"])


def test_choices_are_probabilities() -> None:
    found = make().propose(torch.ones(6), 5, torch.Generator().manual_seed(0))
    torch.testing.assert_close(found[:, 1:4].sum(dim=1), torch.ones(5))
    assert bool((found[:, 1:4] > 0).all())


def test_a_layout_of_one_column() -> None:
    model = make(Layout(("a",), ("continuous",), (0,)))
    assert model.propose(torch.ones(6), 3, torch.Generator()).shape == (3, 1)
    assert bool(torch.isfinite(model.loss(make_examples(width=1), Noise(0, 0, torch.arange(ROWS)))["loss"]))


@pytest.mark.parametrize("shape", [(5,), (1, 2), (1, 513), (2, 3, 7), (2, 128, 401), (1, 64, 16)])
def test_decoders_give_the_shape(shape: tuple[int, ...]) -> None:
    assert make_decoder(7, shape, width=16)(torch.randn(2, 7)).shape == (2, *shape)


def test_sub_pixels_lie_between_their_neighbours() -> None:
    pictures, lines = torch.randn(2, 12, 3, 5), torch.randn(2, 6, 5)
    torch.testing.assert_close(interleave(pictures, 2), torch.nn.functional.pixel_shuffle(pictures, 2))
    for between in range(2):
        torch.testing.assert_close(interleave(lines, 2)[:, :, between::2], lines[:, between::2])
    assert torch.equal(interleave(pictures, 1), pictures)


def test_a_decoder_learns_a_picture_for_each_row() -> None:
    torch.manual_seed(0)
    decoder = make_decoder(4, (1, 12, 17), width=16)
    across, along = torch.linspace(-1, 1, 12)[:, None], torch.linspace(-1, 1, 17)[None]
    wanted = torch.stack([across * along, torch.sin(4 * along) + across])[:, None]
    optimizer = torch.optim.Adam(decoder.parameters(), 1e-2)
    loss = torch.tensor(0.0)
    for _ in range(150):
        optimizer.zero_grad()
        loss = (decoder(torch.eye(4)[:2]) - wanted).square().mean()
        loss.backward()
        optimizer.step()
    assert float(loss.detach()) < 0.02


def test_there_is_no_decoder_to_four_dimensions() -> None:
    with pytest.raises(ValueError, match="no decoder"):
        make_decoder(7, (1, 2, 3, 4), width=8)
