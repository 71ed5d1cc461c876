"""The wavetable and the LFO shapes."""

import numpy as np
import pytest
from vital_presets import vita_preset

from wav2patch.notes import Note
from wav2patch.synths.vital.shapes import SHAPES, nearest_shape, shape_json
from wav2patch.synths.vital.synth import Vital
from wav2patch.synths.vital.wavetable import POSITIONS, key_frames, like_ours, still_frame, wavetable_json

SYNTH = Vital()
ORDERS = np.arange(1, 9)
AMPLITUDES = {
    "sine": np.where(ORDERS == 1, 1.0, 0.0),
    "triangle": np.where(ORDERS % 2 == 1, 1.0 / ORDERS**2, 0.0),
    "square": np.where(ORDERS % 2 == 1, 1.0 / ORDERS, 0.0),
    "saw": 1.0 / ORDERS,
}


def harmonics(position: float) -> np.ndarray:
    """Amplitudes of the first eight harmonics that Vital plays there, the first being 1."""
    synth, note = SYNTH, Note(69, 100, 0.0, 1.0)
    patch = synth.space.from_named({"osc_1_wave_frame": position, "env_1_attack": 0.0})
    audio = synth.render(patch, note, length=0.5, sample_rate=44100)[0, :22050]
    spectrum = np.abs(np.fft.rfft(audio * np.hanning(len(audio))))
    found = spectrum[np.rint(ORDERS * note.frequency * len(audio) / 44100).astype(int)]
    return found / found[0]


@pytest.mark.parametrize(("shape", "position"), list(zip(AMPLITUDES, POSITIONS, strict=True)))
def test_positions_play_the_basic_shapes(shape: str, position: int) -> None:
    assert harmonics(position) == pytest.approx(AMPLITUDES[shape], abs=0.01)


def test_brightness_rises_evenly_between_the_shapes() -> None:
    seventh = [harmonics(position)[6] for position in (85, 128, 171)]
    assert (np.diff(seventh) > 0.01).all()
    second = [harmonics(position)[1] for position in (171, 213, 256)]
    assert (np.diff(second) > 0.02).all()


def test_key_frames_are_one_period_at_full_level() -> None:
    frames = key_frames()
    assert frames.shape == (4, 2048)
    assert np.abs(frames.mean(axis=1)).max() < 1e-6
    assert np.abs(frames).max(axis=1) == pytest.approx([1.0, 1.0, 1.18, 1.18], abs=0.02)


def test_our_table_is_known_again_and_another_is_not() -> None:
    assert like_ours(wavetable_json())
    assert not like_ours(vita_preset()["settings"]["wavetables"][0])
    assert not like_ours({"groups": []})


def test_the_initial_table_of_vital_is_our_saw() -> None:
    assert still_frame(vita_preset()["settings"]["wavetables"][0]) == 256.0
    assert still_frame(wavetable_json()) is None


@pytest.mark.parametrize("shape", SHAPES)
def test_shapes_are_known_again(shape: str) -> None:
    assert nearest_shape(shape_json(shape)) == (shape, True)


def test_another_shape_becomes_the_nearest() -> None:
    line = {"num_points": 3, "points": [0.0, 1.0, 0.45, 0.05, 1.0, 0.9], "powers": [0.0, 0.0, 0.0], "smooth": False}
    assert nearest_shape(line) == ("triangle", False)
    bent = {"num_points": 3, "points": [0.0, 0.0, 1.0, 1.0, 1.0, 0.0], "powers": [-8.0, 0.0, 0.0], "smooth": False}
    assert nearest_shape(bent)[1] is False


def test_shapes_are_those_that_vital_draws() -> None:
    """An LFO at one cycle a second moves the level of a sine; the envelope is the shape."""
    synth = Vital()
    base = {"osc_1_wave_frame": 0.0, "osc_1_level": 0.0, "lfo_1_frequency": 0.0, "env_1_attack": 0.0}
    slot = {"modulation_1_source": "lfo_1", "modulation_1_destination": "osc_1_level", "modulation_1_amount": 1.0}
    heights = {}
    for shape in SHAPES:
        patch = synth.space.from_named({**base, **slot, "lfo_1_shape": shape})
        audio = synth.render(patch, Note(81, 100, 0.0, 1.0), length=1.0, sample_rate=44100)[0]
        peaks = np.abs(audio).reshape(-1, 441).max(axis=1)
        heights[shape] = np.sqrt(peaks / peaks.max())
    for shape, expected in {
        "triangle": [0.5, 1.0, 0.5],
        "sine": [0.5, 1.0, 0.5],
        "saw up": [0.25, 0.5, 0.75],
        "saw down": [0.75, 0.5, 0.25],
        "square": [1.0, None, 0.0],
        "pulse": [None, 0.0, 0.0],
    }.items():
        for place, value in zip((25, 50, 75), expected, strict=True):
            if value is not None:
                assert heights[shape][place] == pytest.approx(value, abs=0.06), (shape, place)
    assert heights["sine"][12] < heights["triangle"][12] - 0.05
