import numpy as np
import pytest

from wav2patch.resampling import resample


def tone(rate: int) -> np.ndarray:
    time = np.arange(rate // 2) / rate
    return 0.5 * np.sin(2 * np.pi * np.array([[300.0], [600.0]]) * time).astype(np.float32)


@pytest.mark.parametrize(("source", "goal"), [(48_000, 44_100), (8_000, 44_100), (192_000, 44_100), (44_100, 16_000)])
def test_resampling_keeps_a_tone_in_place(source: int, goal: int) -> None:
    wanted = tone(goal)
    found = resample(tone(source), source, goal)
    assert found.dtype == np.float32
    assert abs(found.shape[1] - wanted.shape[1]) <= 1
    inner = slice(goal // 10, goal * 4 // 10)
    np.testing.assert_allclose(found[:, inner], wanted[:, inner], atol=1e-4)


def test_resampling_to_the_same_rate_changes_nothing() -> None:
    audio = tone(44_100)
    np.testing.assert_array_equal(resample(audio, 44_100, 44_100), audio)
