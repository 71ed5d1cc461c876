"""The space of Vital and its prior."""

import json

import numpy as np
import pytest
from vita.vita import Synth

from wav2patch.notes import Note
from wav2patch.parameters import Categorical, Continuous, Discrete
from wav2patch.priors import draw
from wav2patch.synths.vital.document import init_controls
from wav2patch.synths.vital.names import DESTINATIONS, FILTER_MODELS, MODEL_CODES, SOURCES
from wav2patch.synths.vital.settings import plain_places
from wav2patch.synths.vital.space import vital_space
from wav2patch.synths.vital.synth import Vital


@pytest.fixture(scope="module")
def engine() -> Synth:
    return Synth()


def test_the_space_has_the_size_that_was_asked_for() -> None:
    assert 100 <= len(vital_space()) <= 160


def test_ranges_lie_within_those_of_vital(engine: Synth) -> None:
    space = vital_space()
    for name, i in plain_places():
        details, parameter = engine.get_control_details(name), space.parameters[i]
        if name.endswith("_model"):
            continue
        assert details.min - 1e-6 <= parameter.low <= parameter.high <= details.max + 1e-3, name
        assert details.is_discrete == (not isinstance(parameter, Continuous)), name


def test_defaults_are_those_of_vital_but_for_the_wave(engine: Synth) -> None:
    space, defaults = vital_space(), init_controls()
    for name, i in plain_places():
        if not name.endswith("_wave_frame"):
            assert space.default[i] == pytest.approx(defaults[name], rel=1e-5, abs=1e-5), name
    assert set(defaults) == set(engine.get_controls())
    for name, value in defaults.items():
        assert engine.get_control_details(name).default_value == pytest.approx(value, rel=1e-6), name


def test_models_sources_and_destinations_are_vitals_own(engine: Synth) -> None:
    written = json.loads(engine.to_json())["settings"]
    models = [str(option).lower() for option in engine.get_control_details("filter_1_model").options]
    assert [models[code] for code in MODEL_CODES] == list(FILTER_MODELS)
    for source in SOURCES[1:]:
        for destination in DESTINATIONS:
            assert engine.connect_modulation(source, destination), (source, destination)
            engine.disconnect_modulation(source, destination)
    assert len(written["modulations"]) == 64


def test_values_read_as_on_vitals_panel() -> None:
    space = vital_space()

    def text(name: str, value: float) -> str:
        return space.parameters[space.index(name)].text(value)

    assert text("env_1_attack", 0.3) == "8.1 ms"
    assert text("env_1_decay", 1.0) == "1 s"
    assert text("lfo_1_frequency", 3.0) == "8 Hz"
    assert text("filter_1_cutoff", 69.0) == "440 Hz"
    assert text("volume", 5473.04) == "-6.02 dB"
    assert text("delay_frequency", 2.0) == "0.25 s"
    assert text("osc_1_transpose", -12) == "-12 semitones"
    assert text("filter_1_model", 2) == "ladder"


def test_the_prior_uses_every_kind_of_parameter() -> None:
    space, prior = vital_space(), Vital().prior()
    patches = np.stack([draw(prior, 1, i) for i in range(300)])
    space.validate(patches)
    # The first oscillator is always on, and no draw has more than a few modulations.
    alike = {"osc_1_on", *(f"modulation_{k}_source" for k in range(5, 9))}
    for i, parameter in enumerate(space.parameters):
        values = np.unique(patches[:, i])
        if parameter.name in alike:
            continue
        if isinstance(parameter, Categorical | Discrete) or parameter.name.startswith("modulation"):
            assert len(values) > 1, parameter.name
        else:
            assert len(values) > 15, parameter.name


def test_draws_of_the_prior_keep_to_the_key_and_do_not_clip() -> None:
    synth, note = Vital(), Note(60, 100, 0.0, 0.3)
    patches = [draw(synth.prior(), 2, i) for i in range(60)]
    peaks = [np.abs(synth.render(p, note, length=0.4, sample_rate=22050)).max() for p in patches]
    assert np.mean(np.array(peaks) > 1.0) < 0.15
    assert 0.2 < np.median(peaks) < 0.9
    steps = np.array(patches)[:, synth.space.indices(["osc_1_transpose", "osc_2_transpose"])]
    assert np.mean(steps[:, 0] == 0) > 0.7
    assert np.mean(np.isin(np.mod(steps, 12), (0, 7))) > 0.85


def test_draws_come_one_by_one_as_they_come_together() -> None:
    prior = Vital().prior()
    together = prior.sample(np.random.default_rng(3), 5)
    one_by_one = np.random.default_rng(3)
    assert np.array_equal(together, np.concatenate([prior.sample(one_by_one, 1) for _ in range(5)]))
