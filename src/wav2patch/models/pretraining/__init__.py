"""Models that learn to hear without being told any patch: what of a spectrogram is hidden, from what is not."""
