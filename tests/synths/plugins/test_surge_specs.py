"""The parameter spaces of Hayes et al. (ISMIR 2025), rule by rule."""

from __future__ import annotations

import numpy as np
import pytest

from wav2patch.note_rules import NOTE_WIDTH
from wav2patch.parameters import Categorical, Continuous
from wav2patch.priors import Marginal, draw
from wav2patch.synths.catalogue import load_synth
from wav2patch.synths.plugins.spec import Knob, PluginSpec
from wav2patch.synths.plugins.surge import SurgeXT
from wav2patch.synths.plugins.surge_controls import element, names

SIMPLE, FULL = SurgeXT("simple").spec, SurgeXT("full").spec
BOTH = pytest.mark.parametrize("spec", [SIMPLE, FULL], ids=["simple", "full"])


def knobs(spec: PluginSpec, prefix: str = "", suffix: str = "") -> list[Knob]:
    return [k for k in spec.knobs if k.parameter.name.startswith(prefix) and k.parameter.name.endswith(suffix)]


def knob(spec: PluginSpec, name: str) -> Knob:
    return next(k for k in spec.knobs if k.parameter.name == name)


def plain(spec: PluginSpec, name: str) -> list[float]:
    """What a patch file holds for each choice."""
    found = knob(spec, name)
    return [element(names()[found.index]).value(position) for position in found.positions]


def test_the_numbers_of_the_paper() -> None:
    assert (len(SIMPLE.space), SIMPLE.space.width + NOTE_WIDTH) == (89, 92)
    assert (len(FULL.space), FULL.space.width + NOTE_WIDTH) == (162, 300)
    assert int(FULL.space.is_continuous.sum()) == 130
    assert int(FULL.space.is_categorical.sum()) == 32
    assert SIMPLE.space.is_continuous.all()


def test_simple_has_the_papers_groups() -> None:
    counts = {"a_amp_eg_": 4, "a_filter_eg_": 4, "a_filter_1_": 3, "a_filter_2_": 3, "a_highpass": 1, "a_noise_": 1}
    counts |= {f"a_osc_{i}_": 7 for i in (1, 2, 3)} | {f"a_lfo_{i}_": 9 for i in range(1, 6)} | {"a_lfo_6_": 7}
    assert {prefix: len(knobs(SIMPLE, prefix)) for prefix in counts} == counts
    assert sum(counts.values()) == 89
    assert {k.parameter.name for k in SIMPLE.knobs} <= {k.parameter.name for k in FULL.knobs}


@pytest.mark.parametrize(
    ("name", "choices"),
    [
        ("a_amp_eg_envelope_mode", 2),
        ("a_filter_eg_envelope_mode", 2),
        ("a_filter_configuration", 7),
        ("a_filter_1_type", 11),
        ("a_filter_2_type", 11),
        ("a_waveshaper_type", 5),
        *((f"a_osc_{i}_{part}", n) for i in (1, 2, 3) for part, n in (("mute", 2), ("octave", 7), ("route", 3))),
        *((f"a_osc_{i}_unison_voices", 4) for i in (1, 2, 3)),
        ("a_fm_routing", 4),
        *((f"a_lfo_{i}_type", 6) for i in range(1, 6)),
        ("a_noise_mute", 2),
        ("a_noise_route", 3),
        *((f"a_ring_modulation_{r}_{part}", n) for r in ("1x2", "2x3") for part, n in (("mute", 2), ("route", 3))),
        ("fx_a2_delay_time_left", 16),
        ("fx_a2_delay_time_right", 16),
    ],
)
def test_full_has_the_papers_choices(name: str, choices: int) -> None:
    assert knob(FULL, name).parameter.width == choices


def test_there_are_no_other_choices() -> None:
    assert sum(isinstance(k.parameter, Categorical) for k in FULL.knobs) == 32
    assert "Ring" not in getattr(knob(FULL, "a_filter_configuration").parameter, "choices")  # noqa: B009 - a union


WEIGHTS = {
    "a_waveshaper_type": (4, 1, 1, 1, 1),
    "a_fm_routing": (3, 1, 1, 1),
    "a_noise_mute": (0.33, 0.67),
    "a_ring_modulation_1x2_mute": (0.1, 0.9),
    "a_ring_modulation_2x3_mute": (0.1, 0.9),
    **{f"a_osc_{i}_mute": (0.9, 0.1) for i in (1, 2, 3)},
    **{f"a_osc_{i}_octave": (1, 1, 1, 6, 1, 1, 1) for i in (1, 2, 3)},
    **{f"a_osc_{i}_unison_voices": (3, 1, 1, 1) for i in (1, 2, 3)},
}
HELD_AT_HALF = (
    "a_feedback",
    "a_filter_balance",
    "a_pan",
    "a_waveshaper_drive",
    *(f"a_osc_{i}_pitch" for i in (1, 2, 3)),
)
HELD_AT_ZERO = {
    "a_highpass": 0.5,
    **{f"a_lfo_{i}_amplitude": 0.67 for i in range(1, 7)},
    **{f"fx_a{i}_output_mix": 0.67 for i in (1, 2, 3)},
}
MOST = {"fx_a1_delay_feedback": 0.9, "fx_a2_feedback_eq_feedback": 0.8, "fx_a2_feedback_eq_crossfeed": 0.8}


def expected(spec: PluginSpec, name: str) -> Marginal:
    if name in HELD_AT_HALF:
        return Marginal(constant=0.5, probability=0.5)
    if name in HELD_AT_ZERO:
        return Marginal(constant=0.0, probability=HELD_AT_ZERO[name])
    if name == "a_noise_volume" and spec is SIMPLE:
        return Marginal(constant=0.0, probability=0.67)
    return Marginal(weights=tuple(map(float, WEIGHTS.get(name, ()))))


@BOTH
def test_every_rule_of_the_prior(spec: PluginSpec) -> None:
    for k in spec.knobs:
        assert k.marginal == expected(spec, k.parameter.name), k.parameter.name


@BOTH
def test_every_range(spec: PluginSpec) -> None:
    narrow = ("a_waveshaper_drive", "a_vca_gain")
    for k in spec.knobs:
        name, parameter = k.parameter.name, k.parameter
        if not isinstance(parameter, Continuous):
            continue
        timed = name.startswith(("a_amp_eg_", "a_filter_eg_", "a_lfo_"))
        if timed and name.endswith(("_attack", "_decay", "_release", "_hold")):
            assert (parameter.low, parameter.high) == (0.0, 0.77), name
        elif name in narrow:
            assert (parameter.low, parameter.high) == (0.437545, 0.562455), name
        else:
            assert (parameter.low, parameter.high) == (0.0, MOST.get(name, 1.0)), name


def test_types_are_surges_own_numbers() -> None:
    assert plain(FULL, "a_filter_1_type") == [1, 2, 4, 5, 6, 7, 8, 23, 24, 25, 26]
    assert plain(FULL, "a_filter_configuration") == [0, 1, 2, 3, 4, 5, 7]
    assert plain(FULL, "a_osc_2_octave") == [-3, -2, -1, 0, 1, 2, 3]
    assert plain(FULL, "a_osc_3_unison_voices") == [1, 2, 3, 4]
    assert plain(FULL, "a_lfo_5_type") == [0, 1, 2, 3, 4, 5]


def test_delay_times_are_notes_from_a_thirty_second_to_a_whole() -> None:
    assert knob(FULL, "fx_a2_delay_time_left").parameter.text(9) == "1/4 note"
    triplet, dotted = np.log2(2 / 3), np.log2(3 / 2)
    straight = np.arange(-4, 2)
    wanted = sorted([*straight, *(straight[2:] + triplet), *(straight[:-1] + dotted), straight[1] + triplet])
    assert plain(FULL, "fx_a2_delay_time_left") == pytest.approx(wanted[: len(wanted)], abs=1e-5)


@BOTH
def test_the_base_state(spec: PluginSpec) -> None:
    base = {names()[f.index]: element(names()[f.index]).value(f.value) for f in spec.fixed}
    for i in (1, 2, 3):
        assert base[f"a_osc{i}_type"] == 8
        assert base[f"a_osc{i}_retrigger"] == 1
    assert base["a_polymode"] == 1
    assert base["a_lfo5_shape"] == 6
    effects = {slot: base[f"fx{slot}_type"] for slot in (1, 2, 9)}
    assert effects == ({1: 9, 2: 1, 9: 11} if spec is FULL else {1: 0, 2: 0, 9: 0})
    if spec is SIMPLE:
        assert base["a_filter1_type"] == base["a_filter2_type"] == base["a_mute_ring12"] == base["a_mute_ring23"] == 1
        assert base["a_mute_noise"] == base["a_fb_config"] == 0


def test_free_running_differs_in_the_retriggers_alone() -> None:
    free = SurgeXT("full", free_running=True).spec
    changed = {names()[a.index] for a, b in zip(free.fixed, FULL.fixed, strict=True) if a != b}
    assert changed == {f"a_osc{i}_retrigger" for i in (1, 2, 3)}
    assert load_synth("surge_xt_full_free").name == free.name == "surge_xt_full_free"
    assert free.space == FULL.space


@BOTH
def test_draws_keep_to_the_rules(spec: PluginSpec) -> None:
    patches = np.stack([draw(spec.prior, 5, i) for i in range(400)])
    spec.space.validate(patches)
    # Five standard deviations of a share of 400 are 0.12.
    for name, constant, share in (
        ("a_lfo_1_amplitude", 0.0, 0.67),
        ("a_osc_2_pitch", 0.5, 0.5),
        ("a_highpass", 0.0, 0.5),
    ):
        assert np.mean(patches[:, spec.space.index(name)] == constant) == pytest.approx(share, abs=0.12)


@BOTH
def test_a_silent_oscillator_silences_its_controls_but_for_the_common_pitch(spec: PluginSpec) -> None:
    patch = spec.space.default.copy()
    for i in (1, 2, 3):
        patch[spec.space.index(f"a_osc_{i}_volume")] = 0.0
        patch[spec.space.index(f"a_lfo_{i + 2}_amplitude")] = 0.5
    active = dict(zip(spec.space.names, spec.space.active(patch), strict=True))
    assert active["a_osc_1_pitch"]
    for i in (1, 2, 3):
        assert active[f"a_osc_{i}_volume"] == (spec is SIMPLE or i == 1)
        for name in (f"a_osc_{i}_sawtooth", f"a_osc_{i}_sync", f"a_lfo_{i + 2}_rate", f"a_lfo_{i + 2}_amplitude"):
            assert not active[name], name
    assert not active["a_osc_2_pitch"]
