from pathlib import Path

import numpy as np
import pytest
import soundfile
from hypothesis import given, settings
from hypothesis import strategies as st

from wav2patch.audio import files
from wav2patch.audio.files import write_wav
from wav2patch.audio.target import LOUDEST, QUIETEST, Target, listen, target_from_audio
from wav2patch.errors import UserError
from wav2patch.metrics.loudness import integrated_loudness
from wav2patch.notes import midi_to_hz

from .sounds import RATE, harmonic, noise, note, silence

EXAMPLES = Path(__file__).parents[2] / "examples"


def said(target: Target, words: str) -> bool:
    return any(words in remark for remark in target.remarks)


def test_a_render_from_sample_0_passes_bit_for_bit(tmp_path: Path) -> None:
    render = note(midi_to_hz(57), release_at=1.0, length=2.0)
    write_wav(tmp_path / "render.wav", render, RATE)
    target = listen(tmp_path / "render.wav")
    assert target.audio.dtype == np.float32
    assert target.start == 0.0
    assert target.gain == 0.0
    np.testing.assert_array_equal(target.mono, render[: len(target.mono)])
    assert target.length == pytest.approx(1.2, abs=0.03)
    assert np.abs(render[len(target.mono) :]).max() < 1e-3
    assert target.note.pitch == 57
    assert (target.note.velocity, target.note.onset) == (100, 0.0)
    assert target.note.duration == pytest.approx(1.0, abs=0.03)
    assert abs(target.tuning) < 2.0
    assert target.frequency == pytest.approx(220.0, rel=1e-3)
    assert target.pitch_confidence > 0.9
    assert target.bandwidth == 22_050.0
    assert target.source == str(tmp_path / "render.wav")
    assert not target.cut_off
    assert target.remarks == ()


def test_the_same_recording_gives_the_same_target() -> None:
    recording = np.stack([note(196.0), note(196.5)]) + noise(2.0, -60.0)
    one, other = target_from_audio(recording, 48_000), target_from_audio(recording.copy(), 48_000)
    assert one.audio.tobytes() == other.audio.tobytes()
    assert {**vars(one), "audio": 0} == {**vars(other), "audio": 0}


@settings(max_examples=15, deadline=None, derandomize=True)
@given(level=st.floats(-60.0, 20.0), length=st.floats(0.1, 1.5))
def test_the_gain_leads_to_the_nearest_bound(level: float, length: float) -> None:
    sound = (10.0 ** (level / 20.0) * harmonic(330.0, length)).astype(np.float32)
    target = target_from_audio(sound, RATE)
    before = target.loudness - target.gain
    assert target.loudness == pytest.approx(integrated_loudness(target.audio, RATE), abs=0.01)
    assert before == pytest.approx(integrated_loudness(sound[None], RATE), abs=0.5) or before < -60.0
    assert QUIETEST <= target.loudness <= LOUDEST
    if QUIETEST <= before <= LOUDEST:
        assert target.gain == 0.0
        np.testing.assert_array_equal(target.mono, sound[: len(target.mono)])
    else:
        assert target.loudness == (QUIETEST if before < QUIETEST else LOUDEST)
        assert said(target, "raised by" if before < QUIETEST else "lowered by")


def test_a_gain_scales_and_does_nothing_else() -> None:
    sound = harmonic(330.0, 1.0)
    quiet = target_from_audio(0.01 * sound, RATE)
    np.testing.assert_allclose(quiet.mono, 0.01 * 10 ** (quiet.gain / 20) * sound, rtol=1e-5, atol=1e-7)


@pytest.mark.parametrize(
    ("rate", "bandwidth"), [(8_000, 4_000.0), (22_050, 11_025.0), (48_000, 22_050.0), (96_000, 22_050.0)]
)
def test_other_rates_are_converted_and_their_bandwidth_is_known(rate: int, bandwidth: float) -> None:
    target = target_from_audio(note(220.0, rate=rate), rate)
    assert target.sample_rate == RATE
    assert target.bandwidth == bandwidth
    assert said(target, "nothing above") == (bandwidth < 16_000.0)
    reference = target_from_audio(note(220.0), RATE)
    assert target.length == pytest.approx(reference.length, abs=0.01)
    assert target.note.duration == pytest.approx(reference.note.duration, abs=0.01)
    assert target.frequency == pytest.approx(220.0, rel=2e-3)


def test_another_target_rate() -> None:
    target = target_from_audio(note(220.0), RATE, sample_rate=48_000)
    assert target.sample_rate == 48_000
    assert target.length == pytest.approx(target.audio.shape[1] / 48_000)


def test_silence_before_is_skipped_and_said() -> None:
    target = target_from_audio(np.concatenate([silence(0.5), note(), silence(1.0)]), RATE)
    assert target.start == pytest.approx(0.5, abs=0.002)
    assert target.end == pytest.approx(0.5 + target.length, abs=1e-4)
    assert said(target, "skipped 0.50 s before the note")


def test_a_long_sound_is_cut_and_faded() -> None:
    target = target_from_audio(harmonic(220.0, 3.0), RATE, max_length=1.0)
    assert target.length == pytest.approx(1.0)
    assert target.note.duration == pytest.approx(1.0)
    assert target.cut_off
    assert np.abs(target.mono[-50:]).max() < 0.01
    np.testing.assert_array_equal(target.mono[: RATE // 2], harmonic(220.0, 3.0)[: RATE // 2])
    assert said(target, "kept the first 1 s of 3.0 s")


def test_the_first_of_two_notes_is_matched() -> None:
    first = note(220.0, release_at=0.6, fall=800.0, length=1.0)
    target = target_from_audio(np.concatenate([first, note(330.0)]), RATE)
    assert target.note.pitch == 57
    assert target.end < 1.01
    assert said(target, "heard more than one note; matched the first (0.00–")


@pytest.mark.parametrize(("given_note", "pitch"), [("60", 60), ("C4", 60), ("Bb2", 46), ("A3", 57), ("AUTO", 57)])
def test_a_given_note_is_played(given_note: str, pitch: int) -> None:
    target = target_from_audio(harmonic(220.0, 1.0), RATE, note=given_note, velocity=64, hold=0.75)
    assert (target.note.pitch, target.note.velocity, target.note.duration) == (pitch, 64, 0.75)
    assert said(target, "sounds like A3") == (pitch != 57)


def test_a_given_note_decides_on_the_octave() -> None:
    target = target_from_audio(harmonic(222.0, 1.0), RATE, note="A2")
    assert target.note.pitch == 45
    assert target.frequency == pytest.approx(111.0, rel=1e-3)
    assert target.tuning == pytest.approx(15.7, abs=1.0)


@pytest.mark.parametrize(("frequency", "tuning"), [(220.0, 0.0), (222.0, 15.7), (218.0, -15.8), (226.3, 48.8)])
def test_tuning_is_recorded_and_said(frequency: float, tuning: float) -> None:
    target = target_from_audio(harmonic(frequency, 1.0), RATE)
    assert target.note.pitch == 57
    assert target.tuning == pytest.approx(tuning, abs=1.0)
    assert said(target, "cents") == (abs(tuning) > 10.0)
    np.testing.assert_array_equal(target.mono, harmonic(frequency, 1.0))


def test_no_pitch_is_c4_and_said() -> None:
    target = target_from_audio(noise(1.0, -20.0), RATE)
    assert target.frequency is None
    assert target.tuning == 0.0
    assert target.note.pitch == 60
    assert said(target, "no pitch found, using C4: give --note to overrule")
    assert target_from_audio(noise(1.0, -20.0), RATE, note="D3").note.pitch == 50


def test_an_offset_is_removed() -> None:
    recording = np.concatenate([silence(0.5), note(), silence(0.5)]) + np.float32(0.05)
    target = target_from_audio(recording, RATE)
    assert said(target, "removed a constant offset of 0.05")
    assert target.start == pytest.approx(0.5, abs=0.003)
    assert abs(float(target.mono.mean())) < 2e-3


def test_an_asymmetric_decaying_wave_keeps_its_mean() -> None:
    pulse = (np.maximum(note(110.0, decay=25.0, release_at=9.0), 0.0)).astype(np.float32)
    target = target_from_audio(pulse, RATE)
    assert not said(target, "offset")
    np.testing.assert_array_equal(target.mono, pulse[: len(target.mono)])


def test_stereo_stays_and_more_channels_are_mixed() -> None:
    stereo = np.stack([note(220.0), 0.5 * note(220.0)])
    assert target_from_audio(stereo, RATE).audio.shape[0] == 2
    six = target_from_audio(np.stack([note(220.0)] * 6), RATE)
    assert six.audio.shape[0] == 1
    assert said(six, "mixed its 6 channels to one")


def test_channels_that_cancel_are_heard() -> None:
    target = target_from_audio(np.stack([note(220.0), -note(220.0)]), RATE)
    assert target.note.pitch == 57
    assert np.abs(target.mono).max() > 0.4


@pytest.mark.parametrize("audio", [silence(1.0), 3e-5 * noise(1.0, 0.0), np.full(RATE, 0.3, np.float32)])
def test_silence_is_the_users_mistake(audio: np.ndarray) -> None:
    with pytest.raises(UserError, match=r"the sound is silent: .*louder\.$"):
        target_from_audio(audio, RATE)


@pytest.mark.parametrize("length", [1, 100, 700])
def test_a_click_is_too_short(length: int) -> None:
    click = silence(0.5)
    click[5000 : 5000 + length] = 0.5 * (-1.0) ** np.arange(length)
    with pytest.raises(UserError, match="too short"):
        target_from_audio(click, RATE)


def test_a_short_hit_is_a_target() -> None:
    hit = np.concatenate([noise(0.05, -10.0), silence(0.5)])
    target = target_from_audio(hit, RATE)
    assert target.length == pytest.approx(0.05, abs=0.002)
    assert target.note.duration >= 0.02


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"note": "H4"}, "'H4' is not a note"),
        ({"note": "128"}, "'128' is not a note"),
        ({"velocity": 0}, "velocity lies between 1 and 127"),
        ({"hold": 0.0}, "held for longer than 0 s"),
        ({"hold": float("nan")}, "held for longer than 0 s"),
        ({"max_length": 0.0}, "longest sound"),
    ],
)
def test_options_out_of_range_get_one_sentence(options: dict, sentence: str) -> None:
    with pytest.raises(UserError, match=sentence):
        target_from_audio(note(), RATE, **options)


@pytest.mark.parametrize("audio", [np.zeros((1, 2, 3)), np.zeros(0), np.full(100, np.nan)])
def test_arrays_that_are_no_audio_are_programmers_errors(audio: np.ndarray) -> None:
    with pytest.raises(ValueError, match="finite"):
        target_from_audio(audio, RATE)


def test_a_long_recording_is_heard_in_its_first_minutes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files, "LONGEST", 2.0)
    recording = np.concatenate([note(), silence(3.0)])
    soundfile.write(tmp_path / "long.flac", recording, RATE)
    target = listen(tmp_path / "long.flac")
    assert target.note.pitch == 57
    assert target.remarks[0] == "listened to the first 2 s of 5 s"


EXPECTED = {
    "electric_piano_c4.wav": (60, 1.5),
    "slap_bass_e1.flac": (28, 1.2),
    "brass_bb3.flac": (58, 1.2),
    "marimba_c5.flac": (72, None),
    "organ_c4.flac": (60, 1.5),
    "strings_a3.flac": (57, 2.0),
    "vibraphone_f4.ogg": (65, 1.5),
    "snare.flac": (None, None),
}


@pytest.mark.parametrize("name", EXPECTED)
def test_the_examples(name: str) -> None:
    pitch, held = EXPECTED[name]
    target = listen(EXAMPLES / name)
    assert target.start == 0.0
    assert target.gain == 0.0
    assert not said(target, "more than one note")
    if pitch is None:
        assert target.frequency is None
    else:
        assert target.note.pitch == pitch
        assert abs(target.tuning) < 12.0
    if held is None:
        assert target.note.duration == pytest.approx(target.length, abs=1e-3)
    else:
        assert target.note.duration == pytest.approx(held, abs=0.05)


@pytest.mark.parametrize(("decay", "cut_off"), [(0.0, True), (3.0, True), (12.0, False)])
def test_a_recording_that_stops_while_it_sounds_was_cut_off(decay: float, cut_off: bool) -> None:
    t = np.arange(RATE) / RATE
    sound = (0.5 * np.exp(-decay * t) * np.sin(2 * np.pi * 220 * t)).astype(np.float32)
    assert target_from_audio(sound, RATE).cut_off is cut_off
