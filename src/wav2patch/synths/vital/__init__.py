"""Vital, the wavetable synth, played by its own engine through vita."""
