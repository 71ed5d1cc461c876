"""How close each candidate comes: findings in words, two charts, and the complete panel."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from wav2patch.matching.result import Candidate, Match
from wav2patch.metrics.panel import PANEL, Metric
from wav2patch.report import charts, words
from wav2patch.report.charts import Line, Tick
from wav2patch.report.markup import Markup, element, join
from wav2patch.report.players import Voice
from wav2patch.report.traits import Traits

_LOUDNESS_RANGE, _SPECTRUM_RANGE = 60.0, 60.0
_GRID = (-20.0, -40.0)


def verdict(match: Match, candidate: Candidate) -> str:
    """What is to be said of a candidate in one or two sentences."""
    return words.verdict(
        candidate.distance,
        candidate.parts,
        candidate.panel.get("f0"),
        candidate.panel.get("loudness"),
        target_pitched=match.target.frequency is not None,
    )


def section(match: Match, shown: Sequence[Voice]) -> Markup:
    """The whole section; the best candidate is open, the others fold out."""
    target, *found = shown
    articles = [_article(match, target, voice, unfolded=i == 0) for i, voice in enumerate(found)]
    return element(
        "section",
        element("h2", "How close it is"),
        element("p", _scale_note(match), class_="lead"),
        *articles,
        _panel(match),
        id="closeness",
    )


def _scale_note(match: Match) -> str:
    floor = match.synth.noise_floor
    noise = (
        f" {match.synth.title} does not always sound the same: two renders of one patch may differ by "
        f"{words.decibels(floor)}, and by as much a distance may be chance."
        if floor > 0
        else ""
    )
    return (
        "The distance says by how many decibels the two sounds differ on average, over all moments and pitches; 0 dB "
        "is the same sound. The words beside it are rules of thumb. Your ears have the last word." + noise
    )


def _article(match: Match, target: Voice, voice: Voice, *, unfolded: bool) -> Markup:
    candidate = voice.candidate
    assert candidate is not None
    heading = element(
        "summary",
        element("b", voice.badge, class_="badge"),
        element("strong", voice.name),
        element("span", f"{words.level(candidate.distance).name} · {words.decibels(candidate.distance)}"),
        charts.meter(candidate.distance, small=True),
    )
    body = (
        element("p", verdict(match, candidate)),
        element("div", _findings(match, target.traits, voice.traits, candidate), class_="findings"),
        element("div", _loudness_chart(target, voice), _spectrum_chart(target, voice), class_="pair"),
    )
    return element("details", heading, *body, class_="candidate", open=unfolded)


def highlights(match: Match, shown: Sequence[Voice]) -> list[Markup]:
    """The best candidate's findings without their headings; `shown` is as `players.voices` gives it."""
    return [charts.finding(found) for _, found in _heard(match, shown[0].traits, shown[1].traits, match.best)]


def _findings(match: Match, target: Traits, own: Traits, candidate: Candidate) -> Markup:
    heard = [(heading, charts.finding(found)) for heading, found in _heard(match, target, own, candidate)]
    parts = [
        (heading, _part(name, candidate.parts[name]))
        for name, (heading, _) in words.PARTS.items()
        if name in candidate.parts
    ]
    return join([charts.facts(heard), charts.facts(parts)])


def _heard(match: Match, target: Traits, own: Traits, candidate: Candidate) -> list[tuple[str, words.Finding]]:
    found = [
        ("Pitch", _pitch(match, candidate, candidate.panel.get("f0"))),
        ("Loudness", words.loudness(candidate.panel.get("loudness"))),
    ]
    if not (target.silent or own.silent):
        found += [
            ("Brightness", words.brightness(own.brightness - target.brightness)),
            ("Onset", words.onset(target.attack, own.attack)),
            ("Ending", words.ending(target.ring, own.ring)),
        ]
    return found


def _pitch(match: Match, candidate: Candidate, cents: float | None) -> words.Finding:
    if match.target.frequency is None:
        return words.Finding("the recording has no clear pitch", "none")
    if candidate.frequency is None:
        return words.Finding("no clear pitch, unlike the recording", "poor")
    return words.tuning(cents)


def _part(name: str, decibels: float) -> Markup:
    return join([charts.finding(words.part(name, decibels)), element("small", words.decibels(decibels))], between=" ")


def _loudness_chart(target: Voice, voice: Voice) -> Markup:
    top, length = float(target.traits.levels.max()), float(max(target.traits.times[-1], voice.traits.times[-1], 1e-3))
    drawn = [
        Line(v.name, v.style, _points(v.traits.times / length, v.traits.levels, top + 3.0, _LOUDNESS_RANGE))
        for v in (target, voice)
    ]
    return _chart("Loudness over time", drawn, charts.time_ticks(length, 5), f"Loudness over time of {_pair(drawn)}")


def _spectrum_chart(target: Voice, voice: Voice) -> Markup:
    top = float(target.traits.spectrum.max())
    frequencies = target.traits.frequencies
    low, high = float(frequencies[0]), float(frequencies[-1])
    drawn = [
        Line(
            v.name, v.style, _points(_log(v.traits.frequencies, low, high), v.traits.spectrum, top + 3, _SPECTRUM_RANGE)
        )
        for v in (target, voice)
    ]
    ticks = [Tick(t.place, f"{t.text} Hz") for t in charts.frequency_ticks(low, high)]
    return _chart("Tone colour, low to high", drawn, ticks, f"Average spectrum of {_pair(drawn)}")


def _chart(caption: str, drawn: Sequence[Line], x: Sequence[Tick], title: str) -> Markup:
    grid = [
        Tick((_LOUDNESS_RANGE - 3.0 + level) / _LOUDNESS_RANGE, f"{level:.0f}".replace("-", "−")) for level in _GRID
    ]
    plot = charts.frame(charts.lines(drawn, title=title, grid=grid), x=x, y=grid, caption=f"{caption} (dB)")
    return element("div", plot, charts.legend(drawn))


def _pair(drawn: Sequence[Line]) -> str:
    return " and ".join(line.name for line in drawn)


def _log(frequencies: NDArray[np.float64], low: float, high: float) -> NDArray[np.float64]:
    return np.log(frequencies / low) / np.log(high / low)


def _points(
    places: NDArray[np.float64], levels: NDArray[np.float64], top: float, span: float
) -> list[tuple[float, float]]:
    heights = np.clip((levels - top + span) / span, 0.0, 1.0)
    return [(float(x), float(y)) for x, y in zip(places, heights, strict=True)]


def _panel(match: Match) -> Markup:
    head = ["Measure", *(candidate.name for candidate in match.candidates), "Perfect"]
    rows = [_metric_row(metric, match.candidates) for metric in PANEL]
    return element(
        "details",
        element("summary", element("strong", "All measurements"), element("span", "the figures of wav2patch compare")),
        charts.table(head, rows, title="All measurements", style="panel"),
        class_="fold",
    )


def _metric_row(metric: Metric, candidates: Sequence[Candidate]) -> Markup:
    name = element("th", metric.label, element("small", metric.explanation), scope="row")
    values = [words.metric_value(c.panel.get(metric.name), metric.unit, signed=metric.signed) for c in candidates]
    perfect = words.metric_value(metric.perfect, metric.unit, signed=False)
    return element("tr", name, *(element("td", value) for value in values), element("td", perfect, class_="quiet"))
