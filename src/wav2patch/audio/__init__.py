"""Listening: from an audio file to a `Target` with its note, gate, pitch and loudness."""
