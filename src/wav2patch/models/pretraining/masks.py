"""Which cells of a spectrogram are hidden."""

from __future__ import annotations

import torch
from torch import Tensor

from wav2patch.models.noise import Noise


def hidden_cells(noise: Noise, down: int, across: int, share: float) -> Tensor:
    """Boolean ``(n, down, across)``, exactly round(share · down · across) of each row; others in every epoch.

    Args:
        noise: Of the batch.
        down: Cells in frequency.
        across: Cells in time.
        share: That is hidden.

    Raises:
        ValueError: Nothing or everything would be hidden.
    """
    cells = down * across
    count = round(share * cells)
    if not 0 < count < cells:
        raise ValueError(f"a share of {share:g} hides {count} of {cells} cells: some have to be hidden, and not all")
    order = noise.uniform("hidden", cells).argsort(dim=1)
    hidden = torch.zeros_like(order, dtype=torch.bool)
    return hidden.scatter(1, order[:, :count], True).unflatten(1, (down, across))


def spread_cells(hidden: Tensor, cell: int, bands: int, frames: int) -> Tensor:
    """Cells ``(n, down, across)`` as bands and frames ``(n, bands, frames)``; what no cell covers is seen."""
    grown = hidden.repeat_interleave(cell, dim=1)[:, :bands].repeat_interleave(cell, dim=2)[..., :frames]
    return torch.nn.functional.pad(grown, (0, frames - grown.shape[2], 0, bands - grown.shape[1]))


def between_seen(values: Tensor, hidden: Tensor) -> Tensor:
    """Values ``(n, bands, frames)`` with those that are hidden drawn as straight lines in time between seen ones.

    Before the first and behind the last seen one its value stays; of a band that is hidden as a whole, nothing is known
    but the mean of all that is seen in its row.
    """
    frames = values.shape[-1]
    places = torch.arange(frames, device=values.device).expand_as(values)
    before = torch.where(hidden, -1, places).cummax(dim=-1).values
    after = torch.where(hidden, frames, places).flip(-1).cummin(dim=-1).values.flip(-1)
    left = torch.where(before < 0, after, before).clamp(max=frames - 1)
    right = torch.where(after >= frames, before, after).clamp(min=0)
    share = (places - left) / (right - left).clamp(min=1)
    drawn = torch.lerp(values.gather(-1, left), values.gather(-1, right), share.to(values))
    seen = (~hidden).to(values)
    mean = (values * seen).sum(dim=(1, 2), keepdim=True) / seen.sum(dim=(1, 2), keepdim=True).clamp(min=1.0)
    return torch.where(hidden.all(dim=-1, keepdim=True), mean, torch.where(hidden, drawn, values))
