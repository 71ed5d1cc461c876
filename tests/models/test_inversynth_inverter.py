"""InverSynth II: proposals that its decoder chooses."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from tiny_models import tiny_examples, tiny_inverter, tiny_record

from wav2patch.errors import UserError

HEAD = {"width": 8, "encoder": {"name": "mlp", "hidden": 8, "blocks": 1}, "hidden": 8, "blocks": 1, "decoder_width": 8}


def inversynth(chosen_of: int) -> Any:
    """With the same weights, whatever it chooses of."""
    return tiny_inverter(tiny_record({"kind": "inversynth", **HEAD, "chosen_of": chosen_of}))


def chance() -> torch.Generator:
    return torch.Generator().manual_seed(3)


@torch.no_grad()
def test_its_decoder_chooses_what_it_expects_to_sound_most_alike() -> None:
    plain, choosing = inversynth(1), inversynth(40)
    examples = tiny_examples(plain, 2)
    found = choosing.propose_batch(examples.features, examples.notes, 4, chance())
    drawn = plain.propose_batch(examples.features, examples.notes, 1 + 40 * 3, chance())
    assert torch.equal(found[:, 0], drawn[:, 0])
    for features, note, mine, all_drawn in zip(examples.features, examples.notes, found, drawn, strict=True):
        expected = plain.sound_of_vectors(all_drawn[1:], note.expand(len(all_drawn) - 1, -1))
        apart = (expected - features).abs().flatten(1).mean(dim=1)
        assert torch.equal(mine[1:], all_drawn[1:][apart.argsort(stable=True)[:3]])
    one = choosing.propose_batch(examples.features, examples.notes, 1, chance())
    assert torch.equal(one[:, 0], drawn[:, 0])


def test_what_draws_are_taken_as_they_come_needs_no_further_graph() -> None:
    assert inversynth(1).graphs().keys() == {"network"}
    assert inversynth(1).sampling["kind"] == "classes"
    assert inversynth(2).graphs().keys() == {"network", "decode"}
    assert (inversynth(2).sampling["kind"], inversynth(2).sampling["of"]) == ("chosen", 2)


@pytest.mark.parametrize("settings", [{"chosen_of": 0}, {"chosen_of": 2, "reads": "logits", "proxy_weight": 0.0}])
def test_a_decoder_that_cannot_choose_is_told(settings: dict[str, Any]) -> None:
    with pytest.raises(UserError, match="chosen_of is 1 or more"):
        tiny_inverter(tiny_record({"kind": "inversynth", **HEAD, **settings}))
