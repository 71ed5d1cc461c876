"""A trained InverSynth II's answer for one recording, finetuned by what its decoder expects to hear."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from wav2patch.audio.channels import to_mono
from wav2patch.errors import UserError
from wav2patch.evaluation.prediction import Answer, Prediction, Recording, rendered
from wav2patch.metrics.objective import Objective
from wav2patch.rendering.base import Failure, Sound
from wav2patch.rendering.choose import make_renderer
from wav2patch.weights.proposals import decode, told_note

if TYPE_CHECKING:
    from torch import Tensor

    from wav2patch.rendering.base import Renderer
    from wav2patch.training.saving import Trained


def predict_finetuned(trained: Trained, recording: Recording, *, steps: int) -> Prediction:
    """The best answer of so many steps, and behind it the one before any, where that is another.

    Every different answer is rendered, ``steps + 1`` at most, and the two that are told once more. There is no chance
    in it; see `finetune_answer`.

    Args:
        trained: As `load_for_finetuning` gives it.
        recording: As `hear` gives it.
        steps: Of finetuning.

    Raises:
        UserError: The synth cannot render on this machine.
    """
    if reason := trained.synth.missing():
        raise UserError(reason)
    renderer = make_renderer(trained.synth, 1)
    try:
        answers = _finetune(trained, recording, renderer, steps)
    finally:
        renderer.close()
    different = {(patch.tobytes(), note): (patch, note) for patch, note in answers}
    predicted = rendered(trained.synth, recording, list(different.values()))
    return Prediction(recording, trained.record, trained.synth, 0, predicted)


def load_for_finetuning(path: Path) -> Trained:
    """An InverSynth II from a checkpoint, or a model folder with weights.

    Raises:
        UserError: There is none, it is damaged, has no decoder that stands for its synth, or PyTorch is missing.
    """
    try:
        from wav2patch.models.inverters.inversynth import InverSynth  # noqa: PLC0415 - PyTorch takes seconds to import
        from wav2patch.training.saving import load_trained  # noqa: PLC0415
    except ImportError as error:
        raise UserError("finetuning needs PyTorch: pip install 'wav2patch[train]'.") from error
    trained = load_trained(path)
    if not isinstance(trained.inverter, InverSynth):
        raise UserError(
            f"{path} is a {trained.inverter.kind}: finetune=… takes an InverSynth II, whose decoder stands for its "
            "synth (experiment=dexed_estimator/is2)."
        )
    return trained


def _finetune(trained: Trained, recording: Recording, renderer: Renderer, steps: int) -> list[Answer]:
    """The best answer, and the one before any step."""
    import torch  # noqa: PLC0415 - seconds to import

    from wav2patch.training.finetuning import finetune_answer  # noqa: PLC0415

    model: Any = trained.inverter
    told = told_note(trained.record, recording.sound.note)
    heard = torch.from_numpy(trained.hearing(recording.audio, recording.sound.sample_rate))
    judge = _Judge(trained, recording, renderer)
    found = finetune_answer(model, heard, None if told is None else torch.from_numpy(told), judge, steps=steps)
    return [judge.answer(found.vector), judge.answer(found.first)]


class _Judge:
    """How far the sound of a vector is from a recording, in dB; infinitely, where it cannot be rendered."""

    def __init__(self, trained: Trained, recording: Recording, renderer: Renderer) -> None:
        self._trained, self._sound, self._renderer = trained, recording.sound, renderer
        self._objective = Objective(to_mono(recording.padded), recording.sound.sample_rate)

    def answer(self, vector: Tensor) -> Answer:
        """What a vector ``(D,)`` in [−1, 1] stands for."""
        numbers = (vector.numpy()[None] + 1.0) / 2.0
        found = decode(self._trained.record, self._trained.synth.space, numbers)
        return found.patches[0], self._sound.note if found.notes is None else found.notes[0]

    def __call__(self, vector: Tensor) -> float:
        patch, note = self.answer(vector)
        sound = Sound(note, self._sound.length, self._sound.sample_rate)
        (audio,) = self._renderer.map([patch], sound, np.copy)
        return float("inf") if isinstance(audio, Failure) else float(self._objective(to_mono(audio)))
