"""Pretraining of the patch transformer: tell what a hidden patch is, then draw it."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import ClassVar, Literal, get_args

import torch
from torch import Tensor, nn

from wav2patch.models.inverters.base import Examples, Learner, Losses
from wav2patch.models.layers import expect_shape
from wav2patch.models.layout import Layout
from wav2patch.models.noise import Noise
from wav2patch.models.pretraining.listening import scaled
from wav2patch.models.pretraining.masks import hidden_cells, spread_cells
from wav2patch.models.pretraining.patch_transformer import PatchDecoder, PatchTransformer
from wav2patch.models.pretraining.spectral_losses import SpectralWeights, spectral_losses

Stage = Literal["contrastive", "decoder", "full"]
"""What is learnt: to tell hidden patches; to draw them, the encoder being as it is; both ends to draw them."""


class MaskedTransformer(Learner):
    """A transformer that sees a part of a spectrogram's patches.

    Masked contrastive pretraining: what it makes of a hidden place is to be nearer to the patch that was there than to
    all other hidden patches of the batch (InfoNCE; van den Oord et al., 2018). A key is made of what is in a patch
    alone, so that no position gives it away; ``accuracy`` says how often the right one is the nearest, ``over_chance``
    how many times as often as by chance. Then a decoder draws the hidden patches, with the encoder kept or along with
    it.

    All stages have the same weights, so that one goes on from the checkpoint of another (``init=…``).

    Args:
        layout: Of the data's patches, of which it is told nothing.
        shape: ``(channels, bands, frames)`` of a feature; channels are averaged.
        note: Whether the data has notes; it is not told them.
        stage: What is learnt.
        patch: Bands and frames of a patch.
        width: Of a token.
        layers: Of the encoder.
        heads: Of the attention.
        hidden: Width inside the feed-forward networks.
        decoder_layers: Of the decoder.
        keys: Width of queries and keys.
        temperature: Of InfoNCE.
        share: Of the patches that are hidden.
        most: Hidden patches of a row that are told apart at most, drawn by chance; fewer take less memory.
        weights: Of the spectrogram's losses in the stage ``full``, beside the squared error of patches.
    """

    kind: ClassVar[str] = "masked_transformer"

    def __init__(
        self,
        layout: Layout,
        shape: tuple[int, ...],
        *,
        note: bool = False,
        stage: Stage = "contrastive",
        patch: int = 5,
        width: int = 512,
        layers: int = 8,
        heads: int = 8,
        hidden: int = 2048,
        decoder_layers: int = 4,
        keys: int = 256,
        temperature: float = 0.07,
        share: float = 0.45,
        most: int = 256,
        weights: Mapping[str, float] | None = None,
    ) -> None:
        super().__init__(layout, shape, note=note)
        _, bands, frames = expect_shape(shape, "channels", "bands", "frames")
        if stage not in get_args(Stage):
            raise ValueError(f"a stage is {', '.join(get_args(Stage))}, not {stage!r}")
        if not temperature > 0.0 or most < 1:
            raise ValueError("temperature and most are above 0")
        self.stage: Stage = stage
        self.temperature, self.share, self.most = temperature, share, most
        self.weights = SpectralWeights(**(weights or {}))
        self.network = PatchTransformer(
            bands, frames, patch=patch, width=width, layers=layers, heads=heads, hidden=hidden
        )
        self.hidden_token = nn.Parameter(0.02 * torch.randn(width))
        self.query = nn.Sequential(nn.LayerNorm(width), nn.Linear(width, keys))
        self.key = nn.Sequential(nn.LayerNorm(width), nn.Linear(width, keys))
        self.decoder = PatchDecoder(
            self.network.down * self.network.across, self.network.size, width=width, layers=decoder_layers,
            heads=heads, hidden=hidden,
        )  # fmt: skip
        self._learn(stage)

    def loss(self, examples: Examples, noise: Noise) -> Losses:
        """See the class; the patches that are hidden are a function of the noise."""
        spectrograms = examples.features.mean(dim=1)
        cells = hidden_cells(noise, self.network.down, self.network.across, self.share)
        seen = ~spread_cells(cells, self.network.patch, *spectrograms.shape[1:])
        heard = scaled(spectrograms, seen)
        patches, hidden = self.network.patches(heard.values), cells.flatten(1)
        contents = self.network.embed(patches)
        tokens = self.network(torch.where(hidden[..., None], self.hidden_token, contents))
        if self.stage == "contrastive":
            return self._told_apart(tokens, contents.detach(), hidden, noise)
        drawn = self.decoder(tokens)
        wrong = (drawn - patches).square().mean(dim=2)[hidden].mean()
        losses = {"loss": wrong, "patch_loss": wrong}
        if self.stage == "decoder":
            return losses
        whole = heard.back(self._unpatched(drawn, *spectrograms.shape[1:]))
        spectral = spectral_losses(whole, spectrograms, ~seen, self.weights)
        return {**{f"L_{k}" if k == "loss" else k: v for k, v in spectral.items()}, **losses,
                "loss": wrong + spectral["loss"]}  # fmt: skip

    def _told_apart(self, tokens: Tensor, contents: Tensor, hidden: Tensor, noise: Noise) -> Losses:
        """InfoNCE of some hidden patches of every row, among those of all rows."""
        many = min(self.most, int(hidden[0].sum()))
        order = noise.uniform("told apart", hidden.shape[1]).masked_fill(~hidden, 2.0).argsort(dim=1)[:, :many]
        places = order[..., None]
        asked = self.query(tokens.gather(1, places.expand(-1, -1, tokens.shape[2])).flatten(0, 1))
        offered = self.key(contents.gather(1, places.expand(-1, -1, contents.shape[2])).flatten(0, 1))
        logits = nn.functional.normalize(asked, dim=1) @ nn.functional.normalize(offered, dim=1).T / self.temperature
        own = torch.arange(len(logits), device=logits.device)
        right = (logits.argmax(dim=1) == own).to(logits).mean()
        loss = nn.functional.cross_entropy(logits, own)
        chance = loss.new_tensor(math.log(len(logits)))
        return {"loss": loss, "accuracy": right, "over_chance": right * len(logits), "chance": chance}

    def _unpatched(self, patches: Tensor, bands: int, frames: int) -> Tensor:
        """Spectrograms ``(n, bands, frames)`` of patches."""
        network, side = self.network, self.network.patch
        picture = patches.unflatten(2, (side, side)).unflatten(1, (network.down, network.across))
        return picture.permute(0, 1, 3, 2, 4).flatten(3).flatten(1, 2)[:, :bands, :frames]

    def _learn(self, stage: Stage) -> None:
        """Keep what the stage leaves as it is."""
        contrastive = stage == "contrastive"
        self.decoder.requires_grad_(not contrastive)
        for part in (self.query, self.key):
            part.requires_grad_(contrastive)
        self.network.requires_grad_(stage != "decoder")
        self.hidden_token.requires_grad_(stage != "decoder")
