"""What it costs to store an embedding beside a clip, and how large its values get, as a Markdown table.

    WAV2PATCH_MODELS=FOLDER OMP_NUM_THREADS=1 python benchmarks/embeddings.py [--clips 12] [NAME …]

Clips are audible draws of Dexed's prior, 4 s at 44.1 kHz. Times are medians of the processor's, on one thread, the
change of the sample rate included. The last columns are the largest value, and the largest error of half precision,
which is what is stored, beside the standard deviation of the values. Models whose weights are not there are left out.
"""

from __future__ import annotations

import argparse
import os
import statistics
import time

os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
from numpy.typing import NDArray

from wav2patch.audio_models.catalogue import AUDIO_MODELS
from wav2patch.audio_models.stored import Embedding
from wav2patch.errors import UserError
from wav2patch.metrics.loudness import integrated_loudness
from wav2patch.notes import Note
from wav2patch.priors import draw
from wav2patch.synths.catalogue import load_synth

RATE, SECONDS = 44_100, 4.0


def clips(count: int) -> list[NDArray[np.float32]]:
    synth, sounds, index = load_synth("dexed"), [], 0
    while len(sounds) < count:
        audio = synth.render(draw(synth.prior(), 4, index), Note(60, 100, 0.0, 3.0), length=SECONDS, sample_rate=RATE)
        if integrated_loudness(audio, RATE) > -55.0:
            sounds.append(audio.astype(np.float16).astype(np.float32))
        index += 1
    return sounds


def row(name: str, sounds: list[NDArray[np.float32]]) -> str:
    feature, times, found = Embedding(name), [], []
    feature.prepare()
    feature(sounds[0], RATE)
    for sound in sounds:
        start = time.thread_time()
        found.append(feature(sound, RATE))
        times.append(time.thread_time() - start)
    values, seconds = np.stack(found), statistics.median(times)
    error = np.abs(values - values.astype(np.float16).astype(np.float32)).max() / values.std()
    shape = " × ".join(map(str, values.shape[1:]))
    return (
        f"| `{name}` | {shape} | {1000 * seconds:.1f} | {1 / seconds:.1f} | {np.abs(values).max():.3g} | {error:.1e} |"
    )


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("names", nargs="*", default=list(AUDIO_MODELS))
    arguments.add_argument("--clips", type=int, default=12)
    wanted = arguments.parse_args()
    sounds = clips(wanted.clips)
    print("| model | values | ms a clip | clips/s a core | largest value | error of float16 |")
    print("|---" * 6 + "|")
    for name in wanted.names:
        try:
            print(row(name, sounds), flush=True)
        except UserError as error:
            print(f"| `{name}` | {error} |")


if __name__ == "__main__":
    main()
