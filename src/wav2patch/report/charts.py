"""Charts as inline SVG and HTML: axes around pictures, lines, bars and the closeness meter.

A chart's text is HTML and not part of its picture, so that it keeps its size on a phone and follows the page's
colours. `assets/report.css` has the styles.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from wav2patch.report import words
from wav2patch.report.markup import Child, Markup, element, join

_WIDTH, _HEIGHT = 600.0, 100.0
_TIME_STEPS = (0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 30.0, 60.0)


@dataclass(frozen=True)
class Tick:
    """A mark on an axis: its place from 0 to 1 and what stands there."""

    place: float
    text: str


@dataclass(frozen=True)
class Line:
    """A line of a chart: a name, a style of the page (``target`` or ``match``) and its points (x, y) from 0 to 1."""

    name: str
    style: str
    points: Sequence[tuple[float, float]]


def time_ticks(length: float, most: int = 6) -> list[Tick]:
    """Ticks for an axis of `length` seconds."""
    step = next((s for s in _TIME_STEPS if length / s <= most), _TIME_STEPS[-1])
    return [
        Tick(i * step / length, words.seconds(i * step) if i else "0") for i in range(int(length / step + 1e-6) + 1)
    ]


def frequency_ticks(low: float, high: float) -> list[Tick]:
    """Ticks at the powers of ten of a logarithmic axis in Hz."""
    named = ((100.0, "100"), (1000.0, "1k"), (10_000.0, "10k"))
    return [Tick(log_place(value, low, high), text) for value, text in named if low < value < high]


def log_place(value: float, low: float, high: float) -> float:
    """Place of a value on a logarithmic axis, 0 to 1."""
    return math.log(value / low) / math.log(high / low)


def frame(
    picture: Child, *, x: Iterable[Tick] = (), y: Iterable[Tick] = (), caption: str | None = None, style: str = ""
) -> Markup:
    """A picture with its axes; `caption` stands above it."""
    return element(
        "figure",
        element("figcaption", caption) if caption else None,
        element("div", *(_tick(t, "bottom") for t in y), class_="y-axis", aria_hidden="true"),
        element("div", picture, class_="picture"),
        element("div", *(_tick(t, "left") for t in x), class_="x-axis", aria_hidden="true"),
        class_=f"chart {style}".strip(),
    )


def lines(drawn: Sequence[Line], *, title: str, grid: Iterable[Tick] = ()) -> Markup:
    """Lines over a faint grid, as an SVG that stretches to the room it is given."""
    rules = [
        element("path", d=f"M0 {_y(tick.place):.1f}H{_WIDTH:.0f}", class_="rule", vector_effect="non-scaling-stroke")
        for tick in grid
    ]
    curves = [
        element("path", d=_path(line.points), class_=f"line {line.style}", vector_effect="non-scaling-stroke")
        for line in drawn
    ]
    return element(
        "svg", *rules, *curves, class_="lines", role="img", aria_label=title,
        viewBox=f"0 0 {_WIDTH:.0f} {_HEIGHT:.0f}", preserveAspectRatio="none",
    )  # fmt: skip


def legend(drawn: Sequence[Line]) -> Markup:
    """Names of the lines, each with its colour."""
    keys = [element("span", element("i", class_=f"key {line.style}"), line.name) for line in drawn]
    return element("p", *keys, class_="legend")


def steps(points: Sequence[tuple[float, float]]) -> list[tuple[float, float]]:
    """Points of a staircase: each height is held until the next point."""
    stairs: list[tuple[float, float]] = []
    for x, y in points:
        if stairs:
            stairs.append((x, stairs[-1][1]))
        stairs.append((x, y))
    return stairs


def meter(distance: float, *, small: bool = False) -> Markup:
    """Where a distance in dB lies on the scale of closeness, far on the left, alike on the right."""
    step = words.level(distance)
    zones = [
        element("span", None if small else element("b", zone.name), class_="here" if zone is step else None)
        for zone in reversed(words.LEVELS)
    ]
    place = 100.0 * words.closeness(distance)
    return element(
        "div",
        element("div", *zones, class_="zones", aria_hidden="true"),
        element("i", class_="needle", style=f"left:{place:.1f}%"),
        class_=f"meter {step.grade}{' small' if small else ''}",
        role="img",
        aria_label=f"Closeness: {step.name.lower()}, distance {words.decibels(distance)}",
    )


def bar(share: float) -> Markup:
    """A bar that fills `share` (0 to 1) of its room."""
    width = 100.0 * min(max(share, 0.0), 1.0)
    return element("span", element("i", style=f"width:{width:.1f}%"), class_="bar", aria_hidden="true")


def finding(found: words.Finding) -> Markup:
    """Words with a mark for good or bad news that does not depend on colour alone."""
    mark = {"good": "✓", "fair": "≈", "poor": "!", "none": "·"}[found.grade]
    return element("span", element("i", mark, aria_hidden="true"), found.words, class_=f"finding {found.grade}")


def table(head: Sequence[Child], rows: Iterable[Markup], *, title: str, style: str = "") -> Markup:
    """A table that scrolls by itself where the page is narrow."""
    cells = [element("th", cell, scope="col") for cell in head]
    content = element("table", element("thead", element("tr", *cells)), element("tbody", *rows), class_=style or None)
    return element("div", content, class_="scroll", tabindex="0", role="region", aria_label=title)


def facts(pairs: Iterable[tuple[str, Child]]) -> Markup:
    """A list of names with what belongs to them."""
    return element("dl", join(element("div", element("dt", name), element("dd", value)) for name, value in pairs))


def _tick(tick: Tick, side: str) -> Markup:
    edge = " first" if tick.place < 0.02 else " last" if tick.place > 0.97 else ""
    return element("span", tick.text, class_=f"tick{edge}", style=f"{side}:{100 * tick.place:.2f}%")


def _y(place: float) -> float:
    return _HEIGHT * (1.0 - min(max(place, 0.0), 1.0))


def _path(points: Sequence[tuple[float, float]]) -> str:
    return "M" + "L".join(f"{_WIDTH * x:.1f} {_y(y):.1f}" for x, y in points)
