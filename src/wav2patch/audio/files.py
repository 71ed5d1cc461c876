"""Audio files in and out."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import soundfile
from numpy.typing import NDArray

from wav2patch.errors import UserError
from wav2patch.files import atomic_path

LONGEST = 600.0
"""Seconds of a recording that are read at most."""

MOST_VALUES = 60_000_000
"""Samples times channels that are read at most (240 MB), whatever the rate and the channels."""

RATES = (2_000, 1_000_000)
"""Sample rates in Hz outside of which a header is taken to be damaged."""

_BLOCK = 1 << 20


def read_audio(path: Path) -> tuple[NDArray[np.float32], int]:
    """Audio of a WAV, FLAC, Ogg, MP3 or AIFF file (and whatever else libsndfile reads), at its own rate.

    A recording longer than ten minutes is read for its first ten (`LONGEST`) only, so that hours of audio
    do not fill the memory; `duration` tells how long it is. Integers are scaled to −1…1, floats kept.

    Args:
        path: File of any bit depth, rate and number of channels.

    Returns:
        Samples, float32 of shape (channels, samples), and the sample rate in Hz.

    Raises:
        UserError: The file is missing, unreadable, empty, damaged, no audio, or holds NaN or infinity.
    """
    with _open(path) as file:
        _check_header(path, file)
        rate = file.samplerate
        try:
            audio = _read_blocks(file)
        except soundfile.LibsndfileError as error:
            raise _damaged(path) from error
        if not audio.size:
            raise _damaged(path)
    if not np.isfinite(audio).all():
        raise UserError(f"{path} holds samples that are NaN or infinite: export it again.")
    return audio, rate


def duration(path: Path) -> float:
    """Seconds of audio in the file, by its header.

    Raises:
        UserError: The file is missing, unreadable or no audio.
    """
    with _open(path) as file:
        _check_header(path, file)
        return file.frames / file.samplerate


def write_wav(path: Path, audio: NDArray[np.floating], sample_rate: int) -> None:
    """Write 32-bit float WAV, whole or not at all, the same bytes for the same audio.

    SciPy writes it because libsndfile adds a PEAK chunk with the time of day to float files.

    Args:
        path: The file to write; its folder is made where it is missing.
        audio: Samples of shape (channels, samples) or (samples,).
        sample_rate: Samples per second.

    Raises:
        UserError: The file cannot be written.
        ValueError: `audio` has neither one nor two dimensions.
    """
    from scipy.io import wavfile  # noqa: PLC0415 - only needed where something is written

    samples = np.atleast_2d(np.asarray(audio, dtype="<f4"))
    if samples.ndim != 2:
        raise ValueError(f"audio has shape (channels, samples) or (samples,), not {np.shape(audio)}")
    with atomic_path(path) as temporary:
        wavfile.write(temporary, sample_rate, np.ascontiguousarray(samples.T))


def _open(path: Path) -> soundfile.SoundFile:
    _check_readable(path)
    try:
        # soundfile encodes names itself, and stops at those that are no UTF-8.
        return soundfile.SoundFile(os.fsencode(path) if os.name == "posix" else str(path))  # pyright: ignore[reportArgumentType]
    except (soundfile.LibsndfileError, TypeError) as error:  # TypeError: a name that ends in .raw
        raise UserError(
            f"{path} is no audio, or damaged: give a WAV, FLAC, Ogg, MP3 or AIFF file that plays elsewhere."
        ) from error


def _check_readable(path: Path) -> None:
    try:
        if path.is_dir():
            raise UserError(f"{path} is a folder: give an audio file.")
        with path.open("rb") as file:
            start = file.read(8)
    except FileNotFoundError as error:
        raise UserError(f"{path} does not exist: check the name of the sound.") from error
    except OSError as error:
        raise UserError(f"{path} cannot be read: {error.strerror or error}.") from error
    if not start:
        raise UserError(f"{path} is empty: give an audio file.")
    if _promised_bytes(start) > path.stat().st_size:
        raise _damaged(path)


def _promised_bytes(start: bytes) -> int:
    """Least size of a WAV or AIFF file by its first eight bytes: libsndfile reads half a file gladly."""
    match start[:4]:
        case b"RIFF":
            size = int.from_bytes(start[4:], "little")
        case b"FORM":
            size = int.from_bytes(start[4:], "big")
        case _:
            return 0
    streamed = size >= 0x7FFF_F000  # a writer that could not seek back leaves a placeholder
    return 0 if streamed else size + 8 - 64  # writers disagree on what the size covers


def _check_header(path: Path, file: soundfile.SoundFile) -> None:
    if file.frames == 0:
        raise UserError(f"{path} is empty: it holds no samples.")
    if not RATES[0] <= file.samplerate <= RATES[1]:
        raise UserError(
            f"{path} says it has {file.samplerate} samples a second, which no recording has: export it again."
        )


def _read_blocks(file: soundfile.SoundFile) -> NDArray[np.float32]:
    """Samples of shape (channels, samples), as many as there are: a header's length is not to be trusted."""
    wanted = min(file.frames, int(LONGEST * file.samplerate), MOST_VALUES // file.channels)
    audio = np.zeros((file.channels, wanted), np.float32)
    position = 0
    while position < wanted:
        block = file.read(min(_BLOCK, wanted - position), dtype="float32", always_2d=True)
        if not len(block):
            break
        audio[:, position : position + len(block)] = block.T
        position += len(block)
    return audio[:, :position]


def _damaged(path: Path) -> UserError:
    return UserError(f"{path} is damaged, it ends too early: export or download it again.")
