"""How fast data sets are made: here, on Ray, and the way of the published scripts, in turns.

    python benchmarks/generating.py --clips 3000 --rounds 3

The published way (Hayes et al.'s script, with Dexed in the place of Surge XT): one process renders, measures the
loudness, makes the mel spectrogram and assigns the row to HDF5 data sets of automatic chunks with Blosc2's defaults.
Idle is the part of the time in which a worker's core did nothing for it. Linux only, as it reads /proc.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import h5py
import hdf5plugin
import numpy as np

from wav2patch.features.catalogue import load_feature
from wav2patch.metrics.loudness import integrated_loudness
from wav2patch.notes import Note
from wav2patch.priors import draw
from wav2patch.synths.catalogue import load_synth

TICKS = os.sysconf("SC_CLK_TCK")
PAGE = os.sysconf("SC_PAGE_SIZE")
NOTE, LENGTH, RATE, GATE = Note(60, 100, 0.0, 3.0), 4.0, 44_100, -55.0


def workers_of(cluster: str) -> list[int]:
    """Processes that render: those that multiprocessing spawned, or Ray's actors."""
    mark, found = b"ray::Renders" if cluster == "local" else b"multiprocessing.spawn", []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        with contextlib.suppress(OSError):
            if mark in path.read_bytes():
                found.append(int(path.parent.name))
    return found


def cpu_seconds(process: int) -> float:
    fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


def memory(process: int) -> float:
    return int(Path(f"/proc/{process}/statm").read_text().split()[1]) * PAGE / 2**20


def ours(folder: Path, synth: str, clips: int, workers: int, cluster: str) -> dict[str, float]:
    """Clips a second, idle time of the workers, and memory of all processes in the middle and at the end, in MiB."""
    command = [sys.executable, "-m", "wav2patch", "data", "generate", f"synth={synth}", f"count={clips}"]
    command += ["shard_rows=500", f"out={folder}", f"workers={workers}", f"cluster={cluster}", "--json"]
    run = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    while not list(folder.glob("shards/.*")) and run.poll() is None:
        time.sleep(0.01)
    samples = []
    while run.poll() is None:
        renders = workers_of(cluster)
        samples.append((time.perf_counter(), _total(renders, cpu_seconds), _total([run.pid, *renders], memory)))
        time.sleep(0.2)
    told = json.loads(run.communicate()[0])
    # The last samples see workers that are gone, so the end is where they had worked most.
    (start, before, _), (end, busy, last) = samples[0], max(samples, key=lambda sample: sample[1])
    idle = 1 - (busy - before) / (workers * (end - start))
    return {
        "rate": told["rows"] / told["seconds"],
        "idle": idle,
        "middle": samples[len(samples) // 2][2],
        "end": last,
    }


def _total(processes: list[int], figure: Callable[[int], float]) -> float:
    total = 0.0
    for process in processes:
        with contextlib.suppress(OSError):
            total += figure(process)
    return total


def published(path: Path, synth_name: str, clips: int) -> float:
    synth, feature = load_synth(synth_name), load_feature("log_mel")
    prior, shape = synth.prior(), feature.shape(1, round(LENGTH * RATE), RATE)
    start = time.perf_counter()
    with h5py.File(path, "w") as file:
        kind = hdf5plugin.Blosc2()
        audio = file.create_dataset("audio", (clips, 1, round(LENGTH * RATE)), "float16", **kind)
        mel = file.create_dataset("mel", (clips, *shape), "float32", **kind)
        for i in range(clips):
            attempt = 0
            while True:
                sound = synth.render(draw(prior, 0, i, attempt), NOTE, length=LENGTH, sample_rate=RATE)
                if integrated_loudness(sound, RATE) >= GATE:
                    break
                attempt += 1
            audio[i] = sound.astype(np.float16)
            mel[i] = feature(sound, RATE)
    return clips / (time.perf_counter() - start)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--clips", type=int, default=3000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--synth", default="dexed")
    options = parser.parse_args()
    results: dict[str, list[dict[str, float]]] = {"local": [], "ray": [], "published way": []}
    folder = Path(tempfile.mkdtemp())
    try:
        for _ in range(options.rounds):
            for name, cluster in (("local", "none"), ("ray", "local")):
                results[name].append(ours(folder / name, options.synth, options.clips, options.workers, cluster))
                shutil.rmtree(folder / name)
            rate = published(folder / "published.h5", options.synth, options.clips // 10)
            results["published way"].append({"rate": rate})
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    for name, runs in results.items():
        medians = {key: statistics.median(run[key] for run in runs) for key in runs[0]}
        print(f"{name:14}", "  ".join(f"{key} {value:.3g}" for key, value in medians.items()))


if __name__ == "__main__":
    main()
