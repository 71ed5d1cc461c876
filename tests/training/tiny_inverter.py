"""An inverter and runs small enough for tests; their noise is coupled as that of a real flow."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import lightning
import torch
from lightning.pytorch.callbacks import Callback, Checkpoint
from small_model import make_trainer
from torch import Tensor, nn

from wav2patch.models.couplings import HungarianCoupling, IndependentCoupling
from wav2patch.models.inverters.base import Examples, Graph, Inverter, Losses
from wav2patch.models.noise import Noise
from wav2patch.training.callbacks.checkpoints import WholeFiles
from wav2patch.training.module import InverterModule
from wav2patch.training.resuming import ResumableData
from wav2patch.training.tensor_data import TensorData
from wav2patch.weights.record import Record

SETTINGS = {"kind": "tiny"}
SAMPLES = 256


class TinyFlow(Inverter):
    """A straight flow whose field is one hidden layer over everything."""

    kind = "tiny"

    def __init__(self, layout: Any, shape: tuple[int, ...], *, note: bool, hungarian: bool = True) -> None:
        super().__init__(layout, shape, note=note)
        wide = layout.width + 1 + int(torch.Size(shape).numel()) + 4 * note
        self.field = nn.Sequential(nn.Linear(wide, 24), nn.GELU(), nn.Linear(24, layout.width))
        self.coupling = HungarianCoupling() if hungarian else IndependentCoupling()
        self.threads: set[str] = set()

    def prepare(self, examples: Examples, noise: Noise) -> Examples:
        import threading

        self.threads.add(threading.current_thread().name)
        return examples.replace(start=self.coupling(noise.normal("start", self.layout.width), examples.vectors))

    def loss(self, examples: Examples, noise: Noise) -> Losses:
        if examples.start is None:
            examples = self.prepare(examples, noise)
        start, end = examples.start, examples.vectors
        assert start is not None
        times = noise.uniform("time", 1).float()
        errors = (self._velocity(start + times * (end - start), times, examples) - (end - start)).square()
        rows = (errors if examples.weights is None else errors * examples.weights).mean(dim=1)
        return {"loss": rows.mean(), "velocity": rows.mean().detach(), "_rows": rows, "_times": times[:, 0]}

    def propose_batch(
        self, features: Tensor, notes: Tensor | None, n: int, generator: torch.Generator | None = None
    ) -> Tensor:
        found = []
        for _ in range(n):
            start = torch.randn(len(features), self.layout.width, generator=generator)
            examples = Examples(features, notes, start)
            found.append(start + self._velocity(start, torch.zeros(len(start), 1), examples))
        return torch.stack(found, dim=1)

    def graphs(self) -> Mapping[str, Graph]:
        return {}

    def _velocity(self, point: Tensor, times: Tensor, examples: Examples) -> Tensor:
        told = [] if examples.notes is None else [examples.notes / 100.0]
        return self.field(torch.cat([point, times, examples.features.flatten(1) / 50.0, *told], dim=1))


def tensor_data(**options: Any) -> TensorData:
    """Sixteen sounds a batch, seven batches an epoch."""
    settings: dict[str, Any] = {"batch_size": 16, "epoch_batches": 7, "val_rows": 40} | options
    return TensorData("kosc_4", features="log_mel:bands=8", audio=False, samples=SAMPLES, **settings)


def tensor_record(data: TensorData) -> Record:
    feature = data.features[0]
    shape = feature.shape(1, SAMPLES, data.sample_rate)
    length = SAMPLES / data.sample_rate
    return Record(
        data.synth.name, data.synth.space.digest, "none", "C4", feature.name, shape, 44_100, length, 1, SETTINGS
    )


def tiny_module(record: Record, hungarian: bool = True, **options: Any) -> InverterModule:
    """The same weights every time."""
    torch.manual_seed(0)
    inverter = TinyFlow(record.layout(), record.shape, note=record.note == "given", hungarian=hungarian)
    return InverterModule(inverter, record, **({"learning_rate": 3e-3} | options))


def fit(
    folder: Path,
    module: InverterModule,
    data: ResumableData,
    *,
    callbacks: Sequence[Callback] = (),
    resume: Path | None = None,
    **options: Any,
) -> lightning.Trainer:
    saves = any(isinstance(one, Checkpoint) for one in callbacks)
    settings: dict[str, Any] = {"enable_checkpointing": saves, "log_every_n_steps": 5, "plugins": [WholeFiles()]}
    trainer = make_trainer(folder, callbacks=callbacks, **(settings | options))
    trainer.fit(module, datamodule=data, ckpt_path=None if resume is None else str(resume), weights_only=True)
    return trainer


def load(path: Path) -> dict[str, Any]:
    return torch.load(path, weights_only=True)


def same(one: Any, other: Any) -> bool:
    """Bit for bit."""
    if isinstance(one, Tensor):
        return one.dtype == other.dtype and torch.equal(one, other)
    if isinstance(one, Mapping):
        return one.keys() == other.keys() and all(same(one[name], other[name]) for name in one)
    if isinstance(one, list | tuple):
        return len(one) == len(other) and all(map(same, one, other))
    return one == other
