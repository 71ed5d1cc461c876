from __future__ import annotations

import os
import pickle
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path

import fake_plugin as fake
import numpy as np
import pytest
from fake_plugin import FakeHost
from numpy.testing import assert_array_equal

from wav2patch.errors import UserError
from wav2patch.notes import Note
from wav2patch.parameters import Categorical, Continuous, Patch
from wav2patch.priors import draw
from wav2patch.synths.base import Audio, RenderError
from wav2patch.synths.plugins import synth as synth_module
from wav2patch.synths.plugins import vstpreset
from wav2patch.synths.plugins.host import HostError
from wav2patch.synths.plugins.private import FOLDER_VARIABLE
from wav2patch.synths.plugins.spec import Fixed, Knob, PluginSpec
from wav2patch.synths.plugins.synth import PluginSynth

NOTE = Note(60, 100, 0.0, 0.1)
LEVEL = Knob(Continuous("level", 0.0, 1.0, 0.75), fake.LEVEL, "Level")
KIND = Knob(Categorical("kind", ("soft", "hard", "harsh")), fake.TYPE, "Type", (0.0, 0.5, 1.0))
TONE = Knob(Continuous("tone", 0.0, 0.5, 0.25), fake.TONE, "Tone")
FATE = Knob(Continuous("fate"), fake.FATE, "Fate")
SPEC = PluginSpec("fake", "Fake", ("Fake.vst3",), "WAV2PATCH_FAKE", (LEVEL, KIND, TONE), gain=0.5)

Make = Callable[..., PluginSynth]


@pytest.fixture
def make(tmp_path: Path) -> Make:
    (tmp_path / "Fake.vst3").touch()

    def make(spec: PluginSpec = SPEC, *habits: str, **changes: object) -> PluginSynth:
        setting = replace(spec.setting, **changes)  # type: ignore[arg-type]
        return PluginSynth(replace(spec, setting=setting), tmp_path, partial(FakeHost, habits=habits))

    return make


def play(synth: PluginSynth, patch: Patch, note: Note = NOTE, length: float = 0.2) -> Audio:
    return synth.render(patch, note, length=length, sample_rate=22050)


def host_of(synth: PluginSynth) -> FakeHost:
    synth.prepare()
    assert synth._player is not None
    host = synth._player.host
    assert isinstance(host, FakeHost)
    return host


PATCH, OTHER = np.array([0.5, 0.0, 0.25]), np.array([1.0, 2.0, 0.125])


def test_types_are_set_first_on_their_own(make: Make) -> None:
    spec = replace(SPEC, fixed=(Fixed(fake.FATE, 0.5, "Fate"),))
    synth = make(spec, first=(fake.TYPE,), flush=0.2, settle=0.05)
    host = host_of(synth)
    host.log.clear()
    play(synth, PATCH)
    assert host.log == ["clear", "settle 0.2", "set [1]", "settle 0.05", "set [0, 2, 4]", "settle 0.05", "play"]
    assert host.inner == [0.5, 0.0, 0.25, fake.START[fake.SIZE], 0.5]


def test_only_what_the_setting_asks_for_is_done(make: Make) -> None:
    synth = make(SPEC, reset=False)
    host_of(synth).log.clear()
    play(synth, PATCH)
    assert host_of(synth).log == ["set [0, 1, 2]", "settle 0.05", "play"]
    synth = make(SPEC, reload=True, restore=True)
    host_of(synth).log.clear()
    play(synth, PATCH)
    assert host_of(synth).log == ["reload", "set [0, 1, 2, 3, 4]", "settle 0.05", "play"]


def test_the_first_render_is_like_all_others(make: Make, tmp_path: Path) -> None:
    synth = make(SPEC, "cold")
    first = play(synth, PATCH)
    assert_array_equal(play(synth, PATCH), first)
    # In a worker, a preset is read by the plug-in that renders.
    synth.loaded_controls(foreign(tmp_path / "p.vstpreset", list(fake.START)).read_bytes())
    assert_array_equal(play(synth, PATCH), first)


def leak(synth: PluginSynth) -> float:
    before = play(synth, PATCH)
    play(synth, OTHER, Note(36, 127, 0.0, 0.5))
    return float(np.abs(play(synth, PATCH) - before).max())


@pytest.mark.parametrize(
    ("habit", "cure", "not_enough"),
    [
        ("phase", {"reset": True}, {"reset": False, "flush": 1.0}),
        ("tail", {"flush": 0.6}, {"reset": True, "flush": 0.1}),
        ("stuck", {"reload": True}, {"reset": True, "flush": 1.0}),
        ("types", {"first": (fake.TYPE,), "restore": True}, {"first": (fake.TYPE,)}),
    ],
)
def test_what_leaks_from_render_to_render_has_a_cure(
    make: Make, habit: str, cure: dict[str, object], not_enough: dict[str, object]
) -> None:
    assert leak(make(SPEC, habit, **not_enough)) > 0.01
    assert leak(make(SPEC, habit, **cure)) == 0.0


def test_a_type_set_with_its_parameters_would_change_them(make: Make) -> None:
    good, bad = make(SPEC, "types", first=(fake.TYPE,)), make(SPEC, "types")
    play(good, OTHER)
    play(bad, OTHER)
    assert host_of(good).inner[fake.TONE] == 0.125
    assert host_of(bad).inner[fake.TONE] == 1.1


def test_a_type_never_meets_a_note(make: Make) -> None:
    play(make(SPEC, "meets"), OTHER)
    with pytest.raises(RenderError, match="met a note"):
        play(make(SPEC, "meets", settle=0.0), OTHER)


@pytest.mark.parametrize("sample_rate", [16000, 44100])
@pytest.mark.parametrize("onset", [0.0, 0.05, 0.0501, 1.0])
def test_audio_has_the_asked_shape_and_starts_with_the_note(make: Make, sample_rate: int, onset: float) -> None:
    synth = make()
    audio = synth.render(PATCH, Note(60, 100, onset, 0.1), length=0.3, sample_rate=sample_rate)
    start = min(round(onset * sample_rate), audio.shape[1])
    assert audio.dtype == np.float32
    assert audio.shape == (2, round(0.3 * sample_rate))
    assert not audio[:, :start].any()
    at_once = synth.render(PATCH, NOTE, length=0.3, sample_rate=sample_rate)
    assert_array_equal(audio[:, start:], at_once[:, : audio.shape[1] - start])
    assert np.abs(at_once).max() == pytest.approx(0.5 * 0.5 * 100 / 127 * 1.25, rel=0.15)


def test_bad_values_are_refused_by_name(make: Make) -> None:
    with pytest.raises(UserError, match="tone is from"):
        play(make(), np.array([0.5, 0, 0.75]))


def test_it_is_pickled_without_its_plugin(make: Make) -> None:
    synth = make(SPEC, "phase")
    audio = play(synth, PATCH)
    copy = pickle.loads(pickle.dumps(synth))
    assert copy._player is None
    assert_array_equal(play(copy, PATCH), audio)


def fateful(fate: float) -> PluginSpec:
    """A spec with a switch that lets the plug-in do something bad."""
    knob = Knob(Categorical("fate", ("fine", "bad")), fake.FATE, "Fate", (0.0, fate))
    return replace(SPEC, knobs=(LEVEL, knob))


def test_a_failed_render_costs_itself(make: Make) -> None:
    synth = make(fateful(fake.NOT_A_NUMBER))
    before = play(synth, np.array([0.5, 0.0]))
    with pytest.raises(RenderError, match="not numbers"):
        play(synth, np.array([0.5, 1.0]))
    assert_array_equal(play(synth, np.array([0.5, 0.0])), before)


class Refusing:
    def __init__(self, path: Path) -> None:
        raise HostError(f"{path.name} could not be loaded: scan failure")


def test_a_plugin_that_cannot_be_loaded_is_told(tmp_path: Path) -> None:
    (tmp_path / "Fake.vst3").touch()
    with pytest.raises(UserError, match=r"Fake\.vst3 could not be loaded: scan failure: install Fake anew"):
        play(PluginSynth(SPEC, tmp_path, Refusing), PATCH)


def test_a_missing_plugin_is_told(tmp_path: Path) -> None:
    synth = PluginSynth(SPEC, tmp_path / "nowhere", FakeHost)
    assert synth.missing() is not None
    assert synth.versions() == {}
    assert synth.preset_suffix == ".vstpreset"
    for action in (lambda: play(synth, PATCH), lambda: synth.write_preset(PATCH, tmp_path / "p.vstpreset")):
        with pytest.raises(UserError, match=r"nowhere is neither Fake\.vst3 nor a folder that holds it"):
            action()


@pytest.mark.parametrize(("index", "name"), [(fake.TONE, "Colour"), (17, "Tone")])
def test_another_version_of_the_plugin_is_noticed(make: Make, index: int, name: str) -> None:
    with pytest.raises(UserError, match=rf"control {index} .* instead of '{name}'"):
        make(replace(SPEC, knobs=(LEVEL, replace(TONE, index=index, host_name=name)))).prepare()


def test_the_plugin_gets_a_home_of_its_own(make: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    home = os.environ.get("HOME")
    monkeypatch.delenv(FOLDER_VARIABLE, raising=False)
    synth = make(replace(SPEC, environment={"FAKE_DATA": "~/data", "FAKE_PLACE": "$FAKE_ROOT/x"}))
    monkeypatch.setenv("FAKE_ROOT", "/somewhere")
    assert host_of(synth).home not in ("", home)
    assert Path(host_of(synth).home).is_dir()
    assert os.environ.get("HOME") == home
    assert "FAKE_DATA" not in os.environ
    monkeypatch.setattr(os, "environ", os.environ.copy())
    os.environ[FOLDER_VARIABLE] = str(tmp_path / "worker")
    synth = make(replace(SPEC, environment={"FAKE_DATA": "~/data", "FAKE_PLACE": "$FAKE_ROOT/x"}))
    assert Path(host_of(synth).home).is_relative_to(tmp_path / "worker")
    assert os.environ["HOME"] == host_of(synth).home
    assert os.environ["FAKE_DATA"] == f"{home}/data"
    assert os.environ["FAKE_PLACE"] == "/somewhere/x"


def test_preset_files_bring_the_patch_back_and_hold_the_state(make: Make, tmp_path: Path) -> None:
    synth = make(SPEC, "silent", "types", first=(fake.TYPE,))
    for i in range(5):
        patch = draw(synth.prior(), 1, i)
        synth.write_preset(patch, tmp_path / "p.vstpreset", name=f'no. {i} <é> & "co"')
        (preset,) = synth.read_presets(tmp_path / "p.vstpreset")
        assert (preset.name, preset.dropped) == (f'no. {i} <é> & "co"', ())
        assert_array_equal(preset.patch, patch)
        host = FakeHost(tmp_path)
        host.write_state((tmp_path / "p.vstpreset").read_bytes())
        assert host.inner[:3] == [patch[0], (0.0, 0.5, 1.0)[int(patch[1])], patch[2]]


def foreign(path: Path, values: list[float], class_id: bytes = fake.CLASS_ID) -> Path:
    host = FakeHost(path)
    host.inner = values
    preset = vstpreset.from_bytes(host.read_state())
    path.write_bytes(vstpreset.to_bytes(replace(preset, class_id=class_id)))
    return path


def test_a_preset_of_another_program_is_read_from_the_plugin(make: Make, tmp_path: Path) -> None:
    synth = make(replace(SPEC, fixed=(Fixed(fake.FATE, 0.25),)))
    (preset,) = synth.read_presets(foreign(tmp_path / "Warm pad.vstpreset", [0.5, 0.52, 0.75, 0.6, 0.25]))
    assert preset.name == "Warm pad"
    assert_array_equal(preset.patch, [0.5, 1.0, 0.5])
    expected = ("Type at 0.52 instead of 0.5", "Tone at 0.75 instead of 0.5", "Size at 0.6 instead of 0.25")
    assert preset.dropped == expected


def test_a_preset_that_was_read_leaves_nothing_behind(make: Make, tmp_path: Path) -> None:
    synth = make()
    synth.read_presets(foreign(tmp_path / "pad.vstpreset", [0.5, 0.5, 0.25, 0.75, 0.0]))
    synth.write_preset(PATCH, tmp_path / "p.vstpreset")
    host = FakeHost(tmp_path)
    host.write_state((tmp_path / "p.vstpreset").read_bytes())
    assert host.inner[fake.SIZE] == fake.START[fake.SIZE]


def test_a_plugin_that_does_not_tell_is_told(make: Make, tmp_path: Path) -> None:
    path = foreign(tmp_path / "pad.vstpreset", [0.5, 0.5, 0.75, 0.6, 0.0])
    with pytest.raises(UserError, match=r"pad\.vstpreset was loaded by Fake, which does not tell"):
        make(SPEC, "silent").read_presets(path)
    (preset,) = make(SPEC, "silent").read_presets(foreign(tmp_path / "start.vstpreset", list(fake.START)))
    assert not preset.dropped


def test_a_preset_of_another_spec_of_the_plugin_is_read(make: Make, tmp_path: Path) -> None:
    wide = make(replace(SPEC, name="wide", knobs=(replace(LEVEL, index=fake.SIZE, host_name=""), TONE, FATE)))
    wide.write_preset(np.array([0.5, 0.125, 0.0]), tmp_path / "p.vstpreset", name="wide")
    (preset,) = make().read_presets(tmp_path / "p.vstpreset")
    assert_array_equal(preset.patch[1:], [0.0, 0.125])
    assert preset.dropped == ("Size at 0.5 instead of 0.25",)


def test_damaged_values_of_ours_leave_the_state(make: Make, tmp_path: Path) -> None:
    path = foreign(tmp_path / "p.vstpreset", [0.5, 0.5, 0.25, 0.25, 0.0])
    preset = vstpreset.from_bytes(path.read_bytes()).with_attributes({"wav2patch": "{", "Name": "given"})
    path.write_bytes(vstpreset.to_bytes(preset))
    (read,) = make().read_presets(path)
    assert read.name == "given"
    assert_array_equal(read.patch, [0.5, 1.0, 0.25])


@pytest.mark.parametrize("content", [b"", b"hello", bytes(5000), b"VST3" + bytes(44)])
def test_what_is_no_preset_is_refused(make: Make, tmp_path: Path, content: bytes) -> None:
    (tmp_path / "p.vstpreset").write_bytes(content)
    with pytest.raises(UserError, match="holds no preset of Fake"):
        make().read_presets(tmp_path / "p.vstpreset")
    with pytest.raises(UserError, match="could not be read"):
        make().read_presets(tmp_path / "q.vstpreset")


def test_another_plugins_preset_is_refused(make: Make, tmp_path: Path) -> None:
    with pytest.raises(UserError, match="another plug-in's"):
        make().read_presets(foreign(tmp_path / "p.vstpreset", list(fake.START), b"F" * 32))


@pytest.mark.parametrize(
    ("fate", "deadline", "message"),
    [(fake.EXITS, 60.0, r"Fake ended its process \(3\)"), (fake.HANGS, 3.0, "Fake took longer than 3 s")],
)
def test_a_crash_while_writing_leaves_no_file_and_no_harm(
    make: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fate: float, deadline: float, message: str
) -> None:
    synth = make(fateful(fate))
    monkeypatch.setattr(synth_module, "DEADLINE", deadline)
    with pytest.raises(RenderError, match=message):
        synth.write_preset(np.array([0.5, 1.0]), tmp_path / "p.vstpreset")
    monkeypatch.undo()
    assert not (tmp_path / "p.vstpreset").exists()
    synth = make(fateful(fate))
    synth.write_preset(np.array([0.5, 0.0]), tmp_path / "p.vstpreset")
    assert (tmp_path / "p.vstpreset").exists()


def test_versions_name_host_and_plugin(make: Make, tmp_path: Path) -> None:
    (tmp_path / "Fake.vst3").write_bytes(b"one")
    synth = PluginSynth(SPEC, tmp_path)
    versions = synth.versions()
    assert set(versions) == {"pedalboard", "Fake"}
    (tmp_path / "Fake.vst3").write_bytes(b"two")
    assert synth.versions()["Fake"] != versions["Fake"]
