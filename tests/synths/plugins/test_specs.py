"""The specs of plug-ins whose parameters and rules come from papers, or from the plug-in's own text."""

from importlib import resources
from pathlib import Path

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from wav2patch.parameters import Categorical, Continuous, Discrete, Patch
from wav2patch.priors import IndependentPrior
from wav2patch.synths.plugins.spec import PluginSpec
from wav2patch.synths.plugins.spec_file import load_spec, save_spec
from wav2patch.synths.plugins.synth import PluginSynth

SPECS = resources.files("wav2patch.synths") / "specs"
NAMES = ["amsynth", "dexed_plugin", "diva", "tal_noisemaker", "tal_noisemaker_9"]
# Combes et al. 2025: continuous, discretised, binary and categorical parameters, sum of the categories' cardinalities.
COUNTS = {
    "dexed_plugin": (72, 20, 0, 8, 49),
    "diva": (97, 3, 22, 51, 274),
    "tal_noisemaker": (47, 1, 3, 8, 52),
}
DRAWS = 2000


def spec_of(name: str) -> PluginSpec:
    return load_spec(Path(str(SPECS / f"{name}.yaml")))


def draws(prior: IndependentPrior) -> Patch:
    return prior.sample(np.random.default_rng([7, len(prior.space)]), DRAWS)


def column(prior: IndependentPrior, name: str) -> np.ndarray:
    return draws(prior)[:, prior.space.index(name)]


def share(prior: IndependentPrior, name: str, value: float) -> float:
    return float(np.mean(column(prior, name) == value))


@pytest.mark.parametrize("name", NAMES)
def test_a_spec_is_whole(name: str, tmp_path: Path) -> None:
    spec = spec_of(name)
    assert spec.name == name
    assert spec.variable.startswith("WAV2PATCH_")
    assert spec.instructions
    assert len(spec.notes) > 200
    save_spec(spec, tmp_path / "again.yaml")
    assert load_spec(tmp_path / "again.yaml") == spec


@pytest.mark.parametrize("name", NAMES)
def test_draws_and_the_default_encode_exactly(name: str) -> None:
    spec = spec_of(name)
    patches = np.concatenate([draws(spec.prior), draws(spec.published_prior), spec.space.default[None]])
    encoded = spec.space.encode(patches)
    assert ((encoded >= 0) & (encoded <= 1)).all()
    assert_array_equal(spec.space.decode(encoded), patches)


@pytest.mark.parametrize("name", NAMES)
def test_the_plug_in_gets_values_that_lead_back(name: str) -> None:
    spec = spec_of(name)
    for patch in np.concatenate([draws(spec.prior)[:20], draws(spec.published_prior)[:20]]):
        normalised = [knob.normalised(value) for knob, value in zip(spec.knobs, patch, strict=True)]
        assert all(0 <= value <= 1 for value in normalised)
        # What a host hands over is a 32-bit float.
        back = [knob.value(float(np.float32(v))) for knob, v in zip(spec.knobs, normalised, strict=True)]
        assert_array_equal(back, patch)


@pytest.mark.parametrize("name", NAMES)
def test_draws_keep_to_their_rules(name: str) -> None:
    spec = spec_of(name)
    drawn = {False: draws(spec.prior), True: draws(spec.published_prior)}
    for i, knob in enumerate(spec.knobs):
        parameter, published = knob.parameter, spec.published.get(knob.parameter.name, knob.marginal)
        for paper, rule in ((False, knob.marginal), (True, published)):
            values = drawn[paper][:, i]
            low = parameter.low if rule.low is None else rule.low
            high = parameter.high if rule.high is None else rule.high
            drawn_freely = values[values != rule.constant]
            assert ((drawn_freely >= low - 1e-6) & (drawn_freely <= high + 1e-6)).all(), parameter.name
            if rule.constant is not None:
                assert np.mean(values == rule.constant) >= rule.probability - 0.05, parameter.name


@pytest.mark.parametrize("name", NAMES)
def test_what_is_published_differs_from_the_default(name: str) -> None:
    spec = spec_of(name)
    own = {knob.parameter.name: knob.marginal for knob in spec.knobs}
    assert bool(spec.published) == (name in ("dexed_plugin", "tal_noisemaker"))
    assert all(own[changed] != rule for changed, rule in spec.published.items())


@pytest.mark.parametrize("name", NAMES)
def test_a_synth_draws_by_either_set_of_rules(name: str) -> None:
    synth = PluginSynth(spec_of(name))
    default, published = (synth.prior(paper).sample(np.random.default_rng(3), 20) for paper in (False, True))
    assert_array_equal(synth.prior().sample(np.random.default_rng(3), 20), default)
    own = [i for i, p in enumerate(synth.space.parameters) if p.name not in synth.spec.published]
    assert_array_equal(default[:, own], published[:, own])
    assert np.array_equal(default, published) != bool(synth.spec.published)


@pytest.mark.parametrize("name", ["amsynth", "dexed_plugin", "tal_noisemaker", "tal_noisemaker_9"])
def test_every_control_has_the_plug_ins_name(name: str) -> None:
    spec = spec_of(name)
    assert all(knob.host_name for knob in spec.knobs)
    assert all(fixed.host_name for fixed in spec.fixed)
    assert len({knob.host_name for knob in spec.knobs}) == len(spec.knobs)


@pytest.mark.parametrize("name", sorted(COUNTS))
def test_counts_are_those_of_the_paper(name: str) -> None:
    parameters = spec_of(name).space.parameters
    categorical = [p for p in parameters if isinstance(p, Categorical)]
    switches = [p for p in categorical if p.choices == ("off", "on")]
    counted = (
        sum(isinstance(p, Continuous) for p in parameters),
        sum(isinstance(p, Discrete) for p in parameters),
        len(switches),
        len(categorical) - len(switches),
        sum(p.width for p in categorical) - 2 * len(switches),
    )
    assert counted == COUNTS[name]


@pytest.mark.parametrize(("name", "described"), [("dexed_plugin", 155 + 1), ("diva", 280), ("tal_noisemaker", 83 - 1)])
def test_what_is_not_drawn_is_fixed(name: str, described: int) -> None:
    # Dexed has gained a control since (MonoMode); TAL's envelope reset is an action, and setting it resets.
    spec = spec_of(name)
    assert len(spec.knobs) + len(spec.fixed) == described
    assert all(0 <= fixed.value <= 1 for fixed in spec.fixed)


@pytest.mark.parametrize("name", ["tal_noisemaker", "tal_noisemaker_9"])
def test_tal_noisemakers_lfos_neither_sample_and_hold_nor_run_free(name: str) -> None:
    spec = spec_of(name)
    for number in (1, 2):
        (lfo,) = (knob for knob in spec.knobs if knob.parameter.name == f"lfo_{number}_waveform")
        assert 0.8 not in lfo.positions
        assert [f.value for f in spec.fixed if f.host_name == f"lfo{number}keytrigger"] == [1.0]


def test_tal_noisemakers_published_rules() -> None:
    spec = spec_of("tal_noisemaker")
    paper = spec.published_prior
    assert [share(paper, "osc_1_waveform", value) for value in range(3)] == pytest.approx([0.45, 0.45, 0.1], abs=0.04)
    assert 0.55 < column(paper, "reverb_decay").max() <= 0.6 + 1e-6
    assert_uniform(paper, except_for=("osc_1_waveform", "reverb_decay"))
    (transpose,) = (knob for knob in spec.knobs if knob.parameter.name == "transpose")
    assert transpose.positions == (0.0, 0.5, 0.75, 1.0)
    used = {knob.host_name for knob in spec.knobs}
    assert not [name for name in used if name.startswith(("envelope", "portamento", "pitchwheel", "delay", "voices"))]


def assert_uniform(prior: IndependentPrior, except_for: tuple[str, ...]) -> None:
    """Every parameter that is not named takes its whole range, evenly."""
    space, patches = prior.space, draws(prior)
    for i, parameter in enumerate(space.parameters):
        if parameter.name in except_for:
            continue
        cells = 5 if isinstance(parameter, Continuous) else parameter.high - parameter.low + 1
        edge = 0.0 if isinstance(parameter, Continuous) else 0.5
        counts, _ = np.histogram(patches[:, i], cells, (parameter.low - edge, parameter.high + edge))
        assert counts / DRAWS == pytest.approx(1 / cells, abs=0.06), parameter.name


def test_tal_noisemakers_default_prior_is_mostly_in_tune() -> None:
    prior = spec_of("tal_noisemaker").prior
    for tuning in ("osc_mastertune", "osc_1_tune", "osc_2_tune"):
        assert share(prior, tuning, 0.5) > 0.75
    off_pitch = [np.abs(column(prior, name) - 0.5).max() for name in ("osc_1_fine_tune", "osc_2_fine_tune")]
    assert max(off_pitch) <= 0.1 + 1e-6
    assert share(prior, "osc_1_waveform", 2) < 0.08


def test_dexeds_default_prior_has_a_loud_carrier_at_the_key() -> None:
    prior = spec_of("dexed_plugin").prior
    assert column(prior, "op1_output_level").min() >= 0.85 - 1e-6
    assert column(prior, "op1_eg_level_1").min() >= 0.8 - 1e-6
    assert column(prior, "op1_eg_rate_1").min() >= 0.5 - 1e-6
    for k in range(1, 7):
        assert share(prior, f"op{k}_mode", 0) > 0.9
        assert share(prior, f"op{k}_f_fine", 0.0) > 0.85
        assert np.mean(column(prior, f"op{k}_f_coarse") <= 4) > 0.7
    assert all(share(prior, f"pitch_eg_level_{n}", 0.5) > 0.8 for n in range(1, 5))


def test_the_nine_parameters_of_tal_noisemaker() -> None:
    spec = spec_of("tal_noisemaker_9")
    assert [len(knob.positions) for knob in spec.knobs] == [16, 4, 9, 4, 17, 17, 4, 17, 17]
    assert share(spec.published_prior, "lfo_1_amount", 0) == pytest.approx(0.15, abs=0.03)
    assert share(spec.published_prior, "lfo_2_amount", 0) == pytest.approx(0.85, abs=0.03)


def test_dexeds_published_rules() -> None:
    spec = spec_of("dexed_plugin")
    paper = spec.published_prior
    assert share(paper, "p_mode_sens", 0) == pytest.approx(0.75, abs=0.03)
    assert column(paper, "lfo_delay").max() <= 0.5
    assert len(spec.space.parameters[spec.space.index("lfo_wave")].choices) == 5  # type: ignore[union-attr]
    weights = np.array([2, 4, 1, *[0.5] * 6, *[0.3] * 3, *[0.2] * 3, *[0.1] * 3, *[0.05] * 14])
    for k in range(1, 7):
        assert column(paper, f"op{k}_eg_rate_4").min() >= 0.45 - 1e-6
        assert share(paper, f"op{k}_mode", 0) == pytest.approx(0.75, abs=0.04)
        drawn = np.bincount(column(paper, f"op{k}_f_coarse").astype(int), minlength=32) / DRAWS
        assert drawn == pytest.approx(weights / weights.sum(), abs=0.04)
    own = [f"op{k}_{name}" for k in range(1, 7) for name in ("eg_rate_4", "mode", "f_coarse")]
    assert_uniform(paper, except_for=("p_mode_sens", "lfo_delay", *own))
    assert [f.value for f in spec.fixed if f.host_name.endswith("SWITCH")] == [1.0] * 6


def test_divas_rules() -> None:
    spec = spec_of("diva")
    assert share(spec.published_prior, "osc_noise1on", 1) == pytest.approx(0.2, abs=0.03)
    for name in ("env1_release", "env2_release", "lfo1_delay", "lfo2_delay"):
        assert column(spec.published_prior, name).max() <= 0.5
    sources = [
        p for p in spec.space.parameters if isinstance(p, Categorical) and p.choices[0] == "none" and p.width > 4
    ]
    assert len(sources) == 19
    assert all(p.choices[-3:] == ("quantise", "lag", "multiply") for p in sources)


def test_amsynth_draws_no_noise() -> None:
    spec = spec_of("amsynth")
    assert len(spec.knobs) + len(spec.fixed) == 41
    by_name = {knob.parameter.name: knob for knob in spec.knobs}
    assert by_name["osc1_waveform"].positions == by_name["osc2_waveform"].positions == (0.0, 0.25, 0.5)
    assert not {0.5, 0.666667} & set(by_name["lfo_waveform"].positions)
