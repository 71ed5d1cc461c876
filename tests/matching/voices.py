"""Patches that several tests match."""

from wav2patch.parameters import Patch
from wav2patch.synths.base import Synth


def simple_voice(synth: Synth) -> Patch:
    """Algorithm 32 with two sounding operators."""
    return synth.space.from_named(
        {
            "algorithm": "32",
            "op1_output_level": 95,
            "op1_eg_rate_2": 40,
            "op1_eg_level_2": 80,
            "op1_eg_rate_3": 30,
            "op1_eg_level_3": 0,
            "op2_output_level": 85,
            "op2_coarse": 3,
            "op2_eg_rate_2": 55,
            "op2_eg_level_2": 60,
            "op2_eg_level_3": 0,
        }
    )
