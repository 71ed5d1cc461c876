"""A space of settings to search, in words: ``module.learning_rate=log(1e-5,1e-2) inverter.width=choice(64,128)``.

A number at the end of a path is a place in a list, of which all places are searched: ``module.betas.0=float(0.7,0.95)
module.betas.1=float(0.9,0.999)``.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from wav2patch.errors import UserError
from wav2patch.spelling import read_number, spell

_WORDS = re.compile(r"(?P<path>[\w.]+)=(?P<kind>log|float|int|logint|choice)\((?P<values>.*)\)")
_PLACE = re.compile(r"\.\d+$")
FORMS = "log(LOW,HIGH), float(LOW,HIGH), int(LOW,HIGH), logint(LOW,HIGH) or choice(A,B,…)"


class Suggests(Protocol):
    """What gives values: a trial of Optuna."""

    def suggest_float(self, name: str, low: float, high: float, *, log: bool = False) -> float:
        """A number in a range."""
        ...

    def suggest_int(self, name: str, low: int, high: int, *, log: bool = False) -> int:
        """A whole number in a range, its ends included."""
        ...

    def suggest_categorical(self, name: str, choices: Sequence[Any]) -> Any:
        """One of some."""
        ...


@dataclass(frozen=True)
class Dimension:
    """One setting that is searched.

    Attributes:
        path: Of the setting, such as ``"module.learning_rate"``.
        kind: ``log``, ``float``, ``int``, ``logint`` or ``choice``.
        values: Both ends, or the choices as they were written.
    """

    path: str
    kind: str
    values: tuple[Any, ...]

    @property
    def setting(self) -> str:
        """The path without a place in a list."""
        return _PLACE.sub("", self.path)

    def value(self, trial: Suggests) -> str:
        """The value that a trial suggests, as `compose_settings` takes it."""
        if self.kind == "choice":
            value = trial.suggest_categorical(self.path, self.values)
            return "null" if value is None else str(value)
        low, high = self.values
        if self.kind.endswith("int"):
            return str(trial.suggest_int(self.path, low, high, log=self.kind == "logint"))
        return spell(trial.suggest_float(self.path, low, high, log=self.kind == "log"))


def overrides(space: Sequence[Dimension], trial: Suggests) -> list[str]:
    """Settings with the values that a trial suggests, as `compose_settings` takes them."""
    found: dict[str, list[str]] = {}
    for one in space:
        found.setdefault(one.setting, []).append(one.value(trial))
    lists = {one.setting for one in space if one.path != one.setting}
    return [f"{path}=[{','.join(some)}]" if path in lists else f"{path}={some[-1]}" for path, some in found.items()]


def is_dimension(word: str) -> bool:
    """Whether a word of a command line is meant as a dimension."""
    return _WORDS.fullmatch(word) is not None


def parse_dimension(word: str) -> Dimension:
    """A dimension from its word.

    Raises:
        UserError: It cannot be read.
    """
    found = _WORDS.fullmatch(word)
    if found is None:
        raise UserError(f"{word!r} is no range of values: give {FORMS}.")
    path, kind = found["path"], found["kind"]
    values = [one.strip() for one in found["values"].split(",")]
    if kind == "choice":
        if not all(values):
            raise UserError(f"{word!r} has an empty choice.")
        return Dimension(path, kind, tuple(map(_choice, values)))
    numbers = [read_number(one) for one in values]
    if len(numbers) != 2 or None in numbers or not numbers[0] < numbers[1]:  # type: ignore[operator]
        raise UserError(f"{kind} takes two numbers, the lower first, not {found['values']!r}.")
    if kind.startswith("log") and numbers[0] <= 0:  # type: ignore[operator]
        raise UserError(f"{kind} takes numbers above 0, not {found['values']!r}.")
    if not kind.endswith("int"):
        return Dimension(path, kind, tuple(numbers))
    if any(one != int(one) for one in numbers if one is not None):
        raise UserError(f"{kind} takes whole numbers, not {found['values']!r}.")
    return Dimension(path, kind, tuple(int(one) for one in numbers if one is not None))


def _choice(text: str) -> Any:
    """A number, true, false or null as YAML has them; any other text is itself."""
    number = read_number(text)
    if number is not None:
        return int(number) if number == int(number) and "e" not in text.lower() and "." not in text else number
    return {"true": True, "false": False, "null": None}.get(text, text)


def nested(flat: Mapping[str, Any]) -> dict[str, Any]:
    """Settings by their paths as sections, for a YAML file."""
    sections: dict[str, Any] = {}
    for path, value in flat.items():
        *above, name = path.split(".")
        section = sections
        for one in above:
            section = section.setdefault(one, {})
        section[name] = value
    return {name: _listed(one) for name, one in sections.items()}


def _listed(value: Any) -> Any:
    """Sections whose names are places, as lists."""
    if not isinstance(value, Mapping):
        return value
    inner = {name: _listed(one) for name, one in value.items()}
    return list(inner.values()) if all(name.isdigit() for name in inner) else inner
