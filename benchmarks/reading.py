"""Read all rows of a view once, shuffled, as a training would, and say how fast that went.

python benchmarks/reading.py dexed-100k/train.h5 [--features mel128] [--audio] [--workers 0] [--held 0]
"""

from __future__ import annotations

import argparse
import resource
import time

import numpy as np

from wav2patch.datasets.views.view import open_view
from wav2patch.training.data_module import ClipData


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("view")
    parser.add_argument("--audio", action="store_true", help="Read the clips too.")
    parser.add_argument("--workers", type=int, default=0)
    parser.add_argument("--features", nargs="+", default=["log_mel"], help="in words")
    parser.add_argument("--held", type=int, default=1024, help="MiB of fields that are read once and held in memory")
    options = parser.parse_args()

    start = time.perf_counter()
    view = open_view(options.view)
    opened = time.perf_counter() - start
    start = time.perf_counter()
    view.check()
    checked = time.perf_counter() - start
    print(f"{len(view)} rows: opened in {1e3 * opened:.0f} ms, checked in {checked:.2f} s")

    data = ClipData(
        train=view,
        features=options.features,
        audio=options.audio,
        batch_size=128,
        last="keep",
        standardize=False,
        num_workers=options.workers,
        held=options.held * 2**20,
    )
    data.setup("fit")
    seen, start, cpu = [], time.perf_counter(), time.process_time()
    for batch in data.train_dataloader():
        seen.append(batch["index"].numpy())
    seconds, busy = time.perf_counter() - start, time.process_time() - cpu
    rows = np.sort(np.concatenate(seen))
    if not np.array_equal(rows, np.sort(view.read("index", slice(0, len(view))))):
        raise SystemExit("not every row came once")
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"each row once in {seconds:.0f} s: {len(rows) / seconds:.0f} clips/s, {len(rows) / busy:.0f} a CPU second;")
    print(f"{128e3 * seconds / len(rows):.1f} ms a batch of 128, {memory:.0f} MiB")


if __name__ == "__main__":
    main()
