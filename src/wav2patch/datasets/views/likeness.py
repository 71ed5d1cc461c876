"""Patches as numbers that are equal where the patches can only sound alike."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from wav2patch.errors import UserError
from wav2patch.parameters import Categorical, Continuous, Parameter, ParameterSpace
from wav2patch.structure import Either, Rules, Symmetry
from wav2patch.synths.catalogue import load_synth

SILENT = -1.0
"""Stands for the value of a parameter that cannot be heard."""

Likes = NDArray[np.float32]


class Likeness:
    """What of a patch can be heard, in one of the ways in which its symmetries let it be written.

    Continuous parameters are in 0 to 1, others on their whole numbers, and those that are inactive are `SILENT`.
    A symmetry is undone by sorting what it exchanges, by that which is not continuous first; so two patches that
    differ a little, and in just that which decides the order, may not be recognised.

    Args:
        space: Of the patches.
        tolerance: Share of its range within which a continuous parameter counts as having the value that a condition
            asks for: a modulation of next to nothing counts as none.

    Attributes:
        exact: Which parameters are not continuous, ``(P,)``.
        tolerance: As given.
    """

    def __init__(self, space: ParameterSpace, tolerance: float) -> None:
        self.exact, self.tolerance = ~space.is_continuous, tolerance
        self._space = space
        self._asked = _asked_values(space)
        widths = np.where(self.exact, space.high - space.low, 1.0)
        chosen = [i for i, parameter in enumerate(space.parameters) if isinstance(parameter, Categorical)]
        self._numbers = np.array([i for i in range(len(space)) if i not in set(chosen)], dtype=np.intp)
        self._places = np.array([space.columns[i].start for i in self._numbers], dtype=np.intp)
        self._widths = widths[self._numbers].astype(np.float32)
        self._chosen = [(i, space.columns[i]) for i in chosen]
        self._low, self._range = space.low, np.where(self.exact, 1.0, space.high - space.low)
        self._families = _families(space)
        self._steps = _Steps(space) if space.symmetries and not self._families else None

    def __call__(self, encodings: NDArray[np.float32]) -> Likes:
        """Of encodings ``(n, D)`` make ``(n, P)``."""
        values = np.empty((len(encodings), len(self._space)), dtype=np.float32)
        values[:, self._numbers] = encodings[:, self._places] * self._widths
        for i, columns in self._chosen:
            values[:, i] = encodings[:, columns].argmax(axis=1)
        values[:, self.exact] = np.rint(values[:, self.exact])
        for i, value in self._asked:
            values[np.abs(values[:, i] - value) <= self.tolerance, i] = value
        patches = np.where(self.exact, values, values.astype(np.float64) * self._range) + self._low
        likes = self._audible(values, patches)
        for family in self._families:
            _sort(likes, family)
        if self._steps:
            self._steps.descend(likes, values, patches)
            # What is exchanged may have been inactive in one place and not be so in another.
            likes = self._audible(values, patches)
        return likes

    def _audible(self, values: Likes, patches: NDArray[np.float64]) -> Likes:
        return np.where(self._space.active(patches), values, np.float32(SILENT))


class Basis(NamedTuple):
    """How patches of a data set are compared.

    Attributes:
        likeness: That does it.
        caveat: Why inactive parameters count, too, as a clause; None if they do not.
    """

    likeness: Likeness
    caveat: str | None


def basis(synth: str, space: str, columns: Sequence[str], tolerance: float) -> Basis:
    """How to compare the patches of a data set.

    Args:
        synth: Its name in the recipe, or the path of its spec file.
        space: Digest of the space that the set was made with.
        columns: What the numbers of an encoding stand for.
        tolerance: See `Likeness`.
    """
    try:
        loaded = load_synth(synth).space
    except (UserError, ImportError, OSError):
        return Basis(Likeness(_plain_space(columns), tolerance), f"{synth} is not known here")
    if loaded.digest != space:
        caveat = f"{synth} is described otherwise here than where the set was made"
        return Basis(Likeness(_plain_space(columns), tolerance), caveat)
    return Basis(Likeness(loaded, tolerance), None)


def _plain_space(columns: Sequence[str]) -> ParameterSpace:
    """What the names of the columns alone tell about a space."""
    choices: dict[str, list[str]] = defaultdict(list)
    for column in columns:
        name, equals, choice = column.partition("=")
        choices[name] += [choice] if equals else []
    parameters: list[Parameter] = [
        Categorical(name, tuple(listed)) if listed else Continuous(name) for name, listed in choices.items()
    ]
    return ParameterSpace(tuple(parameters))


def _asked_values(space: ParameterSpace) -> list[tuple[int, float]]:
    """The values of continuous parameters that conditions ask for, from 0 to 1."""
    clauses = [clause for activity in space.activities for clause in activity.alternatives]
    clauses += [symmetry.when for symmetry in space.symmetries]
    asked: dict[tuple[int, float], None] = {}
    for clause in clauses:
        for condition in clause:
            for one in condition.conditions if isinstance(condition, Either) else (condition,):
                i = space.index(one.parameter)
                if space.is_continuous[i]:
                    values = np.array(one.values or one.unless or (space.low[i],))
                    asked |= {(i, value): None for value in (values - space.low[i]) / (space.high[i] - space.low[i])}
    return list(asked)


class _Step(NamedTuple):
    """Places in a patch, those first that decide whether it becomes less."""

    targets: NDArray[np.intp]
    sources: NDArray[np.intp]

    @classmethod
    def of(cls, symmetry: Symmetry, space: ParameterSpace) -> _Step:
        targets, sources = space.indices(symmetry.targets), space.indices(symmetry.sources)
        order = np.lexsort((targets, space.is_continuous[targets]))
        return cls(targets[order], sources[order])


class _Steps:
    """The symmetries of a space, as steps from one way to write a patch to another."""

    def __init__(self, space: ParameterSpace) -> None:
        self._places = [_Step.of(symmetry, space) for symmetry in space.symmetries]
        self._rules = Rules([[symmetry.when] for symmetry in space.symmetries], space.index, space.low)

    def descend(self, likes: Likes, *others: NDArray[Any]) -> None:
        """Write each patch in the least of the ways to which steps lead that each make its `likes` less.

        Args:
            likes: What is made less, ``(n, P)``.
            others: What is permuted along; the last are the patches, of which conditions are asked.
        """
        together = (likes, *others)
        allowed, changed = self._rules(others[-1]), np.zeros(len(likes), dtype=np.bool_)
        for (targets, sources), able in zip(self._places, allowed.T, strict=True):
            # Once a patch has changed, what was allowed may not be so any more.
            some = np.flatnonzero(able & ~changed)[:, None]
            moved = some[_less(likes[some, sources], likes[some, targets])]
            for values in together:
                values[moved, targets] = values[moved, sources]
            changed[moved] = True
        if changed.any():
            less = [values[changed] for values in together]
            self.descend(*less)
            for values, lesser in zip(together, less, strict=True):
                values[changed] = lesser


def _families(space: ParameterSpace) -> list[NDArray[np.intp]]:
    """Blocks of parameters that may be put in any order, ``(K, F)`` each, small blocks first.

    Those of a space whose symmetries all are exchanges of two blocks under no condition; [] for any other.
    """
    joined: list[list[tuple[str, ...]]] = []
    for symmetry in space.symmetries:
        half = len(symmetry.targets) // 2
        one, two = symmetry.targets[:half], symmetry.targets[half:]
        if symmetry.when or symmetry.sources != (*two, *one):
            return []
        touched = [family for family in joined if one in family or two in family]
        merged = list(dict.fromkeys([block for family in touched for block in family] + [one, two]))
        joined = [family for family in joined if family not in touched] + [merged]
    ordered = sorted(joined, key=lambda family: len(family[0]))
    return [_exact_first(np.array([space.indices(block) for block in family]), space) for family in ordered]


def _exact_first(blocks: NDArray[np.intp], space: ParameterSpace) -> NDArray[np.intp]:
    return blocks[:, np.argsort(space.is_continuous[blocks[0]], kind="stable")]


def _sort(likes: Likes, blocks: NDArray[np.intp]) -> None:
    """Put blocks into the order of what is in them."""
    values = likes[:, blocks]
    order = np.lexsort(tuple(values[:, :, i] for i in reversed(range(values.shape[2]))), axis=1)
    likes[:, blocks] = np.take_along_axis(values, order[:, :, None], axis=1)


def _less(one: Likes, two: Likes) -> NDArray[np.bool_]:
    """Which rows of `one` come before those of `two`, by the first number in which they differ."""
    differ = one != two
    first = differ.argmax(axis=1)[:, None]
    return (np.take_along_axis(one, first, 1) < np.take_along_axis(two, first, 1))[:, 0]
