"""A parameter space as a table for people: what a synth's controls are, and when each can be heard."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal

from wav2patch.evaluation import text_tables
from wav2patch.parameters import Categorical, Continuous, Discrete, Parameter, ParameterSpace
from wav2patch.structure import Activity, Clause, Condition, Either

Phrase = tuple[str, str]
"""Words, and which of "and" and "or" links their parts, if there are several."""

_ALWAYS: Phrase = ("", "")

HEAD = ("parameter", "kind", "range", "unit", "default", "heard where")


def draw_space(space: ParameterSpace, form: Literal["markdown", "latex"]) -> str:
    """The table of a space as text."""
    rows = space_rows(space)
    if form == "latex":
        return text_tables.latex(HEAD, rows, long=True)
    return text_tables.markdown(HEAD, rows)


def space_rows(space: ParameterSpace) -> list[list[str]]:
    """For each parameter name, kind, range or choices, unit, default, and when it is heard if that is declared."""
    known = {parameter.name: parameter for parameter in space.parameters}
    rules: dict[str, list[Phrase]] = {name: [] for name in known}
    for activity in space.activities:
        for name in activity.parameters:
            rules[name].append(_activity(activity, known))
    return [[*_parameter(parameter), _link(rules[name], "and")[0]] for name, parameter in known.items()]


def _parameter(parameter: Parameter) -> list[str]:
    if isinstance(parameter, Categorical):
        return [parameter.name, "categorical", ", ".join(parameter.choices), "", parameter.text(parameter.default)]
    shown = [_number(parameter, value) for value in (parameter.low, parameter.high, parameter.default)]
    return [
        parameter.name,
        "discrete" if isinstance(parameter, Discrete) else "continuous",
        f"{shown[0]} … {shown[1]}",
        parameter.unit,
        shown[2],
    ]


def _number(parameter: Continuous | Discrete, value: float) -> str:
    """As the panel shows it, without its unit."""
    if isinstance(parameter, Continuous):
        return f"{value:.6g}"
    return parameter.text(value).removesuffix(parameter.unit).rstrip()


def _activity(activity: Activity, known: Mapping[str, Parameter]) -> Phrase:
    clauses = [_clause(clause, known) for clause in activity.alternatives]
    if not clauses:
        return "never", ""
    return _ALWAYS if _ALWAYS in clauses else _link(clauses, "or")


def _clause(clause: Clause, known: Mapping[str, Parameter]) -> Phrase:
    """All of its conditions."""
    phrases = []
    for one in clause:
        singles = one.conditions if isinstance(one, Either) else (one,)
        told = [_condition(single, known[single.parameter]) for single in singles]
        if _ALWAYS not in told:
            phrases.append(_link(told, "or"))
    return _link(phrases, "and")


def _condition(condition: Condition, parameter: Parameter) -> Phrase:
    if not (condition.values or condition.unless):
        return f"{condition.parameter} > {parameter.text(parameter.low)}", ""
    values, negated = condition.values or condition.unless, bool(condition.unless)
    if not isinstance(parameter, Continuous):
        others = tuple(float(v) for v in range(parameter.low, parameter.high + 1) if v not in values)
        if len(others) < len(values):
            values, negated = others, not negated
    if not values:
        return _ALWAYS if negated else ("never", "")
    return f"{condition.parameter} is {'not ' * negated}{_listed(parameter, values)}", ""


def _link(phrases: Sequence[Phrase], word: str) -> Phrase:
    """Phrases with a word between them; brackets where another word is in one."""
    distinct = list(dict.fromkeys(one for one in phrases if one != _ALWAYS))
    if len(distinct) < 2:
        return distinct[0] if distinct else _ALWAYS
    return f" {word} ".join(text if inside in ("", word) else f"({text})" for text, inside in distinct), word


def _listed(parameter: Parameter, values: Sequence[float]) -> str:
    """Values as the panel shows them; three whole numbers in a row or more as a range."""
    runs: list[list[str]] = []
    before = float("nan")
    for value in sorted(values):
        text = parameter.text(value)
        if runs and value == before + 1 and text.lstrip("+-").isdecimal():
            runs[-1].append(text)
        else:
            runs.append([text])
        before = value
    return "/".join("/".join(run) if len(run) < 3 else f"{run[0]}–{run[-1]}" for run in runs)
