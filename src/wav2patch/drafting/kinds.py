"""What kind of parameter a control is, by the texts that the plug-in shows at many of its positions."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby, pairwise

import numpy as np

from wav2patch.drafting.words import selects
from wav2patch.parameters import Categorical, Continuous, Discrete, Parameter
from wav2patch.synths.plugins.spec import even_positions, on_grid

GRID = 65
"""Positions at which texts are read, from 0 to 1, of a control that names no number of steps."""

MOST_STEPS = 256
_FEW = GRID // 2
_NUMBER = re.compile(r"\s*([-+−]?(?:\d+(?:[.,]\d*)?|[.,]\d+)(?:[eE][-+]?\d+)?)\s*(.*?)\s*")


@dataclass(frozen=True)
class Described:
    """A control and its texts.

    Attributes:
        index: Place in the plug-in's list.
        name: The plug-in's name for it.
        unit: Unit text that the host gives.
        default: Normalised, 0 to 1.
        positions: Normalised positions, rising from 0 to 1, that were asked about.
        texts: What the plug-in shows at each.
    """

    index: int
    name: str
    unit: str
    default: float
    positions: tuple[float, ...]
    texts: tuple[str, ...]


@dataclass(frozen=True)
class Shape:
    """A parameter as it goes into a spec, and how sure its kind is.

    Attributes:
        parameter: Its name is still the identifier that was given.
        positions: Of a stepped parameter's values, lowest first; empty for a continuous one.
        told: Whether the texts tell the kind; where they do not, only listening can.
    """

    parameter: Parameter
    positions: tuple[float, ...] = ()
    told: bool = True


def asked_positions(steps: int) -> tuple[float, ...]:
    """Where to ask for texts: at every step of a control that says how many it has, else on a grid."""
    return even_positions(steps if 2 <= steps <= MOST_STEPS else GRID)


def shape(described: Described, name: str) -> Shape:
    """The kind of a control by its texts.

    A few different texts make steps: words (or numbers under a name such as "waveform") are choices, whole numbers
    one apart are a discrete grid. Many different texts, or the same one everywhere, leave the control continuous.
    """
    runs = [(text, [p for p, _ in run]) for text, run in _runs(described)]
    texts = [text for text, _ in runs]
    stepwise = len(described.positions) != GRID
    if len(runs) < 2 or not (stepwise or len(runs) <= _FEW) or len(set(texts)) != len(texts):
        return Shape(_continuous(described, name), told=len(runs) > _FEW and not _plain_fractions(texts))
    positions = tuple(_within(points[0], points[-1], described.default) for _, points in runs)
    return Shape(_stepped(described, name, texts, positions), positions)


def stepped(name: str, label: str, stretches: Sequence[tuple[float, float]], default: float) -> Shape:
    """A parameter whose steps were found by listening, so that nobody knows what they are called.

    Args:
        name: Identifier.
        label: For people.
        stretches: First and last normalised position of each step, the lowest first.
        default: Normalised.
    """
    positions = tuple(_within(low, high, default) for low, high in stretches)
    at = int(np.abs(np.array(positions) - default).argmin())
    if len(positions) == 2:
        return Shape(Categorical(name, ("Off", "On"), at, label), positions)
    if selects(name):
        return Shape(Categorical(name, tuple(str(i + 1) for i in range(len(positions))), at, label), positions)
    return Shape(Discrete(name, 0, len(positions) - 1, at, "", label), positions)


def _runs(described: Described) -> list[tuple[str, list[tuple[float, str]]]]:
    pairs = zip(described.positions, (text.strip() for text in described.texts), strict=True)
    return [(text, list(run)) for text, run in groupby(pairs, key=lambda pair: pair[1])]


def _within(low: float, high: float, default: float) -> float:
    """One position for a stretch: the default where it lies inside, an end of the range, else the middle."""
    if low - 1e-6 <= default <= high + 1e-6:
        return default
    return 0.0 if low <= 0 else 1.0 if high >= 1 else round((low + high) / 2, 6)


def _stepped(described: Described, name: str, texts: Sequence[str], positions: Sequence[float]) -> Parameter:
    label = described.name.strip()
    at = int(np.abs(np.array(positions) - described.default).argmin())
    numbers, unit = numbers_in(texts)
    whole = numbers and all(b - a == 1 for a, b in pairwise(numbers)) and len(texts) > 2
    if whole and not selects(name) and all(number == round(number) for number in numbers):
        low, high = round(numbers[0]), round(numbers[-1])
        return Discrete(name, low, high, low + at, unit or described.unit, label)
    if len(texts) == 2 and numbers == [0.0, 1.0]:
        texts = ("Off", "On")
    return Categorical(name, tuple(text or "none" for text in texts), at, label)


def _continuous(described: Described, name: str) -> Continuous:
    numbers, unit = numbers_in(described.texts)
    rising = bool(numbers) and (np.diff(numbers) >= 0).all() and numbers[-1] > numbers[0]
    label = described.name.strip() or name
    if rising and not _plain_fractions([text.strip() for text in described.texts]):
        unit = unit or described.unit
        label += f" ({numbers[0]:.4g} to {numbers[-1]:.4g}{' ' * bool(unit)}{unit})"
    unset = Continuous(name, label=label)
    return Continuous(name, default=on_grid(unset, described.default), label=label)


def numbers_in(texts: Sequence[str]) -> tuple[list[float], str]:
    """The numbers that all texts begin with, and the unit of the last; an empty list where one has none."""
    found = [_NUMBER.fullmatch(text) for text in texts]
    parsed = [match for match in found if match]
    if len(parsed) != len(found) or len({_unit(match.group(2)) for match in parsed}) > 1:
        return [], ""
    scale = [1000.0 if match.group(2).lower().startswith("khz") else 1.0 for match in parsed]
    values = [float(m.group(1).replace("−", "-").replace(",", ".")) * s for m, s in zip(parsed, scale, strict=True)]
    return values, _unit(parsed[-1].group(2))


def _unit(text: str) -> str:
    return "Hz" if text.lower() in ("hz", "khz") else text


def _plain_fractions(texts: Sequence[str]) -> bool:
    """Whether the texts merely repeat the normalised value, as plug-ins show it that have nothing to say."""
    numbers, unit = numbers_in(texts)
    return bool(numbers) and not unit and abs(numbers[0]) < 1e-3 and abs(numbers[-1] - 1) < 1e-3
