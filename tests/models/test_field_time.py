"""Features of time that change with time."""

from __future__ import annotations

import torch

from wav2patch.models.fields.time import TimeFeatures


def test_every_feature_moves_over_the_way() -> None:
    """Of the original's 256, 58 do."""
    features = TimeFeatures(256)(torch.linspace(0.0, 1.0, 1_001))
    assert features.shape == (1_001, 256)
    moved = features.max(dim=0).values - features.min(dim=0).values
    assert float(moved.min()) > 0.9
    assert float(features.abs().max()) <= 1.0


def test_times_are_told_apart_at_every_step_of_a_sampler() -> None:
    features = TimeFeatures(64)(torch.linspace(0.0, 1.0, 201).double())
    distance = torch.cdist(features, features) + 10.0 * torch.eye(201)
    assert float(distance.min()) > 0.5


def test_neighbouring_times_look_alike() -> None:
    """A field of a smooth function of time can be smooth."""
    fine = TimeFeatures(64)(torch.linspace(0.0, 1.0, 10_001).double())
    assert float((fine[1:] - fine[:-1]).norm(dim=1).max()) < 0.1


def test_no_features_are_the_time_itself() -> None:
    time = torch.tensor([0.0, 0.25, 1.0])
    assert torch.equal(TimeFeatures(0)(time), time[:, None])
    assert TimeFeatures(0).width == 1
