"""HTS-AT: a transformer over patches of a spectrogram that attends within windows and halves its grid three times.

Sources: Chen et al., HTS-AT, ICASSP 2022; Liu et al., Swin Transformer, ICCV 2021. The keys are those of
laion_clap's ``audio_branch``.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from wav2patch.audio_models.frontends import Spectrogram
from wav2patch.audio_models.transformer import Mlp

SAMPLE_RATE, N_FFT, HOP, BANDS = 48_000, 1024, 480, 64
GRID, PATCH, WINDOW = 64, 4, 8
WIDTH, DEPTHS, HEADS = 128, (2, 2, 12, 2), (4, 8, 16, 32)
"""Of "HTSAT-base", which the music checkpoints have."""

SIZE_OUT = WIDTH << (len(DEPTHS) - 1)
"""Values per vector."""

UNUSED = ("spectrogram_extractor.", "tscam_conv.", "head.")
"""Keys that go without: a Fourier transform as windowed sines, and the heads for AudioSet's classes."""


class WindowAttention(nn.Module):
    """Self-attention among the tokens of a window, with a learned bias for every offset between two of them."""

    def __init__(self, size: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.relative_position_bias_table = nn.Parameter(torch.zeros((2 * WINDOW - 1) ** 2, heads))
        self.register_buffer("relative_position_index", torch.zeros(WINDOW**2, WINDOW**2, dtype=torch.long))
        self.qkv = nn.Linear(size, 3 * size)
        self.proj = nn.Linear(size, size)

    def forward(self, windows: Tensor, mask: Tensor | None) -> Tensor:
        """Windows ``(B, count, 64, size)`` to the same; `mask` ``(count, 64, 64)`` is added to the scores."""
        query, key, value = self.qkv(windows).unflatten(-1, (3, self.heads, -1)).permute(3, 0, 1, 4, 2, 5)
        bias = self.relative_position_bias_table[self.get_buffer("relative_position_index")].permute(2, 0, 1)
        if mask is not None:
            bias = bias + mask[:, None]
        attended = F.scaled_dot_product_attention(query, key, value, attn_mask=bias)
        return self.proj(attended.transpose(2, 3).flatten(3))


class WindowBlock(nn.Module):
    """A layer over the windows of a grid, which every other layer shifts by half a window."""

    def __init__(self, size: int, heads: int, grid: int, shift: int) -> None:
        super().__init__()
        self.grid, self.shift = grid, shift
        self.norm1 = nn.LayerNorm(size)
        self.attn = WindowAttention(size, heads)
        self.norm2 = nn.LayerNorm(size)
        self.mlp = Mlp(size)
        self.register_buffer("attn_mask", torch.zeros((grid // WINDOW) ** 2, WINDOW**2, WINDOW**2) if shift else None)

    def forward(self, tokens: Tensor) -> Tensor:
        """``(B, grid², size)`` to the same."""
        image = self.norm1(tokens).unflatten(1, (self.grid, self.grid)).roll((-self.shift, -self.shift), (1, 2))
        count = self.grid // WINDOW
        windows = image.unflatten(2, (count, WINDOW)).unflatten(1, (count, WINDOW)).transpose(2, 3)
        windows = self.attn(windows.flatten(3, 4).flatten(1, 2), getattr(self, "attn_mask", None))
        image = windows.unflatten(2, (WINDOW, WINDOW)).unflatten(1, (count, count)).transpose(2, 3)
        image = image.flatten(3, 4).flatten(1, 2).roll((self.shift, self.shift), (1, 2))
        tokens = tokens + image.flatten(1, 2)
        return tokens + self.mlp(self.norm2(tokens))


class Merging(nn.Module):
    """Four neighbours as one token of twice the size."""

    def __init__(self, size: int, grid: int) -> None:
        super().__init__()
        self.grid = grid
        self.reduction = nn.Linear(4 * size, 2 * size, bias=False)
        self.norm = nn.LayerNorm(4 * size)

    def forward(self, tokens: Tensor) -> Tensor:
        """``(B, grid², size)`` to ``(B, grid² / 4, 2 size)``."""
        image = tokens.unflatten(1, (self.grid // 2, 2, self.grid // 2, 2))
        # The order in which the checkpoints have the neighbours: down before across.
        neighbours = image.permute(0, 1, 3, 4, 2, 5).flatten(3).flatten(1, 2)
        return self.reduction(self.norm(neighbours))


class Stage(nn.Module):
    """Layers over one grid, and the halving of it."""

    def __init__(self, size: int, depth: int, heads: int, grid: int, last: bool) -> None:
        super().__init__()
        shift = 0 if grid <= WINDOW else WINDOW // 2
        self.blocks = nn.ModuleList(WindowBlock(size, heads, grid, shift * (i % 2)) for i in range(depth))
        self.downsample = None if last else Merging(size, grid)

    def forward(self, tokens: Tensor) -> Tensor:
        """``(B, grid², size)`` to ``(B, grid² / 4, 2 size)``; the last stage leaves the grid as it is."""
        for block in self.blocks:
            tokens = block(tokens)
        return tokens if self.downsample is None else self.downsample(tokens)


class PatchEmbedding(nn.Module):
    """Patches of 4 × 4 as normalised tokens."""

    def __init__(self) -> None:
        super().__init__()
        self.proj = nn.Conv2d(1, WIDTH, PATCH, PATCH)
        self.norm = nn.LayerNorm(WIDTH)

    def forward(self, image: Tensor) -> Tensor:
        """``(B, 1, 256, 256)`` to ``(B, 4096, 128)``."""
        return self.norm(self.proj(image).flatten(2).transpose(1, 2))


class MelFilters(nn.Module):
    """The mel filters, which the checkpoints bring with them."""

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("melW", torch.zeros(N_FFT // 2 + 1, BANDS))

    def forward(self, power: Tensor) -> Tensor:
        """Power ``(B, 513, frames)`` to decibels ``(B, 64, frames)``."""
        return 10.0 * (self.get_buffer("melW").T @ power).clamp(min=1e-10).log10()


class HTSAT(nn.Module):
    """HTS-AT as in CLAP: ten seconds at 48 kHz to 1024 values."""

    def __init__(self) -> None:
        super().__init__()
        self.logmel_extractor = MelFilters()
        self.bn0 = nn.BatchNorm2d(BANDS)
        self.patch_embed = PatchEmbedding()
        sizes = [WIDTH << i for i in range(len(DEPTHS))]
        self.layers = nn.ModuleList(
            Stage(sizes[i], DEPTHS[i], HEADS[i], GRID >> i, i == len(DEPTHS) - 1) for i in range(len(DEPTHS))
        )
        self.norm = nn.LayerNorm(sizes[-1])

    def forward(self, power: Tensor) -> Tensor:
        """Power spectrograms ``(B, 513, 1001)`` to ``(B, 1024)``."""
        bands = self.bn0(self.logmel_extractor(power)[..., None]).squeeze(-1)
        tokens = self.patch_embed(as_image(bands))
        for stage in self.layers:
            tokens = stage(tokens)
        return self.norm(tokens).mean(1)


def as_image(bands: Tensor) -> Tensor:
    """Bands ``(B, 64, frames)`` stretched to 1024 frames, whose four quarters lie one above the other.

    Returns:
        ``(B, 1, 256, 256)``.
    """
    image_side = GRID * PATCH
    length = image_side * image_side // BANDS
    stretched = F.interpolate(bands.transpose(1, 2)[:, None], (length, BANDS), mode="bicubic", align_corners=True)
    quarters = stretched.squeeze(1).transpose(1, 2).unflatten(2, (length // image_side, image_side))
    return quarters.transpose(1, 2).flatten(1, 2)[:, None]


def power_spectrogram() -> Spectrogram:
    """What makes the power spectrogram that the network takes."""
    return Spectrogram(N_FFT, N_FFT, HOP)
