"""Proof that a synth keeps its contract, and the figures of how it does."""
