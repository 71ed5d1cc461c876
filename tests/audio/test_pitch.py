import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from wav2patch.audio.pitch import Pitch, cents, find_pitch

from .sounds import RATE, adsr, harmonic, noise, seconds, silence

FREQUENCIES = [30.0, 41.2, 65.4, 110.0, 261.6, 700.0, 1500.0, 2637.0, 4000.0]


def assert_pitch(audio: np.ndarray, frequency: float, rate: int = RATE) -> None:
    found = find_pitch(audio.astype(np.float32), rate)
    assert found.frequency is not None, f"no pitch, confidence {found.confidence:.2f}"
    assert abs(cents(found.frequency, frequency)) < 20.0, f"{found.frequency:.1f} Hz instead of {frequency:.1f} Hz"
    assert 0.0 < found.confidence <= 1.0


@pytest.mark.parametrize("frequency", FREQUENCIES)
@pytest.mark.parametrize("kind", ["sine", "saw", "square", "soft"])
def test_held_tones(kind: str, frequency: float) -> None:
    match kind:
        case "sine":
            tone = 0.5 * np.sin(2 * np.pi * frequency * seconds(1.0))
        case "saw":
            tone = harmonic(frequency, 1.0)
        case "square":
            tone = harmonic(frequency, 1.0, odd=True)
        case _:
            tone = harmonic(frequency, 1.0, tilt=2.0)
    assert_pitch(tone, frequency)


@pytest.mark.parametrize("frequency", [35.0, 82.4, 196.0, 440.0, 988.0])
def test_plucked_tones(frequency: float) -> None:
    assert_pitch(harmonic(frequency, 1.5) * adsr(1.5, 0.002, 9.0, 0.0, decay=25.0), frequency)


@pytest.mark.parametrize("frequency", [55.0, 110.0, 220.0, 440.0])
def test_a_missing_fundamental_is_heard(frequency: float) -> None:
    time = seconds(1.0)
    assert_pitch(sum(0.1 * np.sin(2 * np.pi * n * frequency * time) for n in range(2, 9)), frequency)


@pytest.mark.parametrize("ratio", [1.41, 2.76, 3.5, 7.07])
def test_an_fm_bell_has_the_pitch_of_its_carrier(ratio: float) -> None:
    time = seconds(1.5)
    carrier = 2 * np.pi * 440.0 * time
    bell = np.exp(-1.5 * time) * np.sin(carrier + np.exp(-3 * time) * np.sin(ratio * carrier))
    assert_pitch(0.5 * bell, 440.0)


@pytest.mark.parametrize("depth", [10.0, 50.0])
def test_vibrato_is_heard_at_its_centre(depth: float) -> None:
    time = seconds(1.5)
    swing = 2.0 ** (depth / 1200.0 * np.sin(2 * np.pi * 5.5 * time))
    phase = 2 * np.pi * np.cumsum(330.0 * swing) / RATE
    assert_pitch(sum(0.2 / n * np.sin(n * phase) for n in range(1, 12)), 330.0)


def test_a_stretched_string_has_the_pitch_of_its_low_partials() -> None:
    time = seconds(1.5)
    partials = range(1, 30)
    tone = sum(np.sin(2 * np.pi * n * 55.0 * math.sqrt(1 + 3e-4 * n * n) * time) / n for n in partials)
    assert_pitch(0.2 * tone * np.exp(-time), 55.0)


@pytest.mark.parametrize("kind", ["white", "dark", "bright", "snare", "tick"])
def test_noise_has_no_pitch(kind: str) -> None:
    sound = noise(1.0, -15.0)
    match kind:
        case "dark":
            sound = np.convolve(sound, np.hanning(64), mode="same") / 8
        case "bright":
            sound = np.diff(sound, prepend=0.0)
        case "snare":
            sound = sound * np.exp(-seconds(1.0) * 20.0)
        case "tick":
            sound = sound * np.exp(-seconds(1.0) * 200.0)
        case _:
            pass
    assert find_pitch(sound.astype(np.float32), RATE).frequency is None


def test_silence_has_no_pitch() -> None:
    assert find_pitch(silence(1.0), RATE) == Pitch(None, 0.0)
    assert find_pitch(np.zeros(0, np.float32), RATE) == Pitch(None, 0.0)


@pytest.mark.parametrize("rate", [8_000, 22_050, 48_000, 96_000])
def test_every_sample_rate(rate: int) -> None:
    assert_pitch(harmonic(196.0, 1.0, rate), 196.0, rate)


@pytest.mark.parametrize("length", [0.12, 0.3, 3.0])
def test_short_and_long(length: float) -> None:
    assert_pitch(harmonic(330.0, length), 330.0)


def test_a_quiet_tone_in_silence() -> None:
    audio = np.concatenate([silence(0.5), 1e-3 * harmonic(147.0, 1.0), silence(0.5)])
    assert_pitch(audio, 147.0)


@given(midi=st.floats(24.0, 100.0), tilt=st.floats(0.7, 2.0))
@settings(max_examples=20, deadline=None, derandomize=True)
def test_any_harmonic_tone(midi: float, tilt: float) -> None:
    frequency = 440.0 * 2.0 ** ((midi - 69.0) / 12.0)
    assert_pitch(harmonic(frequency, 0.8, tilt=tilt), frequency)


def test_the_same_sound_gives_the_same_pitch() -> None:
    audio = harmonic(123.0, 1.0) + noise(1.0, -40.0)
    assert find_pitch(audio, RATE) == find_pitch(audio, RATE)


def test_cents() -> None:
    assert cents(440.0, 220.0) == pytest.approx(1200.0)
    assert cents(220.0, 220.0 * 2 ** (1 / 12)) == pytest.approx(-100.0)
