"""The players: target and candidates as sounds, waveforms and spectrograms that share their axes."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from wav2patch.audio.channels import to_mono
from wav2patch.matching.result import Candidate, Match
from wav2patch.metrics.loudness import loudness_difference
from wav2patch.report import charts, pictures, words
from wav2patch.report.embed import data_uri, flac
from wav2patch.report.markup import Markup, element
from wav2patch.report.pictures import Audio
from wav2patch.report.traits import Traits, traits

_MOST_ATTENUATION = 24.0


@dataclass(frozen=True)
class Voice:
    """One sound of the page: the target or a candidate.

    Attributes:
        name: What the page calls it.
        badge: Its letter or number, which is also its key.
        style: ``target`` or ``match``.
        audio: ``(channels, samples)``.
        sample_rate: Samples per second.
        louder: LU by which it is louder than the target as both are played, which the panel's value, of the mono
            sounds that were matched, is not for a wide stereo target.
        candidate: None for the target.
    """

    name: str
    badge: str
    style: str
    audio: Audio
    sample_rate: int
    louder: float
    candidate: Candidate | None = None

    @cached_property
    def traits(self) -> Traits:
        """What can be said of the sound, mixed to mono as it was matched."""
        return traits(to_mono(np.asarray(self.audio, dtype=np.float32)), self.sample_rate)


@dataclass(frozen=True)
class Stage:
    """What the pictures of all sounds share, so that they can be compared by eye.

    Attributes:
        length: Seconds on the time axis.
        peak: Highest sample of all.
        reference: Power of the spectrograms' brightest colour, the target's loudest spot.
        gain: Factor on every sound of the page, below 1 where one would be clipped.
    """

    length: float
    peak: float
    reference: float
    gain: float


def voices(match: Match) -> list[Voice]:
    """The target, then the candidates in order."""
    rate = match.sound.sample_rate
    found = [
        Voice(c.name, str(i), "match", c.audio, rate, loudness_difference(match.target.audio, c.audio, rate), c)
        for i, c in enumerate(match.candidates, start=1)
    ]
    return [Voice("Your sound", "T", "target", match.target.audio, match.target.sample_rate, 0.0), *found]


def stage(shown: list[Voice]) -> Stage:
    """The common scales of several sounds, the target first."""
    peak = max(float(np.abs(voice.audio).max(initial=0.0)) for voice in shown)
    return Stage(
        length=max(voice.audio.shape[-1] / voice.sample_rate for voice in shown),
        peak=max(peak, 1e-6),
        reference=pictures.loudest(shown[0].audio, shown[0].sample_rate),
        gain=min(1.0, 1.0 / max(peak, 1e-6)),
    )


def transport(shown: list[Voice], span: float) -> Markup:
    """Play, the switch between the sounds, position (0 to `span` seconds) and options, for `assets/report.js`."""
    choices = [
        element(
            "button", element("b", voice.badge), element("span", voice.name),
            type="button", class_=f"choice {voice.style}", data_choose=i, aria_pressed="true" if i == 0 else "false",
        )
        for i, voice in enumerate(shown)
    ]  # fmt: skip
    return element(
        "div",
        element("button", element("span", "Play"), type="button", class_="play", data_play=True, title="Space"),
        element("div", *choices, class_="choices", role="group", aria_label="Which sound to hear"),
        element("output", "0.00 s", data_time=True),
        _option("loop", "Loop", "L"),
        _option("turns", "Take turns", "R"),
        _option("level", "Same loudness", "M"),
        element("input", type="range", min=0, max=1000, value=0, data_seek=True, aria_label="Position"),
        class_="transport",
        data_span=f"{span:.6f}",
        role="region",
        aria_label="Player",
    )


def keys(shown: list[Voice]) -> Markup:
    """The keyboard shortcuts."""
    last = shown[-1].badge
    named = [
        ("Space", "play or stop"),
        ("T", "your sound"),
        ("1" if last == "1" else f"1–{last}", "candidates"),
        ("X", "switch between your sound and the candidate, without a gap"),
        ("R", "take turns"),
        ("L", "loop"),
        ("M", "same loudness"),
        ("← →", "move"),
    ]
    return element("p", *(element("span", element("kbd", key), f" {does}") for key, does in named), class_="keys")


def lanes(shown: list[Voice], scales: Stage) -> Markup:
    """One row a sound: who it is, its waveform and its spectrogram."""
    return element("div", *(_lane(i, voice, shown, scales) for i, voice in enumerate(shown)), class_="lanes")


def _lane(index: int, voice: Voice, shown: list[Voice], scales: Stage) -> Markup:
    return element(
        "section",
        _label(index, voice),
        _waveform(voice, scales),
        _spectrogram(voice, scales),
        _audio(index, voice, shown, scales),
        class_=f"lane {voice.style}",
        data_lane=index,
        aria_label=voice.name,
    )


def _label(index: int, voice: Voice) -> Markup:
    return element(
        "div",
        element(
            "button", element("b", voice.badge), type="button", class_="start", data_start=index,
            aria_label=f"Play {voice.name}",
        ),
        element("div", element("strong", voice.name), *_remarks(voice)),
        class_="who",
    )  # fmt: skip


def _remarks(voice: Voice) -> list[Markup]:
    if voice.candidate is None:
        return [element("small", "the recording")]
    distance = voice.candidate.distance
    return [element("small", words.level(distance).name.lower()), element("small", words.decibels(distance))]


def _waveform(voice: Voice, scales: Stage) -> Markup:
    svg = pictures.waveform_svg(
        voice.audio, voice.sample_rate, title=f"Waveform of {voice.name}: {_shape(voice)}",
        peak=scales.peak, length=scales.length,
    )  # fmt: skip
    return charts.frame(_seekable(svg), x=charts.time_ticks(scales.length), style="wave")


def _spectrogram(voice: Voice, scales: Stage) -> Markup:
    high = pictures.top_frequency(voice.sample_rate)
    png = pictures.spectrogram_png(voice.audio, voice.sample_rate, reference=scales.reference, length=scales.length)
    image = element("img", src=data_uri(png, "image/png"), alt=f"Spectrogram of {voice.name}: {_colour(voice)}")
    return charts.frame(
        _seekable(image),
        x=charts.time_ticks(scales.length),
        y=charts.frequency_ticks(pictures.LOWEST, high),
        style="spectrogram",
    )


def _seekable(picture: Markup) -> Markup:
    return element("div", picture, element("i", class_="playhead"), class_="seek", data_seekable=True)


def _audio(index: int, voice: Voice, shown: list[Voice], scales: Stage) -> Markup:
    content = flac(voice.audio, voice.sample_rate, gain=scales.gain)
    return element(
        "audio", src=data_uri(content, "audio/flac"), controls=True, preload="none",
        data_sound=index, data_gain=f"{_levelling(voice, shown):.2f}", aria_label=voice.name,
    )  # fmt: skip


def _levelling(voice: Voice, shown: list[Voice]) -> float:
    """Decibels that bring a sound to the loudness of the quietest, never upwards, so that nothing is clipped."""
    quietest = min(max(other.louder, -_MOST_ATTENUATION) for other in shown)
    return min(quietest - voice.louder, 0.0)


def _shape(voice: Voice) -> str:
    if voice.traits.silent:
        return "silence"
    return f"loudest after {words.seconds(voice.traits.attack)}, died down after {words.seconds(voice.traits.ring)}"


def _colour(voice: Voice) -> str:
    if voice.traits.silent:
        return "silence"
    return f"the centre of its spectrum lies at {words.frequency(2.0**voice.traits.brightness)}"


def _option(name: str, label: str, key: str) -> Markup:
    box = element("input", type="checkbox", data_option=name)
    return element("label", box, element("span", label), class_="option", title=f"Key {key}")
