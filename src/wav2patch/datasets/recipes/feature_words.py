"""What can be stored of a clip, in words: a feature of `wav2patch.features`, or the name of an audio model."""

from __future__ import annotations

from collections.abc import Iterable

from wav2patch.audio_models.catalogue import AUDIO_MODELS
from wav2patch.audio_models.stored import Embedding
from wav2patch.errors import UserError
from wav2patch.features.base import Feature
from wav2patch.features.catalogue import FEATURES, load_feature


def load_stored_feature(words: str) -> Feature:
    """The feature that words stand for: ``log_mel:bands=64``, or an audio model such as ``mn04_mel``.

    Nothing is loaded: what is there can be described without PyTorch and without weights. See `ready_feature`.

    Raises:
        UserError: There is none of this name, and the sentence lists those that there are; or its settings are wrong.
    """
    name, _, settings = words.strip().partition(":")
    if name not in AUDIO_MODELS:
        if name not in FEATURES:
            known = f"choose from {', '.join(FEATURES)}, or the audio models {', '.join(AUDIO_MODELS)}"
            raise UserError(f"there is no feature called {name!r}: {known}.")
        return load_feature(words)
    if settings:
        raise UserError(f"the audio model {name} takes no settings as a feature, not {settings!r}.")
    return Embedding(name)


def ready_feature(words: str) -> Feature:
    """The same, able to be computed here.

    Raises:
        UserError: As `load_stored_feature`; or PyTorch or the published weights are not there, and the sentence says
            how to get them.
    """
    feature = load_stored_feature(words)
    if isinstance(feature, Embedding):
        feature.prepare()
    return feature


def quick_features(names: Iterable[str]) -> tuple[Feature, ...]:
    """Of the features of a recipe, those that are made in an instant: no embeddings of audio models."""
    features = (load_stored_feature(name) for name in names)
    return tuple(one for one in features if not isinstance(one, Embedding))
