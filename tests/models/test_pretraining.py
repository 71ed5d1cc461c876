"""Models that learn to hear: what is hidden from them, and what they make of it."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from wav2patch.errors import UserError
from wav2patch.models.inverters.base import Examples, Learner
from wav2patch.models.layout import Layout
from wav2patch.models.learners import PRETRAINING, make_learner
from wav2patch.models.noise import Noise
from wav2patch.models.pretraining.listening import scaled
from wav2patch.models.pretraining.masked_transformer import MaskedTransformer
from wav2patch.models.pretraining.masked_unet import MaskedUnet
from wav2patch.models.pretraining.masks import between_seen, hidden_cells, spread_cells
from wav2patch.models.pretraining.patch_transformer import PatchTransformer
from wav2patch.models.pretraining.spectral_losses import SpectralWeights, spectral_losses
from wav2patch.models.pretraining.unet_1d import UNet1d

LAYOUT = Layout(("a",), ("continuous",), (0,))
ROWS, BANDS, FRAMES = 12, 23, 31
SHAPE = (1, BANDS, FRAMES)
UNET = {"kind": "masked_unet", "base": 16, "multipliers": [1, 2], "blocks": 1}
TRANSFORMER = {
    **{"kind": "masked_transformer", "width": 32, "layers": 2, "heads": 2, "hidden": 48, "decoder_layers": 1},
    "keys": 16,
}
STAGES = ("contrastive", "decoder", "full")
LEARNERS: dict[str, dict[str, Any]] = {"unet": UNET, **{stage: {**TRANSFORMER, "stage": stage} for stage in STAGES}}


def make(name: str, **changes: Any) -> Any:
    torch.manual_seed(0)
    return make_learner({**LEARNERS[name], **changes}, LAYOUT, SHAPE, note=False)


def noise(epoch: int = 0, rows: int = ROWS) -> Noise:
    return Noise(4, epoch, torch.arange(rows))


def sounds(rows: int = ROWS, seed: int = 0) -> Tensor:
    """Partials that move slowly, so that what is hidden can be guessed from what is not."""
    rng = np.random.default_rng([51, seed])
    bands, frames = np.arange(BANDS)[:, None], np.arange(FRAMES)[None]
    found = []
    for _ in range(rows):
        place, slope, period = rng.uniform(3, 20), rng.uniform(-0.2, 0.2), rng.uniform(4, 9)
        ridge = np.exp(-0.5 * ((bands - place - slope * frames) / 1.5) ** 2)
        found.append(3.0 * ridge * (1.2 + np.sin(2 * np.pi * frames / period)))
    return torch.from_numpy(np.stack(found)[:, None]).float()


def examples(features: Tensor | None = None) -> Examples:
    heard = sounds() if features is None else features
    return Examples(heard, None, torch.zeros(len(heard), 1))


@pytest.mark.parametrize(("down", "across", "share"), [(4, 6, 0.45), (102, 69, 0.45), (3, 1, 0.4)])
def test_exactly_so_many_cells_are_hidden(down: int, across: int, share: float) -> None:
    hidden = hidden_cells(noise(), down, across, share)
    assert hidden.shape == (ROWS, down, across)
    assert set(hidden.sum(dim=(1, 2)).tolist()) == {round(share * down * across)}


def test_every_row_and_epoch_hides_others_and_repeats() -> None:
    first, again, later = (hidden_cells(noise(epoch), 10, 10, 0.45) for epoch in (0, 0, 1))
    assert torch.equal(first, again)
    assert not torch.equal(first, later)
    assert not torch.equal(first[0], first[1])
    part = hidden_cells(Noise(4, 0, torch.tensor([5, 2])), 10, 10, 0.45)
    assert torch.equal(part, first[[5, 2]])
    often = torch.stack([hidden_cells(noise(epoch), 10, 10, 0.45) for epoch in range(40)]).float().mean(dim=(0, 1))
    assert (often - 0.45).abs().max() < 0.1


def test_hiding_nothing_or_all_is_refused() -> None:
    for share in (0.001, 0.999):
        with pytest.raises(ValueError, match="some have to be hidden"):
            hidden_cells(noise(), 3, 3, share)


def test_cells_cover_what_they_should() -> None:
    cells = torch.tensor([[[True, False], [False, True]]])
    grown = spread_cells(cells, 2, 5, 6)[0].int()
    assert grown.tolist() == [
        [1, 1, 0, 0, 0, 0],
        [1, 1, 0, 0, 0, 0],
        [0, 0, 1, 1, 0, 0],
        [0, 0, 1, 1, 0, 0],
        [0, 0, 0, 0, 0, 0],
    ]


def test_lines_between_what_is_seen() -> None:
    values = torch.tensor([[[0.0, 9.0, 9.0, 3.0, 9.0], [9.0, 2.0, 9.0, 9.0, 8.0], [9.0] * 5]])
    hidden = torch.tensor([[[0, 1, 1, 0, 1], [1, 0, 1, 1, 0], [1] * 5]], dtype=torch.bool)
    seen_mean = (0.0 + 3.0 + 2.0 + 8.0) / 4
    wanted = [[0.0, 1.0, 2.0, 3.0, 3.0], [2.0, 2.0, 4.0, 6.0, 8.0], [seen_mean] * 5]
    torch.testing.assert_close(between_seen(values, hidden)[0], torch.tensor(wanted))


def test_spectral_losses_by_hand() -> None:
    wanted, predicted = torch.tensor([[[0.0, math.log(3.0)]]]), torch.tensor([[[math.log(2.0), math.log(3.0)]]])
    all_of_it = torch.ones_like(wanted, dtype=torch.bool)
    weights = SpectralWeights(l1=1.0, mse=2.0, convergence=0.5, log=0.1, low=0.25)
    found = spectral_losses(predicted, wanted, all_of_it, weights)
    error, logs = math.log(2.0), math.log(1.0001 / 1e-4)
    assert float(found["spec_l1"]) == pytest.approx(error / 2)
    assert float(found["spec_l2"]) == pytest.approx(error**2 / 2)
    assert float(found["spec_sc"]) == pytest.approx(1.0 / 2.0001, rel=1e-4)  # magnitudes 1, 2 for 0, 2
    assert float(found["spec_log"]) == pytest.approx(logs**2 / 2, rel=1e-4)
    assert float(found["lowmag_weighted"]) == pytest.approx(error**2 / 1e-4 / 2, rel=1e-4)
    spectral = error / 2 + error**2 + 0.5 / 2.0001 + 0.1 * logs**2 / 2
    assert float(found["loss"]) == pytest.approx(0.75 * spectral + 0.25 * error**2 / 2e-4, rel=1e-4)
    part = spectral_losses(predicted, wanted, torch.tensor([[[False, True]]]), weights)
    assert float(part["loss"]) == pytest.approx(0.0, abs=1e-6)


def test_a_scale_tells_nothing_of_what_is_hidden() -> None:
    values, seen = sounds()[:, 0], torch.zeros(ROWS, BANDS, FRAMES, dtype=torch.bool)
    seen[:, :, ::2] = True
    other = torch.where(seen, values, values + 100.0)
    one, two = scaled(values, seen), scaled(other, seen)
    torch.testing.assert_close(one.mean, two.mean)
    torch.testing.assert_close(one.deviation, two.deviation)
    torch.testing.assert_close(one.back(one.values), values)
    flat = one.values[seen].view(ROWS, -1)
    torch.testing.assert_close(flat.mean(dim=1), torch.zeros(ROWS), atol=1e-5, rtol=0)
    torch.testing.assert_close(flat.std(dim=1, correction=0), torch.ones(ROWS), atol=1e-3, rtol=0)


@pytest.mark.parametrize("frames", [1, 2, 7, 32, 173])
def test_a_u_net_takes_any_number_of_frames(frames: int) -> None:
    network, silence = UNet1d(9, base=8, multipliers=(1, 2, 4), blocks=1), torch.zeros(2, 9, frames)
    assert network(silence, silence.bool()).shape == (2, 9, frames)


def test_patches_come_back() -> None:
    network = PatchTransformer(BANDS, FRAMES, width=8, layers=1, heads=2, hidden=8)
    spectrograms = sounds()[:, 0]
    patches = network.patches(spectrograms)
    assert patches.shape == (ROWS, 5 * 7, 25)
    assert patches[0, 8].tolist() == spectrograms[0, 5:10, 5:10].flatten().tolist()
    model: MaskedTransformer = make("full")
    back = model._unpatched(patches, BANDS, FRAMES)  # pyright: ignore[reportPrivateUsage]
    torch.testing.assert_close(back, spectrograms)


def test_the_u_net_does_not_see_what_is_hidden() -> None:
    model: MaskedUnet = make("unet").eval()
    values = sounds()[:, 0]
    hidden = model.hide(values, noise())
    assert set(hidden.sum(dim=(1, 2)).tolist()) == {25 * round(0.45 * 24)}
    changed = torch.where(hidden, torch.rand_like(values), values)
    torch.testing.assert_close(model(values, hidden), model(changed, hidden))


def test_the_u_net_knows_what_is_hidden() -> None:
    model: MaskedUnet = make("unet").eval()
    hidden = model.hide(sounds()[:, 0], noise())
    flat = torch.zeros_like(hidden, dtype=torch.float32)  # levelled, whatever is hidden is as it was
    assert not torch.allclose(model(flat, hidden), model(flat, ~hidden))


def test_a_u_net_that_starts_from_lines_says_what_they_lack() -> None:
    model: MaskedUnet = make("unet", lines=True).eval()
    values = sounds()[:, 0]
    hidden = model.hide(values, noise())
    changed = torch.where(hidden, torch.rand_like(values), values)
    torch.testing.assert_close(model(values, hidden), model(changed, hidden))
    heard = scaled(values, ~hidden)
    said = model.network(between_seen(heard.values, hidden), hidden)
    lacking = (model(values, hidden) - between_seen(values, hidden)) / heard.deviation
    torch.testing.assert_close(lacking[hidden], said[hidden], atol=1e-4, rtol=1e-4)


@pytest.mark.parametrize("stage", STAGES)
def test_the_transformer_does_not_see_what_is_hidden(stage: str, monkeypatch: pytest.MonkeyPatch) -> None:
    model: MaskedTransformer = make(stage).eval()
    told: list[Tensor] = []
    inner = model.network.forward
    monkeypatch.setattr(model.network, "forward", lambda contents: told.append(inner(contents)) or told[-1])
    cells = hidden_cells(noise(), model.network.down, model.network.across, 0.45)
    hidden = spread_cells(cells, 5, BANDS, FRAMES)[:, None]
    for features in (sounds(), torch.where(hidden, torch.rand_like(sounds()), sounds())):
        model.loss(examples(features), noise())
    torch.testing.assert_close(told[0], told[1])


def test_hidden_patches_differ_by_their_places() -> None:
    model: MaskedTransformer = make("decoder").eval()
    nothing = model.hidden_token.expand(1, model.network.down * model.network.across, -1)
    tokens = model.network(nothing)[0]
    assert torch.cdist(tokens, tokens).fill_diagonal_(1.0).min() > 1e-3


def test_no_position_gives_a_key_away() -> None:
    """The same content in two places has one key."""
    model: MaskedTransformer = make("contrastive").eval()
    patch = torch.rand(25)
    contents = model.network.embed(patch.expand(1, 35, 25))
    keys = model.key(contents)[0]
    torch.testing.assert_close(keys, keys[:1].expand_as(keys))


LEARNT = {
    "unet": ["network"],
    "contrastive": ["hidden_token", "key", "network", "query"],
    "decoder": ["decoder"],
    "full": ["decoder", "hidden_token", "network"],
}


@pytest.mark.parametrize("name", LEARNERS)
def test_gradients_reach_what_a_stage_learns_and_nothing_else(name: str) -> None:
    model: Learner = make(name)
    model.loss(examples(), noise())["loss"].backward()
    for word, weights in model.named_parameters():
        learns = word.partition(".")[0] in LEARNT[name]
        assert weights.requires_grad == learns, word
        assert (weights.grad is not None and float(weights.grad.abs().max()) > 0) == learns, word


@pytest.mark.parametrize("name", LEARNERS)
def test_all_stages_have_the_same_weights(name: str) -> None:
    if name != "unet":
        assert make(name).state_dict().keys() == make("contrastive").state_dict().keys()
    assert PRETRAINING[make(name).kind] is type(make(name))


def loss_of(model: Learner) -> dict[str, float]:
    """On sounds that it has not seen."""
    with torch.no_grad():
        found = model.eval().loss(examples(sounds(32, 1)), noise(-1, 32))
    return {name: float(value) for name, value in found.items()}


def learnt(model: Learner, steps: int, rate: float = 3e-3) -> dict[str, float]:
    optimizer = torch.optim.Adam([one for one in model.parameters() if one.requires_grad], rate)
    for step in range(steps):
        optimizer.zero_grad()
        model.train().loss(examples(sounds(32, 10 + step)), noise(step, 32))["loss"].backward()
        optimizer.step()
    return loss_of(model)


def test_the_u_net_does_better_than_the_mean_and_than_lines() -> None:
    found = learnt(make("unet", base=32), 100)
    assert found["spec_l1"] < 0.8 * found["mean_l1"]
    assert found["spec_l1"] < 0.8 * found["between_l1"]


def test_patches_are_told_apart_better_than_by_chance() -> None:
    found = learnt(make("contrastive"), 200)
    assert found["over_chance"] > 4.0
    assert found["loss"] < found["chance"] - 0.25


def test_the_decoder_learns_with_the_encoder_as_it_is() -> None:
    model = make("decoder")
    before = {name: value.clone() for name, value in model.network.state_dict().items()}
    first = loss_of(model)["loss"]
    assert learnt(model, 60)["loss"] < 0.9 * first
    assert all(torch.equal(value, before[name]) for name, value in model.network.state_dict().items())


def test_seeing_everything_is_an_autoencoder() -> None:
    model = make("unet", share=0, weights={"convergence": 0.2, "log": 0.1, "low": 0.3})
    first, found = loss_of(model), learnt(model, 100)
    assert {"spec_sc", "spec_log", "lowmag_weighted"} <= found.keys()
    assert "mean_l1" not in found
    assert found["spec_l1"] < 0.8 * first["spec_l1"]


@pytest.mark.parametrize(
    ("name", "changes"),
    [
        ("unet", {"share": 1.0}),
        ("unet", {"cell": 99}),
        ("unet", {"weights": {"low": 2.0}}),
        ("contrastive", {"stage": "other"}),
        ("contrastive", {"patch": 40}),
        ("contrastive", {"temperature": 0}),
    ],
)
def test_settings_that_make_no_sense_are_told(name: str, changes: dict[str, Any]) -> None:
    with pytest.raises(UserError, match="cannot be made"):
        make(name, **changes)
