"""First weights: drawn, or taken from a checkpoint of another run."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from wav2patch.errors import UserError
from wav2patch.models.inverters.base import Learner
from wav2patch.models.inverters.estimator import Estimator
from wav2patch.models.inverters.proxy import Proxy
from wav2patch.models.learners import make_learner
from wav2patch.training.saving import ENTRY, PREFIX, read_checkpoint
from wav2patch.weights.record import Record


def first_learner(record: Record, seed: int, init: str | None = None) -> Learner:
    """A model with its first weights, which are a function of the seed and of what it begins from.

    Args:
        record: Of the model.
        seed: Of what is drawn.
        init: Checkpoint of a model of the same kind, all of whose weights are taken, or of one that was pretrained,
            whose network becomes the encoder's.

    Raises:
        UserError: There is no such method or setting, or the checkpoint does not fit.
    """
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        learner = make_learner(record.inverter, record.layout(), record.shape, note=record.note == "given")
    if init is not None:
        _begin_from(learner, Path(init).expanduser())
    return learner


def _begin_from(learner: Learner, path: Path) -> None:
    if not path.is_file():
        raise UserError(f"there is no checkpoint {path} to begin from: init is a .ckpt that `wav2patch train` wrote.")
    checkpoint = read_checkpoint(path)
    record = Record.from_dict(checkpoint[ENTRY].get("record"), path)
    state = {k.removeprefix(PREFIX): v for k, v in checkpoint["state_dict"].items() if k.startswith(PREFIX)}
    kind = record.inverter["kind"]
    if kind == learner.kind:
        own = learner.state_dict()
        _take(learner.load_state_dict, {**state, **{name: own[name] for name in learner.counters}}, path)
        return
    if kind == Proxy.kind and isinstance(learner, Estimator):
        own = {k.removeprefix("presets."): v for k, v in state.items() if k.startswith("presets.")}
        _take(learner.take_proxy, own, path)
        return
    encoder: Any = getattr(getattr(learner, "listener", None), "encoder", None)
    prefix: str | None = getattr(encoder, "PRETRAINED", None)
    part = {} if prefix is None else {k.removeprefix(prefix): v for k, v in state.items() if k.startswith(prefix)}
    if not part:
        raise UserError(
            f"{path} is a {kind}, of which nothing fits into this {learner.kind}: init takes a checkpoint of its own "
            "kind, or a pretrained one of its encoder's (unet_1d, patch_transformer)."
        )
    _take(encoder.network.load_state_dict, part, path)


def _take(load: Callable[[Mapping[str, Tensor]], Any], state: Mapping[str, Tensor], path: Path) -> None:
    """All weights, by their names; none is left out without a word."""
    try:
        load(state)
    except RuntimeError as error:
        raise UserError(
            f"the weights in {path} are of other sizes or names than those that are to begin from them: give both the "
            "same settings."
        ) from error
