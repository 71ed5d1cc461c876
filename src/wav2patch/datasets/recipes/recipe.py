"""Recipes: all that the rows of a data set depend on, as pure data."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from typing import Any

from wav2patch.datasets.storage.base import Storage
from wav2patch.errors import UserError
from wav2patch.parameters import Categorical, ParameterSpace

MANIFEST = "manifest.json"
PRIOR_FILE = "prior.npz"
SPEC_FILE = "synth.yaml"
AUDIO_FORMATS = ("float16", "none")


@dataclass(frozen=True)
class Recipe:
    """What a data set is made from. Two sets with equal recipes have the same rows.

    Attributes:
        synth: Name of the synth, or of the spec file in the data set that describes it.
        versions: Of what renders, by name.
        space: Digest of the parameter space.
        parameters: What the numbers of an encoding stand for, ``"name"`` or ``"name=choice"``; D of them.
        prior: Where patches come from, in words; files are named by digests of their content.
        notes: How notes are drawn, in words.
        count: Rows of the whole set.
        shard_rows: Rows of a shard; the last one may have fewer.
        seed: Row i is a function of (seed, i).
        length: Seconds of every clip.
        sample_rate: In Hz.
        channels: Of every clip.
        gate: Least loudness in LUFS; quieter draws are rejected and drawn anew. None keeps all.
        audio: How clips are stored, ``"float16"``, or ``"none"``.
        features: Names of the features that are stored.
        package: Version of wav2patch.
    """

    synth: str
    versions: Mapping[str, str]
    space: str
    parameters: tuple[str, ...]
    prior: str
    notes: str
    count: int
    shard_rows: int
    seed: int
    length: float
    sample_rate: int
    channels: int
    gate: float | None
    audio: str
    features: tuple[str, ...]
    package: str = field(compare=False)

    @property
    def samples(self) -> int:
        """Samples of a clip."""
        return round(self.length * self.sample_rate)

    @property
    def shards(self) -> int:
        """Number of shards of the whole set."""
        return -(-self.count // self.shard_rows)

    def rows_of(self, shard: int) -> range:
        """Indices of the rows in a shard."""
        first = shard * self.shard_rows
        return range(first, min(first + self.shard_rows, self.count))

    def to_json(self) -> str:
        """As text, the same for equal recipes but for the package's version."""
        return json.dumps(asdict(self), indent=2, ensure_ascii=False)

    @classmethod
    def from_json(cls, text: str | bytes) -> Recipe:
        """Read back what `to_json` wrote.

        Raises:
            ValueError: The text is something else.
        """
        content = json.loads(text)
        if not isinstance(content, dict) or content.keys() != {one.name for one in fields(cls)}:
            raise ValueError("this is no recipe of a data set")
        lists: dict[str, Any] = {name: tuple(content[name]) for name in ("parameters", "features")}
        return cls(**(content | lists))

    def difference(self, other: Recipe) -> str | None:
        """Where another recipe differs first, as ``"seed 0 and seed 1"``; None if the two give the same rows."""
        for one in fields(self):
            mine, theirs = getattr(self, one.name), getattr(other, one.name)
            if one.compare and mine != theirs:
                return f"{one.name} {_short(mine)} and {one.name} {_short(theirs)}"
        return None


def shard_name(shard: int) -> str:
    """Path of a shard in its data set."""
    return f"shards/shard-{shard:06d}.h5"


def column_names(space: ParameterSpace) -> tuple[str, ...]:
    """What each of the D numbers of an encoding stands for."""
    names: list[str] = []
    for parameter in space.parameters:
        if isinstance(parameter, Categorical):
            names += [f"{parameter.name}={choice}" for choice in parameter.choices]
        else:
            names.append(parameter.name)
    return tuple(names)


def read_recipe(text: str | bytes, where: str) -> Recipe:
    """The recipe in a manifest, a shard or a view.

    Raises:
        UserError: It is none; the sentence names the file `where` it was.
    """
    try:
        return Recipe.from_json(text)
    except (ValueError, TypeError) as error:
        raise UserError(f"{where} holds no recipe of a wav2patch data set, or a damaged one.") from error


def read_manifest(storage: Storage) -> Recipe:
    """The recipe of a data set.

    Raises:
        UserError: There is no data set, or its manifest is damaged.
    """
    if not storage.exists(MANIFEST):
        raise UserError(f"{storage.address} is no data set: it has no {MANIFEST}; `wav2patch data generate` makes one.")
    return read_recipe(storage.read_bytes(MANIFEST), f"{storage.address}/{MANIFEST}")


def _short(value: Any) -> str:
    if isinstance(value, Mapping):
        return ", ".join(f"{name} {version}" for name, version in value.items())
    text = str(value)
    return text if len(text) <= 80 else f"{text[:77]}…"
