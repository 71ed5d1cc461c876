"""How the match was found: the curve of the search, what was heard of the recording, and how to do it again."""

from __future__ import annotations

import shlex

from wav2patch.matching.result import Match
from wav2patch.report import charts, words
from wav2patch.report.charts import Line, Tick
from wav2patch.report.markup import Child, Markup, element

_COUNTS = tuple(digit * 10**power for power in range(8) for digit in (1, 2, 5))


def section(match: Match, command: str | None) -> Markup:
    """The whole section; `command` is what the user typed, put together from the match where it is None."""
    return element(
        "section",
        element("h2", "How it was found"),
        element("p", _summary(match), class_="lead"),
        _curve(match),
        element("div", *_recording(match), class_="recording"),
        element("h3", "To find it again"),
        element("pre", element("code", command or repeat_command(match))),
        element("p", _repeatability(match, command), class_="lead"),
        _versions(match),
        id="story",
    )


def repeat_command(match: Match) -> str:
    """A command line that matches the same recording with the same note, synth, budget and seed."""
    note = match.sound.note
    budget = ["--renders", str(match.limit_renders)] if match.limit_renders else []
    if match.limit_seconds:
        budget += ["--budget", f"{match.limit_seconds:g}s"]
    options = ["--synth", match.synth.name, "--note", str(note.pitch), "--velocity", str(note.velocity)]
    options += ["--candidates", str(len(match.candidates)), *budget, "--seed", str(match.seed)]
    return shlex.join(["wav2patch", "match", match.target.source, *options])


def _summary(match: Match) -> str:
    said = (
        f"wav2patch played {match.renders:,} patches on {match.synth.title} in {words.seconds(match.seconds)} and kept "
    )
    said += (
        "the one that came closest." if len(match.candidates) == 1 else "the closest ones that differ from each other."
    )
    if tried := match.rendered.get("presets"):
        said += f" {tried:,} of them were your own presets."
    if match.stopped:
        said += " You stopped the search before it was done; a longer one may come closer."
    if match.failures:
        said += f" {match.failures:,} renders failed and were left out."
    if match.skipped:
        said += f" {match.skipped:,} patches crashed or hung the plug-in twice and were given up."
    return said


def _curve(match: Match) -> Markup | None:
    if len(match.improvements) < 2:
        return None
    first, final = match.improvements[0], match.improvements[-1]
    start, end = max(first.renders, 1), max(match.renders, final.renders, first.renders + 1)
    top = _round_up(first.distance)
    reached = [*((i.renders, i.distance) for i in match.improvements), (end, final.distance)]
    line = Line("Best so far", "match", charts.steps([(_place(n, start, end), d / top) for n, d in reached]))
    x = _spaced([Tick(_place(n, start, end), f"{n:,}") for n in _COUNTS if start <= n <= end], 0.12)
    # Levels crowd at the bottom of a chart that starts far up: only ticks with room between them are shown.
    y = _spaced([Tick(step.limit / top, f"{step.limit:g} dB") for step in words.LEVELS if step.limit < top], 0.11)
    title = f"Best distance against renders: {words.decibels(first.distance)} to {words.decibels(final.distance)}"
    return charts.frame(
        charts.lines([line], title=title, grid=y), x=x, y=y,
        caption="Distance of the best patch so far, by patches tried", style="curve",
    )  # fmt: skip


def _recording(match: Match) -> list[Markup]:
    target = match.target
    pitch = "no clear pitch" if target.frequency is None else f"{words.frequency(target.frequency)}"
    if target.frequency is not None:
        pitch += f" ({target.pitch_confidence:.0%} sure)"
    pairs: list[tuple[str, Child]] = [
        ("File", target.source),
        ("Heard", f"{words.seconds(target.length)}, from {target.start:.2f} s to {target.end:.2f} s"),
        ("Pitch", pitch),
        ("Played as", words.played(match.sound.note)),
        ("Noise floor", _floor(match)),
    ]
    remarks = [element("li", words.sentence(remark)) for remark in target.remarks]
    listened = [element("h3", "What was heard of the recording"), charts.facts(pairs)]
    return [*listened, element("ul", *remarks, class_="remarks")] if remarks else listened


def _floor(match: Match) -> str:
    if match.synth.noise_floor == 0:
        return "none: this synth plays a patch the same way every time"
    return f"{words.decibels(match.synth.noise_floor)} between two renders of one patch"


def _repeatability(match: Match, command: str | None) -> str:
    said = "The same command finds the same patches again."
    if match.limit_seconds or match.stopped:
        said = "A search that ends by the clock depends on the computer; with --renders N it finds the same every time."
    if command is None:
        said += " If you gave --hold, --presets or --prior, give them again."
    return said


def _versions(match: Match) -> Markup:
    named = [f"{name} {version}" for name, version in match.versions.items()]
    return element("p", " · ".join([*named, f"seed {match.seed}"]), class_="versions")


def _place(renders: int, start: int, end: int) -> float:
    return charts.log_place(max(renders, start), start, end)


def _round_up(distance: float) -> float:
    return 5.0 * (int(distance / 5.0) + 1)


def _spaced(ticks: list[Tick], gap: float) -> list[Tick]:
    """The ticks that leave room between each other, from the top down."""
    kept: list[Tick] = []
    for tick in reversed(ticks):
        if not kept or kept[-1].place - tick.place > gap:
            kept.append(tick)
    return kept
