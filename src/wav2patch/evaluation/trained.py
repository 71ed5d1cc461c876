"""Trained models as methods of an evaluation."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from wav2patch.errors import UserError
from wav2patch.evaluation.baselines import Propose
from wav2patch.evaluation.rows import Row, Rows
from wav2patch.weights.proposals import Proposals

if TYPE_CHECKING:
    from wav2patch.training.saving import Trained

_CHECKPOINTS = "checkpoints"
_AT_ONCE = 64


class TrainedMethod:
    """A trained model; what it proposes for a row depends on the seed, the row and the model alone, but for rounding.

    Args:
        model: As `load_trained` gives it.
    """

    def __init__(self, model: Trained) -> None:
        self.model = model

    def __call__(self, rows: Sequence[Row], n: int, seed: int) -> list[Proposals]:
        """See `Propose`."""
        found: list[Proposals] = []
        for first in range(0, len(rows), _AT_ONCE):
            found += self._propose(rows[first : first + _AT_ONCE], n, seed)
        return [_distinct(one) for one in found]

    def _propose(self, rows: Sequence[Row], n: int, seed: int) -> list[Proposals]:
        import torch  # noqa: PLC0415 - seconds to import

        device = self.model.device
        words = [np.random.SeedSequence([seed, row.index]).generate_state(1, np.uint64)[0] for row in rows]
        generators = [torch.Generator(device=device).manual_seed(int(word >> np.uint64(1))) for word in words]
        return self.model.propose_many(
            [row.audio for row in rows], rows[0].sample_rate, [row.note for row in rows], n, generators
        )


def load_methods(paths: Sequence[str], rows: Rows) -> dict[str, Propose]:
    """Trained models by the names that tables show.

    Args:
        paths: Of checkpoints or model folders.
        rows: What they will be tested on.

    Raises:
        UserError: A model is missing, damaged, or of another synth than the rows.
    """
    from wav2patch.training.saving import load_trained  # noqa: PLC0415 - PyTorch takes seconds to import

    found: dict[str, Propose] = {}
    for name, path in zip(short_names(paths), paths, strict=True):
        model = load_trained(path)
        if model.record.space != rows.synth.space.digest:
            raise UserError(
                f"{path} proposes patches of {model.record.synth}, and {rows.name} is of {rows.synth.name}: "
                "evaluate it on data of its own synth."
            )
        found[name] = TrainedMethod(model)
    return found


def short_names(paths: Sequence[str]) -> list[str]:
    """What tables call models: a checkpoint after its run, anything else after itself; the whole path if two collide.

    Raises:
        UserError: A path is given twice.
    """
    if len({*paths}) < len(paths):
        raise UserError("a checkpoint is named twice.")
    short = [_short_name(Path(path)) for path in paths]
    return [name if short.count(name) == 1 else path for name, path in zip(short, paths, strict=True)]


def _short_name(path: Path) -> str:
    if path.parent.name == _CHECKPOINTS and path.parent.parent.name:
        return path.parent.parent.name
    return path.stem if path.suffix == ".ckpt" else path.name


def _distinct(proposed: Proposals) -> Proposals:
    """One proposal instead of several that are the same, as a model without chance gives."""
    if (proposed.patches == proposed.patches[0]).all() and len({*(proposed.notes or ())}) < 2:
        return Proposals(proposed.patches[:1], None if proposed.notes is None else proposed.notes[:1])
    return proposed
