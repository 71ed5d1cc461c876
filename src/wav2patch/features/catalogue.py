"""The features that wav2patch knows, by name."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, fields
from importlib import import_module
from types import MappingProxyType
from typing import Any

from wav2patch.errors import UserError
from wav2patch.features.base import Feature
from wav2patch.spelling import read_number, read_options


@dataclass(frozen=True)
class Entry:
    """Where a feature is made: a dataclass of a module that is imported when the feature is asked for.

    Attributes:
        module: Below `wav2patch.features`.
        maker: Name of the dataclass, whose fields are the settings.
        raw: Whether models hear it as it is unless they are told otherwise, and not with mean 0 and deviation 1 bin by
            bin. Amplitudes are: zero means something, and most bins are near it.
    """

    module: str
    maker: str
    raw: bool = False

    @property
    def type(self) -> Callable[..., Feature]:
        """The dataclass."""
        return getattr(import_module(f"wav2patch.features.{self.module}"), self.maker)

    def __call__(self, **settings: Any) -> Feature:
        """Make the feature."""
        return self.type(**settings)


FEATURES: MappingProxyType[str, Entry] = MappingProxyType(
    {
        "log_mel": Entry("log_mel", "LogMel"),
        "log_mel_level": Entry("log_mel_level", "LogMelLevel"),
        "constant_q": Entry("constant_q", "ConstantQ"),
        "stft": Entry("stft", "Stft", raw=True),
        "spectrum": Entry("spectrum", "Spectrum", raw=True),
        "waveform": Entry("waveform", "Waveform", raw=True),
    }
)


def heard_raw(name: str) -> bool:
    """Whether models hear a feature of this name as it is by default; see `Entry`. Not so embeddings."""
    entry = FEATURES.get(name.partition(":")[0])
    return entry is not None and entry.raw


def load_feature(words: str) -> Feature:
    """The feature that words stand for: a name, and settings behind it, such as ``log_mel:bands=64:hop=0.02``.

    Raises:
        UserError: There is none of this name, or a setting is unknown, no number or out of range; the sentence lists
            what there is.
    """
    name, *settings = words.strip().split(":")
    entry = FEATURES.get(name)
    if entry is None:
        raise UserError(f"there is no feature called {name!r}: choose from {', '.join(FEATURES)}.")
    defaults = {each.name: each.default for each in fields(entry.type)}  # pyright: ignore[reportArgumentType]
    options = read_options(settings, defaults, f"the feature {name}")
    try:
        return entry(**{option: _number(option, text, defaults[option]) for option, text in options.items()})
    except ValueError as error:
        raise UserError(f"the feature {words!r} cannot be made: {error}.") from error


def _number(option: str, text: str, default: object) -> int | float:
    """The number that a text is, whole where the default is."""
    value = read_number(text)
    if value is None or (isinstance(default, int) and value != int(value)):
        raise ValueError(f"{option} is {'a whole number' if isinstance(default, int) else 'a number'}, not {text!r}")
    return int(value) if isinstance(default, int) else value
