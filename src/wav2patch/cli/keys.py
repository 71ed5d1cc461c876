"""Settings of the researcher's commands: ``key=value`` words, read into a dataclass and explained from it."""

from __future__ import annotations

import dataclasses
import difflib
import types
import typing
from collections.abc import Callable, Sequence
from importlib import import_module
from pathlib import Path
from typing import Any, TypeVar

from typer.core import TyperCommand

from wav2patch.errors import UserError

T = TypeVar("T")

_THOUSANDS = {"k": 1_000, "m": 1_000_000}
_YES, _NO = ("true", "yes", "on", "1"), ("false", "no", "off", "0")


def key_command(settings: str) -> type[TyperCommand]:
    """A command class whose help lists the keys of a dataclass.

    Args:
        settings: Where the dataclass is, ``"package.module:Name"``; imported when help is asked for. Its fields are
            annotated ``Annotated[type, "what it is"]``.
    """

    class KeyCommand(TyperCommand):
        def format_help(self, ctx: Any, formatter: Any) -> None:
            super().format_help(ctx, formatter)
            _print_keys(_load(settings))

    return KeyCommand


def read_keys(settings: type[T], words: Sequence[str]) -> T:
    """Read ``key=value`` words.

    Args:
        settings: A dataclass whose fields are annotated with str, int, float, bool, Path, range or a tuple of str,
            or one of these or None. Fields without a default have to be given.
        words: Integers may be written 100k or 2M, ranges 0-9 (the last included), tuples with commas, None as none.

    Raises:
        UserError: A key is unknown, given twice, missing, or its value cannot be read.
    """
    hints = typing.get_type_hints(settings)
    values: dict[str, Any] = {}
    for word in words:
        key, equals, text = word.partition("=")
        if not equals:
            raise UserError(f"settings are given as key=value, such as {next(iter(hints))}=…, not {word!r}.")
        if key not in hints:
            raise UserError(f"there is no setting {key!r}{_nearest(key, hints)}")
        if key in values:
            raise UserError(f"{key} is given twice.")
        values[key] = _read(key, text, hints[key])
    for one in dataclasses.fields(settings):  # type: ignore[arg-type] - any dataclass
        if one.default is dataclasses.MISSING and one.name not in values:
            raise UserError(f"{one.name}=… has to be given.")
    return settings(**values)


def _read(key: str, text: str, hint: Any) -> Any:
    choices = typing.get_args(hint) if isinstance(hint, types.UnionType) else (hint,)
    if type(None) in choices and text == "none":
        return None
    kind = next(choice for choice in choices if choice is not type(None))
    reader, wanted = _reader(kind)
    try:
        return reader(text)
    except ValueError:
        raise UserError(f"{key} is {wanted}, not {text!r}.") from None


def _reader(kind: Any) -> tuple[Callable[[str], Any], str]:
    if typing.get_origin(kind) is tuple:
        return _read_list, "a list with commas"
    return {
        str: (str, "a text"),
        int: (_read_int, "a whole number"),
        float: (float, "a number"),
        bool: (_read_bool, "true or false"),
        Path: (_read_path, "a path"),
        range: (_read_range, "a number or a range such as 0-9"),
    }[kind]


def _read_int(text: str) -> int:
    factor = _THOUSANDS.get(text[-1:].lower(), 1)
    return int(text[:-1] if factor > 1 else text) * factor


def _read_bool(text: str) -> bool:
    if text.lower() not in (*_YES, *_NO):
        raise ValueError
    return text.lower() in _YES


def _read_list(text: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in text.split(",") if part.strip()) if text != "none" else ()


def _read_path(text: str) -> Path:
    if not text:
        raise ValueError
    return Path(text).expanduser()


def _read_range(text: str) -> range:
    first, _, last = text.partition("-")
    numbers = range(int(first), int(last or first) + 1)
    if not numbers:
        raise ValueError
    return numbers


def _nearest(key: str, known: dict[str, Any]) -> str:
    near = difflib.get_close_matches(key, known, 1)
    return f": is {near[0]} meant?" if near else f"; there are {', '.join(known)}."


def _load(settings: str) -> type:
    module, _, name = settings.partition(":")
    return getattr(import_module(module), name)


def _print_keys(settings: type) -> None:
    from rich.table import Table

    from wav2patch.cli.console import out

    table = Table(title="Settings", title_justify="left", title_style="bold", box=None, pad_edge=False)
    table.add_column("key=default", style="bold", no_wrap=True)
    table.add_column("")
    hints = typing.get_type_hints(settings, include_extras=True)
    for one in sorted(dataclasses.fields(settings), key=lambda one: one.default is not dataclasses.MISSING):
        table.add_row(f"{one.name}={_default(one)}", typing.get_args(hints[one.name])[-1])
    out().print(table)


def _default(one: dataclasses.Field[Any]) -> str:
    if one.default is dataclasses.MISSING:
        return "…"
    if one.default is None:
        return "none"
    return ",".join(one.default) if isinstance(one.default, tuple) else str(one.default)
