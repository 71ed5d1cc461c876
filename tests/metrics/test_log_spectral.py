"""The log-spectral distance of k-osc: values that can be worked out by hand."""

import numpy as np
import pytest
from numpy.testing import assert_allclose

from wav2patch.metrics.log_spectral import log_spectral_distance

IMPULSE = np.eye(1, 64)[0]
IMPULSE_DB = -10 * np.log10(64**2)  # every bin of an impulse of 64 samples


def test_half_the_level_is_six_decibels() -> None:
    assert_allclose(log_spectral_distance(IMPULSE, 0.5 * IMPULSE), 20 * np.log10(2))


def test_silence_counts_as_the_floor() -> None:
    assert_allclose(log_spectral_distance(IMPULSE, 0 * IMPULSE), IMPULSE_DB + 80)
    assert log_spectral_distance(0 * IMPULSE, 1e-7 * IMPULSE) == 0


def test_one_bin_of_many_counts_by_its_share() -> None:
    sine = np.cos(2 * np.pi * 8 * np.arange(64) / 64)
    # Bin 8 of 33 falls from a quarter to a hundredth of that, the others stay at the floor.
    assert_allclose(log_spectral_distance(sine, 0.1 * sine), 20 / np.sqrt(33), rtol=1e-9)


def test_pairs_are_measured_each_on_its_own() -> None:
    signals = np.random.default_rng(3).standard_normal((2, 5, 64))
    distances = log_spectral_distance(signals[0], signals[1])
    assert distances.shape == (5,)
    assert_allclose(distances[3], log_spectral_distance(signals[0, 3], signals[1, 3]))
    assert_allclose(distances, log_spectral_distance(signals[1], signals[0]))
    assert (log_spectral_distance(signals[0], signals[0]) == 0).all()


@pytest.mark.parametrize(("first", "second"), [((4,), (5,)), ((2, 4), (4,)), ((0,), (0,))])
def test_what_cannot_be_compared_is_refused(first: tuple[int, ...], second: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match="cannot be compared"):
        log_spectral_distance(np.zeros(first), np.zeros(second))
