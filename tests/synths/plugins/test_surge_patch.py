"""Surge's own patches, without the plug-in."""

from __future__ import annotations

import struct
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_array_equal

from wav2patch.errors import UserError
from wav2patch.parameters import Patch
from wav2patch.priors import UniformPrior, draw
from wav2patch.synths.base import Preset
from wav2patch.synths.plugins import vstpreset
from wav2patch.synths.plugins.surge import CLASS_ID, SurgeXT, to_vstpreset
from wav2patch.synths.plugins.surge_controls import Element, element, names
from wav2patch.synths.plugins.surge_names import phrase
from wav2patch.synths.plugins.surge_patch import SurgePatchError, chunk, from_fxp, parse_chunk, to_fxp
from wav2patch.synths.plugins.surge_upgrade import upgrade

SIMPLE, FULL = SurgeXT("simple"), SurgeXT("full")
BOTH = pytest.mark.parametrize("synth", [SIMPLE, FULL], ids=["simple", "full"])
# What a foreign patch that plays as ours would holds.
BASE = {
    **{f"a_osc{i}_type": 8.0 for i in (1, 2, 3)},
    **{f"a_osc{i}_param6": 1.0 for i in (1, 2, 3)},
    **{f"a_osc{i}_param5": 0.1 for i in (1, 2, 3)},
    **{f"a_mute_o{i}": 0.0 for i in (1, 2, 3)},
    **{f"a_route_o{i}": 0.0 for i in (1, 2, 3)},
    **{f"a_filter{i}_type": 1.0 for i in (1, 2)},
    **{f"a_env{i}_mode": 1.0 for i in (1, 2)},
    **{f"a_lfo{i}_{part}": value for i in range(6) for part, value in (("magnitude", 0.0), ("release", 1.0))},
    **{"volume": -2.025745, "a_mute_noise": 0.0, "a_route_noise": 0.0, "a_level_noise": 0.25},
    **{"a_lfo5_shape": 6.0, "a_lfo5_unipolar": 1.0, "a_lfo5_rate": 1.228711},
}

MACRO = '<modrouting source="7" depth="1"/>'


def read(synth: SurgeXT, folder: Path, content: bytes, suffix: str = ".fxp") -> Preset:
    path = folder / f"patch{suffix}"
    path.write_bytes(content)
    (preset,) = synth.read_presets(path)
    return preset


def foreign(folder: Path, synth: SurgeXT = SIMPLE, /, **values: float) -> Preset:
    return read(synth, folder, to_fxp(chunk(BASE | values, name="foreign"), "foreign"))


def value(preset: Preset, name: str, synth: SurgeXT = SIMPLE) -> float:
    return float(preset.patch[synth.space.index(name)])


def edited(old: str, new: str, values: dict[str, float] | None = None) -> bytes:
    """A patch with its XML changed as text."""
    content = chunk(BASE | (values or {}), name="foreign")
    xml = content[32:].decode()
    assert old in xml
    changed = xml.replace(old, new).encode()
    return struct.pack("<4s7I", b"sub3", len(changed), *[0] * 6) + changed


def test_a_host_lists_775_controls() -> None:
    assert len(set(names())) == len(names()) == 775
    # As Surge XT 1.4 in pedalboard tells them.
    known = {12: "volume", 19: "fx1_type", 227: "character", 228: "a_octave", 251: "a_lowcut", 256: "a_osc1_type"}
    known |= {317: "a_filter1_type", 329: "a_env1_attack", 345: "a_lfo0_shape", 774: "bypass"}
    assert {i: names()[i] for i in known} == known


@BOTH
def test_every_control_of_a_spec_has_an_element(synth: SurgeXT) -> None:
    for index in [*(k.index for k in synth.spec.knobs), *(f.index for f in synth.spec.fixed)]:
        assert element(names()[index]).low < element(names()[index]).high


def test_an_unknown_element_has_no_range() -> None:
    with pytest.raises(KeyError):
        element("fx5_p3")


@given(st.floats(0, 1, width=32))
def test_values_and_hosts_values_belong_together(normalised: float) -> None:
    cutoff = element("a_filter1_cutoff")
    assert cutoff.value(0.0) == -60
    assert cutoff.value(1.0) == 70
    assert cutoff.normalised(cutoff.value(normalised)) == pytest.approx(normalised, abs=1e-7)


@given(st.integers(0, 33))
def test_whole_numbers_survive_a_hosts_float(number: int) -> None:
    kind = Element("type", 0, 33, whole=True)
    assert kind.value(float(np.float32(kind.normalised(number)))) == number


@BOTH
@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 2**32 - 1))
def test_any_patch_comes_back_exactly(synth: SurgeXT, seed: int, tmp_path_factory: pytest.TempPathFactory) -> None:
    folder = tmp_path_factory.mktemp("surge")
    uniform = draw(UniformPrior(synth.space), seed, 0)
    ends = np.where(np.random.default_rng(seed).random(len(synth.space)) < 0.5, synth.space.low, synth.space.high)
    for patch in (draw(synth.prior(), seed, 0), uniform, ends):
        check_round_trip(synth, synth.space.snap(patch), folder)


def check_round_trip(synth: SurgeXT, patch: Patch, folder: Path) -> None:
    path = folder / f"one{synth.preset_suffix}"
    synth.write_preset(patch, path, name='Küche <&> "1"\n')
    (back,) = synth.read_presets(path)
    assert back.name == 'Küche <&> "1"'
    assert_array_equal(back.patch, patch)
    assert not back.dropped


@BOTH
def test_a_vstpreset_reads_alike(synth: SurgeXT, tmp_path: Path) -> None:
    patch = draw(synth.prior(), 1, 0)
    synth.write_preset(patch, tmp_path / "one.fxp", name="one")
    content = to_vstpreset(from_fxp((tmp_path / "one.fxp").read_bytes()))
    assert_array_equal(read(synth, tmp_path, content, ".vstpreset").patch, patch)


def test_the_file_is_what_surges_own_writer_makes(tmp_path: Path) -> None:
    SIMPLE.write_preset(SIMPLE.space.default, tmp_path / "one.fxp", name="one")
    content = (tmp_path / "one.fxp").read_bytes()
    assert content[:4] == b"CcnK"
    assert content[8:12] == b"FPCh"
    assert content[16:20] == b"cjs3"
    assert content[28:56].rstrip(b"\0") == b"one"
    (size,) = struct.unpack(">i", content[56:60])
    assert size == len(content) - 60
    assert content[60:64] == b"sub3"
    assert struct.unpack("<I", content[64:68])[0] == size - 32
    root = ElementTree.fromstring(content[92:])
    assert root.get("revision") == "24"
    found = {e.tag: [(m.get("source"), m.get("depth")) for m in e] for e in root.iter() if len(e.findall("modrouting"))}
    assert found == {
        "a_pitch": [("22", "14")],
        "a_filter1_cutoff": [("17", "130")],
        "a_filter2_cutoff": [("18", "130")],
        "a_osc1_param3": [("19", "1")],
        "a_osc2_param3": [("20", "1")],
        "a_osc3_param3": [("21", "1")],
    }


def test_a_patch_that_plays_as_ours_loses_nothing(tmp_path: Path) -> None:
    preset = foreign(tmp_path, a_filter1_cutoff=5.0, a_osc1_param0=-0.5, a_env1_attack=-3.0)
    assert preset.dropped == ()
    assert value(preset, "a_filter_1_cutoff") == pytest.approx(0.5)
    assert value(preset, "a_osc_1_sawtooth") == pytest.approx(0.25)
    assert value(preset, "a_amp_eg_attack") == pytest.approx(5 / 13, abs=1e-6)
    assert value(preset, "a_noise_volume") == 0.25


@pytest.mark.parametrize(
    ("values", "phrases"),
    [
        ({"a_osc2_type": 0.0}, ("oscillator 2's type Classic",)),
        ({"a_osc2_type": 0.0, "a_level_o2": 0.0}, ()),
        ({"a_osc2_type": 0.0, "a_level_o2": 0.0, "a_fm_switch": 1.0}, ("oscillator 2's type Classic", "FM routing")),
        (
            {"a_osc1_type": 2.0, "a_level_o1": 0.0, "a_mute_ring12": 0.0},
            ("oscillator 1's type Wavetable", "ring modulation 1x2 mute"),
        ),
        ({"a_env1_release": 4.0}, ("amp EG release beyond our range",)),
        ({"a_lfo0_release": 5.0}, ()),
        ({"a_filter1_type": 10.0}, ("filter 1 type",)),
        ({"a_filter2_keytrack": 0.5}, ("filter 2 keytrack",)),
        ({"a_mute_o3": 1.0}, ("osc 3 mute",)),
        ({"a_fb_config": 3.0}, ("filter configuration",)),
        ({"fx1_type": 9.0, "fx7_type": 2.0}, ("effect Chorus", "effect Reverb 1")),
        ({"scenemode": 2.0}, ("scene B (scene mode dual)",)),
        ({"a_octave": 1.0}, ("octave",)),
        ({"volume": -12.0}, ("volume",)),
        ({"a_env1_mode": 0.0}, ("amp EG mode",)),
        ({"a_polymode": 0.0, "polylimit": 8.0, "a_osc1_retrigger": 1.0}, ()),
    ],
)
def test_simple_tells_what_it_drops(tmp_path: Path, values: dict[str, float], phrases: tuple[str, ...]) -> None:
    assert foreign(tmp_path, **values).dropped == phrases


@pytest.mark.parametrize(
    ("values", "phrases"),
    [
        ({}, ()),
        ({"a_filter1_type": 10.0}, ("filter 1 type LP Vintage Ladder",)),
        ({"a_filter2_type": 0.0}, ()),
        ({"a_fb_config": 6.0}, ("filter configuration Ring",)),
        ({"a_octave": 1.0}, ()),
        ({"volume": -4.0}, ()),
        ({"volume": -20.0}, ("VCA gain beyond our range",)),
        ({"a_lfo5_shape": 8.0, "a_lfo5_magnitude": 0.5}, ("LFO 6 shape",)),
        ({"fx1_type": 9.0}, ()),
    ],
)
def test_full_tells_what_it_drops(tmp_path: Path, values: dict[str, float], phrases: tuple[str, ...]) -> None:
    curves = {f"a_env{i}_{part}_shape": v for i in (1, 2) for part, v in (("attack", 1), ("decay", 0), ("release", 0))}
    alike = {"a_lfo5_rate": -7.0, "a_lfo5_unipolar": 0.0, "a_lfo5_magnitude": 0.0}
    assert foreign(tmp_path, FULL, **(curves | alike | values)).dropped == phrases


def test_octaves_and_volumes_move_into_our_own_controls(tmp_path: Path) -> None:
    preset = foreign(tmp_path, FULL, a_octave=-1.0, a_osc2_octave=2.0, volume=-4.025745)
    assert FULL.space.named(preset.patch)["a_osc_1_octave"] == "-1"
    assert FULL.space.named(preset.patch)["a_osc_2_octave"] == "+1"
    assert value(preset, "a_vca_gain", FULL) == pytest.approx((48 - 2) / 96, abs=1e-5)


def test_an_extended_pitch_counts_in_octaves(tmp_path: Path) -> None:
    old, new = '<a_osc2_pitch type="2"', '<a_osc2_pitch extend_range="1" type="2"'
    preset = read(FULL, tmp_path, to_fxp(edited(old, new, {"a_osc2_pitch": 1.25}), "up"))
    assert FULL.space.named(preset.patch)["a_osc_2_octave"] == "+1"
    assert value(preset, "a_osc_2_pitch", FULL) == pytest.approx((7 + 3) / 14, abs=1e-6)
    preset = read(SIMPLE, tmp_path, to_fxp(edited(old, new, {"a_osc2_pitch": 1.25}), "up"))
    assert preset.dropped == ("osc 2 pitch beyond our range",)


def test_a_filter_that_is_off_becomes_one_that_is_open(tmp_path: Path) -> None:
    preset = foreign(tmp_path, FULL, a_filter2_type=0.0, a_filter2_cutoff=-20.0, a_filter2_resonance=0.9)
    assert FULL.space.named(preset.patch)["a_filter_2_type"] == "LP 12 dB"
    assert value(preset, "a_filter_2_cutoff", FULL) == 1.0
    assert value(preset, "a_filter_2_resonance", FULL) == 0.0


def test_an_effect_of_ours_is_found_in_another_slot(tmp_path: Path) -> None:
    moved = edited("</parameters>", '<fx7_type type="0" value="11"/><fx7_p9 type="2" value="0.5"/></parameters>')
    preset = read(FULL, tmp_path, to_fxp(moved, "moved"))
    assert value(preset, "fx_a3_output_mix", FULL) == 0.5
    assert value(preset, "fx_a1_output_mix", FULL) == 0.0
    assert not any("effect" in text for text in preset.dropped)


def test_a_shallower_modulation_is_a_smaller_amplitude(tmp_path: Path) -> None:
    half = edited('source="17" depth="130"', 'source="17" depth="65"', {"a_lfo0_magnitude": 0.8})
    preset = read(SIMPLE, tmp_path, to_fxp(half, "half"))
    assert value(preset, "a_lfo_1_amplitude") == pytest.approx(0.4, abs=1e-6)
    assert preset.dropped == ()


@pytest.mark.parametrize(
    ("old", "new", "dropped"),
    [
        ('source="17" depth="130"', 'source="6" depth="130"', ("1 modulation",)),
        ('source="17" depth="130"', 'source="17" depth="-20"', ("1 modulation",)),
        ('source="17" depth="130" muted="0"', 'source="17" depth="130" muted="1"', ()),
        (
            "<a_pitch ",
            '<a_f_balance type="2" value="0"><modrouting source="7" depth="1"/></a_f_balance><a_pitch ',
            None,
        ),
    ],
)
def test_other_modulations_are_told(tmp_path: Path, old: str, new: str, dropped: tuple[str, ...] | None) -> None:
    preset = read(SIMPLE, tmp_path, to_fxp(edited(old, new, {"a_lfo0_magnitude": 0.8}), "other"))
    assert preset.dropped == (("1 modulation",) if dropped is None else dropped)
    assert (value(preset, "a_lfo_1_amplitude") == 0.0) == (dropped is not None)


def test_the_scene_that_plays_is_read(tmp_path: Path) -> None:
    scene = chunk(BASE | {"a_filter1_cutoff": 5.0}, name="b")[32:].decode()
    text = scene.replace("<a_", "<b_").replace("</a_", "</b_")
    xml = text.replace("<parameters>", '<parameters><scene_active type="0" value="1"/>').encode()
    preset = read(SIMPLE, tmp_path, to_fxp(struct.pack("<4s7I", b"sub3", len(xml), *[0] * 6) + xml, "b"))
    assert value(preset, "a_filter_1_cutoff") == pytest.approx(0.5)
    assert preset.dropped == ()


@pytest.mark.parametrize(
    ("revision", "kind", "subtype", "now"),
    [
        (14, 6, 4, (23, 1)),
        (14, 7, 2, (24, 0)),
        (14, 8, 3, (25, 1)),
        (14, 3, 1, (3, 1)),
        (24, 6, 1, (6, 1)),
        (7, 1, 2, (1, 1)),
    ],
)
def test_old_filters_are_todays(revision: int, kind: int, subtype: int, now: tuple[int, int]) -> None:
    values = {"a_filter1_type": float(kind), "a_filter1_subtype": float(subtype)}
    old = parse_chunk(chunk(values, name="old").replace(b'revision="24"', f'revision="{revision}"'.ljust(13).encode()))
    settings_now = upgrade(old).settings
    assert (settings_now["a_filter1_type"].value, settings_now["a_filter1_subtype"].value) == now


def test_old_resonances_are_converted() -> None:
    values = {"a_filter1_type": 2.0, "a_filter1_resonance": 0.7}
    old = parse_chunk(chunk(values, name="old").replace(b'revision="24"', b'revision="5" '))
    assert upgrade(old).settings["a_filter1_resonance"].value == pytest.approx(0.66)


def with_xml(xml: bytes) -> bytes:
    return to_fxp(struct.pack("<4s7I", b"sub3", len(xml), *[0] * 6) + xml, "x")


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "not an .fxp file"),
        (b"VST3" + bytes(60), "marks of a VST3 preset"),
        (vstpreset.to_bytes(vstpreset.VstPreset(b"0" * 32, ((b"Comp", b"x"),))), "another plug-in"),
        (vstpreset.to_bytes(vstpreset.VstPreset(CLASS_ID, ((b"Cont", b"x"),))), "another plug-in"),
        (to_fxp(b"sub2" + bytes(40), "x"), "no patch of Surge"),
        (to_fxp(b"sub3", "x"), "no patch of Surge"),
        (to_fxp(chunk({}, name="x"), "x").replace(b"cjs3", b"amsy"), "another plug-in"),
        (with_xml(b"<patch><parameters>"), "damaged"),
        (with_xml(b"<bank></bank>"), "damaged|something else"),
        (with_xml(b'<patch revision="24"></patch>'), "no parameters"),
        (with_xml(b'<!DOCTYPE a [<!ENTITY b "c">]><patch><parameters/></patch>'), "entities"),
        (with_xml(b'<patch><parameters><a_pitch value="nan"/></parameters></patch>'), "no number"),
        (with_xml(b'<patch><parameters><a_pitch value="deep"/></parameters></patch>'), "no number"),
    ],
)
def test_what_is_no_patch_is_refused(tmp_path: Path, content: bytes, reason: str) -> None:
    with pytest.raises(UserError, match=f"holds no patch of Surge XT: .*({reason})"):
        read(SIMPLE, tmp_path, content)


def test_a_cut_off_patch_is_refused() -> None:
    whole = chunk(BASE, name="whole")
    for length in (5, 40, 400, len(whole) - 30):
        with pytest.raises(SurgePatchError):
            parse_chunk(whole[:length])


@pytest.mark.parametrize("letter", ["&#x10;", "&#x1f;", "\x02"])
def test_control_characters_in_labels_do_no_harm(tmp_path: Path, letter: str) -> None:
    label = f'<customcontroller><entry i="0" v="0" label="a{letter}"/></customcontroller>'
    content = edited("</parameters>", f"</parameters>{label}")
    assert read(SIMPLE, tmp_path, to_fxp(content, "x")).dropped == ()


def test_a_patch_without_a_name_takes_the_files(tmp_path: Path) -> None:
    assert read(SIMPLE, tmp_path, with_xml(b"<patch><parameters/></patch>")).name == "patch"


@pytest.mark.parametrize(
    ("name", "text"),
    [("a_lfo3_rate", "LFO 4 rate"), ("a_mute_o2", "osc 2 mute"), ("LFO 1 rate", "LFO 1 rate"), ("Pan", "pan")],
)
def test_phrases(name: str, text: str) -> None:
    assert phrase(name) == text


def test_a_missing_plug_in_is_told_with_where_it_comes_from(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WAV2PATCH_SURGE_XT", "nowhere.vst3")
    assert "surge-synthesizer.github.io" in str(SIMPLE.missing())
