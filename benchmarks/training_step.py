"""How long a step of training a preset encoder takes."""

from __future__ import annotations

import time

import torch
from torch import Tensor, nn


def seconds(encoder: nn.Module, optimizer: torch.optim.Optimizer, vectors: Tensor, *, half: bool) -> float:
    """Of forward, backward and the optimizer, on the CPU; `half` has bfloat16 where layers may."""
    begun = time.perf_counter()
    optimizer.zero_grad()
    with torch.autocast("cpu", torch.bfloat16, enabled=half):
        found = encoder(vectors)
    found.float().abs().mean().backward()
    optimizer.step()
    return time.perf_counter() - begun
