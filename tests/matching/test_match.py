import numpy as np
import pytest
from numpy.testing import assert_array_equal
from voices import simple_voice

from wav2patch.audio.target import Target, target_from_audio
from wav2patch.errors import UserError
from wav2patch.matching.evaluator import Progress
from wav2patch.matching.explain import _others, explain
from wav2patch.matching.match import match, with_tail
from wav2patch.matching.result import Match
from wav2patch.metrics.objective import Objective
from wav2patch.notes import Note
from wav2patch.parameters import Continuous, Patch
from wav2patch.rendering.base import Sound
from wav2patch.rendering.inline import InlineRenderer
from wav2patch.synths.base import Audio, RenderError, Synth
from wav2patch.synths.dexed import Dexed


@pytest.fixture(scope="module")
def found(simple_target: Target) -> Match:
    return match(simple_target, "dexed", renders=400, candidates=3, seed=1)


def test_candidates_are_ordered_rendered_and_measured(found: Match, simple_target: Target) -> None:
    assert [c.name for c in found.candidates] == ["candidate_1", "candidate_2", "candidate_3"]
    assert [c.distance for c in found.candidates] == sorted(c.distance for c in found.candidates)
    objective = Objective(with_tail(simple_target), 44100)
    for candidate in found.candidates:
        audio = found.synth.render(
            candidate.patch, found.sound.note, length=found.sound.length, sample_rate=found.sound.sample_rate
        )
        assert_array_equal(candidate.audio, audio)
        assert candidate.distance == float(objective(audio[0]))
        found.synth.space.validate(candidate.patch)
    assert len({c.patch.tobytes() for c in found.candidates}) == 3


def test_the_same_seed_gives_the_same_match_and_another_seed_another(found: Match, simple_target: Target) -> None:
    again = match(simple_target, "dexed", renders=400, candidates=3, seed=1, workers=3)
    other = match(simple_target, "dexed", renders=400, candidates=3, seed=2)
    assert [c.distance for c in again.candidates] == [c.distance for c in found.candidates]
    assert [c.distance for c in other.candidates] != [c.distance for c in found.candidates]


def test_ctrl_c_keeps_what_was_found(simple_target: Target) -> None:
    def interrupt(progress: Progress) -> None:
        if progress.renders >= 128:
            raise KeyboardInterrupt

    stopped = match(simple_target, "dexed", renders=5000, report=interrupt)
    assert stopped.stopped
    assert 128 <= stopped.renders < 300
    assert stopped.best.distance == stopped.improvements[-1].distance


def test_a_render_of_a_voice_that_is_among_the_presets_is_found_exactly(simple_target: Target, tmp_path) -> None:
    synth = Dexed()
    synth.write_preset(simple_voice(synth), tmp_path / "it.syx")
    exact = match(simple_target, synth, renders=64, presets=[tmp_path])
    assert exact.best.distance == pytest.approx(0.0, abs=1e-6)
    assert exact.best.origin == "presets"


def test_the_copy_that_is_an_octave_off_does_not_displace_the_right_one(simple_target: Target, tmp_path) -> None:
    synth = Dexed()
    right, low = simple_voice(synth), simple_voice(synth)
    right[synth.space.index("op1_output_level")] -= 12
    right[synth.space.index("op2_output_level")] -= 12
    low[synth.space.index("transpose")] = 12
    synth.write_bank([low, right], tmp_path / "two.syx", ["low", "right"])
    found = match(simple_target, synth, renders=64, presets=tmp_path, candidates=2, proposers=[])
    assert_array_equal(found.best.patch, right)
    assert found.best.panel["f0"] == pytest.approx(0.0, abs=5.0)


class Broken(Dexed):
    def render(self, patch: Patch, note: Note, *, length: float, sample_rate: int) -> Audio:
        raise RenderError("out of order")


def test_a_synth_that_never_renders_is_one_sentence(simple_target: Target) -> None:
    with pytest.raises(UserError, match=r"no patch of .* could be rendered: RenderError: out of order"):
        match(simple_target, Broken(), renders=70)


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"candidates": 0}, "1 to 32 candidates"),
        ({"candidates": 33}, "1 to 32 candidates"),
        ({"seed": -1}, "a seed is 0 or more"),
        ({"workers": 0}, "at least 1 worker"),
        ({"renders": 0}, "at least 1 render"),
        ({"seconds": 0.0}, "more than 0 s"),
        ({"synth": "moog"}, "no synth called 'moog'"),
    ],
)
def test_options_out_of_range_are_refused(simple_target: Target, options: dict, sentence: str) -> None:
    with pytest.raises(UserError, match=sentence):
        match(simple_target, **options)


def test_a_sound_without_pitch_is_matched_too(noise_target: Target) -> None:
    found = match(noise_target, "dexed", renders=100, candidates=1)
    assert found.target.frequency is None
    assert found.best.panel["f0"] is None
    assert np.isfinite(found.best.distance)


def test_silence_follows_a_sound_that_ended_by_itself(simple_target: Target) -> None:
    assert simple_target.cut_off
    assert len(with_tail(simple_target)) == simple_target.audio.shape[1]
    t = np.arange(22050) / 44100
    faded = target_from_audio(0.3 * np.sin(1500 * t) * np.exp(-20 * t), 44100)
    assert not faded.cut_off
    tail = with_tail(faded)[faded.audio.shape[1] :]
    assert len(tail) == round(0.25 * 44100)
    assert not tail.any()


def test_the_parameters_that_matter_are_those_that_are_heard(dexed: Synth) -> None:
    patch, sound = simple_voice(dexed), Sound(Note(60, 100, 0.0, 0.4), 0.6, 44100)
    audio = dexed.render(patch, sound.note, length=0.6, sample_rate=44100)
    influences = explain(dexed.space, patch, audio, InlineRenderer(dexed), sound, count=150)
    changes = [influence.change for influence in influences]
    assert changes == sorted(changes, reverse=True)
    named = {influence.parameter: influence for influence in influences}
    heard = {dexed.space.names[i] for i in np.flatnonzero(dexed.space.active(patch))}
    assert set(named) <= heard
    # Six carriers: what moves the loudest two is on top, the LFO that modulates nothing is not there at all.
    assert {"op1_coarse", "transpose", "op1_output_level"} <= set(list(named)[:15])
    assert "lfo_speed" not in named
    assert named["op1_output_level"].value == "95"
    assert named["op1_output_level"].tried == ("80", "99")


def test_a_continuous_parameter_with_whole_bounds_is_moved_by_a_share_of_its_range() -> None:
    tried = list(_others(Continuous("mix", 0, 1), 0.5))
    assert tried == pytest.approx([0.35, 0.65])
