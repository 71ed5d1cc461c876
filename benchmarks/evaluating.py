"""Methods on targets that no run has seen, each answer rendered on the real synth: the end of several benchmarks."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from pathlib import Path

from wav2patch.evaluation.baselines import Propose, baselines
from wav2patch.evaluation.files import write_evaluation, write_sounds
from wav2patch.evaluation.results import Evaluation
from wav2patch.evaluation.rows import ViewRows
from wav2patch.evaluation.run import evaluate
from wav2patch.rendering.choose import make_renderer

SOUNDS = 4
"""Targets of which a picture and wav files are written."""


def evaluate_rendered(methods: Mapping[str, Propose], rows: ViewRows, out: Path, jobs: int) -> Evaluation:
    """Measure methods beside the baselines, and write to a folder what ``wav2patch evaluate`` writes."""
    with contextlib.closing(make_renderer(rows.synth, jobs, processes=jobs > 1)) as renderer:
        found = evaluate({**methods, **baselines(rows.prior, 0)}, rows, renderer)
        write_evaluation(found, out)
        write_sounds(found, rows, renderer, out, SOUNDS)
    return found
