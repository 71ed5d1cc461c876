"""The encoders that settings can name."""

from __future__ import annotations

from types import MappingProxyType

from torch import nn

from wav2patch.models.encoders.cnn_1d import ResidualCnn1d
from wav2patch.models.encoders.cnn_2d import ResidualCnn2d
from wav2patch.models.encoders.keyed_cnn import KeyedCnn
from wav2patch.models.encoders.mlp import ResidualMlp
from wav2patch.models.encoders.pooled import PooledEmbedding
from wav2patch.models.encoders.pretrained import PatchTokens, UnetTokens
from wav2patch.models.encoders.spectrogram_transformer import SpectrogramTransformer
from wav2patch.models.encoders.strided_cnn import StridedCnn

ENCODERS: MappingProxyType[str, type[nn.Module]] = MappingProxyType(
    {
        "spectrogram_transformer": SpectrogramTransformer,
        "cnn_1d": ResidualCnn1d,
        "cnn_2d": ResidualCnn2d,
        "keyed_cnn": KeyedCnn,
        "strided_cnn": StridedCnn,
        "unet_1d": UnetTokens,
        "patch_transformer": PatchTokens,
        "mlp": ResidualMlp,
        "pooled": PooledEmbedding,
    }
)
"""Encoders of features ``(n, *shape)`` to condition tokens ``(n, tokens, width)``, each made of ``(shape, *, tokens,
width)`` and settings of its own with defaults. One whose ``hears_key`` is true takes keys ``(n,)`` as a second
argument, MIDI numbers, where the note is known."""
