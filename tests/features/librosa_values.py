"""Writes ``librosa_values.json``: what librosa makes of the test sounds, as the flow-matching paper's code calls it.

Run it in an environment of its own, because librosa is no dependency of wav2patch:

    pip install librosa
    python tests/features/librosa_values.py
"""

import json
import warnings
from pathlib import Path

import librosa
import numpy as np
from feature_sounds import SOUNDS


def log_mel(sound, rate):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # narrow bands without a bin are part of the definition
        power = librosa.feature.melspectrogram(
            y=sound, sr=rate, n_mels=128, n_fft=int(0.025 * rate), hop_length=int(0.01 * rate), window="hamming"
        )
    return librosa.power_to_db(power, ref=np.max)


def texts(values):
    return [float(f"{value:.7g}") for value in np.ravel(values)]


def main():
    lines = []
    for name, (sound, rate) in SOUNDS.items():
        decibels = log_mel(sound, rate)
        values = {
            "shape": list(decibels.shape),
            "frames": {str(i): texts(decibels[-1, :, i]) for i in (0, 11, decibels.shape[-1] - 1)},
            "bands": texts(decibels.astype(float).mean(axis=(0, 2))),
        }
        lines.append(f"{json.dumps(name)}: {json.dumps(values)}")
    Path(__file__).with_suffix(".json").write_text("{\n" + ",\n".join(lines) + "\n}\n", encoding="utf-8")


if __name__ == "__main__":
    main()
