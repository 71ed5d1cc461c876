"""Draws for models that choose from them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from tiny_models import TINY, tiny_inverter, tiny_record

from wav2patch.errors import UserError
from wav2patch.models.inverters.catalogue import make_inverter
from wav2patch.note_rules import parse_notes
from wav2patch.priors import draw
from wav2patch.synths.catalogue import load_synth
from wav2patch.training.saving import load_trained, save_model
from wav2patch.training.shown_draws import SEED, draw_vectors, show_draws


@pytest.mark.parametrize("name", ["dexed", "kosc_4"])
def test_draws_are_those_of_the_synths_own_prior(name: str) -> None:
    synth = load_synth(name)
    vectors = draw_vectors(tiny_record(TINY["contrastive"], synth, note="none"), synth, 5)
    wanted = synth.space.encode(np.stack([draw(synth.prior(), SEED, i) for i in range(5)])) * 2.0 - 1.0
    np.testing.assert_allclose(vectors.numpy(), wanted, atol=1e-6)


def test_notes_that_are_predicted_come_along(dexed: object) -> None:
    synth = load_synth("dexed")
    record = tiny_record(TINY["contrastive"], synth, note="predicted")
    vectors = draw_vectors(record, synth, 4)
    assert vectors.shape == (4, record.layout().width)
    rule = parse_notes(record.notes, record.length)
    notes = [rule.encode(rule.draw(SEED, i)) * 2.0 - 1.0 for i in range(4)]
    np.testing.assert_allclose(vectors[:, synth.space.width :].numpy(), np.stack(notes), atol=1e-6)


def test_a_model_that_knows_its_draws_keeps_them() -> None:
    synth, record = load_synth("dexed"), tiny_record(TINY["contrastive"])
    knows = tiny_inverter(record)
    before = knows.state_dict()["memory.vectors"].clone()
    show_draws(knows, record, synth)
    assert torch.equal(knows.state_dict()["memory.vectors"], before)
    fresh = make_inverter(record.inverter, record.layout(), record.shape, note=True).eval()
    show_draws(fresh, record, synth)
    assert torch.equal(fresh.state_dict()["memory.vectors"], draw_vectors(record, synth, 20))


def test_a_model_that_makes_up_its_own_is_left_alone() -> None:
    record = tiny_record(TINY["regression"])
    model = tiny_inverter(record)
    show_draws(model, record, load_synth("dexed"))
    with pytest.raises(NotImplementedError, match="chooses from no draws"):
        model.show_draws(torch.zeros(1, 1))


def test_a_checkpoint_takes_as_many_draws_as_are_wanted(tmp_path: Path) -> None:
    record = tiny_record(TINY["contrastive"])
    fresh = make_inverter(record.inverter, record.layout(), record.shape, note=True)
    state = {f"inverter.{name}": value for name, value in fresh.state_dict().items()}
    path = tmp_path / "x.ckpt"
    torch.save({"state_dict": state, "wav2patch": {"record": record.to_dict()}, "global_step": 3}, path)
    for draws, count in ((None, 20), (7, 7)):
        trained = load_trained(path, draws=draws)
        assert len(trained.inverter.state_dict()["memory.keys"]) == trained.record.inverter["draws"] == count
    with pytest.raises(UserError, match="has its draws"):
        load_trained(save_model(tmp_path / "model", trained.inverter, trained.record, None), draws=3)


def test_other_methods_choose_from_no_draws(tmp_path: Path) -> None:
    record = tiny_record(TINY["regression"])
    path = tmp_path / "x.ckpt"
    torch.save({"state_dict": {}, "wav2patch": {"record": record.to_dict()}}, path)
    with pytest.raises(UserError, match="has no setting 'draws'"):
        load_trained(path, draws=3)
