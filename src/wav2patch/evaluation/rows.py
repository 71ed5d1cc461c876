"""Test rows: a sound that is given, and what made it, which is asked for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from wav2patch.datasets.recipes.plan import load_prior_of
from wav2patch.datasets.shards.layout import AUDIO
from wav2patch.datasets.views.places import data_set_of, load_known_synth
from wav2patch.datasets.views.view import View
from wav2patch.errors import UserError
from wav2patch.notes import Note
from wav2patch.parameters import Patch
from wav2patch.priors import Prior
from wav2patch.rendering.base import Sound
from wav2patch.synths.base import Audio, Synth
from wav2patch.synths.tensor.synth import TensorSynth
from wav2patch.training.many_draws import draw_many

SAMPLES, SAMPLE_RATE = 1_024, 44_100
"""Of the papers' signals."""


@dataclass(frozen=True, eq=False)
class Row:
    """One sound that a method is tested on.

    Attributes:
        number: In the order of the test, from 0.
        index: In its data set.
        audio: The target, ``(channels, samples)``.
        sample_rate: In Hz.
        patch: What made it, ``(P,)``.
        note: What was played.
        length: Seconds of the target.
    """

    number: int
    index: int
    audio: Audio
    sample_rate: int
    patch: Patch
    note: Note
    length: float

    def sound(self, note: Note | None = None) -> Sound:
        """What a match of it plays: its own note, or another one."""
        return Sound(note or self.note, self.length, self.sample_rate)


class Rows(Protocol):
    """Test rows of one synth; always the same ones, in the same order."""

    @property
    def name(self) -> str:
        """Where they come from, as the user gave it."""
        ...

    @property
    def synth(self) -> Synth:
        """What made them."""
        ...

    @property
    def prior(self) -> Prior:
        """What patches were drawn from in training: all that is known without listening."""
        ...

    def __len__(self) -> int: ...

    def read(self, numbers: Sequence[int]) -> list[Row]:
        """Some of them, by their numbers."""
        ...


class ViewRows:
    """The first rows of a view, which are as good as any: a row is a function of the seed and its index alone.

    Args:
        view: With stored audio.
        count: How many at most.

    Raises:
        UserError: There are no rows, they have no audio, or this installation does not know their synth.
    """

    def __init__(self, view: View, count: int) -> None:
        if not len(view) or count < 1:
            raise UserError(f"there are no rows to evaluate on: {view.address} has {len(view)}, rows={count}.")
        if AUDIO not in view.fields:
            raise UserError(f"{view.address} has no sounds to compare with: make a test set with audio=float16.")
        self.view, self.name = view, view.address
        self._count = min(count, len(view))
        data_set = data_set_of(view)
        synth = load_known_synth(view.recipe, data_set)
        if synth is None:
            raise UserError(
                f"{view.address} was made with another description of {view.recipe.synth} than the one here: "
                "generate it again with this version of wav2patch."
            )
        self.synth: Synth = synth
        self.prior: Prior = load_prior_of(view.recipe, data_set, synth)

    def __len__(self) -> int:
        return self._count

    def read(self, numbers: Sequence[int]) -> list[Row]:
        """See `Rows`."""
        fields = self.view.read_fields(("index", AUDIO, "parameters", "notes"), list(numbers))
        patches = self.synth.space.decode(fields["parameters"])
        return [self._row(number, place, fields, patches) for place, number in enumerate(numbers)]

    def _row(self, number: int, place: int, fields: dict[str, NDArray[Any]], patches: Patch) -> Row:
        pitch, velocity, onset, duration = (float(value) for value in fields["notes"][place])
        recipe = self.view.recipe
        return Row(
            number,
            int(fields["index"][place]),
            fields[AUDIO][place].astype(np.float32),
            recipe.sample_rate,
            patches[place],
            Note(int(pitch), int(velocity), onset, duration),
            recipe.length,
        )


class TensorRows:
    """What `TensorData` tests on: patches of the synth's `test_prior`, rendered in single precision from phase 0.

    Args:
        synth: A research synth.
        count: How many.
        samples: Length of a signal.
        sample_rate: In Hz.

    Raises:
        UserError: There are no rows, or PyTorch is missing.
    """

    def __init__(
        self, synth: TensorSynth, count: int, *, samples: int = SAMPLES, sample_rate: int = SAMPLE_RATE
    ) -> None:
        if count < 1 or samples < 1:
            raise UserError(f"there are no rows to evaluate on: rows={count}, of {samples} samples.")
        if reason := synth.missing():
            raise UserError(reason)
        self.synth, self.name, self.samples, self.sample_rate = synth, synth.name, samples, sample_rate
        self.prior: Prior = synth.prior()
        self._count = count

    def __len__(self) -> int:
        return self._count

    def read(self, numbers: Sequence[int]) -> list[Row]:
        """See `Rows`."""
        from wav2patch.training.online import TEST_SEED  # noqa: PLC0415 - PyTorch takes seconds to import

        patches = draw_many(self.synth.test_prior(), TEST_SEED, np.asarray(numbers, dtype=np.int64))
        audio = self.synth.render_batch(patches, self.samples, self.sample_rate).numpy()
        length = self.samples / self.sample_rate
        note = Note(duration=length)
        return [
            Row(number, number, audio[place][None], self.sample_rate, patches[place], note, length)
            for place, number in enumerate(numbers)
        ]
