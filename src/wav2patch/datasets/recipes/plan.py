"""Plans: a recipe with the synth, the prior and all else that it names, ready to draw from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from importlib import metadata
from pathlib import Path

from wav2patch.datasets.recipes.feature_words import ready_feature
from wav2patch.datasets.recipes.prior_words import PriorDescription, build_prior, describe_prior
from wav2patch.datasets.recipes.recipe import AUDIO_FORMATS, PRIOR_FILE, SPEC_FILE, Recipe, column_names, read_manifest
from wav2patch.datasets.recipes.wishes import Wishes
from wav2patch.datasets.shards.listen import Listen
from wav2patch.datasets.storage.base import Storage
from wav2patch.errors import UserError
from wav2patch.features.base import Feature
from wav2patch.note_rules import NoteRule, parse_notes
from wav2patch.notes import Note
from wav2patch.parameters import Patch
from wav2patch.priors import Prior, draw
from wav2patch.rendering.base import Failure, Renderer, Sound
from wav2patch.synths.base import Audio, Synth
from wav2patch.synths.catalogue import RESEARCH, load_synth

DEFAULT_GATE = -55.0
_LEAST_ROWS, _MOST_SHARDS = 1_000, 200


@dataclass(frozen=True)
class Plan:
    """What is needed to render any row of a data set.

    Attributes:
        recipe: The data.
        synth: That renders.
        prior: That patches are drawn from.
        notes: The rule that notes are drawn by.
        features: That are stored.
        files: What lies in the data set beside its shards, by name: all that a recipe refers to.
        remarks: Sentences for whoever had the plan made, such as presets that were passed over.
    """

    recipe: Recipe
    synth: Synth
    prior: Prior
    notes: NoteRule
    features: tuple[Feature, ...]
    files: Mapping[str, bytes] = field(default_factory=dict)
    remarks: tuple[str, ...] = ()

    def draw(self, index: int, attempt: int) -> tuple[Patch, Note]:
        """Patch and note of row `index` of the endless list that the seed stands for."""
        seed = self.recipe.seed
        return draw(self.prior, seed, index, attempt), self.notes.draw(seed, index, attempt)

    def listen(self, *, packed: bool) -> Listen:
        """What becomes of a render."""
        recipe = self.recipe
        return Listen(recipe.sample_rate, recipe.gate, self.features, recipe.audio != "none", packed)

    def feature_shapes(self) -> dict[str, tuple[int, ...]]:
        """Shapes of the features of one clip, by name."""
        recipe = self.recipe
        return {one.name: one.shape(recipe.channels, recipe.samples, recipe.sample_rate) for one in self.features}


def load_wished_synth(wishes: Wishes) -> Synth:
    """The synth that is wished for, able to render here.

    Raises:
        UserError: It is unknown, or cannot.
    """
    return _ready(load_synth(wishes.synth))


def make_plan(wishes: Wishes, synth: Synth, renderer: Renderer) -> Plan:
    """Look up all that the wishes name; `renderer` plays one note, to learn how many channels there are.

    Raises:
        UserError: Something is unknown, out of range or cannot be rendered.
    """
    _check_numbers(wishes)
    description = describe_prior(wishes.prior, synth)
    notes = _notes(wishes)
    features = _features(wishes.features)
    files = {PRIOR_FILE: description.to_npz()} if description.arrays else {}
    if wishes.synth.endswith((".yaml", ".yml")):
        files[SPEC_FILE] = Path(wishes.synth).read_bytes()
    recipe = Recipe(
        synth=SPEC_FILE if SPEC_FILE in files else wishes.synth,
        versions=dict(synth.versions()),
        space=synth.space.digest,
        parameters=column_names(synth.space),
        prior=description.words,
        notes=notes.words,
        count=wishes.count,
        shard_rows=wishes.shard_rows or _shard_rows(wishes.count),
        seed=wishes.seed,
        length=wishes.length,
        sample_rate=wishes.sample_rate,
        channels=_count_channels(synth, renderer, wishes),
        gate=_gate(wishes),
        audio=wishes.audio,
        features=tuple(one.name for one in features),
        package=metadata.version("wav2patch"),
    )
    return Plan(recipe, synth, build_prior(description, synth), notes, features, files, description.remarks)


def load_plan(storage: Storage) -> Plan:
    """The plan of a data set, from what lies in it alone.

    Raises:
        UserError: The set is damaged, or this machine cannot render its rows.
    """
    recipe = read_manifest(storage)
    synth = _ready(load_synth(str(storage.local(SPEC_FILE)) if recipe.synth == SPEC_FILE else recipe.synth))
    if synth.space.digest != recipe.space:
        raise UserError(f"{storage.address} was made with another description of {synth.title} than the one here.")
    features = tuple(ready_feature(name) for name in recipe.features)
    return Plan(recipe, synth, load_prior_of(recipe, storage, synth), parse_notes(recipe.notes), features)


def load_prior_of(recipe: Recipe, storage: Storage, synth: Synth) -> Prior:
    """The prior of a data set, from what lies in it alone.

    Raises:
        UserError: What the prior needs is missing or damaged.
    """
    description = PriorDescription(recipe.prior)
    if storage.exists(PRIOR_FILE):
        where = f"{storage.address}/{PRIOR_FILE}"
        description = PriorDescription.from_npz(recipe.prior, storage.read_bytes(PRIOR_FILE), where)
    return build_prior(description, synth)


def _ready(synth: Synth) -> Synth:
    if reason := synth.missing():
        raise UserError(reason)
    return synth


def _check_numbers(wishes: Wishes) -> None:
    if wishes.count < 1 or (wishes.shard_rows is not None and wishes.shard_rows < 1):
        raise UserError("a data set has at least one row, and a shard has too.")
    if wishes.seed < 0:
        raise UserError(f"a seed is 0 or more, not {wishes.seed}.")
    if wishes.sample_rate < 16_000 or round(wishes.length * wishes.sample_rate) < 1:
        raise UserError("a sample rate is at least 16000 Hz, and a clip has at least one sample.")
    if wishes.audio not in AUDIO_FORMATS:
        raise UserError(f"audio is stored as {' or '.join(AUDIO_FORMATS)}, not {wishes.audio!r}.")
    if wishes.audio == "none" and not wishes.features:
        raise UserError("with audio=none and no features nothing would be stored: name a feature.")


def _shard_rows(count: int) -> int:
    """Rows of a shard where nothing was said: few files, as a loader that reads by chance keeps 256 open at most."""
    return max(_LEAST_ROWS, -(-count // _MOST_SHARDS))


def _notes(wishes: Wishes) -> NoteRule:
    if wishes.notes != "auto":
        return parse_notes(wishes.notes, wishes.length)
    # Research synths make a sound and play no note: it lasts as long as the clip.
    return parse_notes(f"C4 duration={wishes.length}" if wishes.synth in RESEARCH else "C4", wishes.length)


def _features(words: Sequence[str]) -> tuple[Feature, ...]:
    features = tuple(ready_feature(one) for one in words)
    if len({one.name for one in features}) != len(features):
        raise UserError("a feature is named twice.")
    return features


def _gate(wishes: Wishes) -> float | None:
    if wishes.gate == "none":
        return None
    if wishes.gate == "auto":
        return None if wishes.synth in RESEARCH else DEFAULT_GATE
    try:
        return float(wishes.gate)
    except ValueError:
        raise UserError(f"a gate is a loudness in LUFS such as -55, auto or none, not {wishes.gate!r}.") from None


def _count_channels(synth: Synth, renderer: Renderer, wishes: Wishes) -> int:
    sound = Sound(Note(duration=0.1), wishes.length, wishes.sample_rate)
    (channels,) = renderer.map([synth.space.default], sound, _channels)
    if isinstance(channels, Failure):
        raise UserError(f"{synth.title} does not render here: {channels.reason}.")
    return channels


def _channels(audio: Audio) -> int:
    return len(audio)
