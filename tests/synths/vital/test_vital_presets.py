"""``.vital`` files: written for Vital, read from anywhere, kept as a base."""

import copy
import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.testing import assert_array_equal
from vita.vita import Synth
from vital_presets import save, vita_preset, with_controls, with_modulation

from wav2patch.audio.channels import to_mono
from wav2patch.errors import UserError
from wav2patch.metrics.objective import Objective
from wav2patch.notes import Note
from wav2patch.priors import draw
from wav2patch.synths.vital.document import VERSION, init_document
from wav2patch.synths.vital.server import SETTLE
from wav2patch.synths.vital.shapes import shape_json
from wav2patch.synths.vital.synth import GAIN, Vital

NOTE = Note(60, 100, 0.0, 0.2)


def settled(engine: Synth, length: float) -> np.ndarray:
    """The note as a host would play it: after the controls have arrived at the values of the preset."""
    engine.render(60, 100 / 127, 0.01, SETTLE)
    return engine.render(60, 100 / 127, 0.2, length)


def drops(document: dict[str, Any], folder: Path) -> tuple[str, ...]:
    return Vital().read_presets(save(document, folder))[0].dropped


def test_a_written_preset_is_whole(tmp_path: Path) -> None:
    synth = Vital()
    synth.write_preset(draw(synth.prior(), 4, 0), tmp_path / "a.vital", name="Name")
    document = json.loads((tmp_path / "a.vital").read_text())
    assert document.keys() == vita_preset().keys()
    assert document["settings"].keys() == vita_preset()["settings"].keys()
    assert len(document["settings"]) == 776
    assert document["preset_name"] == "Name"
    # Vital refuses presets of versions that are newer than itself.
    assert document["synth_version"] == VERSION < "1.5"
    assert [table["name"] for table in document["settings"]["wavetables"]] == ["wav2patch basic shapes"] * 3


def test_a_written_preset_plays_in_vita_as_it_was_rendered(tmp_path: Path) -> None:
    synth = Vital()
    for i in range(6):
        patch = draw(synth.prior(), 5, i)
        synth.write_preset(patch, tmp_path / f"{i}.vital")
        engine = Synth()
        assert engine.load_preset(str(tmp_path / f"{i}.vital"))
        theirs = settled(engine, 0.4)
        ours = synth.render(patch, NOTE, length=0.3, sample_rate=44100)
        # Not bit for bit: the file connects modulations that do nothing, and Vital then rounds otherwise.
        assert Objective(to_mono(ours), 44100)(to_mono(GAIN * theirs[:, : ours.shape[1]])) < 0.01


def test_what_vita_makes_of_a_written_preset_reads_back(tmp_path: Path) -> None:
    synth = Vital()
    for i in range(6):
        patch = draw(synth.prior(), 6, i)
        synth.write_preset(patch, tmp_path / "a.vital")
        engine = Synth()
        engine.load_preset(str(tmp_path / "a.vital"))
        (back,) = synth.read_presets(save(json.loads(engine.to_json()), tmp_path, "theirs"))
        assert not back.dropped
        # vita keeps no destination where there is no source.
        empty = [k for k in range(1, 9) if not patch[synth.space.index(f"modulation_{k}_source")]]
        unset = synth.space.indices(
            [f"modulation_{k}_{f}" for k in empty for f in ("destination", "amount", "bipolar")]
        )
        assert_array_equal(np.delete(back.patch, unset), np.delete(patch, unset))


def test_the_initial_preset_of_vital_is_read_as_it_is(tmp_path: Path) -> None:
    synth = Vital()
    (preset,) = synth.read_presets(save(vita_preset(), tmp_path, "My sound"))
    assert preset.name == "My sound"
    assert not preset.dropped
    named = synth.space.named(preset.patch)
    assert named["osc_1_on"] == "on"
    assert named["osc_1_wave_frame"] == 256.0
    assert named["filter_1_on"] == "off"


def test_controls_are_read_where_vita_puts_them(tmp_path: Path) -> None:
    document = with_controls(
        osc_2_on=1.0, osc_2_transpose=-12.0, filter_1_on=1.0, filter_1_model=7.0, filter_1_cutoff=83.0,
        env_1_attack=0.5, reverb_on=1.0, reverb_dry_wet=0.4, lfo_2_sync=0.0, lfo_2_frequency=2.5,
    )  # fmt: skip
    with_modulation(document, 5, "lfo_2", "filter_1_cutoff", -0.25)
    (preset,) = Vital().read_presets(save(document, tmp_path))
    named = Vital().space.named(preset.patch)
    assert not preset.dropped
    assert named["osc_2_transpose"] == -12
    assert named["filter_1_model"] == "phaser"
    assert named["filter_1_cutoff"] == pytest.approx(83.0, abs=1e-3)
    assert named["env_1_attack"] == pytest.approx(0.5, abs=1e-5)
    assert named["lfo_2_frequency"] == pytest.approx(2.5, abs=1e-5)
    slot = next(k for k in range(1, 9) if named[f"modulation_{k}_source"] == "lfo_2")
    assert named[f"modulation_{slot}_destination"] == "filter_1_cutoff"
    assert named[f"modulation_{slot}_amount"] == pytest.approx(-0.25, abs=1e-5)


def test_what_is_dropped_is_named(tmp_path: Path) -> None:
    document = with_controls(
        phaser_on=1.0, phaser_center=90.0, filter_1_on=1.0, filter_1_model=5.0, osc_1_pan=0.5, voice_transpose=12.0,
        macro_control_1=0.7, osc_1_destination=8.0, env_1_hold=0.3,
    )  # fmt: skip
    with_modulation(document, 0, "macro_control_1", "filter_1_cutoff", 0.3)
    with_modulation(document, 1, "random_1", "osc_1_tune", 0.3)
    with_modulation(document, 2, "env_4", "osc_1_level", 0.3)
    with_modulation(document, 3, "lfo_1", "osc_1_pan", 0.3)
    dropped = " | ".join(drops(document, tmp_path))
    for phrase in (
        "the phaser",
        "the formant filter 1",
        "oscillator 1: stereo position",
        "the tuning of the whole voice",
        "the modulation of filter 1 cutoff by macro 1",
        "the modulation of oscillator 1 tune by random LFO 1",
        "the modulation of oscillator 1 level by envelope 4",
        "the modulation of oscillator 1 pan by LFO 1",
        "the way of oscillator 1 past some of the effects",
        "envelope 1: delay and hold",
    ):
        assert phrase in dropped, phrase


def test_parts_that_are_off_are_not_missed(tmp_path: Path) -> None:
    document = with_controls(phaser_center=90.0, osc_2_pan=0.5, filter_2_model=5.0, lfo_3_phase=0.4, env_2_hold=0.5)
    with_modulation(document, 0, "macro_control_1", "filter_1_cutoff", 0.3)
    with_modulation(document, 1, "random_1", "osc_1_tune", 0.0)
    assert not drops(document, tmp_path)


def test_another_wavetable_sample_and_shape_are_named(tmp_path: Path) -> None:
    document = with_controls(sample_on=1.0)
    settings = document["settings"]
    frames = settings["wavetables"][0]["groups"][0]["components"][0]["keyframes"]
    frames.append({**frames[0], "position": 256})
    settings["wavetables"][0]["name"] = "Growl"
    settings["sample"]["name"] = "Rain"
    settings["lfos"][0] = {"name": "Mine", "num_points": 3, "points": [0, 1, 0.1, 0.5, 1, 0], "powers": [0, 0, 0]}
    with_modulation(document, 0, "lfo_1", "osc_1_level", 0.5)
    dropped = " | ".join(drops(document, tmp_path))
    assert "the wavetable of oscillator 1 (“Growl”" in dropped
    assert "the sample “Rain”" in dropped
    assert "the shape of LFO 1" in dropped


def test_a_tempo_becomes_the_frequency_that_it_is(tmp_path: Path) -> None:
    document = with_controls(lfo_1_sync=1.0, lfo_1_tempo=8.0, beats_per_minute=2.0)
    with_modulation(document, 0, "lfo_1", "osc_1_level", 0.5)
    (preset,) = Vital().read_presets(save(document, tmp_path))
    assert Vital().space.named(preset.patch)["lfo_1_frequency"] == pytest.approx(1.0)
    assert any("tempo of LFO 1 (as it is at 120 beats" in phrase for phrase in preset.dropped)
    dotted = copy.deepcopy(document)
    dotted["settings"]["lfo_1_sync"] = 3.0
    (preset,) = Vital().read_presets(save(dotted, tmp_path))
    assert Vital().space.named(preset.patch)["lfo_1_frequency"] == pytest.approx(1.0 + np.log2(1.5), abs=1e-4)


def test_modulations_beyond_the_slots_are_dropped(tmp_path: Path) -> None:
    document = vita_preset()
    for place in range(10):
        with_modulation(document, place, "lfo_1", "osc_1_tune" if place % 2 else "osc_1_level", 0.1 * (place + 1))
    (preset,) = Vital().read_presets(save(document, tmp_path))
    amounts = [Vital().space.named(preset.patch)[f"modulation_{k}_amount"] for k in range(1, 9)]
    assert amounts == pytest.approx([0.1 * k for k in range(1, 9)], abs=1e-5)
    assert sum("modulation of" in phrase for phrase in preset.dropped) == 2


def test_an_old_preset_is_brought_up_to_date(tmp_path: Path) -> None:
    document = with_controls(osc_1_transpose=7.0)
    document["synth_version"] = "0.8.9"
    assert Vital().space.named(Vital().read_presets(save(document, tmp_path))[0].patch)["osc_1_transpose"] == 7


@pytest.mark.parametrize(
    "content",
    [
        "[]",
        "{}",
        '{"settings": {}, "synth_version": "1.0.6"}',
        '{"settings": 5, "synth_version": "1.0.6"}',
        "nan",
        "[" * 100_000,
        json.dumps({**init_document(), "synth_version": "new"}),
        json.dumps({**init_document(), "settings": {**init_document()["settings"], "osc_1_level": float("inf")}}),
        json.dumps({**init_document(), "settings": {**init_document()["settings"], "lfos": [{"points": [1]}]}}),
        json.dumps({**init_document(), "settings": {**init_document()["settings"], "modulations": [{}] * 65}}),
    ],
)
def test_json_that_is_no_preset_is_refused(tmp_path: Path, content: str) -> None:
    (tmp_path / "a.vital").write_text(content)
    with pytest.raises(UserError, match="holds no Vital preset"):
        Vital().read_presets(tmp_path / "a.vital")
    with pytest.raises(UserError, match="holds no Vital preset"):
        Vital(tmp_path / "a.vital")


def rich_preset(folder: Path) -> Path:
    """A preset with much that the space does not cover."""
    document = with_controls(
        phaser_on=1.0, osc_1_pan=0.3, lfo_1_sync=1.0, macro_control_2=0.5, env_1_hold=0.4, osc_1_random_phase=0.0
    )  # fmt: skip
    document |= {"author": "Somebody", "comments": "Mine", "macro2": "WOBBLE", "synth_version": "1.0.7"}
    settings = document["settings"]
    frames = settings["wavetables"][0]["groups"][0]["components"][0]["keyframes"]
    frames.append({**frames[0], "position": 256})
    settings["lfos"][0] = {**shape_json("triangle"), "name": "Mine", "points": [0.0, 1.0, 0.2, 0.0, 1.0, 1.0]}
    with_modulation(document, 0, "macro_control_2", "filter_1_cutoff", 0.3)
    with_modulation(document, 1, "lfo_1", "osc_1_level", -0.4)
    settings["modulations"][1]["line_mapping"] = shape_json("saw up")
    with_modulation(document, 2, "lfo_7", "osc_1_tune", 0.1)
    return save(document, folder, "rich")


def test_a_base_is_written_back_as_it_was(tmp_path: Path) -> None:
    path = rich_preset(tmp_path)
    synth = Vital(path)
    (preset,) = synth.read_presets(path)
    synth.write_preset(preset.patch, tmp_path / "again.vital", name="rich")
    before, after = json.loads(path.read_text()), json.loads((tmp_path / "again.vital").read_text())
    assert after == {**before, "preset_name": "rich"}


def test_only_what_a_patch_changes_is_changed_in_a_base(tmp_path: Path) -> None:
    path = rich_preset(tmp_path)
    synth = Vital(path)
    patch = synth.read_presets(path)[0].patch
    changes = {"osc_1_transpose": 12.0, "modulation_1_amount": 0.75, "lfo_1_frequency": 3.0, "lfo_2_shape": 4.0}
    for name, value in changes.items():
        patch[synth.space.index(name)] = value
    patch = synth.space.snap(patch)
    synth.write_preset(patch, tmp_path / "b.vital", name="rich")
    before, after = json.loads(path.read_text())["settings"], json.loads((tmp_path / "b.vital").read_text())["settings"]
    different = {name for name in before if before[name] != after[name]}
    # The frequency takes effect only where the LFO no longer follows the tempo; slot 1 is the base's second modulation.
    assert different == {"osc_1_transpose", "modulation_2_amount", "lfo_1_frequency", "lfo_1_sync", "lfos"}
    assert after["lfos"][0] == before["lfos"][0]
    assert after["modulations"] == before["modulations"]
    (back,) = synth.read_presets(tmp_path / "b.vital")
    assert_array_equal(back.patch, patch)


def test_a_base_is_heard_and_its_files_sound_as_they_were_rendered(tmp_path: Path) -> None:
    path = rich_preset(tmp_path)
    synth, plain = Vital(path), Vital()
    patch = synth.read_presets(path)[0].patch
    patch[synth.space.index("osc_1_transpose")] = 12.0
    audio = synth.render(patch, NOTE, length=0.3, sample_rate=44100)
    assert not np.allclose(audio, plain.render(patch, NOTE, length=0.3, sample_rate=44100), atol=1e-3)
    synth.write_preset(patch, tmp_path / "c.vital")
    engine = Synth()
    engine.load_preset(str(tmp_path / "c.vital"))
    theirs = GAIN * settled(engine, 0.4)[:, : audio.shape[1]]
    assert np.abs(theirs - audio).max() < 1e-5


def test_a_base_declares_nothing_inactive_as_it_may_reach_anything(tmp_path: Path) -> None:
    synth = Vital(rich_preset(tmp_path))
    assert synth.space.active(synth.space.default).all()
    assert synth.space.digest == Vital().space.digest


def test_a_preset_can_be_its_own_base_again(tmp_path: Path) -> None:
    synth = Vital()
    patch = draw(synth.prior(), 8, 3)
    synth.write_preset(patch, tmp_path / "a.vital")
    again = Vital(tmp_path / "a.vital")
    again.write_preset(patch, tmp_path / "b.vital")
    assert (tmp_path / "a.vital").read_text() == (tmp_path / "b.vital").read_text()
    shutil.copy(tmp_path / "b.vital", tmp_path / "c.vital")
    assert_array_equal(again.read_presets(tmp_path / "c.vital")[0].patch, patch)
