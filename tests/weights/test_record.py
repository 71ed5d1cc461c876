from __future__ import annotations

import json
from typing import Any

import pytest
import yaml
from tiny_models import TINY, tiny_record

from wav2patch.errors import UserError
from wav2patch.models.layout import NOTE_NAMES, space_layout
from wav2patch.synths.base import Synth
from wav2patch.synths.catalogue import load_synth
from wav2patch.weights.record import Record


def test_a_record_survives_json_and_yaml() -> None:
    record = tiny_record({**TINY["flow"], "penalties": {"assignment": 0.1}, "sizes": (1, 2)}, note="predicted")
    told = record.to_dict()
    assert Record.from_dict(json.loads(json.dumps(told))).to_dict() == told
    assert Record.from_dict(yaml.safe_load(yaml.safe_dump(told))).to_dict() == told
    assert Record.from_dict(told) == Record.from_dict(told)


@pytest.mark.parametrize(
    ("entry", "value"),
    [
        ("synth", 3),
        ("note", "guessed"),
        ("shape", "1x24"),
        ("shape", [1, 0]),
        ("shape", [1, 2.5]),
        ("sample_rate", "44100"),
        ("sample_rate", True),
        ("length", -1.0),
        ("channels", 0),
        ("inverter", ["flow_matching"]),
        ("inverter", {"width": 3}),
        ("symmetries_of", 4),
    ],
)
def test_nonsense_is_one_sentence(entry: str, value: Any) -> None:
    told = tiny_record(TINY["flow"]).to_dict()
    with pytest.raises(UserError, match=r"^model\.yaml is damaged"):
        Record.from_dict({**told, entry: value}, "model.yaml")


@pytest.mark.parametrize("told", [None, 3, "synth", [], {}, {"synth": "dexed"}])
def test_what_is_no_record_is_refused(told: Any) -> None:
    with pytest.raises(UserError):
        Record.from_dict(told)


def test_an_unknown_entry_is_refused() -> None:
    told = tiny_record(TINY["flow"]).to_dict()
    with pytest.raises(UserError, match="surprise"):
        Record.from_dict({**told, "surprise": 1})


def test_settings_that_are_no_plain_values_are_refused() -> None:
    with pytest.raises(ValueError, match="plain"):
        tiny_record({"kind": "flow_matching", "encoder": object()})


def test_another_parameter_space_is_refused(dexed: Synth) -> None:
    record = tiny_record(TINY["flow"], dexed, space="0" * 16)
    with pytest.raises(UserError, match=r"best\.ckpt was made for another parameter space of dexed"):
        record.load_synth("best.ckpt")
    with pytest.raises(UserError, match="another parameter space"):
        record.layout()


@pytest.mark.parametrize("note", ["given", "predicted", "none"])
def test_the_layout_is_that_of_the_space(dexed: Synth, note: Any) -> None:
    layout = tiny_record(TINY["flow"], dexed, note=note).layout()
    # The paper's notes are of 25 keys.
    assert layout == space_layout(dexed.space, pitches=25 * (note == "predicted"))
    assert (layout.names[-3:] == NOTE_NAMES) == (note == "predicted")


def test_symmetries_may_be_those_of_another_synth() -> None:
    record = tiny_record(TINY["flow"], "kosc_4_asymmetric", note="none", symmetries_of="kosc_4")
    own, forced = load_synth("kosc_4_asymmetric").space, load_synth("kosc_4").space
    assert not space_layout(own).symmetries
    assert record.layout().symmetries == space_layout(forced).symmetries != ()
    assert record.layout().names == own.names


def test_symmetries_of_other_parameters_are_refused() -> None:
    record = tiny_record(TINY["flow"], "kosc_4", note="none", symmetries_of="kosc_16")
    with pytest.raises(UserError, match="kosc_16"):
        record.layout()
