"""From the content of a spec file to a spec."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from wav2patch.parameters import Categorical, Continuous, Discrete, Parameter, ParameterSpace
from wav2patch.priors import IndependentPrior, Marginal
from wav2patch.structure import Activity, Block, Condition, Either, Symmetry
from wav2patch.synths.plugins import spec_scalars as read
from wav2patch.synths.plugins.spec import Fixed, Knob, PluginSpec, Setting, on_grid
from wav2patch.synths.plugins.spec_fields import Fields, SpecProblem, at, named

_RESERVED = {"any", "unless"}


def spec_from(content: Any) -> PluginSpec:
    """The spec that a file's content stands for.

    Raises:
        SpecProblem: Says where and what is wrong.
    """
    fields = Fields(content)
    knobs = _knobs(fields.take("parameters", lambda raw: raw, needed=True))
    places = {knob.parameter.name: knob for knob in knobs}
    conditions = _Conditions({name: knob.parameter for name, knob in places.items()})
    indices = {name: knob.index for name, knob in places.items()}
    parts = {
        "name": fields.take("name", read.identifier, needed=True),
        "title": fields.take("title", read.text, needed=True),
        "plugin": fields.take("plugin", read.texts, needed=True),
        "variable": fields.take("variable", read.text, ""),
        "gain": fields.take("gain", read.number, 1.0),
        "most_silent": fields.take("most_silent", read.number, 0.05),
        "environment": fields.take("environment", read.words, {}),
        "setting": fields.take("setting", lambda raw: _setting(raw, indices), Setting()),
        "published": fields.take("published", lambda raw: _published(raw, places), {}),
        "fixed": fields.take("fixed", read.each(_fixed), ()),
        "blocks": fields.take("blocks", _blocks, ()),
        "activities": fields.take("activities", read.each(lambda raw: _activity(raw, conditions)), ()),
        "symmetries": fields.take("symmetries", read.each(lambda raw: _symmetry(raw, conditions)), ()),
        "instructions": fields.take("instructions", read.texts, ()),
        "figures": fields.take("figures", _figures, {}),
        "notes": fields.take("notes", read.text, ""),
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
    with named(name):
        if name in _RESERVED:
            raise SpecProblem("this word has another meaning in conditions")
        fields = Fields(raw)
        index = fields.take("index", read.place, needed=True)
        host_name = fields.take("host", read.text, "")
        label = fields.take("label", read.text, "")
        parameter = _parameter(read.identifier(name), label, fields)
        positions = () if isinstance(parameter, Continuous) else fields.take("positions", read.numbers, ())
        marginal = fields.take("draw", lambda content: _marginal(content, parameter), Marginal())
        fields.end()
        IndependentPrior(ParameterSpace((parameter,)), {name: marginal})
        return Knob(parameter, index, host_name, positions, marginal)


def _published(raw: Any, knobs: Mapping[str, Knob]) -> dict[str, Marginal]:
    if not isinstance(raw, dict):
        raise SpecProblem("published rules are a mapping of parameters' names")
    return {name: _published_rule(name, content, knobs) for name, content in raw.items()}


def _published_rule(name: Any, raw: Any, knobs: Mapping[str, Knob]) -> Marginal:
    if name not in knobs:
        raise SpecProblem(f"there is no parameter called {name!r}")
    with named(name):
        parameter = knobs[name].parameter
        marginal = _marginal(raw, parameter)
        IndependentPrior(ParameterSpace((parameter,)), {name: marginal})
        return marginal


def _parameter(name: str, label: str, fields: Fields) -> Parameter:
    if fields.has("choices"):
        choices = fields.take("choices", read.choices, needed=True)
        unset = Categorical(name, choices, label=label)
        return replace(unset, default=fields.take("default", lambda raw: _value(raw, unset), 0))
    unit = fields.take("unit", read.text, "")
    if fields.has("integers"):
        low, high = fields.take("integers", read.pair(read.whole), needed=True)
        offset = fields.take("offset", read.whole, 0)
        default = fields.take("default", read.whole, low)
        return Discrete(name, low, high, default, unit, label, offset)
    low, high = fields.take("range", read.pair(read.number), (0.0, 1.0))
    unset = Continuous(name, low, high, low, unit, label)
    return replace(unset, default=fields.take("default", lambda raw: _value(raw, unset), low))


def _marginal(raw: Any, parameter: Parameter) -> Marginal:
    fields = Fields(raw)

    def value(content: Any) -> float | None:
        return _value(content, parameter)

    marginal = Marginal(
        fields.take("low", value, None),
        fields.take("high", value, None),
        fields.take("weights", read.numbers, ()),
        fields.take("constant", value, None),
        fields.take("probability", read.number, 0.0),
    )
    fields.end()
    if (marginal.constant is None) != (marginal.probability == 0):
        raise SpecProblem("a constant and its probability come together")
    return marginal


def _value(raw: Any, parameter: Parameter) -> Any:
    """A value of a parameter as a file writes it: a choice by its text."""
    if isinstance(parameter, Categorical):
        text = read.choice(raw)
        if text not in parameter.choices:
            raise SpecProblem(f"{text!r} is none of the choices {', '.join(parameter.choices)}")
        return parameter.choices.index(text)
    if isinstance(parameter, Discrete):
        return read.whole(raw)
    number = read.number(raw)
    if not parameter.low <= number <= parameter.high:
        raise SpecProblem(f"{number:g} lies outside {parameter.low:g} to {parameter.high:g}")
    return on_grid(parameter, number)


def _setting(raw: Any, indices: Mapping[str, int]) -> Setting:
    fields, usual = Fields(raw), Setting()

    def place(content: Any) -> int:
        if isinstance(content, str):
            if content not in indices:
                raise SpecProblem(f"there is no parameter called {content!r}")
            return indices[content]
        return read.place(content)

    setting = Setting(
        fields.take("first", read.each(place), ()),
        fields.take("settle", read.seconds, usual.settle),
        fields.take("flush", read.seconds, usual.flush),
        fields.take("reset", read.flag, usual.reset),
        fields.take("reload", read.flag, usual.reload),
        fields.take("restore", read.flag, usual.restore),
        fields.take("lifetime", read.place, usual.lifetime),
    )
    fields.end()
    return setting


def _fixed(raw: Any) -> Fixed:
    fields = Fields(raw)
    index = fields.take("index", read.place, needed=True)
    value = fields.take("value", read.number, needed=True)
    fixed = Fixed(index, value, fields.take("host", read.text, ""))
    fields.end()
    if not 0 <= value <= 1:
        raise SpecProblem(f"control {index} is set to a normalised value from 0 to 1, not {value:g}")
    return fixed


def _blocks(raw: Any) -> tuple[Block, ...]:
    if not isinstance(raw, dict):
        raise SpecProblem("blocks are a mapping of their names")
    return tuple(_block(str(name), content) for name, content in raw.items())


def _block(name: str, raw: Any) -> Block:
    with at(name):
        fields = Fields(raw)
        kind = fields.take("kind", read.text, needed=True)
        parameters = fields.take("parameters", read.texts, needed=True)
        block = Block(name, kind, parameters, fields.take("parent", read.text, None))
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
        with at(name):
            if isinstance(content, dict):
                fields = Fields(content)
                unless = fields.take("unless", lambda values: self._values(values, parameter), needed=True)
                fields.end()
                return Condition(name, unless=unless)
            return Condition(name, self._values(content, parameter))

    def either(self, raw: Any) -> Condition | Either:
        if isinstance(raw, dict) and "any" in raw:
            fields = Fields(raw)
            either = Either(fields.take("any", read.each(self.single), needed=True))
            fields.end()
            return either
        return self.single(raw)

    def _known(self, name: Any) -> Parameter:
        if name not in self._parameters:
            raise SpecProblem(f"there is no parameter called {name!r}")
        return self._parameters[name]

    def _values(self, raw: Any, parameter: Parameter) -> tuple[float, ...]:
        values = tuple(float(_value(value, parameter)) for value in read.items(raw))
        if not values:
            raise SpecProblem("here is at least one value expected")
        return values


def _activity(raw: Any, conditions: _Conditions) -> Activity:
    fields = Fields(raw)
    parameters = fields.take("parameters", read.texts, needed=True)
    activity = Activity(parameters, fields.take("when", read.each(read.each(conditions.either)), needed=True))
    fields.end()
    return activity


def _symmetry(raw: Any, conditions: _Conditions) -> Symmetry:
    fields = Fields(raw)
    name = fields.take("name", read.text, needed=True)
    takes = fields.take("takes", read.words, needed=True)
    symmetry = Symmetry(
        name, tuple(takes), tuple(takes.values()), fields.take("when", read.each(conditions.single), ())
    )
    fields.end()
    if set(symmetry.targets) != set(symmetry.sources):
        raise SpecProblem(f"{name!r} is no permutation: every parameter gives its value to one, and takes one's")
    return symmetry


def _figures(raw: Any) -> dict[str, float | str]:
    if not isinstance(raw, dict):
        raise SpecProblem("figures are a mapping of names to numbers or words")
    return {str(name): value if isinstance(value, str) else read.number(value) for name, value in raw.items()}
