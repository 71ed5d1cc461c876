"""What a trained model has to say about itself, so that it can be rebuilt and fed by whoever is handed its files."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import metadata
from typing import Any, Literal, get_args

from wav2patch.errors import UserError
from wav2patch.models.layout import Layout, space_layout
from wav2patch.note_rules import PaperNotes, parse_notes
from wav2patch.synths.base import Synth
from wav2patch.synths.catalogue import load_synth

NoteMode = Literal["given", "predicted", "none"]

_PLAIN = (str, int, float, bool, type(None))


@dataclass(frozen=True)
class Record:
    """All that is needed to rebuild a model and to feed it; plain values throughout.

    Attributes:
        synth: Name of the synth whose patches it proposes.
        space: Digest of that synth's parameter space.
        note: Whether the model is given the note that was played, predicts it, or neither.
        notes: Words of the rule that the training data's notes follow; see `parse_notes`.
        feature: Canonical words of what it hears; see `load_feature`.
        shape: Of the feature of one sound.
        sample_rate: Of the audio that the feature is computed from, in Hz.
        length: Of that audio, in seconds.
        channels: Of that audio.
        inverter: Settings of the model, as `make_inverter` takes them.
        symmetries_of: Name of another synth of as many columns whose symmetries the model was told instead of its
            own synth's; for experiments.
        version: Of wav2patch.

    Raises:
        ValueError: A value is out of its range.
    """

    synth: str
    space: str
    note: NoteMode
    notes: str
    feature: str
    shape: tuple[int, ...]
    sample_rate: int
    length: float
    channels: int
    inverter: Mapping[str, Any]
    symmetries_of: str | None = None
    version: str = dataclasses.field(default_factory=lambda: metadata.version("wav2patch"))

    def __post_init__(self) -> None:
        if self.note not in get_args(NoteMode):
            raise ValueError(f"a note is {', '.join(get_args(NoteMode))}, not {self.note!r}")
        if not self.shape or min(self.shape) < 1:
            raise ValueError(f"a feature has a shape of positive numbers, not {self.shape}")
        if self.sample_rate < 1 or self.channels < 1 or not self.length > 0:
            raise ValueError("sample rate, channels and length are above 0")
        if "kind" not in self.inverter or not _is_plain(self.inverter):
            raise ValueError("the settings of an inverter are plain values, its kind among them")

    @property
    def samples(self) -> int:
        """Of the audio that the feature is computed from."""
        return round(self.length * self.sample_rate)

    def to_dict(self) -> dict[str, Any]:
        """The record as values that JSON and YAML hold."""
        return {**vars(self), "shape": list(self.shape), "inverter": _plain(self.inverter)}

    @classmethod
    def from_dict(cls, values: Any, source: object = "the model") -> Record:
        """A record from the values of `to_dict`.

        Args:
            values: As they were read from a file.
            source: Where they come from, for the error's sentence.

        Raises:
            UserError: They are no record: an entry is missing, unknown, or of another type.
        """
        if not isinstance(values, Mapping):
            raise UserError(f"{source} does not say what model it is: it was not written by wav2patch, or is damaged.")
        known = {one.name: str(one.type) for one in dataclasses.fields(cls)}
        wrong = sorted({*known} ^ {*values}) or [name for name in known if not _fits(known[name], values[name])]
        if wrong:
            raise UserError(
                f"{source} is damaged, or of another version of wav2patch: its entry {wrong[0]!r} is missing or wrong."
            )
        try:
            return cls(**{**values, "shape": tuple(values["shape"])})
        except ValueError as error:
            raise UserError(f"{source} is damaged, or of another version of wav2patch: {error}.") from error

    def load_synth(self, source: object = "the model") -> Synth:
        """The synth, whose space is the one that the model was made for.

        Raises:
            UserError: There is no such synth, or its parameters are others by now.
        """
        synth = load_synth(self.synth)
        if synth.space.digest != self.space:
            raise UserError(
                f"{source} was made for another parameter space of {self.synth}, by wav2patch {self.version}: "
                "train it again, or use it with that version."
            )
        return synth

    def layout(self, synth: Synth | None = None, source: object = "the model") -> Layout:
        """The columns of what the model proposes.

        Args:
            synth: As `load_synth` gives it; loaded if it is not at hand.
            source: Where the record comes from, for the error's sentence.

        Raises:
            UserError: There is no such synth, or its parameters are others by now.
        """
        layout = space_layout((synth or self.load_synth(source)).space, pitches=self._pitches)
        if self.symmetries_of is None:
            return layout
        other = space_layout(load_synth(self.symmetries_of).space, pitches=self._pitches)
        if other.widths != layout.widths:
            raise UserError(f"{source} takes its symmetries from {self.symmetries_of}, whose parameters are others.")
        return dataclasses.replace(layout, symmetries=other.symmetries)

    @property
    def _pitches(self) -> int:
        """Keys among which the model finds the note's, 0 where it does not look."""
        if self.note != "predicted":
            return 0
        rule = parse_notes(self.notes or "", self.length)
        if not isinstance(rule, PaperNotes):
            raise UserError(f"notes of the rule {self.notes!r} cannot be predicted: those of paper can.")
        return rule.high - rule.low + 1


def _fits(annotation: str, value: Any) -> bool:
    """Whether a value that was read from a file is of a field's type."""
    if annotation.startswith("tuple"):
        return isinstance(value, list | tuple) and all(type(one) is int for one in value)
    if annotation.startswith("Mapping"):
        return isinstance(value, Mapping)
    types: Mapping[str, tuple[type, ...]] = {"int": (int,), "float": (float, int), "str | None": (str, type(None))}
    return isinstance(value, types.get(annotation, (str,))) and not isinstance(value, bool)


def _is_plain(value: Any) -> bool:
    if isinstance(value, Mapping):
        return all(isinstance(key, str) and _is_plain(one) for key, one in value.items())
    return all(map(_is_plain, value)) if isinstance(value, list | tuple) else isinstance(value, _PLAIN)


def _plain(value: Any) -> Any:
    """The same with dictionaries and lists only."""
    if isinstance(value, Mapping):
        return {key: _plain(one) for key, one in value.items()}
    return [_plain(one) for one in value] if isinstance(value, list | tuple) else value
