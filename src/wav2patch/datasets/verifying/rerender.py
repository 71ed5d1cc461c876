"""Rows of a data set, rendered once more: do they come out the same?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from wav2patch.audio.channels import to_mono
from wav2patch.checking.finding import Finding, decibels, quantile
from wav2patch.checking.sameness import NEGLIGIBLE_DB
from wav2patch.datasets.recipes.plan import Plan
from wav2patch.datasets.shards.layout import AUDIO
from wav2patch.datasets.shards.listen import Heard, Listen, Rejected
from wav2patch.datasets.views.view import View
from wav2patch.metrics.objective import Objective
from wav2patch.notes import Note
from wav2patch.rendering.base import Failure, Renderer, Sound

_SLACK = 1.5
"""Times the noise floor that nine rows in ten may be off: it was measured on one note, and rows have many."""


@dataclass(frozen=True)
class Again:
    """A row that was rendered again.

    Attributes:
        index: Of the row.
        exact: Whether it came out the same, every stored bit.
        distance: How far off it is in the objective, in decibels; None where there is no audio to tell.
        failed: Why there is nothing to compare.
    """

    index: int
    exact: bool = False
    distance: float | None = None
    failed: str | None = None


@dataclass(frozen=True)
class Rerendered:
    """What came of it.

    Attributes:
        rows: Those that were rendered again.
        floor: Noise floor of the synth in decibels.
        changed: Versions that are others now, in words.
    """

    rows: Sequence[Again]
    floor: float
    changed: str = ""
    worst: float = field(init=False)
    median: float = field(init=False)

    def __post_init__(self) -> None:
        distances = [row.distance for row in self.rows if row.distance is not None]
        object.__setattr__(self, "worst", max(distances, default=0.0))
        object.__setattr__(self, "median", quantile(distances, 0.5))

    @property
    def exact(self) -> int:
        """Rows that came out the same, every stored bit."""
        return sum(row.exact for row in self.rows)

    def judge(self) -> Finding:
        """Whether the rows are what the recipe gives."""
        name, count = "rendered again", len(self.rows)
        figures = {
            "rerendered": count,
            "exact": self.exact,
            "distance_worst": self.worst,
            "distance_median": self.median,
        }
        if self.exact == count:
            return Finding(name, True, f"{count} rows came out the same, every bit of them.", figures)
        told = f"{self.exact} of {count} rows came out the same"
        if failed := [row for row in self.rows if row.failed]:
            told += f"; row {failed[0].index} did not come out at all: {failed[0].failed}{self.changed}."
            return Finding(name, False, told, figures)
        if unheard := [row for row in self.rows if not row.exact and row.distance is None]:
            holds = None if self.floor else False
            told += f"; the features of row {unheard[0].index} differ, and no audio is stored to tell how far"
            return Finding(name, holds, f"{told}{self.changed}.", figures)
        told += (
            f"; the others are off by {decibels(self.median_of_others)} in the median, {decibels(self.worst)} at most"
        )
        return Finding(name, *self._weigh(told), figures)

    @property
    def median_of_others(self) -> float:
        """Of the distances of the rows that did not come out the same."""
        return quantile([row.distance for row in self.rows if row.distance is not None and not row.exact], 0.5)

    def _weigh(self, told: str) -> tuple[bool, str]:
        if self.worst <= NEGLIGIBLE_DB:
            return True, f"{told}, which is rounding{self.changed}."
        allowed = _SLACK * self.floor + NEGLIGIBLE_DB if self.floor else NEGLIGIBLE_DB
        beyond = [row for row in self.rows if row.distance is not None and row.distance > allowed]
        if self.floor and len(beyond) <= max(1, len(self.rows) // 10):
            return (
                True,
                f"{told}; chance alone makes {decibels(self.floor)}, the noise floor of this synth{self.changed}.",
            )
        floor = f"its noise floor is {decibels(self.floor)}" if self.floor else "this synth leaves nothing to chance"
        indices = ", ".join(str(row.index) for row in beyond[:5]) + (", …" if len(beyond) > 5 else "")
        return False, f"{told}, and {floor}; too far off are rows {indices}{self.changed}."


@dataclass(frozen=True)
class Halves:
    """Passes on a render as a data set stores it; travels to worker processes."""

    listen: Listen
    sample_rate: int

    def __call__(self, audio: NDArray[np.float32]) -> Mapping[str, NDArray[Any]] | str:
        """Audio and features, or why the render would be rejected."""
        heard: Heard | Rejected = self.listen(audio)
        return heard.reason if isinstance(heard, Rejected) else heard.clips


def rerender(plan: Plan, view: View, rows: Sequence[int], renderer: Renderer) -> Rerendered:
    """Render rows of a view again, from their parameters and notes as they are stored where the draws differ.

    Args:
        plan: Of the data set.
        view: Whose rows.
        rows: Their numbers in the view.
        renderer: Of the plan's synth.

    Raises:
        UserError: A shard is missing or damaged.
    """
    recipe = plan.recipe
    indices = [int(index) for index in view.read("index", rows)]
    patches = [_patch(plan, view, row) for row in rows]
    sounds = [Sound(_note(view, row), recipe.length, recipe.sample_rate) for row in rows]
    listen = Listen(recipe.sample_rate, None, plan.features, recipe.audio != "none", packed=False)
    results = renderer.map(patches, sounds, Halves(listen, recipe.sample_rate))
    stored = [name for name, one in view.fields.items() if one.packed]
    found = []
    for row, index, result in zip(rows, indices, results, strict=True):
        before = {name: view.read(name, row) for name in stored}
        found.append(_compare(index, before, result, recipe.sample_rate))
    return Rerendered(found, plan.synth.noise_floor, _changes(recipe.versions, plan.synth.versions()))


def _patch(plan: Plan, view: View, row: int) -> NDArray[np.float64]:
    """The patch that was drawn; that which the parameters stand for, if they are not those of the draw."""
    space, encoded = plan.synth.space, view.read("parameters", row)
    patch, _ = plan.draw(int(view.read("index", row)), int(view.read("attempt", row)))
    return patch if np.array_equal(space.encode(patch), encoded) else space.decode(encoded)


def _note(view: View, row: int) -> Note:
    pitch, velocity, onset, duration = (float(value) for value in view.read("notes", row))
    return Note(int(pitch), int(velocity), onset, duration)


def _compare(
    index: int,
    before: Mapping[str, NDArray[Any]],
    result: Mapping[str, NDArray[Any]] | str | Failure,
    sample_rate: int,
) -> Again:
    if isinstance(result, Failure | str):
        return Again(index, failed=result if isinstance(result, str) else result.reason)
    if any(before[name].shape != clip.shape for name, clip in result.items()):
        return Again(index, failed="the render has another shape")
    if AUDIO not in before:
        return Again(index, all(np.array_equal(before[name], clip) for name, clip in result.items()))
    if np.array_equal(before[AUDIO], result[AUDIO]):
        return Again(index, True, 0.0)
    one, other = (to_mono(clips[AUDIO].astype(np.float32)) for clips in (before, result))
    return Again(index, False, float(Objective(one, sample_rate)(other)))


def _changes(before: Mapping[str, str], now: Mapping[str, str]) -> str:
    changed = [
        f"{name} {before.get(name, 'none')} then and {now.get(name, 'none')} now"
        for name in sorted(before.keys() | now.keys())
        if before.get(name) != now.get(name)
    ]
    return f" ({', '.join(changed)})" if changed else ""
