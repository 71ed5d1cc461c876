"""The page of one sound on several synths: which comes closest, heard side by side."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path, PurePath

from wav2patch.files import write_text
from wav2patch.matching.candidates import pitch_is_right
from wav2patch.matching.ranking import closest_first
from wav2patch.matching.result import Match
from wav2patch.matching.store import preset_file
from wav2patch.report import charts, players, words
from wav2patch.report.markup import Markup, element
from wav2patch.report.page import page


def write_ranking(matches: Sequence[Match], links: Mapping[str, str], path: Path) -> None:
    """Write the page of one sound on several synths; see `render_ranking`.

    Raises:
        UserError: The file cannot be written.
    """
    write_text(path, render_ranking(matches, links))


def render_ranking(matches: Sequence[Match], links: Mapping[str, str]) -> str:
    """The page as HTML: the sound, each synth's best candidate, closest first, and links to the synths' own pages.

    Args:
        matches: Of one sound, in any order, at least one.
        links: Address of every synth's own page, by the synth's name.
    """
    ordered = closest_first(matches)
    shown = _voices(ordered)
    scales = players.stage(shown)
    title = PurePath(ordered[0].target.source).name or ordered[0].target.source
    content = element(
        "main",
        players.transport(shown, scales.length),
        element(
            "section",
            players.lanes(shown, scales),
            element("p", "Click a picture to play from there. All pictures share the same scales.", class_="note"),
            players.keys(shown),
            id="listen",
            aria_label="Listen",
        ),
        element("section", element("h2", "Synth by synth"), _table(ordered, links), id="synths"),
    )
    return page(f"{title} on {len(ordered)} synths – wav2patch", [_hero(title, ordered, links), content])


def _voices(ordered: Sequence[Match]) -> list[players.Voice]:
    target, *_ = players.voices(ordered[0])
    best = [players.voices(match)[1] for match in ordered]
    return [
        target,
        *(
            replace(voice, name=match.synth.title, badge=str(i))
            for i, (voice, match) in enumerate(zip(best, ordered, strict=True), start=1)
        ),
    ]


def _hero(title: str, ordered: Sequence[Match], links: Mapping[str, str]) -> Markup:
    first = ordered[0]
    step = words.level(first.best.distance)
    return element(
        "header",
        element("p", "wav2patch", class_="brand"),
        element("h1", title),
        element("p", f"on {len(ordered)} synths · {words.played(first.sound.note)}", class_="played"),
        element(
            "div",
            element(
                "div",
                element(
                    "p",
                    f"{first.synth.title} comes closest",
                    element("small", words.decibels(first.best.distance)),
                    class_=f"verdict {step.grade}",
                ),
                charts.meter(first.best.distance),
                element("p", _margin(ordered)),
                class_="answer",
            ),
            element(
                "aside",
                element("p", "Its preset"),
                element("p", element("code", f"{first.synth.name}/{preset_file(first, first.best)}"), class_="preset"),
                element("p", element("a", "Its own page, and how to load it", href=links[first.synth.name])),
            ),
            class_="hero",
        ),
    )


def _margin(ordered: Sequence[Match]) -> str:
    if len(ordered) < 2:
        return "No other synth was tried."
    first, second = ordered[:2]
    gap = second.best.distance - first.best.distance
    if gap < max(first.synth.noise_floor, second.synth.noise_floor, 0.2):
        return f"{second.synth.title} comes as close: choose by ear, or by the synth that you like to play."
    return f"{second.synth.title} follows, {words.decibels(gap)} further away."


def _table(ordered: Sequence[Match], links: Mapping[str, str]) -> Markup:
    head = ["Synth", "Distance", "", "Pitch", "Renders", "Preset"]
    return charts.table(head, [_row(match, links[match.synth.name]) for match in ordered], title="Synth by synth")


def _row(match: Match, link: str) -> Markup:
    best = match.best
    in_tune = pitch_is_right(match.target.frequency, best.frequency)
    return element(
        "tr",
        element("th", element("a", match.synth.title, href=link), scope="row"),
        element("td", words.decibels(best.distance)),
        element("td", charts.meter(best.distance, small=True)),
        element("td", "right" if in_tune else "out of tune: put back"),
        element("td", f"{match.renders:,} in {words.seconds(match.seconds)}"),
        element("td", element("code", f"{match.synth.name}/{preset_file(match, best)}")),
    )
