"""Names of what can be stored of a clip."""

from __future__ import annotations

import pickle
import subprocess
import sys

import pytest

from wav2patch.audio_models.stored import Embedding
from wav2patch.datasets.recipes.feature_words import load_stored_feature, ready_feature
from wav2patch.errors import UserError
from wav2patch.features.catalogue import load_feature


@pytest.mark.parametrize("words", ["log_mel", " log_mel:bands=64", "mel128", " mn04_mel ", "audiomae"])
def test_words_come_back(words: str) -> None:
    feature = load_stored_feature(words)
    assert feature.name == words.strip()
    assert load_stored_feature(feature.name) == feature
    assert pickle.loads(pickle.dumps(feature)) == feature


def test_features_and_audio_models_are_told_apart() -> None:
    assert load_stored_feature("log_mel:bands=64") == load_feature("log_mel:bands=64")
    assert load_stored_feature("mel128") == Embedding("mel128") != Embedding("mel128_spread")
    assert ready_feature("log_mel") == load_feature("log_mel")


def test_an_unknown_name_lists_both_kinds() -> None:
    known = r"log_mel, .*spectrum, waveform, or the audio models mel128, .*clap_music_speech_audioset"
    with pytest.raises(UserError, match=rf"^there is no feature called 'mel127': choose from {known}\.$"):
        load_stored_feature("mel127")


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        ("mel128:bands=64", r"the audio model mel128 takes no settings as a feature, not 'bands=64'\."),
        ("log_mel:colour=2", "takes no 'colour=2'"),
    ],
)
def test_settings_that_there_are_not(words: str, sentence: str) -> None:
    with pytest.raises(UserError, match=sentence):
        load_stored_feature(words)


_WITHOUT = """
import sys
sys.modules["torch"] = None
from wav2patch.datasets.recipes.feature_words import load_stored_feature, ready_feature
from wav2patch.errors import UserError
print(load_stored_feature("mn04_mel").shape(1, 44100, 44100))
for words in sys.argv[1:]:
    try:
        ready_feature(words)
    except UserError as error:
        print(error)
"""


def test_without_pytorch_names_are_known_and_nothing_is_computed() -> None:
    names = ("mel128", "mn04_mel", "openl3_max", "audiomae", "clap")
    ran = subprocess.run([sys.executable, "-c", _WITHOUT, *names], capture_output=True, text=True, check=True)
    sentences = [f"the audio model {name} needs PyTorch: pip install 'wav2patch[audio-models]'." for name in names]
    assert ran.stdout.splitlines() == ["(320,)", *sentences]
