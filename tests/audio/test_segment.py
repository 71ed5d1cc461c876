import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from wav2patch.audio.segment import find_note

from .sounds import RATE, adsr, harmonic, noise, note, seconds, silence


@pytest.mark.parametrize("attack", [0.0, 0.05, 0.5])
@pytest.mark.parametrize("lead", [0.0, 0.3, 1.234])
def test_onset_and_release_in_silence(attack: float, lead: float) -> None:
    sound = note(attack=attack, release_at=1.0, fall=200.0, length=2.0)
    span = find_note(np.concatenate([silence(lead), sound, silence(0.5)]), RATE)
    assert span.onset == pytest.approx(lead, abs=0.003)
    assert span.release == pytest.approx(lead + 1.0, abs=0.03)
    assert span.end == pytest.approx(lead + 1.0 + 60.0 / 200.0, abs=0.05)
    assert not span.more_notes


@pytest.mark.parametrize("attack", [0.0, 0.05, 0.5, 2.0])
def test_a_recording_that_begins_with_sound_begins_at_0(attack: float) -> None:
    assert find_note(note(attack=attack, length=3.0, release_at=2.5), RATE).onset == 0.0


def test_an_exponential_swell_from_far_below_begins_at_0() -> None:
    swell = harmonic(220.0, 2.0) * 10.0 ** (-4.0 * np.clip(1.0 - seconds(2.0), 0.0, 1.0))
    assert find_note(swell.astype(np.float32), RATE).onset == 0.0


@pytest.mark.parametrize("attack", [0.0, 0.05])
def test_a_noise_floor_is_no_sound(attack: float) -> None:
    sound = np.concatenate([silence(0.7), note(attack=attack, release_at=1.0, fall=150.0), silence(0.6)])
    recording = sound + noise(len(sound) / RATE, -56.0)
    span = find_note(recording, RATE)
    assert span.onset == pytest.approx(0.7, abs=0.01)
    assert span.release == pytest.approx(1.7, abs=0.05)
    assert 1.7 + 25.0 / 150.0 < span.end < 1.7 + 60.0 / 150.0
    assert not span.more_notes


def test_hum_before_the_note_is_no_sound() -> None:
    sound = np.concatenate([silence(0.5), note(release_at=1.0), silence(0.3)])
    hum = 1e-3 * np.sin(2 * np.pi * 50.0 * seconds(len(sound) / RATE))
    assert find_note((sound + hum).astype(np.float32), RATE).onset == pytest.approx(0.5, abs=0.01)


def test_a_crackle_before_the_note_is_no_note() -> None:
    recording = np.concatenate([silence(0.5), note(), silence(0.3)])
    recording[4000] = 3e-3
    assert find_note(recording, RATE).onset == pytest.approx(0.5, abs=0.01)


@pytest.mark.parametrize(
    ("decay", "fall"), [(0.0, 40.0), (0.0, 100.0), (0.0, 1000.0), (8.0, 60.0), (8.0, 300.0), (20.0, 150.0)]
)
def test_release_of_held_sounds(decay: float, fall: float) -> None:
    sound = note(release_at=1.2, fall=fall, decay=decay, length=3.0)
    assert find_note(sound, RATE).release == pytest.approx(1.2, abs=0.06)


def test_release_after_a_decay_to_a_sustain() -> None:
    time = seconds(3.0)
    level = np.maximum(-40.0 * time, -12.0) - 200.0 * np.maximum(time - 1.5, 0.0)
    assert find_note((harmonic(220.0, 3.0) * 10.0 ** (level / 20.0)).astype(np.float32), RATE).release == pytest.approx(
        1.5, abs=0.04
    )


def test_release_of_a_damped_string() -> None:
    # A piano: a fast first decay, a slow second, then the damper.
    time = seconds(3.0)
    level = np.maximum(-60.0 * time, -10.0 - 8.0 * time) - 250.0 * np.maximum(time - 1.5, 0.0)
    assert find_note((harmonic(220.0, 3.0) * 10.0 ** (level / 20.0)).astype(np.float32), RATE).release == pytest.approx(
        1.5, abs=0.04
    )


def test_release_of_a_linear_fade() -> None:
    fade = np.clip((1.3 - seconds(2.0)) / 0.3, 0.0, 1.0)
    span = find_note((harmonic(220.0, 2.0) * fade).astype(np.float32), RATE)
    assert 1.0 <= span.release <= 1.3
    assert span.end == pytest.approx(1.3, abs=0.01)


@pytest.mark.parametrize("decay", [15.0, 40.0, 120.0])
def test_a_freely_decaying_sound_has_no_key_up(decay: float) -> None:
    span = find_note(note(attack=0.002, release_at=99.0, decay=decay, length=3.0), RATE)
    assert span.release == span.end
    assert span.end == pytest.approx(min(3.0, 60.0 / decay), abs=0.08)


def test_two_rates_of_decay_are_no_key_up() -> None:
    time = seconds(3.0)
    level = np.maximum(-150.0 * time, -20.0 - 12.0 * time)
    span = find_note((harmonic(440.0, 3.0) * 10.0 ** (level / 20.0)).astype(np.float32), RATE)
    assert span.release == span.end == 3.0


def test_a_sound_held_to_the_end_is_released_there() -> None:
    span = find_note(harmonic(220.0, 1.5), RATE)
    assert (span.onset, span.release, span.end) == (0.0, 1.5, 1.5)


@pytest.mark.parametrize("gap", [0.05, 0.1, 0.4, 1.0])
@pytest.mark.parametrize("second", [220.0, 330.0])
def test_a_second_note_after_a_gap_is_cut_off(gap: float, second: float) -> None:
    first = note(220.0, release_at=0.6, fall=800.0, length=0.7)
    recording = np.concatenate([first, silence(gap), note(second, release_at=0.6)])
    span = find_note(recording, RATE)
    assert span.more_notes
    assert 0.6 < span.end <= 0.7 + gap + 0.01
    assert span.release == pytest.approx(0.6, abs=0.05)


def test_a_second_note_into_the_decay_of_the_first_is_cut_off() -> None:
    pluck = note(220.0, attack=0.002, release_at=99.0, decay=30.0, length=2.0)
    other = note(277.2, attack=0.002, release_at=99.0, decay=30.0, length=1.2)
    recording = pluck.copy()
    recording[round(0.8 * RATE) : round(2.0 * RATE)] += other
    span = find_note(recording, RATE)
    assert span.more_notes
    assert span.end == pytest.approx(0.8, abs=0.03)


def test_a_drum_loop_is_cut_after_its_first_hit() -> None:
    kick = (np.sin(2 * np.pi * 55.0 * seconds(0.5)) * adsr(0.5, 0.001, 99.0, 0.0, 80.0)).astype(np.float32)
    snare = (noise(0.5, -12.0) * adsr(0.5, 0.001, 99.0, 0.0, 120.0)).astype(np.float32)
    span = find_note(np.concatenate([kick, snare, kick, snare]), RATE)
    assert span.more_notes
    assert span.end == pytest.approx(0.5, abs=0.02)


MOVEMENTS = [
    (shape, rate)
    for shape in ("tremolo", "deep tremolo", "gate", "vibrato", "beating")
    for rate in (2.0, 5.5, 9.0)
    if (shape, rate) != ("gate", 2.0)  # a quarter of a second of silence is a pause
]


@pytest.mark.parametrize(("shape", "rate"), MOVEMENTS)
def test_a_sound_that_moves_is_one_note(shape: str, rate: float) -> None:
    time = seconds(3.0)
    swing = np.sin(2 * np.pi * rate * time)
    match shape:
        case "tremolo":
            sound = harmonic(220.0, 3.0) * (0.7 + 0.3 * swing)
        case "deep tremolo":
            sound = harmonic(220.0, 3.0) * (0.51 + 0.49 * swing)
        case "gate":
            sound = harmonic(220.0, 3.0) * (swing >= 0.0)
        case "vibrato":
            phase = 2 * np.pi * np.cumsum(220.0 * 2.0 ** (0.04 * swing)) / RATE
            sound = 0.4 * np.sin(phase) + 0.2 * np.sin(2 * phase)
        case _:
            sound = 0.3 * np.sin(2 * np.pi * 220.0 * time) + 0.3 * np.sin(2 * np.pi * (220.0 + rate) * time)
    span = find_note(sound.astype(np.float32), RATE)
    assert not span.more_notes
    assert span.onset == 0.0
    assert span.end == pytest.approx(3.0, abs=0.3)


def test_silence_is_the_whole_recording() -> None:
    span = find_note(silence(0.5), RATE)
    assert (span.onset, span.release, span.end, span.more_notes) == (0.0, 0.5, 0.5, False)


@pytest.mark.parametrize("shape", [(0,), (2, 100)])
def test_a_wrong_shape_is_a_programmers_error(shape: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match="shape"):
        find_note(np.zeros(shape, np.float32), RATE)


@settings(max_examples=30, deadline=None, derandomize=True)
@given(
    lead=st.floats(0.02, 1.0),
    attack=st.floats(0.001, 0.3),
    hold=st.floats(0.5, 1.5),
    gain=st.floats(-40.0, 0.0),
    rate=st.sampled_from([8_000, 22_050, 44_100, 48_000, 96_000]),
)
def test_any_note_at_any_level_and_rate(lead: float, attack: float, hold: float, gain: float, rate: int) -> None:
    sound = note(196.0, attack=attack, release_at=hold, fall=250.0, length=2.0, rate=rate)
    span = find_note(np.concatenate([silence(lead, rate), 10.0 ** (gain / 20.0) * sound]).astype(np.float32), rate)
    assert span.onset == pytest.approx(lead, abs=0.003)
    assert span.release == pytest.approx(lead + hold, abs=0.05)
    assert 0.0 <= span.onset <= span.release <= span.end <= lead + 2.001
