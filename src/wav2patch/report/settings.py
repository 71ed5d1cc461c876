"""The knobs: which of them matter, every setting of every candidate, and how to load the presets."""

from __future__ import annotations

from collections.abc import Sequence

from wav2patch.matching.result import Candidate, Influence, Match
from wav2patch.matching.store import preset_file
from wav2patch.parameters import Parameter
from wav2patch.report import charts, words
from wav2patch.report.markup import Markup, element


def knobs(match: Match) -> Markup:
    """The parameters that matter, and the complete table."""
    return element(
        "section",
        element("h2", "The knobs that matter"),
        *_influences(match),
        _all_settings(match),
        id="knobs",
    )


def loading(match: Match) -> Markup:
    """Files and steps."""
    files = [
        element("li", element("code", preset_file(match, c)), f" {words.level(c.distance).name.lower()}")
        for c in match.candidates
    ]
    if match.synth.bank_name:
        files.append(element("li", element("code", match.synth.bank_name), " all of them"))
    steps = [element("li", step) for step in match.synth.loading_instructions()]
    return element(
        "section",
        element("h2", "Load it into your synth"),
        element("p", "The preset files lie beside this page.", class_="lead"),
        element("ul", *files, class_="files"),
        element("ul", *steps, class_="steps"),
        element("p", f"Play {words.played(match.sound.note)} to hear what you hear on this page.", class_="lead"),
        id="load",
    )


def _influences(match: Match) -> list[Markup]:
    if not match.influences:
        return [element("p", "The search did not try which knobs matter.", class_="lead")]
    largest = max(influence.change for influence in match.influences) or 1.0
    rows = [_influence(influence, largest) for influence in match.influences]
    lead = (
        f"Turn these first when you tune {match.best.name} by ear. The bar shows how far the sound moved, on the scale "
        "above, when the knob took one of the other values."
    )
    return [element("p", lead, class_="lead"), element("ol", *rows, class_="influences")]


def _influence(influence: Influence, largest: float) -> Markup:
    tried = f"tried {', '.join(influence.tried)}" if influence.tried else None
    return element(
        "li",
        element("span", influence.label or influence.parameter, class_="label"),
        element("span", element("b", influence.value), element("small", tried) if tried else None, class_="value"),
        charts.bar(influence.change / largest),
        element("span", words.decibels(influence.change), class_="amount"),
    )


def _all_settings(match: Match) -> Markup:
    space = match.synth.space
    active = [space.active(candidate.patch) for candidate in match.candidates]
    rows = [
        _setting(parameter, match.candidates, [bool(row[i]) for row in active], i)
        for i, parameter in enumerate(space.parameters)
    ]
    return element(
        "details",
        element(
            "summary",
            element("strong", "All settings"),
            element("span", f"{len(space)} of them; grey ones cannot be heard in this patch"),
        ),
        charts.table(["Setting", *(c.name for c in match.candidates)], rows, title="All settings", style="settings"),
        class_="fold",
    )


def _setting(parameter: Parameter, candidates: Sequence[Candidate], active: Sequence[bool], place: int) -> Markup:
    cells = [
        element(
            "td", parameter.text(c.patch[place]), class_=None if heard else "off", title=None if heard else "not heard"
        )
        for c, heard in zip(candidates, active, strict=True)
    ]
    name = element("th", parameter.label or parameter.name, scope="row", class_=None if any(active) else "off")
    return element("tr", name, *cells)
