"""Features in words."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wav2patch.errors import UserError
from wav2patch.features.catalogue import FEATURES, load_feature
from wav2patch.features.constant_q import ConstantQ
from wav2patch.features.log_mel import LogMel
from wav2patch.features.log_mel_level import LogMelLevel
from wav2patch.features.spectrum import Spectrum
from wav2patch.features.stft import Stft
from wav2patch.features.waveform import Waveform

lengths = st.floats(0.001, 1.0)


@pytest.mark.parametrize("name", FEATURES)
def test_a_name_stands_for_the_defaults(name):
    assert load_feature(name).name == name
    assert load_feature(f" {name} ") == load_feature(name)


@given(
    st.one_of(
        st.builds(LogMel, st.integers(1, 300), lengths, lengths, st.floats(1.0, 120.0)),
        st.builds(LogMelLevel, st.integers(1, 300), lengths, lengths, st.floats(-200, -0.5)),
        st.builds(ConstantQ, st.integers(1, 60), st.integers(1, 9), lengths, st.floats(0, 13), st.floats(-200, -0.5)),
        st.builds(Stft, st.integers(8, 2000).map(lambda half: 2 * half), st.integers(1, 16)),
        st.builds(Spectrum, st.floats(-200, 0)),
        st.builds(Waveform, st.floats(1e-3, 1e3)),
    )
)
def test_the_canonical_words_give_the_feature_back(feature):
    assert load_feature(feature.name) == feature
    assert load_feature(feature.name).name == feature.name
    assert re.fullmatch(r"[a-z_]+(:[a-z_]+=[-+.0-9e]+)*", feature.name)


@pytest.mark.parametrize(
    "words", ["log_mel:bands=128", "log_mel:top_db=80.0:hop=1e-2", "log_mel:window=0.0250:bands=128"]
)
def test_defaults_spelt_out_are_left_out(words):
    assert load_feature(words).name == "log_mel"


def test_settings_have_one_order():
    assert load_feature("log_mel:top_db=60:bands=64").name == "log_mel:bands=64:top_db=60"


MELS = "the feature log_mel takes no 'mels=3': its options are bands=…, window=…, hop=…, top_db=….$"


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (
            "mel",
            "^there is no feature called 'mel': choose from log_mel, log_mel_level, constant_q, stft, spectrum, .*$",
        ),
        ("", "there is no feature called ''"),
        ("log_mel:mels=3", MELS),
        ("log_mel:bands=3:bands=4", "the feature log_mel takes bands once, not twice.$"),
        ("log_mel:", "the feature log_mel takes no ''"),
        ("constant_q:hop", "the feature constant_q takes no 'hop'"),
        ("log_mel:bands=3.5", "'log_mel:bands=3.5' cannot be made: bands is a whole number, not '3.5'.$"),
        ("constant_q:hop=", "hop is a number, not ''.$"),
        ("log_mel:hop=nan", "hop is a number, not 'nan'.$"),
        ("log_mel:bands=0", "the feature 'log_mel:bands=0' cannot be made: bands is 1 to 1024"),
        ("log_mel:hop=1e-6", "window and hop are 0.001 to 10 seconds"),
        ("log_mel_level:window=11", "window and hop are 0.001 to 10 seconds"),
        ("constant_q:hop=0", "hop is 0.001 to 10 seconds"),
        ("constant_q:octaves=0", "octaves is 1 to 12"),
        ("log_mel:top_db=-1", "top_db is a positive number"),
        ("log_mel_level:floor=3", "floor is a number of decibels"),
        ("spectrum:floor=1", "floor is a number of decibels from -200 to 0, where 0 stands for magnitudes"),
        ("waveform:gain=0", "gain is a number above 0, and at most 1000"),
        ("constant_q:narrowest=20", "narrowest is 0 to 13.75 Hz"),
    ],
)
def test_wrong_words_get_one_sentence(words, sentence):
    with pytest.raises(UserError, match=sentence):
        load_feature(words)
