"""What each feature costs, and how well the key that was played can be read from it, as Markdown tables.

    OMP_NUM_THREADS=1 python benchmarks/features.py [--clips 1000]

Clips are draws of Dexed's prior, one key from 24 to 96 each, 4 s at 44.1 kHz, silent ones left out. What is read is the
feature's mean over time, less its mean over bands, so that loudness does not help, in five folds: by ridge regression
of the key's number; by ridge regression of one indicator a key, of which the highest is taken; and by the nearest
neighbour. A patch may transpose by octaves and its operators need not be in tune, so no reading is perfect. Chance is
8.3% for the pitch class and 1.4% for the key. Each ridge takes the best of a few weights, the same for all folds. Times
are medians of the processor's, of calls that take turns with those of the other features.
"""

from __future__ import annotations

import argparse
import os
import statistics
import time
from collections.abc import Callable

os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
from numpy.typing import NDArray

from wav2patch.features.catalogue import load_feature
from wav2patch.metrics.loudness import integrated_loudness
from wav2patch.metrics.spectrograms import mel_filters, power_to_db, stft_magnitude
from wav2patch.notes import Note
from wav2patch.priors import draw
from wav2patch.synths.catalogue import load_synth

RATE, SECONDS, FOLDS, TIMED = 44100, 4.0, 5, 60
LOWEST, HIGHEST = 24, 96
WORDS = ("log_mel", "log_mel:window=0.18576", "log_mel_level", "constant_q", "constant_q:per_octave=36", "stft")
WEIGHTS = (1e3, 1e4, 1e5, 1e6)

Readings = NDArray[np.float64]


def clips(count: int) -> tuple[list[NDArray[np.float32]], NDArray[np.int64]]:
    synth, sounds, keys, index = load_synth("dexed"), [], [], 0
    while len(sounds) < count:
        key = int(np.random.default_rng([9, index]).integers(LOWEST, HIGHEST, endpoint=True))
        note = Note(key, 100, 0.0, 3.0)
        audio = synth.render(draw(synth.prior(), 9, index), note, length=SECONDS, sample_rate=RATE)
        if integrated_loudness(audio, RATE) > -55.0:
            sounds.append(audio)
            keys.append(key)
        index += 1
    return sounds, np.array(keys)


def milliseconds(calls: dict[str, Callable[[], object]]) -> dict[str, float]:
    times: dict[str, list[float]] = {name: [] for name in calls}
    for _ in range(TIMED):
        for name, call in calls.items():
            start = time.thread_time()
            call()
            times[name].append(1000.0 * (time.thread_time() - start))
    return {name: statistics.median(taken) for name, taken in times.items()}


def plain_log_mel(audio: NDArray[np.float32]) -> NDArray[np.floating]:
    """The same values in the plain way: all spectra at once, and a dense product."""
    power = np.square(stft_magnitude(audio, 1102, 441, "hamming")) @ mel_filters(RATE, 1102, 128).T
    return power_to_db(power, ref=np.max)


def ridge(values: Readings, wanted: Readings, weight: float) -> Readings:
    """Predictions for every row by the other folds."""
    order = np.random.default_rng([10]).permutation(len(values))
    predictions = np.empty_like(wanted)
    for test in np.array_split(order, FOLDS):
        train = np.setdiff1d(order, test)
        centre, mean = values[train].mean(axis=0), wanted[train].mean(axis=0)
        inputs = values[train] - centre
        square = inputs.T @ inputs + weight * np.eye(values.shape[1])
        predictions[test] = (values[test] - centre) @ np.linalg.solve(square, inputs.T @ (wanted[train] - mean)) + mean
    return predictions


def nearest(values: Readings, keys: NDArray[np.int64]) -> NDArray[np.int64]:
    square = np.square(values).sum(axis=1)
    distances = square[:, None] + square - 2 * values @ values.T
    np.fill_diagonal(distances, np.inf)
    return keys[distances.argmin(axis=1)]


def pitch_row(values: Readings, keys: NDArray[np.int64]) -> str:
    indicators = (keys[:, None] == np.arange(LOWEST, HIGHEST + 1)).astype(float)
    number = min(np.abs(ridge(values, keys.astype(float), weight) - keys).mean() for weight in WEIGHTS)
    guesses = (LOWEST + ridge(values, indicators, weight).argmax(axis=1) for weight in WEIGHTS)
    best = max(guesses, key=lambda guess: np.mean(guess == keys))
    others = nearest(values, keys)
    shares = [best == keys, (best - keys) % 12 == 0, others == keys, (others - keys) % 12 == 0]
    return f"{number:.1f} | " + " | ".join(f"{np.mean(share):.0%}" for share in shares)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--clips", type=int, default=1000)
    sounds, keys = clips(parser.parse_args().clips)
    features = {words: load_feature(words) for words in WORDS}
    audio = sounds[0][:1]
    calls: dict[str, Callable[[], object]] = {words: lambda f=f: f(audio, RATE) for words, f in features.items()}
    calls["log_mel, plain"] = lambda: plain_log_mel(audio)
    calls["integrated loudness"] = lambda: integrated_loudness(audio, RATE)
    taken = milliseconds(calls)
    print("| feature | values | ms | number, semitones | key | pitch class | key, neighbour | pitch class, neighbour |")
    print("|---|---:|---:|---:|---:|---:|---:|---:|")
    for words, feature in features.items():
        means = np.stack([feature(sound, RATE).mean(axis=(0, 2)) for sound in sounds]).astype(float)
        row = pitch_row(means - means.mean(axis=1, keepdims=True), keys)
        bands, frames = feature.shape(1, audio.shape[1], RATE)[1:]
        print(f"| {words} | {bands} × {frames} | {taken[words]:.1f} | {row} |")
    print(f"\nlog_mel in the plain way: {taken['log_mel, plain']:.1f} ms; ", end="")
    print(f"integrated loudness: {taken['integrated loudness']:.1f} ms.")


if __name__ == "__main__":
    main()
