"""What a parameter space knows beyond its ranges: which parameters belong together, matter, or may be exchanged."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Block:
    """Parameters that belong together, such as an envelope or a whole oscillator.

    Blocks of one `kind` have the same layout, so the values of one fit another. `parent` names the block that
    this one is part of, if any.
    """

    name: str
    kind: str
    parameters: tuple[str, ...]
    parent: str | None = None


@dataclass(frozen=True)
class Condition:
    """Holds where `parameter` has one of `values` or, given `unless`, none of those.

    With neither, it holds where the parameter is above its lowest value.
    """

    parameter: str
    values: tuple[float, ...] = ()
    unless: tuple[float, ...] = ()


@dataclass(frozen=True)
class Either:
    """Holds where at least one of `conditions` does."""

    conditions: tuple[Condition, ...]


@dataclass(frozen=True)
class Activity:
    """`parameters` can be heard only where, for at least one of `alternatives`, all conditions hold."""

    parameters: tuple[str, ...]
    alternatives: tuple[tuple[Condition | Either, ...], ...]


@dataclass(frozen=True)
class Symmetry:
    """A permutation of parameters that leaves the sound unchanged wherever all conditions of `when` hold.

    The permuted patch takes the value of `sources[i]` at parameter `targets[i]`; all others stay.
    """

    name: str
    targets: tuple[str, ...]
    sources: tuple[str, ...]
    when: tuple[Condition, ...] = ()


Clause = Sequence[Condition | Either]


def mentioned(clause: Clause) -> Iterator[str]:
    """Names of the parameters that a clause asks about."""
    for condition in clause:
        for single in _singles(condition):
            yield single.parameter


class Rules:
    """Which of many rules hold for a patch, where a rule is an OR of clauses and a clause an AND of conditions.

    The rules become three small matrices once, as a search asks about every candidate.

    Args:
        rules: The alternatives of each rule; a rule without any never holds.
        index: Place of a named parameter in a patch.
        low: Lowest value of every parameter, ``(P,)``.
    """

    def __init__(
        self,
        rules: Sequence[Sequence[Clause]],
        index: Callable[[str], int],
        low: NDArray[np.float64],
    ) -> None:
        conditions = list(dict.fromkeys(s for rule in rules for clause in rule for c in clause for s in _singles(c)))
        eithers = list(dict.fromkeys(frozenset(_singles(c)) for rule in rules for clause in rule for c in clause))
        clauses = list(dict.fromkeys(_key(clause) for rule in rules for clause in rule))
        self._places = np.array([index(c.parameter) for c in conditions], dtype=np.intp)
        self._above = np.array([not (c.values or c.unless) for c in conditions], dtype=np.bool_)
        self._negated = np.array([bool(c.unless) for c in conditions], dtype=np.bool_)
        self._lows = low[self._places]
        width = max((len(c.values or c.unless) for c in conditions), default=0)
        self._values = np.full((len(conditions), max(width, 1)), np.nan)
        for row, condition in zip(self._values, conditions, strict=True):
            listed = condition.values or condition.unless
            row[: len(listed)] = listed
        self._either = _membership(eithers, conditions)
        self._clause = _membership(clauses, eithers)
        self._rule = _membership([[_key(clause) for clause in rule] for rule in rules], clauses)

    def __call__(self, patches: NDArray[np.float64]) -> NDArray[np.bool_]:
        """For patches ``(…, P)``, whether each rule holds: ``(…, rules)``."""
        values = patches[..., self._places]
        equal = np.any(values[..., None] == self._values, axis=-1)
        holds = np.where(self._above, values > self._lows, equal ^ self._negated)
        either = holds.astype(np.int16) @ self._either > 0
        clause = (~either).astype(np.int16) @ self._clause == 0
        return clause.astype(np.int16) @ self._rule > 0


def _singles(condition: Condition | Either) -> tuple[Condition, ...]:
    return condition.conditions if isinstance(condition, Either) else (condition,)


def _key(clause: Clause) -> frozenset[frozenset[Condition]]:
    return frozenset(frozenset(_singles(condition)) for condition in clause)


def _membership(groups: Sequence[Iterable[object]], items: Sequence[object]) -> NDArray[np.int16]:
    places = {item: i for i, item in enumerate(items)}
    matrix = np.zeros((len(items), len(groups)), dtype=np.int16)
    for column, group in enumerate(groups):
        matrix[[places[item] for item in group], column] = 1
    return matrix
