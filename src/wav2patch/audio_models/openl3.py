"""OpenL3: an eight-layer convolutional network over the mel spectrogram of one second, trained on sound and picture.

Source: Cramer et al., Look, Listen and Learn More, ICASSP 2019; models.py and core.py of marl/openl3. The front end is
that of kapre 0.1.4, with which the weights were trained (openl3 up to 0.3.1, torchopenl3 and with it the proxies
paper): openl3 0.4 feeds the same weights another mel spectrogram.
"""

from __future__ import annotations

import gzip
import hashlib
import io
from collections import OrderedDict
from collections.abc import Iterator
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from wav2patch.audio_models.base import FrozenModel, Windows
from wav2patch.audio_models.frontends import htk_filters
from wav2patch.audio_models.weights import (
    Provenance,
    Published,
    find_weights,
    load_network,
    read_weights,
    verify,
)
from wav2patch.errors import UserError

KERAS = Published(
    file="openl3_audio_mel256_music-v0_4_0.h5.gz",
    url="https://github.com/marl/openl3/raw/models/openl3_audio_mel256_music-v0_4_0.h5.gz",
    licence="CC BY 4.0",
    sha256="e379f41e880b78e157c199ebddac80d3764e6a46282bcccdbe875bcf538f9afd",
)
UNPACKED = replace(
    KERAS,
    file="openl3_audio_mel256_music.h5",
    sha256="624ee7b1dd5ff87e18073f66fd8b2052bebb8ac70210e9c0937c0c940c63e9d6",
)
TORCH = Published(
    file="torchopenl3_mel256_music_6144.pth.tar",
    url="https://github.com/torchopenl3/torchopenl3-models",
    licence="Apache-2.0, from weights under CC BY 4.0",
)
TORCH_512 = replace(TORCH, file="torchopenl3_mel256_music_512.pth.tar")
GIT_BLOBS = ("297b97fcf4216b3c4f43eb48d9242faaf99cd250", "54df87b6bfe9747d001991da436b3d1ac768b2a6")
"""What git calls torchopenl3's two files: the only checksums that are published."""

SAMPLE_RATE, N_FFT, HOP, BANDS = 48_000, 2048, 242, 256
POOLS = {6144: (8, 8), 512: (32, 24)}
CHANNELS = (1, 64, 64, 128, 128, 256, 256, 512, 512)
POOLED_AFTER = (2, 4, 6)
WINDOWS_AT_ONCE = 16
KERAS_ROLES = {
    "gamma": "weight",
    "beta": "bias",
    "moving_mean": "running_mean",
    "moving_variance": "running_var",
    "kernel": "weight",
    "bias": "bias",
}


class MelSpectrogram(nn.Module):
    """Roots of mel powers as ``10 log10`` below the window's maximum, down to −80, as kapre 0.1.4 makes them.

    As these are magnitudes, −80 is 160 dB down: with clean tones, float32's rounding is part of what the network sees.
    """

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("mel_basis", torch.empty(BANDS, N_FFT // 2 + 1))

    def forward(self, audio: Tensor) -> Tensor:
        """Windows ``(B, 48000)`` to ``(B, 1, 256, 199)``."""
        padding = N_FFT - audio.shape[-1] % HOP
        frames = F.pad(audio, (padding // 2, padding - padding // 2)).unfold(-1, N_FFT, HOP)
        spectrum = torch.fft.rfft(frames * torch.hann_window(N_FFT, device=audio.device))
        power = spectrum.real.square() + spectrum.imag.square()
        basis = self.get_buffer("mel_basis")
        # The root of the summed powers, as decibels; the floor is 1e-10 after the root.
        decibels = 5.0 * torch.log10((power @ basis.T).clamp(min=1e-20))
        decibels = (decibels - decibels.amax((-2, -1), keepdim=True)).clamp(min=-80.0)
        return decibels.transpose(-2, -1)[:, None]


def make_network() -> nn.Sequential:
    """The network with torchopenl3's keys: a second ``(B, 48000)`` to ``(B, 512, 32, 24)``."""
    layers: OrderedDict[str, nn.Module] = OrderedDict(speclayer=MelSpectrogram())
    for number, (taken, given) in enumerate(pairwise(CHANNELS), start=1):
        layers[f"batch_normalization_{number}"] = nn.BatchNorm2d(taken, eps=1e-3)
        if number > 1:
            layers[f"activation_{number - 1}"] = nn.ReLU()
        if number - 1 in POOLED_AFTER:
            layers[f"max_pooling2d_{POOLED_AFTER.index(number - 1) + 1}"] = nn.MaxPool2d(2)
        layers[_convolution(number)] = nn.Conv2d(taken, given, 3, padding=1)
    return nn.Sequential(layers)


def _convolution(number: int) -> str:
    return f"conv2d_{number}" if number < len(CHANNELS) - 1 else "audio_embedding_layer"


def mel_basis() -> Tensor:
    """Triangles of equal areas on HTK's mel scale, ``(256, 1025)``, as ``librosa.filters.mel(htk=True)`` has them."""
    return htk_filters(SAMPLE_RATE, N_FFT, BANDS, 0.0, SAMPLE_RATE / 2, straight_in="hz", equal_area=True)


def read_keras(path: Path) -> dict[str, Tensor]:
    """The weights of a Keras file (.h5, or .h5.gz as published) under torchopenl3's keys.

    Layers are taken in the file's order: their names count on from whatever Keras made before them.

    Raises:
        UserError: It is not a whole file of OpenL3's weights.
    """
    try:
        groups = list(_keras_layers(gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()))
    except (OSError, EOFError, KeyError, ValueError) as error:
        raise UserError(f"{path} is not a whole file of Keras weights: it should be that of {KERAS.url}.") from error
    names = [name for i in range(1, len(CHANNELS)) for name in (f"batch_normalization_{i}", _convolution(i))]
    if len(groups) != len(names):
        raise UserError(f"{path} are not the weights of OpenL3: {len(groups)} layers have some, not {len(names)}.")
    state = {"speclayer.mel_basis": mel_basis()}
    for name, group in zip(names, groups, strict=True):
        state |= {f"{name}.{role}": tensor for role, tensor in group.items()}
        if name.startswith("batch"):
            state[f"{name}.num_batches_tracked"] = torch.tensor(0)
    return state


def _keras_layers(content: bytes) -> Iterator[dict[str, Tensor]]:
    import h5py  # noqa: PLC0415 - only for this format

    with h5py.File(io.BytesIO(content), "r") as file:
        for layer in _texts(file.attrs["layer_names"]):
            names = _texts(file[layer].attrs["weight_names"])
            if names:
                yield {_role(name): _tensor(np.asarray(file[f"{layer}/{name}"])) for name in names}


def _texts(names: Any) -> list[str]:
    return [name.decode() if isinstance(name, bytes) else str(name) for name in names]


def _role(name: str) -> str:
    return KERAS_ROLES[name.rsplit("/", 1)[-1].removesuffix(":0")]


def _tensor(values: np.ndarray) -> Tensor:
    # Keras has kernels as (height, width, in, out).
    return torch.from_numpy(np.ascontiguousarray(values.transpose(3, 2, 0, 1) if values.ndim == 4 else values))


def _load(path: Path) -> tuple[nn.Sequential, Provenance]:
    if path.suffix in (".gz", ".h5"):
        provenance = verify(path, KERAS if path.suffix == ".gz" else UNPACKED)
        state = read_keras(path)
    else:
        state, provenance = read_weights(path, TORCH)
        if path.suffix == ".tar":
            provenance = replace(provenance, verified=_verify_git(path))
    # Windowed sines, in place of a Fourier transform.
    return load_network(make_network, state, str(path), ignore=("speclayer.dft_",)), provenance


def _verify_git(path: Path) -> bool:
    content = path.read_bytes()
    found = hashlib.sha1(b"blob %d\0" % len(content) + content, usedforsecurity=False).hexdigest()
    if found not in GIT_BLOBS:
        raise UserError(
            f"{path} is not {TORCH.file} as published: git calls it {found[:8]}, not {GIT_BLOBS[0][:8]}; get it again "
            f"from {TORCH.url}."
        )
    return True


class OpenL3(FrozenModel):
    """OpenL3, music, 256 mel bands: 6144 (or 512) values every half second, each for a second of sound.

    Vector i is centred on ``i * hop`` seconds: half a second of silence goes before the sound, and silence after it
    fills the last window. The proxies paper takes the maximum over time (`Pooled`). Every window is scaled by its own
    maximum, so that level leaves no trace.
    """

    def __init__(
        self, *, weights: Path | str | None = None, size: int = 6144, hop: float = 0.5, name: str = "openl3"
    ) -> None:
        """Load the weights, in marl/openl3's format or torchopenl3's.

        Args:
            weights: The file, or its folder.
            size: Values per vector: 6144, or 512 by wider pooling.
            hop: Seconds from one vector to the next.
            name: Of the model.

        Raises:
            UserError: The weights are not there, or are not what they should be.
            ValueError: There is no such size, or no hop.
        """
        super().__init__()
        if size not in POOLS or hop <= 0:
            raise ValueError(f"OpenL3 has vectors of {' or '.join(map(str, POOLS))}, not {size}, and a hop above 0 s")
        self.name, self.sample_rate, self.size = name, SAMPLE_RATE, size
        self.windows = Windows(1.0, hop)
        self.network, self.provenance = _load(find_weights(name, KERAS, weights, also=(UNPACKED, TORCH, TORCH_512)))
        self.train(False)

    def describe(self, audio: Tensor) -> Tensor:
        """Embeddings ``(B, T, size)``."""
        windows = self.cut(audio)
        parts = [self._describe_windows(part) for part in windows.flatten(0, 1).split(WINDOWS_AT_ONCE)]
        return torch.cat(parts).unflatten(0, windows.shape[:2])

    def cut(self, audio: Tensor) -> Tensor:
        """Windows ``(B, T, 48000)`` of audio ``(B, samples)``, the first centred on its beginning."""
        step = int(self.windows.hop * SAMPLE_RATE) if self.windows else SAMPLE_RATE
        audio = F.pad(audio, (SAMPLE_RATE // 2, 0))
        over = audio.shape[-1] - SAMPLE_RATE
        return F.pad(audio, (0, -over if over < 0 else -over % step)).unfold(-1, SAMPLE_RATE, step)

    def _describe_windows(self, windows: Tensor) -> Tensor:
        maps = F.max_pool2d(self.network(windows), POOLS[self.size])
        return maps.permute(0, 2, 3, 1).flatten(1)
