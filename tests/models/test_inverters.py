"""What every way of inverting a synth has to keep to."""

from __future__ import annotations

import io
import json
from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest
import torch

from wav2patch.errors import UserError
from wav2patch.models.inverters.base import Examples, Inverter
from wav2patch.models.inverters.catalogue import INVERTERS, make_inverter
from wav2patch.models.layout import Layout, space_layout
from wav2patch.models.losses import LOSSES
from wav2patch.models.noise import Noise
from wav2patch.parameters import Categorical, Continuous, Discrete, ParameterSpace
from wav2patch.synths.catalogue import load_synth

torch.set_num_threads(1)

ROWS = 64
EMBEDDING = (24,)
ENCODER = {"name": "mlp", "hidden": 64, "blocks": 1}
SETTINGS: Mapping[str, Mapping[str, Any]] = {
    "flow_matching": {
        "encoder": ENCODER,
        "width": 32,
        "field": {"name": "mlp", "width": 96, "blocks": 3, "zero_gates": False},
        "guidance": 1.0,
    },
    "regression": {"encoder": ENCODER, "width": 32, "hidden": 64, "blocks": 1},
    "vae_flow": {
        "encoder": ENCODER,
        "width": 32,
        "decoder_width": 32,
        "latent_layers": 2,
        "regression_layers": 4,
        "beta_start": 0.002,
        "beta": 0.002,
        "hidden": 64,
        "blocks": 1,
    },
    "classification": {"encoder": ENCODER, "width": 32, "hidden": 64, "blocks": 1},
    "inversynth": {"encoder": ENCODER, "width": 32, "hidden": 64, "blocks": 1, "decoder_width": 32},
    "contrastive": {
        "encoder": ENCODER,
        "width": 32,
        "hidden": 64,
        "size": 16,
        "preset_encoder": {"name": "highway", "hidden": 32, "blocks": 2},
    },
    "estimator": {
        **{"encoder": ENCODER, "width": 32, "hidden": 64, "blocks": 1, "embedding": 6},
        "proxy": {"name": "highway", "hidden": 16, "blocks": 2},
    },
    "proxy": {"preset_encoder": {"name": "highway", "hidden": 128, "blocks": 2}},
    "nearest_neighbour": {},
}
LEARNS = sorted(set(SETTINGS) - {"nearest_neighbour"})
CERTAIN = sorted(set(SETTINGS) - {"flow_matching"})
"""Whose first proposal has no chance in it."""
CHOOSE = ("contrastive", "proxy")
"""Among draws that they are shown."""
ONE_NOTE = ("estimator", "proxy")
"""Which are never told another."""

MIXED = ParameterSpace(
    (
        Continuous("level"),
        Categorical("wave", ("sine", "saw", "square")),
        Discrete("voices", 1, 5),
        Continuous("cutoff", -10.0, 20.0),
        Categorical("sync", ("off", "on")),
        Discrete("fine", 0, 299),
    )
)
SPACES = {"kosc_4": load_synth("kosc_4").space, "mixed": MIXED}

kinds = pytest.mark.parametrize("kind", sorted(SETTINGS))
layouts = pytest.mark.parametrize("name", sorted(SPACES))


def layout_of(name: str) -> Layout:
    return space_layout(SPACES[name])


def told(name: str) -> bool:
    """Half of the cases are told the note."""
    return name == "mixed"


def make_examples(name: str, shape: tuple[int, ...] = EMBEDDING) -> Examples:
    space, rng = SPACES[name], np.random.default_rng([5, 1])
    places = rng.uniform(size=(ROWS, len(space)))
    vectors = space.encode(space.snap(space.low + places * (space.high - space.low))) * 2.0 - 1.0
    notes = np.stack(
        [rng.integers(36, 84, ROWS), rng.integers(1, 127, ROWS), 0.1 * rng.random(ROWS), 0.1 + rng.random(ROWS)], axis=1
    )
    features = rng.normal(size=(ROWS, *shape))
    return Examples(
        torch.tensor(features, dtype=torch.float32),
        torch.tensor(notes, dtype=torch.float32) if told(name) else None,
        torch.tensor(vectors, dtype=torch.float32),
    )


def make(kind: str, name: str, shape: tuple[int, ...] = EMBEDDING, seed: int = 0, **changes: Any) -> Inverter:
    torch.manual_seed(seed)
    settings = {"kind": kind, **SETTINGS[kind], **changes}
    return make_inverter(settings, layout_of(name), shape, note=told(name) and kind not in ONE_NOTE).eval()


def make_fitted(kind: str, name: str, shape: tuple[int, ...] = EMBEDDING, **changes: Any) -> tuple[Inverter, Examples]:
    inverter, examples = make(kind, name, shape, **changes), make_examples(name, shape)
    if not inverter.trainable:
        inverter.fit_data([rows_of(examples, slice(0, 40)), rows_of(examples, slice(40, ROWS))])
    if inverter.wanted_draws:
        inverter.show_draws(examples.vectors)
    return inverter, examples


def rows_of(examples: Examples, rows: slice) -> Examples:
    return Examples(
        examples.features[rows], None if examples.notes is None else examples.notes[rows], examples.vectors[rows]
    )


def a_noise(epoch: int = 0) -> Noise:
    return Noise(3, epoch, torch.arange(ROWS))


def loss_of(inverter: Inverter, examples: Examples, noise: Noise) -> float:
    return float(inverter.loss(examples, noise)["loss"].detach())


def draws(seed: int = 1) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def test_every_kind_is_tried() -> None:
    assert sorted(SETTINGS) == sorted(INVERTERS)


@kinds
@layouts
def test_losses_are_finite_scalars(kind: str, name: str) -> None:
    inverter, examples = make_fitted(kind, name)
    losses = inverter.loss(examples, a_noise())
    for word, value in losses.items():
        assert value.shape == (() if not word.startswith("_") else (ROWS,)), word
        assert bool(torch.isfinite(value).all()), word


@pytest.mark.parametrize("kind", LEARNS)
@layouts
def test_gradients_reach_every_parameter(kind: str, name: str) -> None:
    inverter, examples = make_fitted(kind, name)
    inverter.loss(examples, a_noise())["loss"].backward()
    still = [
        word
        for word, one in inverter.named_parameters()
        if one.requires_grad and (one.grad is None or not float(one.grad.abs().max()) > 0)
    ]
    assert still == []


@kinds
@layouts
def test_the_same_noise_gives_the_same_loss(kind: str, name: str) -> None:
    inverter, examples = make_fitted(kind, name)
    once, again, other = (loss_of(inverter, examples, a_noise(epoch)) for epoch in (0, 0, 1))
    assert once == again
    assert (other != once) == (kind in ("flow_matching", "vae_flow"))


@kinds
@layouts
def test_preparing_ahead_changes_nothing(kind: str, name: str) -> None:
    inverter, examples = make_fitted(kind, name)
    ahead = inverter.prepare(examples, a_noise())
    assert loss_of(inverter, ahead, a_noise()) == loss_of(inverter, examples, a_noise())


@kinds
@layouts
@pytest.mark.parametrize("n", [1, 5])
def test_proposals_are_finite_and_repeat(kind: str, name: str, n: int) -> None:
    inverter, examples = make_fitted(kind, name)
    first, second = (inverter.propose_batch(examples.features, examples.notes, n, draws()) for _ in range(2))
    assert first.shape == (ROWS, n, layout_of(name).width)
    assert first.dtype == torch.float32
    assert not first.requires_grad
    assert bool(torch.isfinite(first).all())
    torch.testing.assert_close(first, second, rtol=0, atol=0)


@pytest.mark.parametrize("kind", sorted(set(SETTINGS) - {"regression", "estimator", *CHOOSE, "nearest_neighbour"}))
@layouts
def test_chance_makes_proposals_differ(kind: str, name: str) -> None:
    inverter, examples = make_fitted(kind, name)
    found = inverter.propose_batch(examples.features, examples.notes, 5, draws())
    other = inverter.propose_batch(examples.features, examples.notes, 5, draws(2))
    assert bool((found[:, 1] != found[:, 2]).any(dim=1).all())
    assert bool((found[:, 1] != other[:, 1]).any(dim=1).all())


@kinds
@layouts
def test_one_sound_is_a_batch_of_one(kind: str, name: str) -> None:
    inverter, examples = make_fitted(kind, name)
    note = None if examples.notes is None else examples.notes[7]
    one = inverter.propose(examples.features[7], 5, draws(), notes=note)
    batch = inverter.propose_batch(examples.features[7:8], None if note is None else note[None], 5, draws())
    torch.testing.assert_close(one * 2.0 - 1.0, batch[0], rtol=0, atol=1e-6)
    SPACES[name].validate(SPACES[name].decode(one.numpy()))


@pytest.mark.parametrize("kind", CERTAIN)
@layouts
def test_rows_of_a_batch_do_not_touch_each_other(kind: str, name: str) -> None:
    inverter, examples = make_fitted(kind, name)
    batch = inverter.propose_batch(examples.features, examples.notes, 3, draws())
    for row in (0, 7):
        note = None if examples.notes is None else examples.notes[row]
        one = inverter.propose(examples.features[row], 1, draws(), notes=note)
        torch.testing.assert_close(one[0] * 2.0 - 1.0, batch[row, 0], rtol=0, atol=1e-5)


@pytest.mark.parametrize("kind", sorted(set(SETTINGS) - set(ONE_NOTE)))
def test_a_model_that_is_told_the_note_wants_it(kind: str) -> None:
    inverter, examples = make_fitted(kind, "mixed")
    with pytest.raises(ValueError, match="what note was played"):
        inverter.propose_batch(examples.features, None, 1, draws())


# Those that choose read patches as a whole.
@pytest.mark.parametrize("kind", sorted(set(SETTINGS) - set(CHOOSE)))
@layouts
def test_what_cannot_be_heard_does_not_count(kind: str, name: str) -> None:
    inverter, known = make_fitted(kind, name)
    examples = known.replace(vectors=known.vectors.roll(1, dims=0))
    weights = torch.ones_like(examples.vectors)
    layout, rng = layout_of(name), np.random.default_rng([5, 2])
    for row, parameters in enumerate(rng.random((ROWS, len(layout))) < 0.4):
        for parameter in np.flatnonzero(parameters):
            weights[row, layout.columns[parameter]] = 0.0
    prepared = inverter.prepare(examples, a_noise())
    other = changed(prepared, weights == 0)
    before, after = (loss_of(inverter, one.replace(weights=weights), a_noise()) for one in (prepared, other))
    assert after == pytest.approx(before, rel=1e-5)
    assert loss_of(inverter, other, a_noise()) != pytest.approx(loss_of(inverter, prepared, a_noise()), rel=1e-4)


def changed(examples: Examples, where: torch.Tensor) -> Examples:
    """Other values in some places; of noise that goes with them too, so that the points on the way stay."""
    shift = torch.where(where, -1.5 * examples.vectors, 0.0)
    moved = examples.replace(vectors=examples.vectors + shift)
    if examples.start is None:
        return moved
    time = a_noise().uniform("time", 1).float()
    return moved.replace(start=examples.start - shift * time / (1.0 - time))


STEPS = {
    **{"flow_matching": 400, "regression": 200, "vae_flow": 350, "classification": 200, "inversynth": 200},
    **{"estimator": 400, "contrastive": 150, "proxy": 300},
}
LEAST = {
    **{"regression": 1e-4, "vae_flow": 0.03, "classification": 0.03, "inversynth": 0.03},
    **{"estimator": 0.05, "contrastive": 0.02, "proxy": 0.05},
}
"""Of the parameters' loss, where it can get near 0. A velocity's cannot: noise does not tell where it is going."""


@pytest.mark.parametrize("kind", LEARNS)
@layouts
def test_it_learns_a_few_examples_by_heart(kind: str, name: str) -> None:
    inverter, examples, space = make(kind, name).train(), make_examples(name), SPACES[name]
    losses = trained(inverter, examples, STEPS[kind])
    if inverter.wanted_draws:
        inverter.eval().show_draws(examples.vectors)
    if kind in LEAST:
        assert float(losses.get("parameters", losses["loss"])) < LEAST[kind]
    # What it chooses from has the right patch once.
    count = 1 if kind in CHOOSE else 4
    found = inverter.eval().propose_batch(examples.features, examples.notes, count, draws()).numpy()
    truth = space.decode((examples.vectors.numpy() + 1.0) / 2.0)[:, None]
    wrong = np.abs(space.decode((found + 1.0) / 2.0) - truth) / (space.high - space.low)
    assert wrong[..., ~space.is_categorical].mean() < 0.06
    assert wrong[..., space.is_categorical].sum() < 0.02 * ROWS * count


SMALL = {"width": 48, "layers": 2, "heads": 2, "hidden": 64, "zero_gates": False}
VARIANTS: Mapping[str, tuple[str, Mapping[str, Any], float]] = {
    "assignment": ("regression", {"loss": "assignment"}, 1e-3),
    # Whose gradients jump where two blocks change places.
    "chamfer": ("regression", {"loss": "chamfer"}, 0.03),
    "sorted": ("regression", {"loss": "sorted"}, 0.03),
    "assigned": ("flow_matching", {"field": {"name": "assigned_transformer", "parameter_tokens": 6, **SMALL}}, 0.08),
    "parameters": ("flow_matching", {"field": {"name": "parameter_transformer", **SMALL, "layers": 1}}, 0.08),
    "equivariant": (
        "flow_matching",
        {"coupling": "hungarian", "field": {"name": "equivariant_transformer", **SMALL}},
        0.2,
    ),
}
"""Other losses and fields with their settings and how near they come; the distance to any other example is 0.39."""


@pytest.mark.parametrize("variant", VARIANTS)
def test_every_loss_and_field_learns_a_few_examples_by_heart(variant: str) -> None:
    """But for the order of the oscillators, which these losses and the strict field know nothing of."""
    kind, changes, near = VARIANTS[variant]
    inverter, examples = make(kind, "kosc_4", **changes).train(), make_examples("kosc_4")
    trained(inverter, examples, 300, 1e-2 if kind == "flow_matching" else 4e-3)
    found = inverter.eval().propose_batch(examples.features, examples.notes, 1, draws())[:, 0]
    measure = LOSSES["chamfer" if variant == "chamfer" else "assignment"](layout_of("kosc_4"))
    assert float(measure(found, examples.vectors).mean()) < near


def trained(inverter: Inverter, examples: Examples, steps: int, rate: float = 4e-3) -> dict[str, torch.Tensor]:
    optimizer = torch.optim.Adam(inverter.parameters(), rate)
    scheduler = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, steps, 1e-4)
    losses = {}
    for step in range(steps):
        optimizer.zero_grad()
        losses = inverter.loss(examples, a_noise(step))
        losses["loss"].backward()
        optimizer.step()
        scheduler.step()
    return {word: value.detach() for word, value in losses.items()}


@kinds
def test_examples_are_remembered_or_learnt(kind: str) -> None:
    inverter = make(kind, "mixed")
    assert inverter.trainable == (kind in LEARNS) == any(True for _ in inverter.parameters())
    if inverter.trainable:
        with pytest.raises(NotImplementedError, match="descends a gradient"):
            inverter.fit_data([make_examples("mixed")])


@layouts
def test_the_nearest_neighbour_knows_its_examples(name: str) -> None:
    inverter, examples = make_fitted("nearest_neighbour", name)
    assert loss_of(inverter, examples, a_noise()) == 0.0


@kinds
@layouts
def test_weights_round_trip(kind: str, name: str) -> None:
    inverter, examples = make_fitted(kind, name)
    stored = io.BytesIO()
    torch.save(inverter.state_dict(), stored)
    stored.seek(0)
    other = make(kind, name, seed=9)
    other.load_state_dict(torch.load(stored, weights_only=True))
    assert other.state_dict().keys() == inverter.state_dict().keys()
    found, expected = (one.propose_batch(examples.features, examples.notes, 3, draws()) for one in (other, inverter))
    torch.testing.assert_close(found, expected, rtol=0, atol=0)


@pytest.mark.parametrize("kind", sorted(set(SETTINGS) - {"proxy"}))
@pytest.mark.parametrize("shape", [(2, 16, 21), (1, 65)])
def test_spectrograms_and_spectra(kind: str, shape: tuple[int, ...]) -> None:
    small = {"name": "cnn_2d", "widths": [8, 8], "blocks": [1, 1], "hidden": 16}
    if len(shape) == 2:
        small = {"name": "cnn_1d", "widths": [8, 8], "out": 16, "hidden": 16}
    changes = {} if kind == "nearest_neighbour" else {"encoder": small}
    inverter, examples = make_fitted(kind, "mixed", shape, **changes)
    loss = inverter.loss(examples, a_noise())["loss"]
    assert bool(torch.isfinite(loss))
    if kind != "nearest_neighbour":
        loss.backward()
        assert all(one.grad is not None for one in inverter.parameters() if one.requires_grad)
    assert inverter.propose_batch(examples.features, examples.notes, 2, draws()).shape == (ROWS, 2, MIXED.width)


@kinds
def test_sampling_is_plain(kind: str) -> None:
    inverter, _ = make_fitted(kind, "mixed")
    assert all(isinstance(table, np.ndarray) for table in inverter.tables().values())
    assert json.loads(json.dumps(inverter.sampling)) == inverter.sampling
    assert inverter.sampling["kind"] in ("flow", "direct", "latent", "classes", "table")


@kinds
def test_unknown_settings_are_one_sentence(kind: str) -> None:
    with pytest.raises(UserError, match=f"{kind} has no setting 'depht'"):
        make(kind, "mixed", depht=3)
