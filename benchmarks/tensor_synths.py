"""k-osc rendered in batches of 1,024, beside one clip at a time in the same run, as a Markdown table.

    OMP_NUM_THREADS=1 python benchmarks/tensor_synths.py [--device cuda]

Clips are the paper's: 1,024 samples. The original renders in the data loader, one clip a call; its own figures, read
elsewhere on another machine (second-hand), are 0.60 ms a clip for 4 oscillators and 1.71 ms for 32, on one core.
Times are the fastest of the repeats.
"""

import argparse
import time
from collections.abc import Callable

import numpy as np
import torch

from wav2patch.synths.tensor.oscillators import KOsc

BATCH = 1024
SECOND_HAND = {4: 0.60, 32: 1.71}


def milliseconds(call: Callable[[], object], seconds: float, synchronize: Callable[[], None]) -> float:
    call()
    times: list[float] = []
    while sum(times) < 1000 * seconds or len(times) < 5:
        start = time.perf_counter()
        call()
        synchronize()
        times.append(1000 * (time.perf_counter() - start))
    return min(times)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--seconds", type=float, default=3.0, help="spent on each figure")
    options = parser.parse_args()
    synchronize = torch.cuda.synchronize if options.device.startswith("cuda") else lambda: None
    print(f"{torch.get_num_threads()} threads, {options.device}\n")
    print("| oscillators | clips/s, batch | ms a clip, batch | ms a clip, one by one | original (second-hand) |")
    print("|---:|---:|---:|---:|---:|")
    for k, quoted in SECOND_HAND.items():
        synth = KOsc(k)
        patches = synth.prior().sample(np.random.default_rng([7, k]), BATCH)
        vectors = torch.from_numpy(patches).float().to(options.device)
        with torch.inference_mode():
            batch = milliseconds(lambda s=synth, v=vectors: s.render_batch(v), options.seconds, synchronize) / BATCH
            single = milliseconds(lambda s=synth, v=vectors: s.render_batch(v[:1]), options.seconds, synchronize)
        print(f"| {k} | {1000 / batch:,.0f} | {batch:.3f} | {single:.3f} | {quoted:.2f} |")


if __name__ == "__main__":
    main()
