"""The audio models that wav2patch knows, by name."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from wav2patch.errors import UserError

if TYPE_CHECKING:
    from wav2patch.audio_models.base import FrozenModel

FOLDER_VARIABLE = "WAV2PATCH_MODELS"
"""Environment variable with the folder of the user's weights."""


@dataclass(frozen=True)
class Entry:
    """Where an audio model is made: a callable of a module that is imported when the model is asked for.

    The callable takes ``weights`` (a path, or None) unless the entry is built in, and the options.

    Attributes:
        module: Below `wav2patch.audio_models`.
        maker: Name of the callable.
        summary: One line about it.
        options: What it is called with.
        built_in: Whether it needs no weights.
        pool: "mean" or "max": one vector a sound of a model that gives vectors in time.
        size: Values, if it gives one vector a sound: known without PyTorch and without weights.
    """

    module: str
    maker: str
    summary: str
    options: Mapping[str, Any] = field(default_factory=dict)
    built_in: bool = False
    pool: str | None = None
    size: int | None = None

    def __call__(self, name: str, *, weights: Path | str | None = None, **options: Any) -> FrozenModel:
        """Make the model."""
        if self.built_in and weights is not None:
            raise UserError(f"{name} is built in and takes no weights.")
        given = {} if self.built_in else {"weights": weights}
        model = self._maker(name)(**given, **{**self.options, **options})
        if self.pool is None:
            return model
        from wav2patch.audio_models.base import Pooled  # noqa: PLC0415 - needs PyTorch

        return Pooled(model, self.pool)

    def _maker(self, name: str) -> Callable[..., FrozenModel]:
        try:
            return getattr(import_module(f"wav2patch.audio_models.{self.module}"), self.maker)
        except ModuleNotFoundError as error:
            if error.name != "torch":
                raise
            raise UserError(f"the audio model {name} needs PyTorch: pip install 'wav2patch[audio-models]'.") from error


def _efficientat(width: str, size: int) -> dict[str, Entry]:
    """The views of one network that are wanted often: the proxies' mean over windows, and the sound as a whole."""
    return {
        f"{width}{'_mel' * mel}{'_clip' * clip}": Entry(
            "efficientat",
            "EfficientAT",
            f"EfficientAT {width}, four blocks{' and its log-mel' * mel}, {'as a whole' if clip else 'over windows'}",
            {"width": width, "mel": mel, "view": "clip" if clip else "mean"},
            size=size + 128 * mel,
        )
        for clip in (False, True)
        for mel in (False, True)
    }


def _clap(checkpoint: str, of: str) -> Entry:
    options = {"checkpoint": checkpoint, "name": f"clap_{checkpoint}"}
    return Entry("clap", "Clap", f"CLAP's audio tower, {of}", options, size=512)


AUDIO_MODELS: MappingProxyType[str, Entry] = MappingProxyType(
    {
        "mel128": Entry(
            "mel_statistics", "MelStatistics", "mean of the log-mel spectrum over time", built_in=True, size=128
        ),
        "mel128_spread": Entry(
            "mel_statistics",
            "MelStatistics",
            "mean, deviation and percentiles of the log-mel spectrum over time",
            {"name": "mel128_spread", "statistics": ("mean", "std", 10, 50, 90)},
            built_in=True,
            size=640,
        ),
        **_efficientat("mn04", 192),
        **_efficientat("mn20", 944),
        "passt_s": Entry("passt", "Passt", "PaSST-S at two scales and a mel, over time", size=2304),
        "passt_s_clip": Entry("passt", "Passt", "PaSST-S for the sound as a whole", {"view": "clip"}, size=768),
        "openl3": Entry("openl3", "OpenL3", "OpenL3 music, mel 256, 6144 values in time"),
        "openl3_max": Entry("openl3", "OpenL3", "the maximum of OpenL3 over time", pool="max", size=6144),
        "openl3_512": Entry(
            "openl3", "OpenL3", "OpenL3 pooled wider, 512 values in time", {"name": "openl3_512", "size": 512}
        ),
        "openl3_512_max": Entry(
            "openl3",
            "OpenL3",
            "the maximum of openl3_512 over time",
            {"name": "openl3_512", "size": 512},
            pool="max",
            size=512,
        ),
        "audiomae": Entry("audiomae", "AudioMAE", "AudioMAE, pretrained and fine-tuned on AudioSet, in time"),
        "audiomae_max": Entry("audiomae", "AudioMAE", "the maximum of AudioMAE over time", pool="max", size=768),
        "clap": Entry("clap", "Clap", "CLAP's audio tower, music", size=512),
        "clap_music_speech": _clap("music_speech", "music and speech"),
        "clap_music_speech_audioset": _clap("music_speech_audioset", "music, speech and AudioSet"),
    }
)


def load_audio_model(name: str, *, weights: Path | str | None = None, **options: Any) -> FrozenModel:
    """The audio model of this name, on the CPU.

    Args:
        name: Of the model.
        weights: The file of its published weights, or a folder with that file; by default the folder that the
            environment variable WAV2PATCH_MODELS names.
        **options: Of the model's class, in place of those of the catalogue.

    Raises:
        UserError: There is no such model, and the sentence lists those that exist; its weights are not there, and
            the sentence says how to get them; or they are not what they should be.
    """
    entry = AUDIO_MODELS.get(name)
    if entry is None:
        raise UserError(f"there is no audio model called {name!r}: choose from {', '.join(AUDIO_MODELS)}.")
    return entry(name, weights=weights, **options)
