"""A mapping of a spec file, entry by entry, with the place of every mistake."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

T = TypeVar("T")


class SpecProblem(Exception):
    """What is wrong with a spec, without the file's name and the full stop."""


@contextmanager
def at(place: str) -> Iterator[None]:
    """Puts the place before the message of a mistake inside."""
    try:
        yield
    except SpecProblem as problem:
        raise SpecProblem(f"{place}: {problem}") from None
    except ValueError as error:
        raise SpecProblem(f"{place}: {error}") from None


class Fields:
    """The entries of a mapping, each taken once; what is left over at the end is a mistake."""

    def __init__(self, content: Any) -> None:
        if not isinstance(content, dict):
            raise SpecProblem(f"here is a mapping of names to values expected, not {content!r}")
        self._left = dict(content)
        self._known: list[str] = []

    def take(self, name: str, read: Callable[[Any], T], default: T | None = None, *, needed: bool = False) -> T:
        """The entry of this name, as `read` understands it.

        Raises:
            SpecProblem: It is wrong, or missing and needed.
        """
        self._known.append(name)
        if name not in self._left:
            if needed:
                raise SpecProblem(f"{name!r} is missing")
            return default  # type: ignore[return-value]
        with at(name):
            return read(self._left.pop(name))

    def has(self, name: str) -> bool:
        """Whether an entry of this name is left."""
        return name in self._left

    def end(self) -> None:
        """Nothing more is known here.

        Raises:
            SpecProblem: Something is left over.
        """
        if self._left:
            raise SpecProblem(f"{next(iter(self._left))!r} is unknown here: choose from {', '.join(self._known)}")


@contextmanager
def named(name: Any) -> Iterator[None]:
    """Like `at`, for messages of other modules that may name the parameter themselves."""
    try:
        yield
    except (SpecProblem, ValueError) as error:
        raise SpecProblem(f"{name}: {str(error).removeprefix(f'{name} ')}") from None
