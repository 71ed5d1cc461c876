"""The table of an evaluation: methods by metrics, means with their intervals."""

from __future__ import annotations

import json
import math
from typing import Any

from wav2patch.evaluation import text_tables
from wav2patch.evaluation.columns import Group
from wav2patch.evaluation.intervals import Estimate
from wav2patch.evaluation.results import Evaluation

GROUPS: dict[Group, str] = {"sound": "How close the sound comes", "parameters": "How close the parameters come"}

_SMALL = 1e-3
"""Half an interval, and a figure, below which both are written with a power of ten."""

_MOST_PLACES = 6


def head(evaluation: Evaluation, group: Group) -> list[str]:
    """Headings of the table of a group; the first is over the methods' names."""
    return [
        "method",
        *(column.heading for column in evaluation.shown(group)),
        *(["failed"] if group == "sound" else []),
    ]


def rows(evaluation: Evaluation, group: Group) -> list[list[str]]:
    """Cells of the table of a group, a row for each method: mean ± half of the interval."""
    return [
        [
            name,
            *(cell(evaluation.mean(name, column)) for column in evaluation.shown(group)),
            *([str(len(one.failures))] if group == "sound" else []),
        ]
        for name, one in evaluation.methods.items()
    ]


def cell(estimate: Estimate) -> str:
    """``"3.18 ± 0.06"``: two figures of the interval, and as many places of the mean."""
    if math.isnan(estimate.value):
        return "–"
    half = estimate.half
    if math.isnan(half):
        return f"{estimate.value:.3g}"
    if 0 < half < _SMALL and abs(estimate.value) < _SMALL:
        return f"{estimate.value:.2g} ± {half:.1g}"
    places = 2 if half == 0 else max(1 - math.floor(math.log10(half)), 0)
    if places > _MOST_PLACES:
        return f"{estimate.value:.{_MOST_PLACES}f} ± {half:.1g}"
    return f"{estimate.value:.{places}f} ± {half:.{places}f}"


def to_markdown(evaluation: Evaluation) -> str:
    """Both tables with the sentences that they need, as Markdown."""
    parts = [f"# {evaluation.synth}: {len(evaluation)} rows of {evaluation.data}\n", f"{conditions(evaluation)}\n"]
    for group, title in GROUPS.items():
        table = text_tables.markdown(head(evaluation, group), rows(evaluation, group), numbers=1)
        parts.append(f"## {title}\n\n{table}")
    return "\n".join(parts)


def to_latex(evaluation: Evaluation) -> str:
    """Both tables as LaTeX, for the package booktabs."""
    tables = [
        f"% {title}\n" + text_tables.latex(head(evaluation, group), rows(evaluation, group), numbers=1)
        for group, title in GROUPS.items()
    ]
    return "\n".join([f"% {conditions(evaluation)}".replace("\n", " "), *tables])


def to_csv(evaluation: Evaluation) -> str:
    """One line for each method and metric, with mean, median, and their intervals."""
    found = evaluation.summary["methods"]
    lines = [
        {"method": name, "metric": metric, **figures}
        for name, one in found.items()
        for metric, figures in one["metrics"].items()
    ]
    return _lines_to_csv(lines)


def parameters_to_csv(evaluation: Evaluation) -> str:
    """One line for each method and parameter."""
    return _lines_to_csv(list(evaluation.parameters()))


def to_json(evaluation: Evaluation) -> str:
    """All figures, and every value of every row by its number."""
    content = evaluation.summary | {"items": evaluation.items()}
    return json.dumps(content, ensure_ascii=False, allow_nan=False, indent=1) + "\n"


def conditions(evaluation: Evaluation) -> str:
    """What the figures were measured under: a few sentences."""
    told = f"Means over {len(evaluation)} rows with their 95% intervals (Student's t), seed {evaluation.seed}."
    if evaluation.best_of > 1:
        told += (
            f" Best of {evaluation.best_of} proposals, chosen by {evaluation.chosen_by.label} to the target, "
            "for every method that leaves something to chance."
        )
    if evaluation.noise_floor:
        told += f" Two renders of one patch differ by {evaluation.noise_floor:.2g} dB on this synth."
    broken = {name: one.broken for name, one in evaluation.methods.items() if one.broken}
    if broken:
        listed = ", ".join(f"{count} of {name}" for name, count in broken.items())
        told += (
            f" Proposals that could not be rendered: {listed}; rows without any are counted as failed, not in means."
        )
    return told


def _lines_to_csv(lines: list[dict[str, Any]]) -> str:
    names = list(lines[0]) if lines else []
    cells = [["" if line[name] is None else str(line[name]) for name in names] for line in lines]
    return text_tables.comma_separated(names, cells)
