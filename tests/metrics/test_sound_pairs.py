import numpy as np
import pytest

from wav2patch.metrics.pairs import aligned


def test_the_shorter_is_padded_and_mono_plays_on_both_channels():
    target, prediction = aligned(np.array([[1.0, 2.0]], dtype=np.float32), np.ones((2, 3)), 44100)
    np.testing.assert_array_equal(target, [[1.0, 2.0, 0.0], [1.0, 2.0, 0.0]])
    np.testing.assert_array_equal(prediction, np.ones((2, 3)))
    assert target.dtype == prediction.dtype == np.float64


@pytest.mark.parametrize(
    ("sound", "sample_rate", "message"),
    [
        (np.ones(3), 44100, "shape"),
        (np.ones((2, 0)), 44100, "empty"),
        (np.ones((1, 3), dtype=np.int16), 44100, "floating-point"),
        (np.array([[0.0, np.nan]]), 44100, "NaN"),
        (np.array([[0.0, np.inf]]), 44100, "infinite"),
        (np.ones((3, 4)), 44100, "channels"),
        (np.ones((2, 4)), 0, "sample rate"),
        (np.ones((2, 4)), np.nan, "sample rate"),
        (np.ones((2, 4)), np.inf, "sample rate"),
    ],
)
def test_what_cannot_be_compared_is_refused(sound, sample_rate, message):
    good = np.ones((2, 4))
    for pair in ((sound, good), (good, sound)):
        with pytest.raises(ValueError, match=message):
            aligned(*pair, sample_rate)
