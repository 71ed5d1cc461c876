"""Random rows of a data set, read in several ways in the same run, as a Markdown table.

    OMP_NUM_THREADS=1 python benchmarks/loading.py [--rows 1024] [--channels 2] [--folder KEPT]

Clips are Dexed's, 4 s at 44.1 kHz with their log-mel; two channels are two clips side by side. The peers read the same
values: h5py by an index array, sorted as it wants it, over the view's virtual data set; and what the reference does,
contiguous blocks of rows at a random offset, from a file with Blosc2's defaults, automatic chunks and float32 mels.
Everything is read by one process from files in the page cache; figures are medians, best time in brackets.
"""

import argparse
import itertools
import statistics
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import h5py
import hdf5plugin
import numpy as np
import torch

from wav2patch.datasets.recipes.plan import Plan, load_wished_synth, make_plan
from wav2patch.datasets.recipes.recipe import shard_name
from wav2patch.datasets.recipes.wishes import Wishes
from wav2patch.datasets.shards.generate import begin
from wav2patch.datasets.shards.layout import AUDIO, FEATURES, packed_fields
from wav2patch.datasets.shards.rows import stream
from wav2patch.datasets.shards.writer import ShardWriter, pack
from wav2patch.datasets.storage.base import open_storage
from wav2patch.datasets.views.view import View, open_view
from wav2patch.datasets.views.view_file import ViewContent, write_view_file
from wav2patch.rendering.choose import make_renderer
from wav2patch.training.clips import ClipDataset
from wav2patch.training.loader import RowLoader
from wav2patch.training.permutation import Permutation
from wav2patch.training.sampler import EpochOrder

MEL = FEATURES + "log_mel"
BATCH = 128


def make(folder: Path, rows: int, channels: int) -> None:
    """A data set of Dexed, with a view of all its rows and a file such as the reference makes."""
    wishes = Wishes(synth="dexed", count=rows, shard_rows=256)
    synth = load_wished_synth(wishes)
    renderer = make_renderer(synth, processes=True)
    mono = make_plan(wishes, synth, renderer)
    plan = replace(mono, recipe=replace(mono.recipe, channels=channels))
    begin(plan, open_storage(folder))
    listen = replace(mono.listen(packed=False), features=())
    made = stream(mono, range(rows * channels), renderer, listen)
    for shard in range(plan.recipe.shards):
        path = folder / shard_name(shard)
        path.parent.mkdir(exist_ok=True, parents=True)
        writer = ShardWriter(
            path, plan.recipe, packed_fields(plan.recipe, plan.feature_shapes()), plan.recipe.rows_of(shard)
        )
        for index in plan.recipe.rows_of(shard):
            parts = list(itertools.islice(made, channels))
            audio = np.concatenate([part.clips[AUDIO] for part in parts])
            writer.write(replace(parts[0], index=index, clips=pack(clips_of(plan, audio))))
        writer.finish()
    renderer.close()
    view = open_view(folder)
    write_view_file(folder / "train.h5", ViewContent("train", view.recipe, view.extents, dict(view.fields)))
    make_reference(view, folder / "reference.h5")


def clips_of(plan: Plan, audio: np.ndarray) -> dict[str, np.ndarray]:
    sound = audio.astype(np.float32)
    return {AUDIO: audio, MEL: plan.features[0](sound, plan.recipe.sample_rate).astype(np.float16)}


def make_reference(view: View, path: Path) -> None:
    with h5py.File(path, "w") as file:
        for name, dtype in ((AUDIO, np.float16), (MEL, np.float32), ("parameters", np.float32)):
            shape = (len(view), *view.fields[name].shape)
            into = file.create_dataset(name, shape, dtype, chunks=True, **hdf5plugin.Blosc2())
            for start in range(0, len(view), BATCH):
                into[start : start + BATCH] = view.read(name, slice(start, min(start + BATCH, len(view))))


def dataset(file: h5py.File, name: str) -> h5py.Dataset:
    found = file[name]
    assert isinstance(found, h5py.Dataset)
    return found


def times(call: Callable[[np.random.Generator], object], repeats: int) -> list[float]:
    """Milliseconds of calls, each with a generator of its own, after one that fills the page cache."""
    taken = []
    for repeat in range(repeats + 1):
        generator = np.random.default_rng([0, repeat])
        start = time.perf_counter()
        call(generator)
        taken.append(1000 * (time.perf_counter() - start))
    return taken[1:]


def report(what: str, rows: int, taken: list[float]) -> None:
    middle = statistics.median(taken)
    print(f"| {what} | {rows} | {middle:.1f} ({min(taken):.1f}) | {1000 * rows / middle:,.0f} |", flush=True)


def warm(folder: Path) -> None:
    for path in [*folder.glob("*.h5"), *folder.glob("shards/*.h5")]:
        path.read_bytes()


def compare(folder: Path, repeats: int) -> None:
    warm(folder)
    view = open_view(folder / "train.h5")
    mels, clips = ClipDataset(view, [MEL]), ClipDataset(view, [AUDIO])
    fields = ("parameters", "notes", "index")
    print("| what is read | rows | ms | clips/s |\n|---|---:|---:|---:|")

    def rows(generator: np.random.Generator, count: int = BATCH) -> np.ndarray:
        return generator.choice(len(view), count, replace=False)

    report("mels at random, `ClipDataset`", BATCH, times(lambda g: mels.__getitems__(rows(g)), repeats))
    # The view reads the same shards in this process, without locks.
    with h5py.File(folder / "train.h5", locking="best-effort") as file:

        def fancy(generator: np.random.Generator, name: str, count: int) -> None:
            wanted = np.sort(rows(generator, count))
            for field in (*fields, name):
                dataset(file, field)[wanted]

        report(
            "mels at random, h5py by an index array",
            BATCH,
            times(lambda g: fancy(g, MEL, BATCH), max(3, repeats // 10)),
        )
        report("clips at random, `ClipDataset`", BATCH, times(lambda g: clips.__getitems__(rows(g)), repeats))
        report("clips one by one, `ClipDataset`", 1, times(lambda g: clips[int(rows(g, 1)[0])], 10 * repeats))
        report("clips at random, h5py by an index array", 32, times(lambda g: fancy(g, AUDIO, 32), 3))
    with h5py.File(folder / "reference.h5") as file:

        def block(generator: np.random.Generator, name: str) -> None:
            start = int(generator.integers(0, len(view) - BATCH, endpoint=True))
            for field in ("parameters", name):
                dataset(file, field)[start : start + BATCH]

        report(
            "mels of a contiguous block, the reference's way",
            BATCH,
            times(lambda g: block(g, MEL), max(3, repeats // 4)),
        )
        report("clips of a contiguous block, the reference's way", BATCH, times(lambda g: block(g, AUDIO), 3))
    report_epoch(mels)


def report_epoch(mels: ClipDataset) -> None:
    """Whole epochs by loader workers, what they pass on included."""
    for workers in (0, 1, 2):
        loader = RowLoader(mels, EpochOrder(len(mels), BATCH), num_workers=workers)
        for _ in loader:
            pass
        start = time.perf_counter()
        count = sum(len(batch["index"]) for _ in range(3) for batch in loader)
        report(f"mels, epochs of a loader with {workers} workers", count, [1000 * (time.perf_counter() - start)])
        loader.close()


def report_sampler() -> None:
    order, started = EpochOrder(400_000_000, BATCH), time.perf_counter()
    for batch in range(2_000):
        order.rows(0, batch)
    one = 1e6 * (time.perf_counter() - started) / (2_000 * BATCH)
    permutation = Permutation(400_000_000, 0)
    block = np.arange(1_000_000)
    alone = 1000 * statistics.median(times(lambda g: permutation(block), 3)) / len(block)
    print(f"\nsampler, 400 million rows shuffled: {one:.2f} µs a row in batches of {BATCH}, {alone:.3f} µs in millions")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=1024)
    parser.add_argument("--channels", type=int, default=1)
    parser.add_argument("--repeats", type=int, default=40)
    parser.add_argument("--folder", type=Path, help="where the data set is, or is made and kept")
    options = parser.parse_args()
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as temporary:
        folder = options.folder or Path(temporary)
        if not (folder / "reference.h5").exists():
            make(folder, options.rows, options.channels)
        size = sum(path.stat().st_size for path in folder.glob("shards/*.h5"))
        print(f"{options.rows} rows of {options.channels} channels, {size / 1e6:,.0f} MB\n")
        compare(folder, options.repeats)
    report_sampler()


if __name__ == "__main__":
    main()
