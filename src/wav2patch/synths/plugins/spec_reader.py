"""From the content of a spec file to a spec, with the place of every mistake."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import Any, TypeVar

from wav2patch.parameters import Categorical, Continuous, Discrete, Parameter, ParameterSpace
from wav2patch.priors import IndependentPrior, Marginal
from wav2patch.structure import Activity, Block, Condition, Either, Symmetry
from wav2patch.synths.plugins.spec import Fixed, Knob, PluginSpec, Setting, on_grid

T = TypeVar("T")
_NAME = re.compile(r"[a-z][a-z0-9_]*")
_RESERVED = {"any", "unless"}


class SpecProblem(Exception):
    """What is wrong with a spec, without the file's name and the full stop."""


@contextmanager
def _at(place: str) -> Iterator[None]:
    """Puts the place before the message of a mistake inside."""
    try:
        yield
    except SpecProblem as problem:
        raise SpecProblem(f"{place}: {problem}") from None
    except ValueError as error:
        raise SpecProblem(f"{place}: {error}") from None


class _Fields:
    """The entries of a mapping, each taken once; what is left over at the end is a mistake."""

    def __init__(self, content: Any) -> None:
        if not isinstance(content, dict):
            raise SpecProblem(f"here is a mapping of names to values expected, not {content!r}")
        self._left = dict(content)
        self._known: list[str] = []

    def take(self, name: str, read: Callable[[Any], T], default: T | None = None, *, needed: bool = False) -> T:
        self._known.append(name)
        if name not in self._left:
            if needed:
                raise SpecProblem(f"{name!r} is missing")
            return default  # type: ignore[return-value]
        with _at(name):
            return read(self._left.pop(name))

    def has(self, name: str) -> bool:
        return name in self._left

    def end(self) -> None:
        if self._left:
            raise SpecProblem(f"{next(iter(self._left))!r} is unknown here: choose from {', '.join(self._known)}")


def spec_from(content: Any) -> PluginSpec:
    """The spec that a file's content stands for.

    Raises:
        SpecProblem: Says where and what is wrong.
    """
    fields = _Fields(content)
    knobs = _knobs(fields.take("parameters", lambda raw: raw, needed=True))
    places = {knob.parameter.name: knob for knob in knobs}
    conditions = _Conditions({name: knob.parameter for name, knob in places.items()})
    indices = {name: knob.index for name, knob in places.items()}
    parts = {
        "name": fields.take("name", _name, needed=True),
        "title": fields.take("title", _text, needed=True),
        "plugin": fields.take("plugin", _texts, needed=True),
        "variable": fields.take("variable", _text, ""),
        "gain": fields.take("gain", _number, 1.0),
        "environment": fields.take("environment", _environment, {}),
        "setting": fields.take("setting", lambda raw: _setting(raw, indices), Setting()),
        "fixed": fields.take("fixed", _each(_fixed), ()),
        "blocks": fields.take("blocks", _blocks, ()),
        "activities": fields.take("activities", _each(lambda raw: _activity(raw, conditions)), ()),
        "symmetries": fields.take("symmetries", _each(lambda raw: _symmetry(raw, conditions)), ()),
        "instructions": fields.take("instructions", _texts, ()),
        "figures": fields.take("figures", _figures, {}),
        "notes": fields.take("notes", _text, ""),
    }
    fields.end()
    try:
        spec = PluginSpec(knobs=knobs, **parts)
        _ = spec.space
    except ValueError as error:
        raise SpecProblem(str(error)) from None
    return spec


def _knobs(raw: Any) -> tuple[Knob, ...]:
    if not isinstance(raw, dict) or not raw:
        raise SpecProblem("a spec has at least one parameter, each a name with a mapping")
    return tuple(_knob(name, content) for name, content in raw.items())


def _knob(name: str, raw: Any) -> Knob:
    with _named(name):
        if name in _RESERVED:
            raise SpecProblem("this word has another meaning in conditions")
        fields = _Fields(raw)
        index = fields.take("index", _place, needed=True)
        host_name = fields.take("host", _text, "")
        label = fields.take("label", _text, "")
        parameter = _parameter(_name(name), label, fields)
        positions = () if isinstance(parameter, Continuous) else fields.take("positions", _numbers, ())
        marginal = fields.take("draw", lambda content: _marginal(content, parameter), Marginal())
        fields.end()
        IndependentPrior(ParameterSpace((parameter,)), {name: marginal})
        return Knob(parameter, index, host_name, positions, marginal)


@contextmanager
def _named(name: Any) -> Iterator[None]:
    """Like `_at`, for messages of other modules that may name the parameter themselves."""
    try:
        yield
    except (SpecProblem, ValueError) as error:
        raise SpecProblem(f"{name}: {str(error).removeprefix(f'{name} ')}") from None


def _parameter(name: str, label: str, fields: _Fields) -> Parameter:
    if fields.has("choices"):
        choices = fields.take("choices", _choices, needed=True)
        unset = Categorical(name, choices, label=label)
        return replace(unset, default=fields.take("default", lambda raw: _value(raw, unset), 0))
    unit = fields.take("unit", _text, "")
    if fields.has("integers"):
        low, high = fields.take("integers", _pair(_whole), needed=True)
        offset = fields.take("offset", _whole, 0)
        default = fields.take("default", _whole, low)
        return Discrete(name, low, high, default, unit, label, offset)
    low, high = fields.take("range", _pair(_number), (0.0, 1.0))
    unset = Continuous(name, low, high, low, unit, label)
    return replace(unset, default=fields.take("default", lambda raw: _value(raw, unset), low))


def _marginal(raw: Any, parameter: Parameter) -> Marginal:
    fields = _Fields(raw)

    def value(content: Any) -> float | None:
        return _value(content, parameter)

    marginal = Marginal(
        fields.take("low", value, None),
        fields.take("high", value, None),
        fields.take("weights", _numbers, ()),
        fields.take("constant", value, None),
        fields.take("probability", _number, 0.0),
    )
    fields.end()
    if (marginal.constant is None) != (marginal.probability == 0):
        raise SpecProblem("a constant and its probability come together")
    return marginal


def _value(raw: Any, parameter: Parameter) -> Any:
    """A value of a parameter as a file writes it: a choice by its text."""
    if isinstance(parameter, Categorical):
        text = _choice(raw)
        if text not in parameter.choices:
            raise SpecProblem(f"{text!r} is none of the choices {', '.join(parameter.choices)}")
        return parameter.choices.index(text)
    if isinstance(parameter, Discrete):
        return _whole(raw)
    number = _number(raw)
    if not parameter.low <= number <= parameter.high:
        raise SpecProblem(f"{number:g} lies outside {parameter.low:g} to {parameter.high:g}")
    return on_grid(parameter, number)


def _setting(raw: Any, indices: Mapping[str, int]) -> Setting:
    fields, usual = _Fields(raw), Setting()

    def place(content: Any) -> int:
        if isinstance(content, str):
            if content not in indices:
                raise SpecProblem(f"there is no parameter called {content!r}")
            return indices[content]
        return _place(content)

    setting = Setting(
        fields.take("first", _each(place), ()),
        fields.take("settle", _seconds, usual.settle),
        fields.take("flush", _seconds, usual.flush),
        fields.take("reset", _flag, usual.reset),
        fields.take("reload", _flag, usual.reload),
        fields.take("restore", _flag, usual.restore),
        fields.take("lifetime", _place, usual.lifetime),
    )
    fields.end()
    return setting


def _fixed(raw: Any) -> Fixed:
    fields = _Fields(raw)
    index = fields.take("index", _place, needed=True)
    value = fields.take("value", _number, needed=True)
    fixed = Fixed(index, value, fields.take("host", _text, ""))
    fields.end()
    if not 0 <= value <= 1:
        raise SpecProblem(f"control {index} is set to a normalised value from 0 to 1, not {value:g}")
    return fixed


def _blocks(raw: Any) -> tuple[Block, ...]:
    if not isinstance(raw, dict):
        raise SpecProblem("blocks are a mapping of their names")
    return tuple(_block(str(name), content) for name, content in raw.items())


def _block(name: str, raw: Any) -> Block:
    with _at(name):
        fields = _Fields(raw)
        kind = fields.take("kind", _text, needed=True)
        parameters = fields.take("parameters", _texts, needed=True)
        block = Block(name, kind, parameters, fields.take("parent", _text, None))
        fields.end()
        return block


class _Conditions:
    """Reads conditions on parameters, whose choices stand there as text."""

    def __init__(self, parameters: Mapping[str, Parameter]) -> None:
        self._parameters = parameters

    def single(self, raw: Any) -> Condition:
        if isinstance(raw, str):
            return Condition(self._known(raw).name)
        if not isinstance(raw, dict) or len(raw) != 1:
            raise SpecProblem(f"a condition is a name or one name with values, not {raw!r}")
        ((name, content),) = raw.items()
        parameter = self._known(name)
        with _at(name):
            if isinstance(content, dict):
                fields = _Fields(content)
                unless = fields.take("unless", lambda values: self._values(values, parameter), needed=True)
                fields.end()
                return Condition(name, unless=unless)
            return Condition(name, self._values(content, parameter))

    def either(self, raw: Any) -> Condition | Either:
        if isinstance(raw, dict) and "any" in raw:
            fields = _Fields(raw)
            either = Either(fields.take("any", _each(self.single), needed=True))
            fields.end()
            return either
        return self.single(raw)

    def _known(self, name: Any) -> Parameter:
        if name not in self._parameters:
            raise SpecProblem(f"there is no parameter called {name!r}")
        return self._parameters[name]

    def _values(self, raw: Any, parameter: Parameter) -> tuple[float, ...]:
        values = tuple(float(_value(value, parameter)) for value in _list(raw))
        if not values:
            raise SpecProblem("here is at least one value expected")
        return values


def _activity(raw: Any, conditions: _Conditions) -> Activity:
    fields = _Fields(raw)
    parameters = fields.take("parameters", _texts, needed=True)
    activity = Activity(parameters, fields.take("when", _each(_each(conditions.either)), needed=True))
    fields.end()
    return activity


def _symmetry(raw: Any, conditions: _Conditions) -> Symmetry:
    fields = _Fields(raw)
    name = fields.take("name", _text, needed=True)
    takes = fields.take("takes", _environment, needed=True)
    symmetry = Symmetry(name, tuple(takes), tuple(takes.values()), fields.take("when", _each(conditions.single), ()))
    fields.end()
    if set(symmetry.targets) != set(symmetry.sources):
        raise SpecProblem(f"{name!r} is no permutation: every parameter gives its value to one, and takes one's")
    return symmetry


def _figures(raw: Any) -> dict[str, float | str]:
    if not isinstance(raw, dict):
        raise SpecProblem("figures are a mapping of names to numbers or words")
    return {str(name): value if isinstance(value, str) else _number(value) for name, value in raw.items()}


def _environment(raw: Any) -> dict[str, str]:
    if not isinstance(raw, dict):
        raise SpecProblem("here is a mapping of words to words expected")
    return {_text(name): _text(value) for name, value in raw.items()}


def _list(raw: Any) -> Sequence[Any]:
    if not isinstance(raw, list):
        raise SpecProblem(f"here is a list expected, not {raw!r}")
    return raw


def _each(read: Callable[[Any], T]) -> Callable[[Any], tuple[T, ...]]:
    return lambda raw: tuple(read(item) for item in _list(raw))


def _pair(read: Callable[[Any], T]) -> Callable[[Any], tuple[T, T]]:
    def pair(raw: Any) -> tuple[T, T]:
        if len(_list(raw)) != 2:
            raise SpecProblem("here are two numbers expected, the lowest and the highest")
        low, high = read(raw[0]), read(raw[1])
        return low, high

    return pair


def _text(raw: Any) -> str:
    if not isinstance(raw, str):
        raise SpecProblem(f"here is a word expected, not {raw!r} (put a number that is meant as a word in quotes)")
    return raw


def _texts(raw: Any) -> tuple[str, ...]:
    return tuple(_text(item) for item in ([raw] if isinstance(raw, str) else _list(raw)))


def _choice(raw: Any) -> str:
    return raw if isinstance(raw, str) else f"{_number(raw):g}"


def _choices(raw: Any) -> tuple[str, ...]:
    choices = tuple(_choice(item) for item in _list(raw))
    if not choices or len(set(choices)) != len(choices):
        raise SpecProblem("choices are a list of words that differ")
    return choices


def _name(raw: Any) -> str:
    if not isinstance(raw, str) or not _NAME.fullmatch(raw):
        raise SpecProblem(f"a name has small letters, digits and underscores, and starts with a letter; not {raw!r}")
    return raw


def _number(raw: Any) -> float:
    if isinstance(raw, bool) or not isinstance(raw, int | float) or not math.isfinite(raw):
        raise SpecProblem(f"here is a number expected, not {raw!r}")
    return float(raw)


def _numbers(raw: Any) -> tuple[float, ...]:
    return tuple(_number(item) for item in _list(raw))


def _whole(raw: Any) -> int:
    if isinstance(raw, bool) or not isinstance(raw, int):
        raise SpecProblem(f"here is a whole number expected, not {raw!r}")
    return raw


def _place(raw: Any) -> int:
    if _whole(raw) < 0:
        raise SpecProblem("here is a whole number of 0 or more expected")
    return raw


def _seconds(raw: Any) -> float:
    if _number(raw) < 0:
        raise SpecProblem("seconds are 0 or more")
    return float(raw)


def _flag(raw: Any) -> bool:
    if not isinstance(raw, bool):
        raise SpecProblem(f"here is true or false expected, not {raw!r}")
    return raw
