"""What proposals for some validation rows sound like."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import lightning
import numpy as np
import torch
from lightning.pytorch.loggers import TensorBoardLogger
from torch import Tensor

from wav2patch.audio.files import write_wav
from wav2patch.errors import UserError
from wav2patch.metrics.spectrograms import power_to_db, stft_magnitude
from wav2patch.notes import Note
from wav2patch.rendering.base import Failure, Sound
from wav2patch.rendering.choose import make_renderer
from wav2patch.synths.base import Audio, Synth
from wav2patch.training.callbacks.first_rows import FirstRows
from wav2patch.training.callbacks.pictures import show_figure
from wav2patch.weights.proposals import decode
from wav2patch.weights.record import Record

_RANGE = 70.0
_PEAK = 0.99


class AudioExamples(FirstRows):
    """Renders the first validation rows and a proposal for each of them on the real synth, side by side.

    WAV files lie in ``audio/``, spectrograms in ``pictures/audio.png``; TensorBoard gets both.

    Args:
        folder: Of the run.
        rows: How many.
        every: Validations from one time to the next.
        seed: Of the proposals, always the same.
    """

    def __init__(self, folder: Path, rows: int = 4, every: int = 1, seed: int = 0) -> None:
        super().__init__(rows, every)
        self.folder, self.seed = folder, seed
        self._synth: Synth | None = None

    def setup(self, trainer: lightning.Trainer, pl_module: Any, stage: str) -> None:
        """See whether the synth renders here.

        Raises:
            UserError: It does not.
        """
        synth: Synth = pl_module.record.load_synth()
        if reason := synth.missing():
            raise UserError(f"there can be no audio examples: {reason}")
        self._synth = synth

    def show(self, trainer: lightning.Trainer, module: Any, batch: dict[str, Tensor]) -> None:
        """See `FirstRows`."""
        proposed, wanted = self.proposals(module, batch, self.seed)
        notes = batch["notes"].cpu() if "notes" in batch else None
        pairs = self._render(module.record, wanted, proposed, notes)
        for number, pair in enumerate(pairs):
            for name, audio in zip(("target", "proposal"), pair, strict=True):
                self._keep(trainer, f"{number:02d}_{name}", audio, module.record.sample_rate)
        show_figure(
            trainer,
            self.folder / "pictures" / "audio.png",
            "val/spectrograms",
            lambda figure: _draw(figure, pairs, module.record),
            (8, 2 * len(pairs)),
        )

    def _render(
        self, record: Record, wanted: Tensor, proposed: Tensor, notes: Tensor | None
    ) -> list[tuple[Audio, Audio]]:
        """Of each row, the sound of what is wanted and of what is proposed; silence where a render failed."""
        synth = self._synth or record.load_synth()
        rendered = []
        renderer = make_renderer(synth, 1)
        try:
            for vectors in (wanted, proposed):
                patches, sounds = _played(record, synth, vectors, notes)
                rendered.append([_or_silence(one, record) for one in renderer.map(patches, sounds, np.asarray)])
        finally:
            renderer.close()
        return list(zip(*rendered, strict=True))

    def _keep(self, trainer: lightning.Trainer, name: str, audio: Audio, sample_rate: int) -> None:
        write_wav(self.folder / "audio" / f"{name}.wav", audio, sample_rate)
        heard = audio.mean(axis=0)
        heard = torch.from_numpy(heard * min(1.0, _PEAK / max(float(np.abs(heard).max()), 1e-9)))
        for logger in trainer.loggers:
            if isinstance(logger, TensorBoardLogger):
                logger.experiment.add_audio(f"val/{name}", heard[None], trainer.global_step, sample_rate)


def _played(record: Record, synth: Synth, vectors: Tensor, notes: Tensor | None) -> tuple[list[Any], list[Sound]]:
    """Patches, and with which note each is played: the one that was predicted, or the row's own."""
    found = decode(record, synth.space, ((vectors + 1.0) / 2.0).numpy())
    if found.notes is not None:
        played = list(found.notes)
    elif notes is not None:
        played = [Note(round(one[0]), round(one[1]), one[2], one[3]) for one in notes.tolist()]
    else:
        played = [Note(duration=record.length)] * len(vectors)
    return list(found.patches), [Sound(note, record.length, record.sample_rate) for note in played]


def _or_silence(audio: Audio | Failure, record: Record) -> Audio:
    silence = np.zeros((record.channels, record.samples), dtype=np.float32)
    return silence if isinstance(audio, Failure) else audio


def _draw(figure: Any, pairs: list[tuple[Audio, Audio]], record: Record) -> None:
    grid = figure.subplots(len(pairs), 2, sharex=True, sharey=True, squeeze=False)
    for row, pair in zip(grid, pairs, strict=True):
        for axes, name, audio in zip(row, ("target", "proposal"), pair, strict=True):
            levels, highest = _levels(audio, record), record.sample_rate / 2_000
            axes.imshow(
                levels.T, origin="lower", aspect="auto", cmap="magma", vmin=-_RANGE, vmax=0.0,
                extent=(0.0, record.length, 0.0, highest),
            )  # fmt: skip
            axes.set_title(name, fontsize=8)
    figure.supxlabel("s")
    figure.supylabel("kHz")


def _levels(audio: Audio, record: Record) -> Any:
    """Decibels below the loudest spot, ``(frames, bins)``."""
    length = 2 ** max(6, min(11, record.samples.bit_length() - 3))
    powers = np.square(stft_magnitude(audio, length, length // 4)).mean(axis=0)
    return power_to_db(powers, max(float(powers.max()), 1e-10), top_db=_RANGE)
