"""Words, numbers and lists of a spec file: what each entry may hold, and what is said of one that holds another thing.

Every reader raises `SpecProblem`, without the place of the entry.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from wav2patch.synths.plugins.spec_fields import SpecProblem

T = TypeVar("T")
_NAME = re.compile(r"[a-z][a-z0-9_]*")


def words(raw: Any) -> dict[str, str]:
    """A mapping of words to words."""
    if not isinstance(raw, dict):
        raise SpecProblem("here is a mapping of words to words expected")
    return {text(name): text(value) for name, value in raw.items()}


def items(raw: Any) -> Sequence[Any]:
    """A list of whatever."""
    if not isinstance(raw, list):
        raise SpecProblem(f"here is a list expected, not {raw!r}")
    return raw


def each(read: Callable[[Any], T]) -> Callable[[Any], tuple[T, ...]]:
    """Reads a list, each item by `read`."""
    return lambda raw: tuple(read(item) for item in items(raw))


def pair(read: Callable[[Any], T]) -> Callable[[Any], tuple[T, T]]:
    """Reads a list of two, the lowest and the highest."""

    def both(raw: Any) -> tuple[T, T]:
        if len(items(raw)) != 2:
            raise SpecProblem("here are two numbers expected, the lowest and the highest")
        low, high = read(raw[0]), read(raw[1])
        return low, high

    return both


def text(raw: Any) -> str:
    """A word or more; never a number."""
    if not isinstance(raw, str):
        raise SpecProblem(f"here is a word expected, not {raw!r} (put a number that is meant as a word in quotes)")
    return raw


def texts(raw: Any) -> tuple[str, ...]:
    """A list of words, or one word by itself."""
    return tuple(text(item) for item in ([raw] if isinstance(raw, str) else items(raw)))


def choice(raw: Any) -> str:
    """A choice's text, for which a number may stand."""
    return raw if isinstance(raw, str) else f"{number(raw):g}"


def choices(raw: Any) -> tuple[str, ...]:
    """One choice or more, no two alike."""
    several = tuple(choice(item) for item in items(raw))
    if not several or len(set(several)) != len(several):
        raise SpecProblem("choices are a list of words that differ")
    return several


def identifier(raw: Any) -> str:
    """A name as the command line and a patch take it."""
    if not isinstance(raw, str) or not _NAME.fullmatch(raw):
        raise SpecProblem(f"a name has small letters, digits and underscores, and starts with a letter; not {raw!r}")
    return raw


def number(raw: Any) -> float:
    """A finite number."""
    if isinstance(raw, bool) or not isinstance(raw, int | float) or not math.isfinite(raw):
        raise SpecProblem(f"here is a number expected, not {raw!r}")
    return float(raw)


def numbers(raw: Any) -> tuple[float, ...]:
    """A list of finite numbers."""
    return tuple(number(item) for item in items(raw))


def whole(raw: Any) -> int:
    """A whole number."""
    if isinstance(raw, bool) or not isinstance(raw, int):
        raise SpecProblem(f"here is a whole number expected, not {raw!r}")
    return raw


def place(raw: Any) -> int:
    """A whole number of 0 or more."""
    if whole(raw) < 0:
        raise SpecProblem("here is a whole number of 0 or more expected")
    return raw


def seconds(raw: Any) -> float:
    """A time of 0 or more."""
    if number(raw) < 0:
        raise SpecProblem("seconds are 0 or more")
    return float(raw)


def flag(raw: Any) -> bool:
    """`true` or `false`."""
    if not isinstance(raw, bool):
        raise SpecProblem(f"here is true or false expected, not {raw!r}")
    return raw
