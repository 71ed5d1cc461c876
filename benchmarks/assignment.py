r"""How fast a flow finds out which parameters belong together (`AssignedTransformer`), against one that is told.

    python benchmarks/assignment.py --out results        # about eight minutes on one idle core

k-osc without the hearing: instead of a sound, each example gives its own patch, the oscillators sorted by frequency and
with a little noise. What is left is what the field has to learn. All have the same encoder, batches, steps, learning
rate and seeds. Told are the velocity's mean squared error in the last hundred steps; ``together``, the share of the
assignment's mass by which amplitude and waveform of an oscillator meet its frequency in a token (chance is one in k,
1 is all of it); and ``alone``, one less the same share of two oscillators' frequencies.
"""

from __future__ import annotations

import argparse
import math
import os
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")

import torch
from torch import Tensor

from wav2patch.evaluation.text_tables import markdown
from wav2patch.files import write_text
from wav2patch.models.fields.assigned_transformer import AssignedTransformer
from wav2patch.models.inverters.base import Examples
from wav2patch.models.inverters.flow_matching import FlowMatching
from wav2patch.models.layout import space_layout
from wav2patch.models.noise import Noise
from wav2patch.synths.catalogue import load_synth

BATCH, RATE, WARMUP, BLUR = 256, 2e-3, 100, 0.03
SIZES = {"width": 64, "layers": 3, "hidden": 128, "shared_condition": True}


def variants(k: int) -> dict[str, dict[str, Any]]:
    assigned = {"name": "assigned_transformer", "parameter_tokens": k, "zero_gates": False, **SIZES}
    return {
        "told: strictly equivariant": {"name": "equivariant_transformer", **SIZES},
        "the paper's start": assigned,
        "starts further apart, spread 0.05": {**assigned, "spread": 0.05},
        "the paper's start, haste 10": {**assigned, "haste": 10.0},
        "the paper's start, haste 30": {**assigned, "haste": 30.0},
        "knows nothing: MLP": {"name": "mlp", "width": 128, "blocks": 5},
    }


def draw(k: int, step: int) -> tuple[Examples, Noise]:
    """A batch; row i of all is a function of i."""
    noise = Noise(1, 0, torch.arange(step * BATCH, (step + 1) * BATCH))
    patches = (2.0 * noise.uniform("patch", 3 * k) - 1.0).float()
    blocks = patches.unflatten(1, (3, k))
    order = blocks[:, 0].argsort(dim=1)[:, None].expand(-1, 3, -1)
    heard = blocks.gather(2, order).flatten(1) + BLUR * noise.normal("blur", 3 * k).float()
    return Examples(heard, None, patches), noise


def train(k: int, field: dict[str, Any], steps: int) -> tuple[FlowMatching, float]:
    """A flow, and its error in the end."""
    torch.manual_seed(0)
    layout = space_layout(load_synth(f"kosc_{k}").space)
    encoder = {"name": "mlp", "hidden": 128, "blocks": 2}
    flow = FlowMatching(layout, (3 * k,), note=False, encoder=encoder, field=field, coupling="hungarian")
    optimizer = torch.optim.Adam(flow.parameters(), RATE, fused=True)
    schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: _rate(step, steps))
    errors = []
    for step in range(steps):
        losses = flow.loss(*draw(k, step))
        optimizer.zero_grad()
        losses["loss"].backward()
        torch.nn.utils.clip_grad_norm_(flow.parameters(), 1.0)
        optimizer.step()
        schedule.step()
        errors.append(losses["velocity"].item())
    last = errors[-100:]
    return flow, sum(last) / len(last)


def _rate(step: int, steps: int) -> float:
    return min(1.0, (step + 1) / WARMUP) * 0.5 * (1.0 + math.cos(math.pi * step / steps))


def shares(assignment: Tensor, k: int) -> tuple[float, float]:
    """``together`` and ``alone``; see above."""
    mass = assignment.detach().abs()
    meet = (mass / mass.sum(dim=0)).T @ (mass / mass.sum(dim=0))
    own = torch.cat([meet.diagonal(k), meet.diagonal(2 * k)])
    others = meet[:k, :k][~torch.eye(k, dtype=torch.bool)]
    return float(own.mean()), 1.0 - float(others.mean())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--k", type=int, default=4, help="oscillators")
    parser.add_argument("--steps", type=int, default=1_000)
    options = parser.parse_args()
    torch.set_num_threads(1)
    rows = []
    for name, field in variants(options.k).items():
        flow, error = train(options.k, field, options.steps)
        known = isinstance(flow.field, AssignedTransformer)
        told = [f"{one:.2f}" for one in shares(flow.field.assignment, options.k)] if known else ["", ""]
        rows.append([name, f"{error:.4f}", *told])
        print(*rows[-1], sep="  ", flush=True)
    heading = f"k = {options.k}, {options.steps:,} steps of {BATCH}\n\n"
    write_text(
        options.out / "assignment.md", heading + markdown(["field", "velocity", "together", "alone"], rows, numbers=1)
    )


if __name__ == "__main__":
    main()
