import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from wav2patch.metrics.objective import FLOOR_DB, Objective, distance
from wav2patch.metrics.spectrograms import mel_filters, stft_magnitude

RATE = 44100


def tone(
    frequency: float = 440.0, seconds: float = 0.5, level: float = 0.3, decay: float = 3.0, late: float = 0.0
) -> np.ndarray:
    t = np.arange(round(seconds * RATE)) / RATE - late
    partials = sum(np.sin(2 * np.pi * k * frequency * t) / k for k in range(1, 8))
    return (level * np.exp(-decay * t) * partials * (t >= 0)).astype(np.float32)


def noise(seed: int, seconds: float = 0.3) -> np.ndarray:
    return 0.1 * np.random.default_rng([seed]).standard_normal(round(seconds * RATE)).astype(np.float32)


def test_a_sound_is_at_distance_0_from_itself() -> None:
    assert float(Objective(tone(), RATE)(tone())) == 0.0


@given(st.integers(0, 1000), st.integers(0, 1000))
@settings(max_examples=20, deadline=None)
def test_distances_are_finite_and_not_negative(one: int, other: int) -> None:
    value = float(distance(noise(one), noise(other), RATE))
    assert np.isfinite(value)
    assert value >= 0
    assert (value == 0) == (one == other)


@pytest.mark.parametrize("gain_db", [-12.0, -6.0, 6.0])
def test_a_change_of_level_costs_about_its_decibels(gain_db: float) -> None:
    louder = tone() * 10 ** (gain_db / 20)
    parts = Objective(tone(), RATE).parts(louder)
    # The soft floor 60 dB down swallows part of it; only sound above counts in full.
    assert 0.6 * abs(gain_db) < float(parts.envelope) <= abs(gain_db) + 1e-3
    assert 0.5 * abs(gain_db) < float(parts.total) < 1.3 * abs(gain_db)


def test_the_magnitude_part_is_the_convergence_of_scaled_copies() -> None:
    # ‖M − gM‖ / (‖M‖ + ‖gM‖) = |1 − g| / (1 + g), times 20.
    parts = Objective(tone(), RATE).parts(0.5 * tone())
    assert float(parts.magnitude) == pytest.approx(20 * 0.5 / 1.5, rel=1e-5)


def test_the_parts_add_up() -> None:
    parts = Objective(tone(), RATE).parts(noise(1, 0.5))
    expected = 0.6 * parts.spectrum + 0.2 * parts.magnitude + 0.2 * parts.envelope
    assert float(parts.total) == pytest.approx(float(expected))


def test_worse_means_further() -> None:
    objective = Objective(tone(), RATE)
    for changes in (
        [{"level": 0.25}, {"level": 0.15}, {"level": 0.05}],
        [{"late": 0.005}, {"late": 0.02}, {"late": 0.1}],
        [{"frequency": 443.0}, {"frequency": 455.0}, {"frequency": 480.0}],
        [{"decay": 4.0}, {"decay": 8.0}, {"decay": 20.0}],
    ):
        distances = [float(objective(tone(**change))) for change in changes]
        assert distances == sorted(distances)
        assert distances[0] > 0.05


@pytest.mark.parametrize("frequency", [41.2, 82.4, 440.0])
def test_a_semitone_and_an_octave_are_heard_even_in_the_bass(frequency: float) -> None:
    objective = Objective(tone(frequency, 1.0), RATE)
    semitone = float(objective(tone(frequency * 2 ** (1 / 12), 1.0)))
    octave = float(objective(tone(frequency * 2, 1.0)))
    assert semitone > 1.5
    assert octave > 3.0


def test_batches_equal_single_calls() -> None:
    objective = Objective(tone(), RATE)
    batch = np.stack([tone(300.0), tone(450.0), noise(3, 0.5), np.zeros_like(tone())])
    together = objective(batch.reshape(2, 2, -1))
    assert together.shape == (2, 2)
    single = [float(objective(sound)) for sound in batch]
    np.testing.assert_allclose(together.ravel(), single, rtol=1e-6)


def test_what_the_recording_cannot_hold_is_not_compared() -> None:
    t = np.arange(RATE // 2) / RATE
    bright = tone() + 0.2 * np.sin(2 * np.pi * 12000 * t).astype(np.float32)
    assert float(Objective(tone(), RATE)(bright)) > 0.5
    limited = Objective(tone(), RATE, bandwidth=4000.0).parts(bright)
    assert float(limited.magnitude) < 0.05


def test_the_mel_levels_are_those_of_plain_definitions() -> None:
    """The spectrum part of the 2,048 window, worked out again from the public building blocks."""
    target, other = tone(), noise(2, 0.5)
    window_sum = 0.5 * 2048
    bank = np.array(mel_filters(RATE, 2048, 80, fmax=RATE / 2), dtype=np.float64)
    bank /= bank.max(axis=1, keepdims=True)
    powers = [(stft_magnitude(x.astype(np.float64), 2048, 1024) / window_sum) ** 2 @ bank.T for x in (target, other)]
    floor = powers[0].max() * 10 ** (-FLOOR_DB / 10)
    levels = [10 * np.log10(power + floor) for power in powers]
    objective = Objective(target, RATE)
    ours = objective.features(other).powers[1]
    np.testing.assert_allclose(ours, powers[1], rtol=2e-3, atol=1e-9)
    ours_level = 10 * np.log10(ours + floor)
    assert np.abs(ours_level - levels[0]).mean() == pytest.approx(np.abs(levels[1] - levels[0]).mean(), rel=1e-4)


FROZEN = {
    "higher": (tone(466.16), (5.0971, 5.1598, 10.0022, 0.0036)),
    "quieter": (0.5 * tone(), (3.9248, 2.3123, 6.6667, 6.0205)),
    "noise": (noise(4, 0.5), (18.2998, 24.8084, 13.5269, 3.5470)),
    "silence": (np.zeros(RATE // 2, dtype=np.float32), (22.1817, 12.4386, 20.0, 53.5924)),
}


@pytest.mark.parametrize("name", FROZEN)
def test_frozen_values(name: str) -> None:
    """Figures in docs/ were measured with this objective: a change of it has to be meant."""
    sound, expected = FROZEN[name]
    parts = Objective(tone(), RATE).parts(sound)
    values = [float(part) for part in (parts.total, parts.spectrum, parts.magnitude, parts.envelope)]
    np.testing.assert_allclose(values, expected, atol=2e-4)


@pytest.mark.parametrize("sample_rate", [8000, 22050, 48000, 96000])
def test_other_sample_rates_and_very_short_sounds(sample_rate: int) -> None:
    for samples in (1, 100, sample_rate // 10):
        sound = np.random.default_rng([samples]).standard_normal(samples).astype(np.float32)
        objective = Objective(sound, sample_rate)
        assert float(objective(sound)) == 0.0
        assert np.isfinite(objective(np.zeros(samples, dtype=np.float32)))


@pytest.mark.parametrize("bad", [np.zeros((1, 10)), np.zeros(0), np.array([0.0, np.nan])])
def test_a_target_that_is_no_audio_is_refused(bad: np.ndarray) -> None:
    with pytest.raises(ValueError, match="mono audio"):
        Objective(bad, RATE)


def test_a_prediction_of_another_length_is_refused() -> None:
    with pytest.raises(ValueError, match="samples"):
        Objective(tone(), RATE)(tone(seconds=0.4))
