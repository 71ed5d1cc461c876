import os
from pathlib import Path

import numpy as np
import pytest
import soundfile
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from wav2patch.audio import files
from wav2patch.audio.files import duration, read_audio, write_wav
from wav2patch.errors import UserError

SUBTYPES = [
    (container, subtype)
    for container in ("WAV", "AIFF", "FLAC", "OGG", "MP3", "CAF", "W64", "AU")
    for subtype in soundfile.available_subtypes(container)
    if subtype.startswith(("PCM", "FLOAT", "DOUBLE", "ULAW", "ALAW", "VORBIS", "OPUS", "MPEG"))
    and subtype not in ("MPEG_LAYER_I", "MPEG_LAYER_II")
    and (container, subtype) != ("WAV", "MPEG_LAYER_III")  # libsndfile reads it only
]
EXACT = {
    "PCM_S8": 2**-7,
    "PCM_U8": 2**-7,
    "PCM_16": 2**-15,
    "PCM_24": 2**-23,
    "PCM_32": 2**-23,
    "FLOAT": 0,
    "DOUBLE": 0,
}


def tone(channels: int, rate: int, length: float = 0.2) -> np.ndarray:
    time = np.arange(round(length * rate)) / rate
    return np.stack([0.5 * np.sin(2 * np.pi * 300 * (k + 1) * time) for k in range(channels)]).astype(np.float32)


@pytest.mark.parametrize(("container", "subtype"), SUBTYPES)
def test_every_format_comes_back(tmp_path: Path, container: str, subtype: str) -> None:
    rate = 48_000 if subtype == "OPUS" else 44_100
    path = tmp_path / f"tone.{container.lower()}"
    audio = tone(2, rate)
    soundfile.write(path, audio.T, rate, format=container, subtype=subtype)
    back, back_rate = read_audio(path)
    assert back.dtype == np.float32
    assert back_rate == rate
    assert duration(path) == pytest.approx(0.2, abs=0.06)
    if subtype in EXACT:
        assert back.shape == audio.shape
        assert np.abs(back - audio).max() <= EXACT[subtype]
    else:  # codecs that lose something, some of them whole frames at the ends
        assert back.shape[0] == 2
        assert np.std(back[0]) == pytest.approx(np.std(audio[0]), rel=0.15)


@pytest.mark.parametrize("rate", [8_000, 11_025, 22_050, 44_100, 48_000, 96_000, 192_000])
@pytest.mark.parametrize("channels", [1, 2, 6])
def test_rates_and_channels_come_back(tmp_path: Path, rate: int, channels: int) -> None:
    audio = tone(channels, rate)
    soundfile.write(tmp_path / "tone.wav", audio.T, rate, subtype="FLOAT")
    back, back_rate = read_audio(tmp_path / "tone.wav")
    assert back_rate == rate
    np.testing.assert_array_equal(back, audio)


@settings(max_examples=25, deadline=None)
@given(
    audio=arrays.arrays(
        np.float32, st.tuples(st.integers(1, 3), st.integers(1, 50)), elements=st.floats(-4, 4, width=32)
    )
)
def test_written_samples_come_back_bit_for_bit(tmp_path_factory: pytest.TempPathFactory, audio: np.ndarray) -> None:
    path = tmp_path_factory.mktemp("audio") / "deep" / "out.wav"
    write_wav(path, audio, 44_100)
    back, rate = read_audio(path)
    assert rate == 44_100
    assert back.tobytes() == audio.tobytes()
    assert [entry.name for entry in path.parent.iterdir()] == ["out.wav"]


def test_the_same_audio_gives_the_same_bytes_whatever_the_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    audio = tone(1, 44_100)[0]
    write_wav(tmp_path / "a.wav", audio, 44_100)
    monkeypatch.setattr("time.time", lambda: 12345.0)
    write_wav(tmp_path / "b.wav", audio, 44_100)
    content = (tmp_path / "a.wav").read_bytes()
    assert content == (tmp_path / "b.wav").read_bytes()
    assert b"PEAK" not in content  # libsndfile's chunk with the time of day
    assert soundfile.info(tmp_path / "a.wav").subtype == "FLOAT"


def test_writing_refuses_a_wrong_shape(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="shape"):
        write_wav(tmp_path / "out.wav", np.zeros((1, 2, 3)), 44_100)


def test_writing_into_a_file_is_the_users_mistake(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    with pytest.raises(UserError, match="could not be written"):
        write_wav(tmp_path / "file" / "out.wav", np.zeros(10), 44_100)


def broken(tmp_path: Path, name: str) -> Path:
    path = tmp_path / name
    match name:
        case "missing.wav":
            pass
        case "folder":
            path.mkdir()
        case "empty.wav":
            path.touch()
        case "text.wav" | "text.raw":
            path.write_text("this is no sound\n" * 50)
        case "no_samples.wav":
            soundfile.write(path, np.zeros((0, 1)), 44_100)
        case "nan.wav" | "infinite.wav":
            audio = tone(1, 44_100)[0]
            audio[100] = np.nan if name == "nan.wav" else np.inf
            soundfile.write(path, audio, 44_100, subtype="FLOAT")
        case "odd_rate.wav":
            soundfile.write(path, np.zeros(100), 8)
        case _:  # half of a file
            soundfile.write(path, tone(2, 44_100, 1.0).T, 44_100)
            content = path.read_bytes()
            path.write_bytes(content[: len(content) // 2])
    return path


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("missing.wav", "does not exist"),
        ("folder", "is a folder"),
        ("empty.wav", "is empty"),
        ("text.wav", "is no audio, or damaged"),
        ("text.raw", "is no audio, or damaged"),
        ("no_samples.wav", "holds no samples"),
        ("nan.wav", "NaN or infinite"),
        ("infinite.wav", "NaN or infinite"),
        ("odd_rate.wav", "8 samples a second"),
        ("half.wav", "is damaged"),
        ("half.aiff", "is damaged"),
        ("half.flac", "is damaged"),
    ],
)
def test_bad_files_get_one_sentence(tmp_path: Path, name: str, sentence: str) -> None:
    path = broken(tmp_path, name)
    with pytest.raises(UserError, match=sentence) as caught:
        read_audio(path)
    text = str(caught.value)
    assert text.startswith(str(path))
    assert text.endswith(".")
    assert "\n" not in text


@pytest.mark.skipif(os.geteuid() == 0, reason="root reads everything")
def test_a_file_without_permission(tmp_path: Path) -> None:
    path = broken(tmp_path, "nan.wav")
    path.chmod(0)
    with pytest.raises(UserError, match="cannot be read"):
        read_audio(path)


def test_a_refused_file_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise PermissionError(13, "Permission denied")

    path = broken(tmp_path, "nan.wav")
    monkeypatch.setattr(Path, "open", refuse)
    with pytest.raises(UserError, match="cannot be read: Permission denied"):
        read_audio(path)


def test_a_streamed_wav_with_a_placeholder_for_its_size_is_read(tmp_path: Path) -> None:
    path = tmp_path / "streamed.wav"
    soundfile.write(path, tone(1, 44_100).T, 44_100)
    content = bytearray(path.read_bytes())
    content[4:8] = b"\xff\xff\xff\xff"
    path.write_bytes(content)
    assert read_audio(path)[0].shape == (1, 8820)


def test_only_the_first_minutes_of_a_long_file_are_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files, "LONGEST", 0.5)
    monkeypatch.setattr(files, "_BLOCK", 1000)
    audio = tone(1, 8_000, 2.0)
    soundfile.write(tmp_path / "long.wav", audio.T, 8_000, subtype="FLOAT")
    np.testing.assert_array_equal(read_audio(tmp_path / "long.wav")[0], audio[:, :4000])
    assert duration(tmp_path / "long.wav") == 2.0


def test_many_channels_do_not_fill_the_memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files, "MOST_VALUES", 600)
    soundfile.write(tmp_path / "wide.wav", tone(6, 8_000).T, 8_000)
    assert read_audio(tmp_path / "wide.wav")[0].shape == (6, 100)
