r"""Attention on the CPU: PyTorch's kernel in single and in half precision beside `attend`, forward and its gradient.

    python benchmarks/attention.py --out results

One thread; queries, keys and values as the preset transformer of Combes et al. has them for Dexed, of the patch
transformer of the pretraining, and short ones. The median of several rounds, in each of which every way has its turn;
beside it, in those rounds, a product of matrices in both precisions, which says whether the processor has them in
half precision at all. Written is `attention.md`.
"""

from __future__ import annotations

import argparse
import os
import statistics
import time
from collections.abc import Callable
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")

import torch
from torch import Tensor
from torch.nn.functional import scaled_dot_product_attention

from wav2patch.evaluation.text_tables import markdown
from wav2patch.files import write_text
from wav2patch.models.attention import attend

SHAPES = {
    "parameters of Dexed": (32, 8, 146, 32),
    "patches of a spectrogram": (4, 8, 416, 64),
    "eight tokens": (256, 8, 8, 32),
}
"""Rows, heads, places, width of a head."""

Attend = Callable[[Tensor, Tensor, Tensor], Tensor]
WAYS: dict[str, tuple[Attend, torch.dtype]] = {
    "kernel, single": (scaled_dot_product_attention, torch.float32),
    "kernel, half": (scaled_dot_product_attention, torch.bfloat16),
    "`attend`, half": (attend, torch.bfloat16),
}


def milliseconds(way: Attend, parts: list[Tensor]) -> tuple[float, float]:
    """Forward, and backward."""
    begun = time.perf_counter()
    found = way(*parts)
    between = time.perf_counter()
    found.backward(torch.ones_like(found))
    return 1000.0 * (between - begun), 1000.0 * (time.perf_counter() - between)


def product(kind: torch.dtype) -> float:
    """Milliseconds of matrices of a thousand rows."""
    one = torch.rand(1024, 1024).to(kind)
    begun = time.perf_counter()
    one @ one
    return 1000.0 * (time.perf_counter() - begun)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--rounds", type=int, default=7)
    options = parser.parse_args()
    torch.set_num_threads(1)
    times: dict[tuple[str, str], list[tuple[float, float]]] = {(a, b): [] for a in SHAPES for b in WAYS}
    products: dict[torch.dtype, list[float]] = {torch.float32: [], torch.bfloat16: []}
    for round_ in range(options.rounds + 1):
        for (shape, name), found in times.items():
            way, kind = WAYS[name]
            took = milliseconds(way, [torch.randn(SHAPES[shape]).to(kind).requires_grad_() for _ in range(3)])
            found += [took] if round_ else []
        for kind, found in products.items():
            found += [product(kind)] if round_ else []
    rows = []
    for shape, sizes in SHAPES.items():
        for name in WAYS:
            forward, backward = (statistics.median(side) for side in zip(*times[shape, name], strict=True))
            rows.append([f"{shape} {sizes}", name, f"{forward:.1f}", f"{backward:.1f}"])
    for kind, found in products.items():
        precision = "single" if kind == torch.float32 else "half"
        rows.append(["product of 1,024² matrices", precision, f"{statistics.median(found):.1f}", ""])
    text = markdown(["what", "way", "forward, ms", "gradient, ms"], rows, numbers=2)
    write_text(options.out / "attention.md", text)
    print(text)


if __name__ == "__main__":
    main()
