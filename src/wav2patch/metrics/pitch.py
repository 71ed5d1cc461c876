"""Pitch difference of two sounds whose pitches are already known.

Conventions:
    Pitches are fundamental frequencies in Hz, or None where a tracker found none. Finding them is the
    business of the audio package: metrics know arrays and numbers only.

Metrics:
    * `f0_difference`: prediction minus target in cents.
"""

import math


def f0_difference(target_f0: float | None, prediction_f0: float | None) -> float | None:
    """How much higher the prediction sounds than the target.

    Octaves are not folded: a prediction one octave too high is 1200 cents off.

    Args:
        target_f0: Fundamental frequency in Hz, or None.
        prediction_f0: Fundamental frequency in Hz, or None.

    Returns:
        1200 log2(prediction / target) in cents, positive if the prediction is sharp; None if either pitch
        is None.

    Raises:
        ValueError: If a pitch is not a positive, finite number.
    """
    if target_f0 is None or prediction_f0 is None:
        return None
    for f0 in (target_f0, prediction_f0):
        if not 0.0 < f0 < math.inf:
            raise ValueError(f"a pitch must be a positive number of Hz or None, not {f0}")
    return 1200.0 * (math.log2(prediction_f0) - math.log2(target_f0))
