"""Classes of parameters: to them, and back by the likeliest or by chance."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from wav2patch.models.inverters.base import Examples
from wav2patch.models.inverters.classification import Classes, Classification
from wav2patch.models.layout import space_layout
from wav2patch.models.noise import Noise
from wav2patch.parameters import Categorical, Continuous, Discrete, ParameterSpace
from wav2patch.synths.catalogue import load_synth

SPACE = ParameterSpace(
    (
        Continuous("level"),
        Discrete("voices", 1, 5),
        Categorical("wave", ("sine", "saw", "square")),
        Discrete("fine", 0, 299),
        Categorical("sync", ("off", "on")),
        Discrete("fixed", 4, 4),
    )
)
LAYOUT = space_layout(SPACE)
ENCODER = {"name": "mlp", "hidden": 8, "blocks": 1}


class Told(torch.nn.Module):
    """Logits that are the same for all sounds."""

    def __init__(self, logits: torch.Tensor) -> None:
        super().__init__()
        self.logits = logits

    def forward(self, token: torch.Tensor) -> torch.Tensor:
        return self.logits.expand(len(token), 1, -1)


def make(probabilities: list[list[float]], **settings: float) -> Classification:
    model = Classification(LAYOUT, (4,), note=False, width=8, encoder=ENCODER, bins=4, **settings)  # type: ignore[arg-type]
    model.head = Told(torch.tensor([one for parameter in probabilities for one in parameter]).log())  # type: ignore[assignment]
    return model


ODDS = [[0.1, 0.6, 0.1, 0.2], [0.2] * 5, [0.5, 0.2, 0.3], [0.25, 0.0, 0.0, 0.75], [0.9, 0.1], [1.0]]


def test_what_the_classes_are() -> None:
    classes = Classes(LAYOUT, bins=4, most_values=128)
    assert classes.sizes == (4, 5, 3, 4, 2, 1)
    assert classes.forms == ("bins", "grid", "choices", "bins", "choices", "grid")
    assert Classes(LAYOUT, bins=16, most_values=300).forms[3] == "grid"


def test_classes_by_hand() -> None:
    patches = np.array([[0.0, 1, 0, 0, 1, 4], [0.249, 2, 1, 74, 0, 4], [0.26, 4, 2, 76, 1, 4], [1.0, 5, 2, 299, 0, 4]])
    classes = Classes(LAYOUT, bins=4, most_values=128)
    found = classes.of_vectors(torch.tensor(SPACE.encode(patches) * 2.0 - 1.0))
    assert found.tolist() == [[0, 0, 0, 0, 1, 0], [0, 1, 1, 0, 0, 0], [1, 3, 2, 1, 1, 0], [3, 4, 2, 3, 0, 0]]


@pytest.mark.parametrize("name", ["dexed", "surge_xt_simple", "kosc_4"])
def test_there_and_back_is_within_half_a_bin(name: str) -> None:
    space, rng = load_synth(name).space, np.random.default_rng([6, 0])
    patches = space.snap(space.low + rng.uniform(size=(50, len(space))) * (space.high - space.low))
    layout = space_layout(space)
    classes = Classes(layout, bins=16, most_values=128)
    known = classes.of_vectors(torch.tensor(space.encode(patches) * 2.0 - 1.0))
    back = space.decode((classes.vectors(known, torch.zeros(known.shape)).numpy() + 1.0) / 2.0)
    wrong = np.abs(back - patches) / np.maximum(space.high - space.low, 1e-9)
    exact = np.array([form != "bins" for form in classes.forms])
    assert (wrong[:, exact] == 0).all()
    assert wrong.max() <= 0.5 / 16 + 1e-6


def test_the_first_proposal_is_the_likeliest() -> None:
    found = make(ODDS).propose(torch.zeros(4), 3, torch.Generator().manual_seed(0))
    assert found[0].tolist() == pytest.approx([0.375, 0.0, 1.0, 0.0, 0.0, 0.875, 1.0, 0.0, 0.0])


def test_further_proposals_are_drawn() -> None:
    found = make(ODDS).propose(torch.zeros(4), 4_001, torch.Generator().manual_seed(0))[1:]
    level, fine = found[:, 0], found[:, 5]
    assert np.histogram(level, bins=4, range=(0, 1))[0] / 4_000 == pytest.approx(ODDS[0], abs=0.03)
    assert np.histogram(fine, bins=4, range=(0, 1))[0] / 4_000 == pytest.approx(ODDS[3], abs=0.03)
    # Evenly within a bin, whose standard deviation is its width by the root of 12.
    inside = level[(level > 0.25) & (level < 0.5)]
    assert float(inside.std()) == pytest.approx(0.25 / 12**0.5, rel=0.05)
    patches = SPACE.decode(found.numpy())
    assert np.bincount(patches[:, 1].astype(int))[1:] / 4_000 == pytest.approx(ODDS[1], abs=0.03)
    assert np.bincount(patches[:, 2].astype(int)) / 4_000 == pytest.approx(ODDS[2], abs=0.03)
    assert patches[:, 4].mean() == pytest.approx(0.1, abs=0.02)
    assert abs(np.corrcoef(patches[:, 0], patches[:, 2])[0, 1]) < 0.05


def test_a_low_temperature_stays_with_the_likeliest() -> None:
    odds = [*ODDS[:1], [0.2, 0.2, 0.3, 0.2, 0.1], *ODDS[2:]]
    patches = SPACE.decode(make(odds, temperature=0.02).propose(torch.zeros(4), 50, torch.Generator()).numpy())
    assert (patches[:, [1, 2, 4]] == [3, 0, 0]).all()


def test_the_loss_is_the_mean_cross_entropy_of_what_is_heard() -> None:
    vectors = torch.tensor(SPACE.encode([0.3, 2, 1, 10, 0, 4])[None] * 2.0 - 1.0)
    examples = Examples(torch.zeros(1, 4), None, vectors)
    noise = Noise(0, 0, torch.arange(1))
    entropies = -np.log([0.6, 0.2, 0.2, 0.25, 0.9, 1.0])
    losses = make(ODDS).loss(examples, noise)
    assert float(losses["loss"]) == pytest.approx(entropies.mean(), rel=1e-5)
    weights = torch.tensor([[1.0, 0, 1, 1, 1, 0, 0, 0, 1]])
    losses = make(ODDS).loss(examples.replace(weights=weights), noise)
    assert float(losses["loss"]) == pytest.approx(entropies[[0, 2, 5]].mean(), rel=1e-5)
    assert float(losses["accuracy"]) == pytest.approx(2 / 3)


@pytest.mark.parametrize("settings", [{"bins": 0}, {"temperature": 0.0}])
def test_what_makes_no_sense_is_refused(settings: dict[str, float]) -> None:
    with pytest.raises(ValueError, match="one bin or more"):
        Classification(LAYOUT, (4,), note=False, encoder=ENCODER, **settings)  # type: ignore[arg-type]
