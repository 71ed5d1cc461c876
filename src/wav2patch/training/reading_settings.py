"""Settings from plain values, such as a configuration file or a command line gives, and back."""

from __future__ import annotations

import dataclasses
import difflib
import functools
import types
import typing
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Literal, TypeVar

from wav2patch.errors import UserError
from wav2patch.spelling import read_number
from wav2patch.training.settings import RunSettings

T = TypeVar("T")

_THOUSANDS = {"k": 1_000, "m": 1_000_000}


def read_settings(values: Mapping[str, Any]) -> RunSettings:
    """The settings of a run; what is not named has its default.

    Args:
        values: By section, as YAML holds them: ``{"data": {"synth": "dexed"}, "seed": 1}``.

    Raises:
        UserError: A setting is unknown, or its value is of another kind; the sentence says what there is.
    """
    return _read_section(RunSettings, values, "")


def plain_settings(settings: RunSettings) -> dict[str, Any]:
    """All settings as values that JSON and YAML hold; `read_settings` gives equal ones back."""
    return _plain(dataclasses.asdict(settings))


def every_setting() -> Iterator[tuple[str, str, Any]]:
    """Path, explanation and default of every setting, such as ``"data.k"``, in order."""
    yield from _every(RunSettings, "")


def check_path(path: str) -> None:
    """Make sure that there is such a setting; those of the method itself are its own affair.

    Raises:
        UserError: There is none.
    """
    if path.partition(".")[0] != "inverter" and path not in [one for one, _, _ in every_setting()]:
        raise unknown(path)


def unknown(path: str) -> UserError:
    """That there is no such setting, with the nearest one that there is."""
    known = [one for one, _, _ in every_setting()]
    leaf = path.rpartition(".")[2]
    near = [one for one in known if one.rpartition(".")[2] == leaf] or difflib.get_close_matches(path, known, 1, 0.7)
    if not near:
        leaves = {one.rpartition(".")[2]: one for one in known}
        near = [leaves[one] for one in difflib.get_close_matches(leaf, leaves, 1, 0.7)]
    hint = f"is {near[0]} meant?" if near else "`wav2patch train --help` lists all."
    return UserError(f"there is no setting {path!r}: {hint}")


def _every(section: type, prefix: str) -> Iterator[tuple[str, str, Any]]:
    hints = _hints(section)
    for one in dataclasses.fields(section):
        hint = hints[one.name]
        if dataclasses.is_dataclass(hint) and isinstance(hint, type):
            yield from _every(hint, f"{prefix}{one.name}.")
            continue
        default = one.default if one.default is not dataclasses.MISSING else _made(one)
        yield f"{prefix}{one.name}", typing.get_args(hint)[-1], default


def _made(one: dataclasses.Field[Any]) -> Any:
    return one.default_factory() if one.default_factory is not dataclasses.MISSING else None


@functools.cache
def _hints(section: type) -> dict[str, Any]:
    return typing.get_type_hints(section, include_extras=True)


def _read_section(section: type[T], values: Mapping[str, Any], prefix: str) -> T:
    hints, read = _hints(section), {}
    for name, value in values.items():
        if name not in hints:
            raise unknown(f"{prefix}{name}")
        read[name] = _read(f"{prefix}{name}", value, hints[name])
    return section(**read)


def _read(path: str, value: Any, hint: Any) -> Any:
    if dataclasses.is_dataclass(hint):
        if not isinstance(value, Mapping):
            raise UserError(f"{path} is a group of settings, such as {path}.{_first(hint)}=…, not {value!r}.")
        return _read_section(typing.cast("type[Any]", hint), value, f"{path}.")
    kind = typing.get_args(hint)[0]
    choices = typing.get_args(kind) if isinstance(kind, types.UnionType) else (kind,)
    if type(None) in choices and value in (None, "none"):
        return None
    reader, wanted = _reader(next(one for one in choices if one is not type(None)))
    try:
        return reader(value)
    except (TypeError, ValueError):
        raise UserError(f"{path} is {wanted}, not {value!r}.") from None


def _first(hint: Any) -> str:
    return dataclasses.fields(hint)[0].name


def _reader(kind: Any) -> tuple[Callable[[Any], Any], str]:
    origin = typing.get_origin(kind)
    if origin is Literal:
        return functools.partial(_one_of, typing.get_args(kind)), " or ".join(typing.get_args(kind))
    if origin is tuple:
        inner = typing.get_args(kind)
        count = None if Ellipsis in inner else len(inner)
        return functools.partial(_numbers, count), "a list of numbers"
    readers: dict[Any, tuple[Callable[[Any], Any], str]] = {
        str: (_text, "a text"),
        int: (_whole, "a whole number"),
        float: (_number, "a number"),
        bool: (_truth, "true or false"),
    }
    return readers.get(kind, (_mapping, "a group of settings"))


def _one_of(choices: tuple[str, ...], value: Any) -> str:
    # YAML and Hydra read a bare none as nothing.
    value = "none" if value is None else value
    if value not in choices:
        raise ValueError
    return value


def _numbers(count: int | None, value: Any) -> tuple[float, ...]:
    """So many of them, or one and more."""
    if not isinstance(value, list | tuple) or len(value) != (count or max(1, len(value))):
        raise ValueError
    return tuple(map(_number, value))


def _text(value: Any) -> str:
    if not isinstance(value, str | int | float) or isinstance(value, bool):
        raise TypeError
    return str(value)


def _whole(value: Any) -> int:
    if isinstance(value, str) and value[-1:].lower() in _THOUSANDS:
        return _whole(_number(value[:-1]) * _THOUSANDS[value[-1].lower()])
    if (number := _number(value)) != int(number):
        raise ValueError
    return int(number)


def _number(value: Any) -> float:
    # YAML takes 1e-4 for a text, as it has no dot.
    if isinstance(value, str) and (read := read_number(value)) is not None:
        return read
    if not isinstance(value, int | float) or isinstance(value, bool):
        raise TypeError
    return float(value)


def _truth(value: Any) -> bool:
    if not isinstance(value, bool):
        raise TypeError
    return value


def _mapping(value: Any) -> dict[str, Any]:
    if not isinstance(value, Mapping):
        raise TypeError
    return _plain(value)


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {str(name): _plain(one) for name, one in value.items()}
    return [_plain(one) for one in value] if isinstance(value, list | tuple) else value
