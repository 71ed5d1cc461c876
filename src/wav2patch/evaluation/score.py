"""Proposed patches to sound and to numbers: each is rendered on the synth and compared with the target.

Of several proposals for a row one is kept, by its distance to the target, and that one is measured: rendered anew, so
that a synth with free-running oscillators gets no credit for the luckiest of several renders. A proposal that cannot
be rendered is passed over; a row of which none can be is a failure with its reason.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from wav2patch.audio.channels import to_mono
from wav2patch.audio.pitch import find_pitch
from wav2patch.evaluation.columns import DISTANCE, PANEL_COLUMNS, SIGNAL_LSD, Column
from wav2patch.evaluation.rows import Row
from wav2patch.matching.evaluator import Measure
from wav2patch.metrics.log_spectral import log_spectral_distance
from wav2patch.metrics.objective import Objective
from wav2patch.metrics.panel import evaluate as evaluate_panel
from wav2patch.notes import Note
from wav2patch.parameters import Patch
from wav2patch.rendering.base import Failure, Renderer
from wav2patch.synths.base import Audio
from wav2patch.synths.tensor.synth import TensorSynth
from wav2patch.weights.proposals import Proposals


@dataclass(frozen=True, eq=False)
class Scored:
    """What became of a method's proposals for one row.

    Attributes:
        patch: The one that was kept, ``(P,)``; the first where none could be rendered.
        note: What it plays, if the method said so; None for the row's note.
        values: By the names of the scorer's columns; NaN where a metric does not apply; empty for a failure.
        tried: How many proposals there were.
        broken: How many of these could not be rendered.
        failure: Why there are no values.
    """

    patch: Patch
    note: Note | None
    values: Mapping[str, float]
    tried: int = 1
    broken: int = 0
    failure: str | None = None


Proposed = Mapping[str, Sequence[Proposals]]
"""By the names of methods: proposals for each of some rows."""


class Scorer(Protocol):
    """Turns proposals into numbers."""

    @property
    def columns(self) -> tuple[Column, ...]:
        """What it measures."""
        ...

    @property
    def chosen_by(self) -> Column:
        """What the best of several proposals is chosen by."""
        ...

    @property
    def batch(self) -> int:
        """How many rows it likes to be given at once."""
        ...

    def __call__(self, rows: Sequence[Row], proposed: Proposed) -> list[dict[str, Scored]]:
        """For every row, by the names of the methods."""
        ...


@dataclass(frozen=True, eq=False)
class Panel:
    """Audio ``(channels, samples)`` to the panel's values; a class, so that worker processes can be handed it.

    Attributes:
        target: ``(channels, samples)``.
        sample_rate: Of both.
        target_f0: The target's pitch in Hz, None where it has none.
        measure: Distance to the target.
    """

    target: Audio
    sample_rate: int
    target_f0: float | None
    measure: Measure

    def __call__(self, audio: Audio) -> dict[str, float]:
        """Values by name; NaN where a metric does not apply."""
        heard = find_pitch(to_mono(audio), self.sample_rate).frequency
        values = evaluate_panel(self.target, audio, self.sample_rate, target_f0=self.target_f0, prediction_f0=heard)
        found = {name: math.nan if value is None else value for name, value in values.items()}
        return {DISTANCE.name: self.measure(audio), **found}


class PanelScorer:
    """Every metric of ``wav2patch compare`` on renders of the synth, computed where they are rendered.

    Args:
        renderer: Of the synth. Renders of one row go side by side, those of all methods together.
    """

    columns: tuple[Column, ...] = PANEL_COLUMNS
    chosen_by: Column = DISTANCE
    batch = 32

    def __init__(self, renderer: Renderer) -> None:
        self.renderer = renderer

    def __call__(self, rows: Sequence[Row], proposed: Proposed) -> list[dict[str, Scored]]:
        """See `Scorer`."""
        return [self._score(row, {name: each[i] for name, each in proposed.items()}) for i, row in enumerate(rows)]

    def _score(self, row: Row, proposed: Mapping[str, Proposals]) -> dict[str, Scored]:
        mono = to_mono(row.audio)
        measure = Measure(Objective(mono, row.sample_rate))
        kept = self._choose(row, proposed, measure)
        panel = Panel(row.audio, row.sample_rate, find_pitch(mono, row.sample_rate).frequency, measure)
        chosen = list(kept.values())
        sounds = [row.sound(one.note) for one in chosen]
        results = self.renderer.map([one.patch for one in chosen], sounds, panel)
        return {name: _measured(one, result) for (name, one), result in zip(kept.items(), results, strict=True)}

    def _choose(self, row: Row, proposed: Mapping[str, Proposals], measure: Measure) -> dict[str, Scored]:
        several = [name for name, one in proposed.items() if len(one.patches) > 1]
        patches = [patch for name in several for patch in proposed[name].patches]
        sounds = [row.sound(_note(proposed[name], i)) for name in several for i in range(len(proposed[name].patches))]
        results = iter(self.renderer.map(patches, sounds, measure) if patches else ())
        kept = {}
        for name, one in proposed.items():
            count = len(one.patches)
            heard = [next(results) for _ in range(count)] if count > 1 else [0.0]
            distances = [math.inf if isinstance(each, Failure) else each for each in heard]
            best = int(np.argmin(distances))
            broken = sum(isinstance(each, Failure) for each in heard)
            kept[name] = Scored(one.patches[best], _note(one, best), {}, count, broken)
        return kept


class BatchScorer:
    """The papers' log-spectral distance of signals that a research synth renders in batches, single precision.

    Args:
        synth: The research synth.
        device: Where to render.
    """

    columns: tuple[Column, ...] = (SIGNAL_LSD,)
    chosen_by: Column = SIGNAL_LSD
    batch = 1_024

    def __init__(self, synth: TensorSynth, device: str = "cpu") -> None:
        self.synth, self.device = synth, device

    def __call__(self, rows: Sequence[Row], proposed: Proposed) -> list[dict[str, Scored]]:
        """See `Scorer`."""
        scored: list[dict[str, Scored]] = [{} for _ in rows]
        for name, each in proposed.items():
            for place, one in enumerate(self._score(rows, each)):
                scored[place][name] = one
        return scored

    def _score(self, rows: Sequence[Row], proposed: Sequence[Proposals]) -> list[Scored]:
        counts = [len(one.patches) for one in proposed]
        distances = self._distances(rows, np.concatenate([one.patches for one in proposed]), counts)
        parts = np.split(distances, np.cumsum(counts)[:-1])
        return [_best(one, part) for one, part in zip(proposed, parts, strict=True)]

    def _distances(self, rows: Sequence[Row], patches: Patch, counts: Sequence[int]) -> NDArray[np.float64]:
        """``(proposals,)``; infinite where a signal is not finite."""
        targets = np.repeat([row.audio[0] for row in rows], counts, axis=0)
        signals = self.synth.render_batch(patches, targets.shape[1], rows[0].sample_rate, self.device).cpu().numpy()
        whole: NDArray[np.bool_] = np.asarray(np.isfinite(signals).all(axis=1))
        distances = log_spectral_distance(targets, np.where(whole[:, None], signals, 0.0))
        return np.where(whole, distances, np.inf)


def _best(proposed: Proposals, distances: NDArray[np.float64]) -> Scored:
    best = int(np.argmin(distances))
    broken = int(np.isinf(distances).sum())
    found = Scored(proposed.patches[best], None, {}, len(distances), broken)
    if broken == len(distances):
        return _measured(found, Failure("the signal holds values that are not finite numbers"))
    return _measured(found, {SIGNAL_LSD.name: float(distances[best])})


def _measured(kept: Scored, result: dict[str, float] | Failure) -> Scored:
    if isinstance(result, Failure):
        broken = max(kept.broken, 1)
        return Scored(kept.patch, kept.note, {}, kept.tried, broken, result.reason)
    return Scored(kept.patch, kept.note, result, kept.tried, kept.broken)


def _note(proposed: Proposals, place: int) -> Note | None:
    return None if proposed.notes is None else proposed.notes[place]
