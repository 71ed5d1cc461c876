import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from wav2patch.metrics.pitch import f0_difference

HERTZ = st.floats(1.0, 20000.0)


@pytest.mark.parametrize(
    ("target", "prediction", "cents"),
    [(440.0, 440.0, 0.0), (440.0, 880.0, 1200.0), (440.0, 110.0, -2400.0), (261.6255653, 277.1826310, 100.0)],
)
def test_known_intervals(target, prediction, cents):
    assert f0_difference(target, prediction) == pytest.approx(cents, abs=1e-4)


@settings(max_examples=50, deadline=None, derandomize=True)
@given(HERTZ, HERTZ, HERTZ)
def test_intervals_add_up_and_turn_around(low, middle, high):
    whole = f0_difference(low, high)
    first, second = f0_difference(low, middle), f0_difference(middle, high)
    assert whole is not None
    assert first is not None
    assert second is not None
    assert whole == pytest.approx(first + second, abs=1e-6)
    assert f0_difference(high, low) == pytest.approx(-whole)


@pytest.mark.parametrize("pitches", [(None, 440.0), (440.0, None), (None, None)])
def test_no_pitch_has_no_difference(pitches):
    assert f0_difference(*pitches) is None


@pytest.mark.parametrize("wrong", [0.0, -440.0, math.nan, math.inf])
def test_what_is_no_pitch_is_refused(wrong):
    with pytest.raises(ValueError, match="pitch"):
        f0_difference(440.0, wrong)
    with pytest.raises(ValueError, match="pitch"):
        f0_difference(wrong, 440.0)
