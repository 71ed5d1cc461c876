"""Evaluating methods: the same rows for all, each proposal rendered and measured."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np

from wav2patch.evaluation.baselines import Propose
from wav2patch.evaluation.parameter_scores import ParameterScorer
from wav2patch.evaluation.results import Evaluation, MethodResults
from wav2patch.evaluation.rows import Row, Rows
from wav2patch.evaluation.score import BatchScorer, PanelScorer, Scored, Scorer
from wav2patch.parameters import Patch
from wav2patch.rendering.base import Renderer
from wav2patch.synths.tensor.synth import TensorSynth


def evaluate(
    methods: Mapping[str, Propose],
    rows: Rows,
    renderer: Renderer | None = None,
    *,
    best_of: int = 1,
    seed: int = 0,
    device: str = "cpu",
    report: Callable[[int, int], None] = lambda done, of: None,
) -> Evaluation:
    """Let every method propose patches for every row, render them and measure how close they come.

    Args:
        methods: By the names that tables show. Those that need no training are in `baselines`.
        rows: What is tested on.
        renderer: Of the rows' synth, for the panel of audio metrics; None for research synths, which are rendered in
            batches and measured by the papers' log-spectral distance.
        best_of: How many proposals each method may make for a row; the best by its distance to the target counts.
        seed: Of all that methods leave to chance.
        device: Where research synths render.
        report: Is told how many rows are done, of how many.

    Returns:
        Every value of every row, with their means and intervals.

    Raises:
        ValueError: There are no rows, or fewer than one proposal is asked for; or the synth needs a renderer.
    """
    if not len(rows) or best_of < 1:
        raise ValueError("an evaluation has at least one row and one proposal for each")
    scorer = _scorer(rows, renderer, device)
    seen: list[Row] = []
    scored: list[dict[str, Scored]] = []
    for first in range(0, len(rows), scorer.batch):
        part = rows.read(range(first, min(first + scorer.batch, len(rows))))
        proposed = {name: propose(part, best_of, seed) for name, propose in methods.items()}
        scored += scorer(part, proposed)
        seen += [_without_audio(row) for row in part]
        report(len(seen), len(rows))
    return _collect(methods, rows, scorer, seen, scored, best_of, seed)


def _scorer(rows: Rows, renderer: Renderer | None, device: str) -> Scorer:
    if renderer is not None:
        return PanelScorer(renderer)
    if not isinstance(rows.synth, TensorSynth):
        raise ValueError(f"{rows.synth.name} is not rendered in batches: give a renderer")
    return BatchScorer(rows.synth, device)


def _without_audio(row: Row) -> Row:
    """Thousands of targets would fill the memory."""
    return Row(row.number, row.index, row.audio[:, :0], row.sample_rate, row.patch, row.note, row.length)


def _collect(
    methods: Mapping[str, Propose],
    rows: Rows,
    scorer: Scorer,
    seen: Sequence[Row],
    scored: Sequence[Mapping[str, Scored]],
    best_of: int,
    seed: int,
) -> Evaluation:
    truth = np.stack([row.patch for row in seen])
    parameters = ParameterScorer(rows.synth.space)
    found = {name: _method([one[name] for one in scored], truth, parameters, scorer) for name in methods}
    return Evaluation(
        rows.name,
        rows.synth.name,
        rows.synth.space,
        seed,
        best_of,
        scorer.chosen_by,
        (*scorer.columns, *parameters.columns),
        np.array([row.index for row in seen], dtype=np.int64),
        truth,
        found,
        rows.synth.noise_floor,
    )


def _method(scored: Sequence[Scored], truth: Patch, parameters: ParameterScorer, scorer: Scorer) -> MethodResults:
    patches = np.stack([one.patch for one in scored])
    sounds = {
        column.name: np.array([one.values.get(column.name, np.nan) for one in scored], dtype=np.float64)
        for column in scorer.columns
    }
    return MethodResults(
        patches,
        tuple(one.note for one in scored),
        sounds | parameters(truth, patches),
        parameters.by_parameter(truth, patches),
        {number: one.failure for number, one in enumerate(scored) if one.failure is not None},
        sum(one.tried for one in scored),
        sum(one.broken for one in scored),
    )
