"""What is special about the DX7."""

from pathlib import Path

import numpy as np
import pytest
from dexed import Patch as DexedPatch
from dexed import Preset
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_array_equal

from wav2patch.errors import UserError
from wav2patch.notes import Note
from wav2patch.priors import UniformPrior, draw
from wav2patch.synths.catalogue import load_synth
from wav2patch.synths.dexed import Dexed, from_voice, to_voice
from wav2patch.synths.dexed_space import dx7_space, operator_fields


def uniform_patch(seed: int) -> np.ndarray:
    return UniformPrior(dx7_space()).sample(np.random.default_rng([seed]), 1)[0]


def test_the_space_is_a_whole_voice() -> None:
    space = dx7_space()
    assert len(space) == 145
    assert space.is_categorical.sum() == 22
    assert space.width == 123 + 32 + 6 + 2 * 2 + 6 * 2 + 12 * 4


@given(st.integers(0, 2**32), st.text("ABCXYZ 0189", max_size=10))
@settings(deadline=None)
def test_voices_read_back_byte_for_byte(seed: int, name: str) -> None:
    patch = uniform_patch(seed)
    back_name, back = from_voice(to_voice(patch, name))
    assert_array_equal(back, patch)
    assert back_name == name.strip()


def test_values_lie_where_dexed_py_reads_them() -> None:
    space = dx7_space()
    for seed in range(20):
        patch = uniform_patch(seed)
        named, theirs = space.named(patch), DexedPatch.from_sysex(to_voice(patch) + b"\x3f")
        assert theirs.algorithm == int(str(named["algorithm"])) - 1
        assert theirs.feedback == named["feedback"]
        assert theirs.transpose == named["transpose"]
        assert theirs.lfo.speed == named["lfo_speed"]
        assert theirs.lfo.pitch_mod_depth == named["lfo_pitch_depth"]
        assert theirs.lfo.amp_mod_depth == named["lfo_amp_depth"]
        assert theirs.pitch_mod_sensitivity == named["lfo_pitch_sensitivity"]
        assert theirs.pitch_envelope.levels == [named[f"pitch_eg_level_{i}"] for i in range(1, 5)]
        for k in range(1, 7):
            operator = theirs.op[k - 1]
            assert operator.envelope.rates == [named[f"op{k}_eg_rate_{i}"] for i in range(1, 5)]
            assert operator.envelope.levels == [named[f"op{k}_eg_level_{i}"] for i in range(1, 5)]
            assert operator.output_level == named[f"op{k}_output_level"]
            assert operator.frequency_coarse == named[f"op{k}_coarse"]
            assert operator.frequency_fine == named[f"op{k}_fine"]
            assert operator.detune == named[f"op{k}_detune"]
            assert operator.frequency_mode == ["ratio", "fixed"].index(str(named[f"op{k}_frequency_mode"]))
            assert operator.velocity_sensitivity == named[f"op{k}_velocity_sensitivity"]
            assert operator.amp_mod_sensitivity == named[f"op{k}_amp_mod_sensitivity"]
            assert operator.breakpoint == named[f"op{k}_breakpoint"]
            assert operator.left_depth == named[f"op{k}_left_depth"]


def test_the_initial_patch_is_the_instruments_init_voice() -> None:
    plain = Preset().to_patch()
    for operator in list(plain.op)[1:]:
        operator.output_level = 0
    plain.lfo.wave = "triangle"
    _, patch = from_voice(plain.to_sysex()[:155])
    assert_array_equal(patch, dx7_space().default)


def bank_of(count: int) -> tuple[list[np.ndarray], list[str]]:
    return [uniform_patch(seed) for seed in range(count)], [f"VOICE {i:02d}" for i in range(count)]


@pytest.mark.parametrize("count", [1, 3, 32])
def test_a_bank_opens_in_dexed_py_and_here(tmp_path: Path, count: int) -> None:
    synth, (patches, names) = Dexed(), bank_of(count)
    synth.write_bank(patches, tmp_path / "bank.syx", names)
    theirs = DexedPatch.load_bank(str(tmp_path / "bank.syx"))
    assert [voice.name.strip() for voice in theirs[:count]] == names
    ours = synth.read_presets(tmp_path / "bank.syx")
    assert len(ours) == 32
    for patch, voice, back in zip(patches, theirs, ours, strict=False):
        assert_array_equal(from_voice(voice.to_sysex()[:155])[1], patch)
        assert_array_equal(back.patch, patch)
        assert back.name in names
    assert all(np.array_equal(back.patch, patches[-1]) for back in ours[count:])


def test_banks_that_dexed_py_writes_are_read(tmp_path: Path) -> None:
    patches, names = bank_of(32)
    voices = [DexedPatch.from_sysex(to_voice(p, n) + b"\x3f") for p, n in zip(patches, names, strict=True)]
    DexedPatch.save_to_bank(str(tmp_path / "bank.syx"), voices)
    content = (tmp_path / "bank.syx").read_bytes()
    (tmp_path / "raw.syx").write_bytes(content[6:-2])
    (tmp_path / "led.syx").write_bytes(b"\xf0\x7e\x00\x06\x02\xf7" + content + content)
    for file, expected in (("bank.syx", 32), ("raw.syx", 32), ("led.syx", 64)):
        read = Dexed().read_presets(tmp_path / file)
        assert len(read) == expected
        assert_array_equal(np.stack([voice.patch for voice in read[:32]]), np.stack(patches))


def test_a_single_voice_message_is_as_the_manual_has_it(tmp_path: Path) -> None:
    Dexed().write_preset(uniform_patch(1), tmp_path / "voice.syx", name="A")
    content = (tmp_path / "voice.syx").read_bytes()
    assert len(content) == 163
    assert content[:6] == bytes([0xF0, 0x43, 0x00, 0x00, 0x01, 0x1B])
    assert content[-1] == 0xF7
    assert (sum(content[6:-1]) & 0x7F) == 0


def test_worn_bytes_are_brought_into_range() -> None:
    _, patch = from_voice(bytes([127] * 145) + b"WORN      ")
    dx7_space().validate(patch)


def test_an_empty_or_overfull_bank_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="1 to 32"):
        Dexed().write_bank([], tmp_path / "bank.syx", [])


def test_the_shipped_prior_is_that_of_real_voices() -> None:
    prior, space = Dexed().prior(), dx7_space()
    assert prior.count == 1051
    assert prior.quantiles.shape == (257, 145)
    patches = np.stack([draw(prior, 1, i) for i in range(500)])
    # Figures of the collection it was fitted to: most voices leave transpose alone and detune in the middle.
    assert np.median(patches[:, space.index("transpose")]) == 24
    assert np.median(patches[:, space.index("op1_detune")]) == 7
    assert np.median(patches[:, space.index("op1_output_level")]) >= 95


def test_uniform_draws_are_often_silent_which_is_why_there_is_a_prior() -> None:
    synth, note = load_synth("dexed"), Note(60, 100, 0.0, 0.4)

    def silent(patches: list[np.ndarray]) -> float:
        renders = [synth.render(patch, note, length=0.5, sample_rate=22050) for patch in patches]
        return float(np.mean([np.sqrt(np.square(audio).mean()) < 10 ** (-55 / 20) for audio in renders]))

    uniform = silent([uniform_patch(i) for i in range(200)])
    fitted = silent([draw(synth.prior(), 2, i) for i in range(200)])
    assert uniform > 0.25 > 5 * fitted


def test_a_carrier_alone_sounds_at_the_pitch_that_is_played() -> None:
    for pitch in (40, 69):
        note = Note(pitch, 100, 0.0, 1.0)
        audio = load_synth("dexed").render(dx7_space().default, note, length=1.0, sample_rate=44100)[0]
        spectrum = np.abs(np.fft.rfft(audio * np.hanning(len(audio))))
        assert np.argmax(spectrum) == pytest.approx(note.frequency, abs=1.0)


def test_operator_fields_are_the_bytes_of_an_operator() -> None:
    assert len(operator_fields(3)) == 21
    with pytest.raises(UserError, match="no parameter"):
        dx7_space().index("op7_coarse")


@pytest.mark.parametrize(
    ("name", "kept"),
    [
        ("E.PIANO 1", "E.PIANO 1"),
        ("slap bass e1 2", "SLAP BAS 2"),
        ("strings a3 12", "STRINGS 12"),
        ("a" * 12, "A" * 10),
    ],
)
def test_a_name_is_shortened_but_keeps_its_number(name: str, kept: str) -> None:
    assert from_voice(to_voice(dx7_space().default, name))[0] == kept
