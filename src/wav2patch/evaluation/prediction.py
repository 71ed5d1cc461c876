"""What one trained model makes of one recording: patches, their sound, and how close they come."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from wav2patch.audio.channels import to_mono
from wav2patch.audio.files import read_audio
from wav2patch.audio.target import SILENT, listen
from wav2patch.errors import UserError
from wav2patch.metrics.objective import Objective
from wav2patch.note_rules import FixedNote, parse_notes
from wav2patch.notes import Note
from wav2patch.parameters import Patch
from wav2patch.rendering.base import Failure, Sound
from wav2patch.rendering.choose import make_renderer
from wav2patch.resampling import resample
from wav2patch.synths.base import Audio, Synth
from wav2patch.weights.folder import WEIGHTS, ModelFolder, is_model_folder, open_folder
from wav2patch.weights.hearing import hears_alone
from wav2patch.weights.proposals import Proposals
from wav2patch.weights.ready import ReadyModel
from wav2patch.weights.record import Record

SAMPLE_RATE = 44_100
"""Hz at which a recording is compared with what the synth plays."""

Answer = tuple[Patch, Note]
"""A patch ``(P,)`` in the synth's own units, and the note that it plays."""


class Model(Protocol):
    """A trained model: `training.saving.Trained`, or a `ReadyModel`."""

    @property
    def record(self) -> Record:
        """What it is."""
        ...

    @property
    def synth(self) -> Synth:
        """Whose patches it proposes."""
        ...

    def propose(
        self, audio: NDArray[np.floating], sample_rate: int, note: Note | None, n: int, generator: Any
    ) -> Proposals:
        """Patches for audio ``(channels, samples)``."""
        ...


@dataclass(frozen=True)
class Loaded:
    """A model, and what its chance comes from.

    Attributes:
        model: The model.
        generator: Makes the generator of a seed.
    """

    model: Model
    generator: Callable[[int], Any]


@dataclass(frozen=True, eq=False)
class Recording:
    """What is heard, and what a synth has to play for it.

    Attributes:
        source: Name of the file.
        audio: ``(channels, samples)``, as long as `sound` at most.
        sound: Note, length and sample rate of the renders.
        remarks: What the person should know, in plain sentences.
    """

    source: str
    audio: Audio
    sound: Sound
    remarks: tuple[str, ...] = ()

    @property
    def padded(self) -> Audio:
        """The audio, followed by silence up to the length of the renders."""
        samples = round(self.sound.length * self.sound.sample_rate)
        return np.pad(self.audio[:, :samples], ((0, 0), (0, max(samples - self.audio.shape[1], 0))))


@dataclass(frozen=True, eq=False)
class Predicted:
    """One proposal.

    Attributes:
        patch: ``(P,)``, in the synth's own units.
        note: What its render plays; the model's own guess where it predicts notes.
        audio: Its render ``(channels, samples)``; None where it could not be rendered.
        distance: Of the render to the recording in decibels; see `wav2patch.metrics.objective`.
        failure: Why there is no render.
    """

    patch: Patch
    note: Note
    audio: Audio | None
    distance: float | None
    failure: str | None = None


@dataclass(frozen=True, eq=False)
class Prediction:
    """What a model makes of one recording; the proposals in the model's order, each different one once."""

    recording: Recording
    record: Record
    synth: Synth
    seed: int
    predicted: tuple[Predicted, ...]


def load_model(path: Path) -> Loaded:
    """A model of a checkpoint, or of a model folder; a folder's graphs are preferred, where they do without PyTorch.

    Raises:
        UserError: There is none, it is damaged, of another parameter space, or PyTorch is missing.
    """
    if is_model_folder(path) and _is_ready(open_folder(path)):
        return Loaded(ReadyModel(path), lambda seed: np.random.default_rng([seed]))
    try:
        # PyTorch takes seconds to import, and is not there in the core install.
        import torch  # noqa: PLC0415

        from wav2patch.training.saving import load_trained  # noqa: PLC0415
    except ImportError as error:
        raise UserError(
            "checkpoints need PyTorch: pip install 'wav2patch[train]', or give a folder that `wav2patch export` made."
        ) from error
    return Loaded(load_trained(path), lambda seed: torch.Generator().manual_seed(seed))


def _is_ready(folder: ModelFolder) -> bool:
    """Whether a folder's graphs are what is asked: all that it has, or enough without PyTorch."""
    return bool(folder.graphs) and (hears_alone(folder.record) or not (folder.path / WEIGHTS).exists())


def hear(
    path: Path, record: Record, *, note: str = "auto", velocity: int = 100, hold: float | None = None
) -> Recording:
    """A recording as a model wants it.

    One that is told the note hears the sound from its onset, as `wav2patch match` does. Any other hears the recording
    from its first sample: when a note starts is among the things that it finds out, or nothing that its synth knows of.
    What was trained on one note alone, and is told none, has its patches play that note.

    Args:
        path: The file.
        record: Of the model.
        note: ``auto``, a MIDI number or a name.
        velocity: 1 to 127.
        hold: Seconds that the key is held; as heard by default.

    Raises:
        UserError: The file cannot be used, is silent, or a note is given to a model that is not told.
    """
    if record.note == "given":
        target = listen(
            path, note=note, velocity=velocity, hold=hold, max_length=record.length, sample_rate=SAMPLE_RATE
        )
        return Recording(
            target.source, target.audio, Sound(target.note, record.length, SAMPLE_RATE), tuple(target.remarks)
        )
    if note.strip().lower() != "auto" or hold is not None:
        raise UserError("this model is not told what was played: leave note=… and hold=… out.")
    audio, rate = read_audio(path)
    if np.abs(audio).max() < 10.0 ** (SILENT / 20.0):
        raise UserError(f"{path} is silent: its peak lies below {SILENT:.0f} dB, record it louder.")
    clip = resample(audio if len(audio) <= 2 else to_mono(audio)[None], rate, SAMPLE_RATE)
    played = _note_of(record) or Note(velocity=velocity, duration=record.length)
    return Recording(str(path), clip, Sound(played, record.length, SAMPLE_RATE))


def _note_of(record: Record) -> Note | None:
    """The note that all of a model's patches are for, where it was trained on one alone."""
    rule = parse_notes(record.notes, record.length)
    return rule.note if record.note == "none" and isinstance(rule, FixedNote) else None


def predict(loaded: Loaded, recording: Recording, *, n: int = 1, seed: int = 0) -> Prediction:
    """Have a model propose patches for a recording, and render them.

    Args:
        loaded: The model.
        recording: As `hear` gives it.
        n: Proposals to ask for.
        seed: Of the model's chance; the same gives the same.

    Raises:
        UserError: The synth cannot render on this machine, or a number is out of range.
    """
    if n < 1 or seed < 0:
        raise UserError(f"n is 1 or more and seed 0 or more, not {n} and {seed}.")
    model = loaded.model
    if reason := model.synth.missing():
        raise UserError(reason)
    told = recording.sound.note
    found = model.propose(recording.audio, recording.sound.sample_rate, told, n, loaded.generator(seed))
    notes = found.notes or (told,) * len(found.patches)
    different = {(patch.tobytes(), note): (patch, note) for patch, note in zip(found.patches, notes, strict=True)}
    predicted = rendered(model.synth, recording, list(different.values()))
    return Prediction(recording, model.record, model.synth, seed, predicted)


def rendered(synth: Synth, recording: Recording, proposed: Sequence[Answer]) -> tuple[Predicted, ...]:
    """Answers with their sound, and how far it is from the recording."""
    sound = recording.sound
    sounds = [Sound(note, sound.length, sound.sample_rate) for _, note in proposed]
    renderer = make_renderer(synth, 1)
    try:
        renders = renderer.map([patch for patch, _ in proposed], sounds, np.copy)
    finally:
        renderer.close()
    objective = Objective(to_mono(recording.padded), sound.sample_rate)
    return tuple(
        Predicted(patch, note, None, None, audio.reason)
        if isinstance(audio, Failure)
        else Predicted(patch, note, audio, float(objective(to_mono(audio))))
        for (patch, note), audio in zip(proposed, renders, strict=True)
    )
