"""DawDreamer as a host: its own logic anywhere, and amsynth for real where it is installed."""

import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from wav2patch.notes import Note
from wav2patch.priors import draw
from wav2patch.synths.base import Audio
from wav2patch.synths.plugins import dawdreamer
from wav2patch.synths.plugins.dawdreamer import DawDreamerHost, unavailable
from wav2patch.synths.plugins.fxp import Program, from_bytes, to_bytes
from wav2patch.synths.plugins.host import HostError
from wav2patch.synths.plugins.locate import locate
from wav2patch.synths.plugins.synth import PluginSynth

FOLDER = Path(dawdreamer.__file__).parents[1]
AMSYNTH = locate(["amsynth_vst.so"], "WAV2PATCH_AMSYNTH")
NOTE = Note(60, 100, 0.0, 0.2)
RATE = 44100
needs_dawdreamer = pytest.mark.skipif(bool(unavailable()), reason=unavailable() or "")
needs_amsynth = pytest.mark.skipif(
    bool(unavailable()) or AMSYNTH is None, reason="amsynth is not installed: `apt-get install amsynth`"
)


def test_without_dawdreamer_one_is_told_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dawdreamer, "find_spec", lambda name: None)
    assert "pip install 'wav2patch[dawdreamer]'" in (unavailable() or "")
    with pytest.raises(HostError, match=r"wav2patch\[dawdreamer\]"):
        DawDreamerHost("any.so")


def test_the_library_is_loaded_with_the_first_plug_in_only() -> None:
    code = "import sys, wav2patch.synths.plugins.dawdreamer; sys.exit('dawdreamer' in sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)


@needs_dawdreamer
def test_a_missing_plug_in_and_one_that_is_none_are_named(tmp_path: Path) -> None:
    with pytest.raises(HostError, match=r"none\.so could not be loaded: there is no such file"):
        DawDreamerHost(tmp_path / "none.so")
    (tmp_path / "junk.so").write_bytes(b"junk")
    with pytest.raises(HostError, match=r"junk\.so could not be loaded"):
        DawDreamerHost(tmp_path / "junk.so")


def bundle(folder: Path, *uris: str) -> Path:
    path = folder / "synth.lv2"
    path.mkdir()
    lines = ["@prefix lv2: <http://lv2plug.in/ns/lv2core#> ."]
    lines += [f"<{uri}> a lv2:Plugin ; lv2:binary <synth.so> ; rdfs:seeAlso <synth.ttl> ." for uri in uris]
    lines += ["<http://example.org/synth#ui> a ui:X11UI ; ui:binary <ui.so> ."]
    (path / "manifest.ttl").write_text("\n".join(lines))
    return path


def test_an_lv2_plug_in_is_loaded_by_its_uri(tmp_path: Path) -> None:
    assert dawdreamer._address(bundle(tmp_path, "http://example.org/synth")) == "http://example.org/synth"
    assert dawdreamer._address("http://example.org/synth#1") == "http://example.org/synth#1"
    assert dawdreamer._address(Path("http://example.org/synth")) == "http://example.org/synth"
    assert dawdreamer._address("urn:synth:one") == "urn:synth:one"


def test_an_lv2_bundle_with_none_or_several_plug_ins_is_refused(tmp_path: Path) -> None:
    with pytest.raises(HostError, match="it holds no plug-in"):
        dawdreamer._address(bundle(tmp_path))
    (tmp_path / "b").mkdir()
    with pytest.raises(HostError, match=r"several plug-ins, name one: http://a\.org/1, http://a\.org/2"):
        dawdreamer._address(bundle(tmp_path / "b", "http://a.org/2", "http://a.org/1"))
    (tmp_path / "c.lv2").mkdir()
    with pytest.raises(HostError, match="no LV2 bundle"):
        dawdreamer._address(tmp_path / "c.lv2")


@pytest.mark.parametrize(
    "state",
    [b"", b"junk", b"{}", b'{"plugin": "urn:a", "values": {"1": 2.0}}', b'{"plugin": "urn:b", "values": {}}', b"[1]"],
)
def test_values_of_another_lv2_plug_in_are_refused(state: bytes) -> None:
    with pytest.raises(ValueError, match="holds no values of"):
        dawdreamer._lv2_values(state, "urn:a")


def test_what_was_done_is_kept_in_two_steps() -> None:
    first, load, second, third = (
        dawdreamer._Set({1: 0.1}),
        dawdreamer._Load(b"", ".fxp"),
        dawdreamer._Set({1: 0.2, 2: 0.3}),
        dawdreamer._Set({2: 0.4}),
    )
    (only,) = dawdreamer._merged([first, second, third])
    assert isinstance(only, dawdreamer._Set)
    assert only.values == {1: 0.2, 2: 0.4}
    kept, after = dawdreamer._merged([first, load, second, third])
    assert kept is load
    assert isinstance(after, dawdreamer._Set)
    assert after.values == {1: 0.2, 2: 0.4}
    assert dawdreamer._merged([]) == []


def test_the_environment_inside_is_put_back() -> None:
    before = dict(os.environ)
    with dawdreamer._set_to({"A_WORD": "x"}):
        assert dict(os.environ) == {"A_WORD": "x"}
    assert dict(os.environ) == before


@pytest.fixture(scope="module")
def amsynth(tmp_path_factory: pytest.TempPathFactory) -> DawDreamerHost:
    if AMSYNTH is None or unavailable():
        pytest.skip("amsynth is not installed")
    # It writes settings under the user's home.
    home = str(tmp_path_factory.mktemp("home"))
    with dawdreamer._set_to({**os.environ, "HOME": home, "XDG_DATA_HOME": home, "XDG_CONFIG_HOME": home}):
        host = DawDreamerHost(AMSYNTH)
    return host


def play(host: DawDreamerHost, values: dict[int, float], note: Note = NOTE, rate: int = RATE) -> Audio:
    host.reload()
    host.set(values)
    host.settle(0.02, sample_rate=rate)
    return host.play(note, length=0.3, sample_rate=rate)


SOUNDS = [{11: 0.4, 9: 0.8}, {27: 0.5, 25: 0.8, 15: 0.5, 19: 0.2}, {4: 0.25, 22: 1.0, 17: 1.0}]


@needs_amsynth
def test_the_controls_of_amsynth(amsynth: DawDreamerHost) -> None:
    assert len(amsynth.controls) == 41
    assert [control.index for control in amsynth.controls] == list(range(41))
    attack, volume = amsynth.controls[0], amsynth.controls[14]
    assert (attack.name, attack.unit, attack.steps) == ("amp_attack", "s", 0)
    assert volume.default == pytest.approx(0.67)
    assert amsynth.unique_id == "amsy"
    amsynth.reload()
    assert amsynth.text(17, 1.0) == "16"
    assert amsynth.get(17) == pytest.approx(3 / 7)


@needs_amsynth
def test_nothing_of_a_sound_is_left_after_a_reload(amsynth: DawDreamerHost) -> None:
    before = [play(amsynth, sound) for sound in SOUNDS]
    for sound, audio in zip(SOUNDS, before, strict=True):
        assert np.abs(audio).max() > 0.01
        assert_array_equal(play(amsynth, sound), audio)


@needs_amsynth
def test_clear_stops_the_sound_and_keeps_the_controls(amsynth: DawDreamerHost) -> None:
    expected = play(amsynth, SOUNDS[1])
    amsynth.clear()
    amsynth.settle(0.02, sample_rate=RATE)
    assert_array_equal(amsynth.play(NOTE, length=0.3, sample_rate=RATE), expected)
    assert amsynth.get(25) == pytest.approx(0.8)


@needs_amsynth
@pytest.mark.parametrize("rate", [22050, 48000])
def test_another_rate_keeps_the_controls(amsynth: DawDreamerHost, rate: int) -> None:
    expected = play(amsynth, SOUNDS[0], rate=rate)
    assert expected.shape == (2, round(0.3 * rate))
    play(amsynth, SOUNDS[0])
    again = amsynth.play(NOTE, length=0.3, sample_rate=rate)
    # No silence between the controls and the note this time.
    assert np.abs(again - expected).max() < 0.2 * np.abs(expected).max()


@needs_amsynth
@pytest.mark.parametrize("length", [1 / RATE, 0.1, 0.37])
def test_a_note_has_the_length_that_was_asked_for(amsynth: DawDreamerHost, length: float) -> None:
    audio = amsynth.play(NOTE, length=length, sample_rate=RATE)
    assert audio.dtype == np.float32
    assert audio.shape == (2, round(length * RATE))


@needs_amsynth
def test_loading_prints_nothing(amsynth: DawDreamerHost, capfd: pytest.CaptureFixture[str]) -> None:
    amsynth.reload()
    assert capfd.readouterr() == ("", "")


@needs_amsynth
def test_a_program_of_values_is_loaded_and_given(amsynth: DawDreamerHost) -> None:
    expected = play(amsynth, SOUNDS[2])
    state = amsynth.read_state()
    program = from_bytes(state)
    assert program.unique_id == "amsy"
    assert len(program.values) == 41
    amsynth.reload()
    amsynth.write_state(state)
    assert amsynth.read_state() == state
    amsynth.settle(0.02, sample_rate=RATE)
    # What glides while the program is loaded has not come to rest to the last bit.
    audio = amsynth.play(NOTE, length=0.3, sample_rate=RATE)
    assert np.abs(audio - expected).max() < 1e-3 * np.abs(expected).max()


@needs_amsynth
def test_a_program_with_a_chunk_is_loaded(amsynth: DawDreamerHost) -> None:
    chunk = b"amSynth1.0preset\n<preset> <name> one\n<parameter> amp_sustain 0.25\n<parameter> osc2_range -1\n\0"
    amsynth.reload()
    amsynth.write_state(to_bytes(Program("one", "amsy", chunk=chunk, count=41)))
    assert amsynth.get(2) == pytest.approx(0.25)
    assert amsynth.get(17) == pytest.approx(2 / 7)


@needs_amsynth
@pytest.mark.parametrize("state", [b"", b"junk", to_bytes(Program("x", "ncut", (0.5,)))])
def test_what_is_no_program_of_amsynth_is_refused(amsynth: DawDreamerHost, state: bytes) -> None:
    with pytest.raises(ValueError, match=r"that is no VST2 program|that program is for the plug-in 'ncut'"):
        amsynth.write_state(state)


@needs_amsynth
def test_preset_files_of_amsynth_give_the_patch_to_any_program(tmp_path: Path) -> None:
    synth = PluginSynth(FOLDER / "specs" / "amsynth.yaml")
    patch = draw(synth.prior(), 5, 0)
    synth.write_preset(patch, tmp_path / "ours.fxp", name="From us")
    (ours,) = synth.read_presets(tmp_path / "ours.fxp")
    assert (ours.name, ours.dropped) == ("From us", ())
    assert_array_equal(ours.patch, patch)
    # As another program would write it: without our own values behind the plug-in's.
    plain = replace(from_bytes((tmp_path / "ours.fxp").read_bytes()), name="From afar")
    (tmp_path / "plain.fxp").write_bytes(to_bytes(plain))
    (read,) = synth.read_presets(tmp_path / "plain.fxp")
    assert (read.name, read.dropped) == ("From afar", ())
    assert_array_equal(read.patch, patch)
