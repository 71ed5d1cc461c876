"""Sounds for models that choose: their patches are then found by what they sound like."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator

import numpy as np
import torch

from wav2patch.datasets.shards.layout import FEATURES
from wav2patch.datasets.views.places import data_set_of, load_known_synth
from wav2patch.datasets.views.view import View
from wav2patch.errors import UserError
from wav2patch.models.inverters.base import Examples
from wav2patch.models.inverters.choosing import Choosing
from wav2patch.training.examples import Translation
from wav2patch.training.saving import Trained

Report = Callable[[int, int], None]

_AT_ONCE = 512


def keep_sounds(
    trained: Trained, view: View, count: int | None = None, report: Report = lambda done, of: None
) -> Trained:
    """Have a model choose from the patches of a view by their sounds, instead of from draws by themselves.

    Args:
        trained: The model, which is changed.
        view: With the feature that it hears, such as the one it was trained on.
        count: Of its first rows, at most; all by default.
        report: Is told how many rows are heard, of how many.

    Returns:
        The same model, whose record says how many there are.

    Raises:
        UserError: The model does not choose, or the view is of another synth or has another feature.
    """
    inverter = trained.inverter
    if not isinstance(inverter, Choosing):
        raise UserError(
            f"a model of the kind {inverter.kind} makes up its own patches: sounds are for contrastive and proxy."
        )
    _check(trained, view)
    total = len(view) if count is None else min(count, len(view))
    inverter.keep_sounds(_examples(trained, view, total, report))
    record = dataclasses.replace(trained.record, inverter={**trained.record.inverter, "draws": total})
    return dataclasses.replace(trained, record=record)


def _check(trained: Trained, view: View) -> None:
    record, name = trained.record, FEATURES + Translation(trained.record).feature
    view.check()
    synth = load_known_synth(view.recipe, data_set_of(view))
    if synth is None or synth.space.digest != record.space:
        raise UserError(
            f"{view.address} has patches of {view.recipe.synth} as it was then, and the model proposes such of "
            f"{record.synth} as it was trained on: give the view that it was trained on."
        )
    if name not in view.fields or tuple(view.fields[name].shape) != record.shape:
        raise UserError(
            f"{view.address} has no {record.feature} of {record.length:g} s, which the model hears: give the view that "
            "it was trained on."
        )


def _examples(trained: Trained, view: View, total: int, report: Report) -> Iterator[Examples]:
    translation = Translation(trained.record)
    name, standard = FEATURES + translation.feature, trained.standard
    for first in range(0, total, _AT_ONCE):
        rows = range(first, min(first + _AT_ONCE, total))
        fields = view.read_fields((name, "parameters", "notes"), rows)
        fields = {key: value.astype(np.float32) for key, value in fields.items()}
        if standard is not None:
            fields[name] = standard(fields[name])
        yield translation({key: torch.from_numpy(value).to(trained.device) for key, value in fields.items()})
        report(rows.stop, total)
