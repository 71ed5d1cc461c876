"""The page of a match: one HTML file that holds everything it shows and needs no network."""

from __future__ import annotations

from importlib import resources
from pathlib import Path, PurePath
from string import Template

from wav2patch.files import write_text
from wav2patch.matching.result import Match
from wav2patch.matching.store import preset_file
from wav2patch.report import charts, closeness, players, settings, story, words
from wav2patch.report.markup import Markup, element


def write_report(match: Match, path: Path, *, command: str | None = None) -> None:
    """Write the page of a match; see `render_report`.

    Raises:
        UserError: The file cannot be written.
    """
    write_text(path, render_report(match, command=command))


def render_report(match: Match, *, command: str | None = None) -> str:
    """The page of a match as HTML. The same arguments give the same bytes.

    Args:
        match: What was found.
        command: The command line to show for repeating it; put together from the match by default, which cannot
            know of options that only shaped the target, such as how long the key was held.
    """
    shown = players.voices(match)
    scales = players.stage(shown)
    content = element(
        "main",
        players.transport(shown, scales.length),
        _listen(shown, scales),
        closeness.section(match, shown),
        settings.knobs(match),
        settings.loading(match),
        story.section(match, command),
    )
    return page(f"{_title(match)} – wav2patch", [_hero(match, shown), content])


def page(title: str, body: list[Markup]) -> str:
    """A self-contained page with the report's styles and script around `body`."""
    return Template(_asset("page.html")).substitute(
        title=element("title", title), style=_asset("report.css"), body="\n".join(body), script=_asset("report.js")
    )


def _asset(name: str) -> str:
    return resources.files("wav2patch.report").joinpath("assets", name).read_text(encoding="utf-8")


def _title(match: Match) -> str:
    return PurePath(match.target.source).name or match.target.source


def _hero(match: Match, shown: list[players.Voice]) -> Markup:
    best = match.best
    step, distance = words.level(best.distance), words.decibels(best.distance)
    return element(
        "header",
        element("p", "wav2patch", class_="brand"),
        element("h1", _title(match)),
        element("p", f"on {match.synth.title} · {words.played(match.sound.note)}", class_="played"),
        element(
            "div",
            element(
                "div",
                element("p", step.name, element("small", distance), class_=f"verdict {step.grade}"),
                charts.meter(best.distance),
                element("p", closeness.verdict(match, best)),
                element("p", *closeness.highlights(match, shown), class_="highlights"),
                class_="answer",
            ),
            element(
                "aside",
                element("p", "Your preset"),
                element("p", element("code", preset_file(match, best)), class_="preset"),
                element("p", "It lies beside this page."),
                element("p", element("a", "How to load it", href="#load")),
            ),
            class_="hero",
        ),
    )  # fmt: skip


def _listen(shown: list[players.Voice], scales: players.Stage) -> Markup:
    return element(
        "section",
        players.lanes(shown, scales),
        element("p", _legend(shown, scales), class_="note"),
        players.keys(shown),
        id="listen",
        aria_label="Listen",
    )


def _legend(shown: list[players.Voice], scales: players.Stage) -> str:
    said = (
        "Click a picture to play from there. Left: the waveform. Right: the spectrogram, low notes at the bottom, "
        "bright colours loud. All pictures share the same scales."
    )
    if len(shown[0].audio) > 1:
        said += " Your sound is stereo; its mono mix was matched."
    if scales.gain < 1.0:
        said += " All sounds are turned down alike, because one of them is too loud for a file."
    return said
