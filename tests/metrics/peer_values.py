"""Writes ``peer_values.json``: what librosa, dtw-python, POT and pyloudnorm make of the test sounds.

Run it in an environment of its own, because librosa is no dependency of wav2patch:

    pip install librosa pot dtw-python pyloudnorm
    python tests/metrics/peer_values.py

The formulas between those packages' calls are written here from the definitions, without the package under
test.
"""

import json
import re
import warnings
from pathlib import Path

import librosa
import numpy as np
import ot
import pyloudnorm
from dtw import dtw
from metric_sounds import PAIRS


def mel_db(sound, rate, window, hop, mels):
    power = librosa.feature.melspectrogram(y=sound, sr=rate, n_fft=window, hop_length=hop, n_mels=mels)
    return librosa.power_to_db(power, ref=np.max)


def magnitude(sound, n_fft, hop, window=None):
    return np.abs(librosa.stft(sound, n_fft=n_fft, hop_length=hop, win_length=window, pad_mode="constant"))


def mss(target, prediction, rate):
    distances = []
    for window_ms, hop_ms, mels in ((10, 5, 32), (25, 10, 64), (100, 50, 128)):
        lengths = int(window_ms * rate / 1000.0), int(hop_ms * rate / 1000.0)
        distances.append(np.abs(mel_db(target, rate, *lengths, mels) - mel_db(prediction, rate, *lengths, mels)).mean())
    return np.mean(distances)


def wmfcc(target, prediction, rate):
    stacks = []
    for sound in (target, prediction):
        lengths = {"n_fft": int(0.05 * rate), "hop_length": int(0.01 * rate)}
        each = librosa.feature.mfcc(y=sound, sr=rate, n_mfcc=20, n_mels=128, **lengths)
        stacks.append(each.reshape(-1, each.shape[-1]).T)
    return dtw(*stacks, dist_method=lambda a, b: np.mean(np.abs(a - b)), distance_only=True).normalizedDistance


def sot(target, prediction, rate):
    first, second = (
        magnitude(sound.mean(axis=0), int(0.05 * rate), int(0.02 * rate)) for sound in (target, prediction)
    )
    places = np.arange(len(first)) / len(first)
    costs = []
    for one, other in zip(first.T, second.T, strict=True):
        if min(one.sum(), other.sum()) > 1e-6:
            costs.append(ot.wasserstein_1d(places, places, one / one.sum(), other / other.sum()))
        else:  # not a distribution: the definition in words
            one, other = one / max(one.sum(), 1e-6), other / max(other.sum(), 1e-6)
            costs.append(np.abs(np.cumsum(one) - np.cumsum(other)).sum() / len(one))
    return np.mean(costs)


def rms(target, prediction, rate):
    lengths = {"frame_length": int(0.05 * rate), "hop_length": int(0.025 * rate)}
    first, second = (librosa.feature.rms(y=sound.mean(axis=0), **lengths)[0] for sound in (target, prediction))
    return first @ second / np.sqrt(first @ first * (second @ second))


def stft_pairs(target, prediction):
    for n_fft, hop, window in ((1024, 120, 600), (2048, 240, 1200), (512, 50, 240)):
        yield [np.maximum(magnitude(sound, n_fft, hop, window), 1e-4) for sound in (target, prediction)]


def stft_convergence(target, prediction, rate):
    return np.mean([np.sqrt(((a - b) ** 2).sum() / (a**2).sum()) for a, b in stft_pairs(target, prediction)])


def stft_log_magnitude(target, prediction, rate):
    return np.mean([np.abs(np.log(a) - np.log(b)).mean() for a, b in stft_pairs(target, prediction)])


def lsd(target, prediction, rate):
    first, second = (magnitude(sound, 2048, 512) for sound in (target, prediction))
    first, second = (
        librosa.amplitude_to_db(each, ref=first.max(), amin=first.max() * 1e-4, top_db=None) for each in (first, second)
    )
    return np.sqrt(((first - second) ** 2).mean(axis=-2)).mean()


def mfcc(target, prediction, rate):
    first, second = (librosa.feature.mfcc(y=sound, sr=rate, n_mfcc=13) for sound in (target, prediction))
    return np.sqrt(((first - second) ** 2).sum(axis=-2)).mean()


def loudness(target, prediction, rate):
    meter = pyloudnorm.Meter(rate, filter_class="DeMan")
    return meter.integrated_loudness(prediction.T.copy()) - meter.integrated_loudness(target.T.copy())


PEERS = (mss, wmfcc, sot, rms, stft_convergence, stft_log_magnitude, lsd, mfcc, loudness)


def parts(rate, n_fft, mels):
    """Building blocks for one sound: numbers that pin every filter, bin and coefficient."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # a narrow bank has empty filters: that is part of the definition
        bank = librosa.filters.mel(sr=rate, n_fft=n_fft, n_mels=mels).astype(float)
    sound = next(each()[1] for each in PAIRS.values() if each()[2] == rate)
    hop = n_fft // 3
    return {
        "mel_sums": bank.sum(axis=1).tolist(),
        "mel_moments": (bank @ np.arange(bank.shape[1])).tolist(),
        "stft_frame": magnitude(sound, n_fft, hop)[0, :: max(1, n_fft // 64), 7].tolist(),
        "mel_db_frame": mel_db(sound, rate, n_fft, hop, mels)[0, :, 7].tolist(),
        "mfcc_frame": librosa.feature.mfcc(y=sound, sr=rate, n_mfcc=20, n_fft=n_fft, hop_length=hop, n_mels=mels)[
            0, :, 7
        ].tolist(),
        "rms": librosa.feature.rms(y=sound, frame_length=n_fft, hop_length=hop)[0, 0, :20].tolist(),
    }


def rounded(value):
    """Ten significant digits: more than single precision, less than platforms differ in."""
    if isinstance(value, dict):
        return {key: rounded(each) for key, each in value.items()}
    if isinstance(value, list):
        return [rounded(each) for each in value]
    return float(f"{value:.10g}") if isinstance(value, float) else value


def main():
    values = {
        "metrics": {name: {peer.__name__: float(peer(*make())) for peer in PEERS} for name, make in PAIRS.items()},
        "parts": [
            {"sample_rate": rate, "n_fft": n_fft, "n_mels": mels, **parts(rate, n_fft, mels)}
            for rate, n_fft, mels in (
                (44100, 2205, 128),
                (44100, 441, 32),
                (48000, 1200, 64),
                (22050, 1024, 40),
            )
        ],
    }
    # One line for each list of numbers.
    text = re.sub(r"\n\s+(?=[-\d\]])", " ", json.dumps(rounded(values), indent=1))
    Path(__file__).with_suffix(".json").write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
