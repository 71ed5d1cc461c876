r"""What an embedding of a patch costs, by preset encoder, at the sizes of Combes et al. (JAES 2025).

    python benchmarks/preset_encoders.py --out results

One thread, 192 numbers, the whole space of each synth; the median of several rounds, in each of which every encoder has
its turn. Written is `preset_encoders.md`.
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

from wav2patch.evaluation.text_tables import markdown
from wav2patch.files import write_text
from wav2patch.models.layout import space_layout
from wav2patch.models.preset_encoders.catalogue import PUBLISHED, make_preset_encoder
from wav2patch.synths.catalogue import load_synth

SIZE, BATCHES = 192, (1, 64)


def milliseconds(encoder: nn.Module, vectors: Tensor) -> float:
    """Of one patch."""
    begun = time.perf_counter()
    with torch.inference_mode():
        encoder(vectors)
    return 1000.0 * (time.perf_counter() - begun) / len(vectors)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--synths", nargs="+", default=["dexed", "vital"])
    parser.add_argument("--rounds", type=int, default=7)
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
        for name, encoder in encoders.items():
            weights = sum(one.numel() for one in encoder.parameters()) / 1e6
            cells = [f"{statistics.median(times[name, n]):.2f}" for n in BATCHES]
            rows.append([synth, name, f"{weights:.2f}", *cells])
            print(*rows[-1], sep="  ", flush=True)
    columns = ["synth", "encoder", "million weights", *(f"ms a patch, {n} at once" for n in BATCHES)]
    write_text(options.out / "preset_encoders.md", markdown(columns, rows, numbers=2))


if __name__ == "__main__":
    main()
