r"""What an embedding of a patch and a step of training cost, by preset encoder, at the sizes of Combes et al. (2025).

    python benchmarks/preset_encoders.py --out results

One thread, 192 numbers, the whole space of each synth; the median of several rounds, in each of which every encoder has
its turn. A step is of 64 patches, forward, backward and Adam, in single precision, and in bfloat16 where layers may,
which is faster where a processor multiplies matrices in it. Written is `preset_encoders.md`.
"""

from __future__ import annotations

import argparse
import os
import statistics
import time
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")

import torch
from torch import Tensor, nn

import training_step
from wav2patch.evaluation.text_tables import markdown
from wav2patch.files import write_text
from wav2patch.models.layout import Layout, space_layout
from wav2patch.models.preset_encoders.catalogue import PUBLISHED, make_preset_encoder
from wav2patch.synths.catalogue import load_synth

SIZE, BATCHES = 192, (1, 64)
PRECISIONS = {"single": False, "half": True}


def milliseconds(encoder: nn.Module, vectors: Tensor) -> float:
    """Of one patch."""
    begun = time.perf_counter()
    with torch.inference_mode():
        encoder(vectors)
    return 1000.0 * (time.perf_counter() - begun) / len(vectors)


def steps(layout: Layout, rounds: int) -> dict[tuple[str, str], float]:
    """Milliseconds of a step by encoder and precision."""
    given = 2.0 * torch.rand(BATCHES[-1], layout.width) - 1.0
    encoders = {name: make_preset_encoder(name, layout, SIZE).train() for name in PUBLISHED}
    optimizers = {name: torch.optim.Adam(one.parameters(), fused=True) for name, one in encoders.items()}
    times: dict[tuple[str, str], list[float]] = {(name, kind): [] for name in encoders for kind in PRECISIONS}
    for round_ in range(rounds + 1):
        for (name, kind), found in times.items():
            took = training_step.seconds(encoders[name], optimizers[name], given, half=PRECISIONS[kind])
            found += [1000.0 * took] if round_ else []
    return {key: statistics.median(found) for key, found in times.items()}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--synths", nargs="+", default=["dexed", "vital"])
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--training-rounds", type=int, default=3)
    options = parser.parse_args()
    torch.set_num_threads(1)
    rows = []
    for synth in options.synths:
        layout = space_layout(load_synth(synth).space)
        encoders = {name: make_preset_encoder(name, layout, SIZE).eval() for name in PUBLISHED}
        given = {n: 2.0 * torch.rand(n, layout.width) - 1.0 for n in BATCHES}
        times: dict[tuple[str, int], list[float]] = {(name, n): [] for name in encoders for n in BATCHES}
        for round_ in range(options.rounds + 1):
            for (name, n), found in times.items():
                took = milliseconds(encoders[name], given[n])
                if round_:
                    found.append(took)
        trained = steps(layout, options.training_rounds)
        for name, encoder in encoders.items():
            weights = sum(one.numel() for one in encoder.parameters()) / 1e6
            cells = [f"{statistics.median(times[name, n]):.2f}" for n in BATCHES]
            cells += [f"{trained[name, kind]:.0f}" for kind in PRECISIONS]
            rows.append([synth, name, f"{weights:.2f}", *cells])
            print(*rows[-1], sep="  ", flush=True)
    columns = ["synth", "encoder", "million weights", *(f"ms a patch, {n} at once" for n in BATCHES)]
    columns += [f"ms a step of {BATCHES[-1]}, {kind}" for kind in PRECISIONS]
    write_text(options.out / "preset_encoders.md", markdown(columns, rows, numbers=2))


if __name__ == "__main__":
    main()
