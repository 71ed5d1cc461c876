"""From a spec to the text of its file."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from wav2patch.parameters import Categorical, Discrete, Parameter
from wav2patch.priors import Marginal
from wav2patch.structure import Activity, Block, Condition, Either, Symmetry
from wav2patch.synths.plugins.spec import Fixed, Knob, PluginSpec, Setting, even_positions, on_grid
from wav2patch.synths.plugins.yaml_text import block, flow


def spec_text(spec: PluginSpec) -> str:
    """The text of a spec file: one parameter, fixed control, block, activity and symmetry a line.

    Raises:
        ValueError: Two blocks share a name, or a symmetry gives one parameter two values.
    """
    return "".join(f"{line}\n" for line in _lines(spec))


def figures_text(figures: Mapping[str, float | str]) -> str:
    """The part of a spec file that `synths check` writes."""
    return "".join(f"{line}\n" for line in _mapping("figures", dict(figures)))


def _lines(spec: PluginSpec) -> Iterator[str]:
    parameters = {knob.parameter.name: knob.parameter for knob in spec.knobs}
    head: dict[str, Any] = {"name": spec.name, "title": spec.title, "plugin": spec.plugin}
    head |= _without({"variable": spec.variable}, "") | _without({"gain": spec.gain}, 1.0)
    head |= _without({"most_silent": spec.most_silent}, 0.05)
    head |= _without({"environment": dict(spec.environment)}, {})
    head |= _without({"setting": _setting(spec)}, {})
    yield from (f"{name}: {flow(value)}" for name, value in head.items())
    if spec.notes:
        yield block({"notes": spec.notes})
    yield from _mapping("parameters", {knob.parameter.name: _knob(knob) for knob in spec.knobs})
    yield from _mapping("published", {name: _draw(parameters[name], rule) for name, rule in spec.published.items()})
    yield from _items("fixed", [_fixed(fixed) for fixed in spec.fixed])
    yield from _mapping("blocks", _blocks(spec.blocks))
    yield from _items("activities", [_activity(activity, parameters) for activity in spec.activities])
    yield from _items("symmetries", [_symmetry(symmetry, parameters) for symmetry in spec.symmetries])
    yield from _items("instructions", spec.instructions)
    yield from _mapping("figures", dict(spec.figures))


def _mapping(name: str, content: Mapping[str, Any]) -> list[str]:
    return [f"{name}:", *(f"  {flow(key)}: {flow(value)}" for key, value in content.items())] if content else []


def _items(name: str, content: Sequence[Any]) -> list[str]:
    return [f"{name}:", *(f"  - {flow(item)}" for item in content)] if content else []


def _without(content: dict[str, Any], *usual: Any) -> dict[str, Any]:
    return {name: value for name, value in content.items() if value not in usual}


def _setting(spec: PluginSpec) -> dict[str, Any]:
    setting, usual = spec.setting, Setting()
    names = {knob.index: knob.parameter.name for knob in spec.knobs}
    content: dict[str, Any] = {"first": [names.get(index, index) for index in setting.first]} if setting.first else {}
    for name in ("settle", "flush", "reset", "reload", "restore", "lifetime"):
        content |= _without({name: getattr(setting, name)}, getattr(usual, name))
    return content


def _knob(knob: Knob) -> dict[str, Any]:
    parameter = knob.parameter
    content: dict[str, Any] = {"index": knob.index} | _without({"host": knob.host_name}, "")
    if isinstance(parameter, Categorical):
        content["choices"] = parameter.choices
    elif isinstance(parameter, Discrete):
        content["integers"] = [parameter.low, parameter.high]
        content |= _without({"offset": parameter.offset}, 0)
    elif (parameter.low, parameter.high) != (0.0, 1.0):
        content["range"] = [parameter.low, parameter.high]
    content |= _without({"positions": knob.positions}, even_positions(len(knob.positions)))
    if parameter.default != parameter.low:
        content["default"] = _value(parameter, parameter.default)
    if not isinstance(parameter, Categorical):
        content |= _without({"unit": parameter.unit}, "")
    return content | _without({"label": parameter.label}, "") | _without({"draw": _draw(parameter, knob.marginal)}, {})


def _draw(parameter: Parameter, rule: Marginal) -> dict[str, Any]:
    content: dict[str, Any] = {}
    for name in ("low", "high", "constant"):
        value = getattr(rule, name)
        content |= {} if value is None else {name: _value(parameter, value)}
    return content | _without({"weights": rule.weights}, ()) | _without({"probability": rule.probability}, 0.0)


def _value(parameter: Parameter, value: float) -> float | int | str:
    """A value as a file writes it: a choice's text, and of a continuous value as few digits as it needs."""
    if isinstance(parameter, Categorical):
        return parameter.choices[round(value)]
    if isinstance(parameter, Discrete):
        return round(value)
    candidates = (float(f"{value:.{digits}g}") for digits in range(1, 17))
    same = (short for short in candidates if parameter.low <= short <= parameter.high)
    return next((short for short in same if on_grid(parameter, short) == on_grid(parameter, value)), float(value))


def _fixed(fixed: Fixed) -> dict[str, Any]:
    return {"index": fixed.index} | _without({"host": fixed.host_name}, "") | {"value": fixed.value}


def _blocks(blocks: Sequence[Block]) -> dict[str, Any]:
    if len({b.name for b in blocks}) != len(blocks):
        raise ValueError("two blocks share a name")
    return {
        b.name: {"kind": b.kind} | _without({"parent": b.parent}, None) | {"parameters": b.parameters} for b in blocks
    }


def _activity(activity: Activity, parameters: Mapping[str, Parameter]) -> dict[str, Any]:
    when = [[_condition(condition, parameters) for condition in clause] for clause in activity.alternatives]
    return {"parameters": activity.parameters, "when": when}


def _symmetry(symmetry: Symmetry, parameters: Mapping[str, Parameter]) -> dict[str, Any]:
    takes = dict(zip(symmetry.targets, symmetry.sources, strict=True))
    if len(takes) != len(symmetry.targets):
        raise ValueError(f"the symmetry {symmetry.name!r} gives one parameter two values")
    when = [_condition(condition, parameters) for condition in symmetry.when]
    return {"name": symmetry.name, "takes": takes} | _without({"when": when}, [])


def _condition(condition: Condition | Either, parameters: Mapping[str, Parameter]) -> Any:
    if isinstance(condition, Either):
        return {"any": [_condition(single, parameters) for single in condition.conditions]}
    parameter = parameters[condition.parameter]
    if condition.values:
        return {condition.parameter: [_value(parameter, value) for value in condition.values]}
    if condition.unless:
        return {condition.parameter: {"unless": [_value(parameter, value) for value in condition.unless]}}
    return condition.parameter
