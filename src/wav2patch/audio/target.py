"""The sound to match, with its note, its gate and what was heard of it."""

from __future__ import annotations

import math
import os
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from wav2patch.audio import files
from wav2patch.audio.channels import offset, to_mono
from wav2patch.audio.pitch import Pitch, cents, find_pitch
from wav2patch.audio.segment import NoteSpan, find_note
from wav2patch.errors import UserError
from wav2patch.metrics.loudness import integrated_loudness
from wav2patch.notes import Note, hz_to_midi, midi_to_hz, parse_pitch, pitch_name
from wav2patch.resampling import resample

QUIETEST, LOUDEST = -30.0, -9.0
"""LUFS between which a target is left as it is; synths play single notes in this range."""

SILENT = -70.0
"""dBFS of peak level below which a recording counts as silent."""

SHORTEST = 0.02
"""Seconds that a sound has to last."""

WIDEST = 22_050.0
"""Hz; a target's bandwidth is no higher, whatever the recording's rate."""

DEFAULT_PITCH = 60

NARROW = 16_000.0
"""Hz of bandwidth below which the musician is told that the recording is dull."""

IN_TUNE = 10.0
"""Cents by which a note may lie off the nearest key without a remark."""

SAME_KEY = 75.0
"""Cents within which, octaves aside, a sound has the pitch that was given for it."""

CONFIDENT = 0.5
"""Confidence below which a pitch is called a guess."""

_FADE = 0.02
_ENDING = 0.01
_FADED = -45.0


@dataclass(frozen=True)
class Target:
    """A sound to match.

    Attributes:
        audio: The sound from its onset to its end, float32 of shape (channels, samples), one or two channels.
        sample_rate: Samples per second of `audio`.
        note: What a synth has to play: pitch, velocity, onset 0 and how long the key is held in seconds.
        frequency: Fundamental as measured, in Hz; None where no pitch was found.
        pitch_confidence: 0 to 1.
        tuning: Cents by which `frequency` lies above the note's pitch; 0 where there is no frequency.
        loudness: Integrated loudness of `audio` in LUFS; the recording's is `loudness - gain`.
        gain: dB by which the recording was amplified to bring its loudness between −30 and −9 LUFS.
        bandwidth: Highest frequency in Hz that the recording can hold, at most 22 050.
        source: Where the sound came from.
        start: Seconds into the recording at which `audio` begins.
        end: Seconds into the recording at which `audio` ends.
        cut_off: Whether the sound went on after `end`; otherwise it had faded by then.
        remarks: What the musician should know, in plain sentences.
    """

    audio: NDArray[np.float32]
    sample_rate: int
    note: Note
    frequency: float | None
    pitch_confidence: float
    tuning: float
    loudness: float
    gain: float
    bandwidth: float
    source: str
    start: float
    end: float
    cut_off: bool
    remarks: tuple[str, ...]

    @property
    def mono(self) -> NDArray[np.float32]:
        """Mean of the channels, float32 of shape (samples,)."""
        return to_mono(self.audio)

    @property
    def length(self) -> float:
        """Seconds of `audio`."""
        return self.audio.shape[1] / self.sample_rate


def listen(
    path: Path,
    *,
    note: str = "auto",
    velocity: int = 100,
    hold: float | None = None,
    max_length: float = 4.0,
    sample_rate: int = 44_100,
) -> Target:
    """Read a recording of one note and find out what to match.

    The options are those of `target_from_audio`.

    Raises:
        UserError: The file cannot be used, or as `target_from_audio`.
    """
    audio, rate = files.read_audio(Path(path))
    heard, whole = audio.shape[1] / rate, files.duration(Path(path))
    remarks = [f"listened to the first {heard:.0f} s of {whole:.0f} s"] if whole - heard > 1.0 else []
    return target_from_audio(
        audio,
        rate,
        note=note,
        velocity=velocity,
        hold=hold,
        max_length=max_length,
        sample_rate=sample_rate,
        source=os.fsencode(path).decode("utf-8", "replace"),
        remarks=remarks,
    )


def target_from_audio(
    audio: NDArray[np.floating],
    rate: int,
    *,
    note: str = "auto",
    velocity: int = 100,
    hold: float | None = None,
    max_length: float = 4.0,
    sample_rate: int = 44_100,
    source: str = "the sound",
    remarks: Sequence[str] = (),
) -> Target:
    """Find the note in a recording, its gate, its pitch and its loudness.

    A recording at `sample_rate` that begins with sound passes bit for bit, but for what is cut from its end.
    The same arguments give the same target.

    Args:
        audio: Samples of shape (channels, samples) or (samples,), finite.
        rate: Samples per second of `audio`.
        note: ``"auto"``, a MIDI number or a name such as ``"C4"``.
        velocity: How hard the key is struck, 1–127.
        hold: Seconds from key press to key release; heard from the recording where it is None.
        max_length: Seconds of sound that are kept at most.
        sample_rate: Samples per second of the target.
        source: Name of the recording for error sentences and reports.
        remarks: Sentences that come first among the target's remarks.

    Raises:
        UserError: The recording is silent or too short, or an option is out of range.
        ValueError: `audio` has the wrong shape or is not finite.
    """
    _check_options(velocity, hold, max_length)
    given = None if note.strip().lower() == "auto" else parse_pitch(note)
    said = list(remarks)
    sound = _prepared(audio, source, said)
    whole = _span(sound, rate, source)
    span = _limited(whole, max_length, said)
    cut_off = span.more_notes or span.end < whole.end
    clip = resample(_cut(sound, rate, span, cut_off), rate, sample_rate)
    heard = find_pitch(to_mono(clip), sample_rate)
    pitch, frequency = _choose_pitch(heard, given, said)
    clip, loudness, gain = _at_usual_level(clip, sample_rate, said)
    bandwidth = min(0.5 * rate, WIDEST)
    if bandwidth < NARROW:
        said.append(f"holds nothing above {bandwidth / 1000:.4g} kHz: it has {rate} samples a second")
    return Target(
        audio=clip,
        sample_rate=sample_rate,
        note=Note(pitch, velocity, 0.0, hold or max(span.release - span.onset, SHORTEST)),
        frequency=frequency,
        pitch_confidence=heard.confidence,
        tuning=0.0 if frequency is None else cents(frequency, midi_to_hz(pitch)),
        loudness=loudness,
        gain=gain,
        bandwidth=bandwidth,
        source=source,
        start=span.onset,
        end=span.end,
        cut_off=cut_off or _still_sounds(clip, sample_rate),
        remarks=tuple(said),
    )


def _check_options(velocity: int, hold: float | None, max_length: float) -> None:
    if not 1 <= velocity <= 127:
        raise UserError(f"a velocity lies between 1 and 127, not {velocity}.")
    if hold is not None and not (math.isfinite(hold) and hold > 0.0):
        raise UserError(f"a note is held for longer than 0 s, not for {hold} s.")
    if not (math.isfinite(max_length) and max_length >= SHORTEST):
        raise UserError(f"the longest sound to keep has to last {SHORTEST} s or more, not {max_length} s.")


def _prepared(audio: NDArray[np.floating], source: str, said: list[str]) -> NDArray[np.float32]:
    """One or two channels without offset, shape (channels, samples)."""
    sound = np.atleast_2d(np.asarray(audio, dtype=np.float32))
    if sound.ndim != 2 or not sound.size or not np.isfinite(sound).all():
        raise ValueError(f"audio has to be finite and of shape (channels, samples), not {np.shape(audio)}")
    constant = offset(sound)
    if constant.any():
        sound = sound - constant
        said.append(f"removed a constant offset of {np.abs(constant).max():.2g}")
    if len(sound) > 2:
        said.append(f"mixed its {len(sound)} channels to one")
        sound = to_mono(sound)[None]
    if np.abs(sound).max() < 10.0 ** (SILENT / 20.0):
        raise UserError(f"{source} is silent: its peak lies below {SILENT:.0f} dB, record it louder.")
    return sound


def _span(sound: NDArray[np.float32], rate: int, source: str) -> NoteSpan:
    span = find_note(to_mono(sound), rate)
    length = 1000.0 * (span.end - span.onset)
    if length < 1000.0 * SHORTEST:
        raise UserError(f"{source} is too short: the sound lasts {length:.0f} ms, it takes 20 ms or more.")
    return span


def _limited(span: NoteSpan, max_length: float, said: list[str]) -> NoteSpan:
    """The span, no longer than `max_length` seconds, with remarks on what was left out."""
    end = min(span.end, span.onset + max_length)
    if span.onset > 0.0:
        said.append(f"skipped {span.onset:.2f} s before the note")
    if span.more_notes:
        said.append(f"heard more than one note; matched the first ({span.onset:.2f}–{end:.2f} s)")
    if end < span.end:
        said.append(f"kept the first {max_length:g} s of {span.end - span.onset:.1f} s")
    return replace(span, release=min(span.release, end), end=end)


def _cut(sound: NDArray[np.float32], rate: int, span: NoteSpan, cut_off: bool) -> NDArray[np.float32]:
    """The samples of the note, faded out over its last 20 ms where it was cut off."""
    clip = np.ascontiguousarray(sound[:, round(span.onset * rate) : round(span.end * rate)])
    if not cut_off:
        return clip
    fade = min(round(_FADE * rate), clip.shape[1])
    clip = clip.copy()
    clip[:, clip.shape[1] - fade :] *= (0.5 + 0.5 * np.cos(np.linspace(0.0, np.pi, fade))).astype(np.float32)
    return clip


def _still_sounds(clip: NDArray[np.float32], sample_rate: int) -> bool:
    """Whether the sound is as loud in its last 10 ms as no sound is that has faded: the recording stopped early."""
    last = clip[:, -max(round(_ENDING * sample_rate), 1) :]
    return float(np.abs(last).max()) > 10.0 ** (_FADED / 20.0) * float(np.abs(clip).max())


def _choose_pitch(heard: Pitch, given: int | None, said: list[str]) -> tuple[int, float | None]:
    """MIDI pitch to play and frequency in Hz; a given note decides on the octave."""
    frequency = heard.frequency
    if frequency is None:
        if given is None:
            said.append(f"no pitch found, using {pitch_name(DEFAULT_PITCH)}: give --note to overrule")
        return (DEFAULT_PITCH if given is None else given), None
    nearest = min(max(round(hz_to_midi(frequency)), 0), 127)
    if given is None:
        _remark_tuning(frequency, nearest, said)
        if heard.confidence < CONFIDENT:
            said.append(f"the pitch is a guess, {pitch_name(nearest)}: give --note to overrule")
        return nearest, frequency
    octaves = round((given - hz_to_midi(frequency)) / 12.0)
    if abs(cents(frequency * 2.0**octaves, midi_to_hz(given))) <= SAME_KEY:
        frequency *= 2.0**octaves
        _remark_tuning(frequency, given, said)
    else:
        said.append(f"sounds like {pitch_name(nearest)}, played as {pitch_name(given)} as asked")
    return given, frequency


def _remark_tuning(frequency: float, pitch: int, said: list[str]) -> None:
    deviation = cents(frequency, midi_to_hz(pitch))
    if abs(deviation) > IN_TUNE:
        direction = "above" if deviation > 0 else "below"
        said.append(f"lies {abs(deviation):.0f} cents {direction} {pitch_name(pitch)}; it was not retuned")


def _at_usual_level(
    clip: NDArray[np.float32], sample_rate: int, said: list[str]
) -> tuple[NDArray[np.float32], float, float]:
    """The clip, its loudness in LUFS and the gain in dB that brought it to the nearest bound of the usual."""
    loudness = _loudness(clip, sample_rate)
    wanted = min(max(loudness, QUIETEST), LOUDEST)
    gain = wanted - loudness
    if gain == 0.0:
        return clip, loudness, 0.0
    said.append(f"{'raised' if gain > 0 else 'lowered'} by {abs(gain):.1f} dB to a synth's usual loudness")
    return (clip * 10.0 ** (gain / 20.0)).astype(np.float32), wanted, gain


def _loudness(clip: NDArray[np.float32], sample_rate: int) -> float:
    """Integrated loudness in LUFS, without the gate at −70 LUFS that a quiet recording would fall under."""
    peak = float(np.abs(clip).max())
    loudness = integrated_loudness(clip / peak, sample_rate)
    return max(loudness, -70.0) + 20.0 * math.log10(peak)
