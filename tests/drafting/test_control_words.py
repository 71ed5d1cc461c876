import re

import pytest

from wav2patch.drafting.words import identifiers, is_level, is_pitch, left_out, selects


@pytest.mark.parametrize(
    ("name", "word"),
    [
        ("Osc1Saw", "osc1_saw"),
        ("VFltFactor", "v_flt_factor"),
        ("Filter 1: Cutoff (Hz)", "filter_1_cutoff_hz"),
        ("lfo1waveform", "lfo1waveform"),
        ("2nd Osc", "n2nd_osc"),
        ("ADSR Attack", "adsr_attack"),
        ("Größe", "gr_e"),
    ],
)
def test_names_become_words(name: str, word: str) -> None:
    assert identifiers([name]) == [word]


def test_words_differ_and_are_fit_for_a_spec() -> None:
    names = ["", "Cutoff", "cutoff", "Cutoff 2", "", "any", "!!", "Cutoff"]
    words = identifiers(names)
    assert len(set(words)) == len(names)
    assert words[1] == "cutoff"
    assert "any" not in words
    assert all(re.fullmatch(r"[a-z][a-z0-9_]*", word) for word in words)


@pytest.mark.parametrize(
    "name",
    ["bypass", "program", "master_vol", "volume", "voice_count", "portamento_time", "pitchbend", "unused_2", "tune"],
)
def test_what_is_no_part_of_a_sound_is_left_out(name: str) -> None:
    assert left_out(name)


@pytest.mark.parametrize(
    "name", ["osc1_volume", "osc2_tune", "amp_level", "noise_mix", "osc1_octave", "wave_bend", "pan1"]
)
def test_what_is_part_of_a_sound_stays(name: str) -> None:
    assert left_out(name) is None


def test_what_names_say() -> None:
    assert selects("lfo1waveform")
    assert not selects("cutoff")
    assert is_level("osc1volume")
    assert not is_level("lfo_amount_mix")
    assert is_pitch("osc2_pitch")
    assert not is_pitch("lfo_pitch")
