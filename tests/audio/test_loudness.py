import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from wav2patch.audio.loudness import integrated_loudness

from .sounds import RATE, noise, seconds, silence


@pytest.mark.parametrize("rate", [44_100, 48_000, 96_000])
def test_the_standards_reference_tone(rate: int) -> None:
    # ITU-R BS.1770-4: a 997 Hz sine at full scale in one channel reads −3.01 LKFS.
    tone = np.sin(2 * np.pi * 997 * seconds(3.0, rate))
    assert integrated_loudness(tone, rate) == pytest.approx(-3.01, abs=0.05)


def test_two_channels_are_3_lu_louder_than_one() -> None:
    one = noise(1.0, -20.0)
    assert integrated_loudness(np.stack([one, one]), RATE) == pytest.approx(
        integrated_loudness(one, RATE) + 3.01, abs=0.01
    )


@given(gain=st.floats(-20.0, 10.0))
@settings(max_examples=15, deadline=None)
def test_gain_in_db_is_loudness_in_lu(gain: float) -> None:
    sound = noise(0.6, -20.0)
    assert integrated_loudness(sound * 10 ** (gain / 20), RATE) == pytest.approx(
        integrated_loudness(sound, RATE) + gain, abs=1e-3
    )


def test_a_short_sound_is_measured_as_if_silence_followed() -> None:
    short = noise(0.1, -10.0)
    padded = np.concatenate([short, silence(0.3)])
    assert integrated_loudness(short, RATE) == pytest.approx(integrated_loudness(padded, RATE), abs=1e-9)
    assert integrated_loudness(np.float32([0.5]), RATE) < -40.0


@pytest.mark.parametrize("length", [0.01, 0.4, 1.0])
def test_silence_has_no_loudness(length: float) -> None:
    assert integrated_loudness(silence(length), RATE) == -math.inf


def test_silence_around_a_sound_is_gated_away() -> None:
    sound = noise(2.0, -20.0)
    alone = integrated_loudness(sound, RATE)
    assert integrated_loudness(np.concatenate([silence(3.0), sound, silence(3.0)]), RATE) == pytest.approx(
        alone, abs=0.5
    )


def test_six_channels_are_refused() -> None:
    with pytest.raises(ValueError, match="five channels"):
        integrated_loudness(np.zeros((6, 1000)), RATE)
