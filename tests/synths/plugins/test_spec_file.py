from __future__ import annotations

import tempfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from wav2patch.errors import UserError
from wav2patch.parameters import Categorical, Continuous, Discrete, Parameter
from wav2patch.priors import Marginal
from wav2patch.structure import Activity, Block, Condition, Either, Symmetry
from wav2patch.synths.plugins.spec import Fixed, Knob, PluginSpec, Setting, on_grid
from wav2patch.synths.plugins.spec_file import load_spec, names_in, save_figures, save_spec

SMALL = """\
name: toy  # as typed
title: The toy
plugin: [Toy.vst3, toy.so]
variable: TOY
gain: 0.5
setting: {first: [shape, 40], settle: 0.1}
parameters:
  # comments are welcome
  cutoff: {index: 3, host: Cutoff Freq, default: 0.9, unit: Hz, draw: {low: 0.2, constant: 1e-1, probability: 0.3}}
  shape: {index: 2, choices: [Off, Saw, 4', 1:30, 1e5], default: Saw, draw: {weights: [1, 2, 1, 1, 1]}}
  octave: {index: 30, integers: [-1, 1], default: 0, positions: [0.1, 0.5, 0.9]}
  depth: {index: 31}
published:
  cutoff: {low: 0.25}
  octave: {weights: [1, 0, 1]}
  shape: {}
fixed:
  - {index: 40, host: Retrigger, value: 1}
activities:
  - {parameters: [cutoff], when: [[depth, {shape: [Saw, Off]}], [{any: [octave, {shape: {unless: [Off]}}]}]]}
symmetries:
  - {name: swap, takes: {cutoff: depth, depth: cutoff}, when: [{octave: [0]}]}
figures:
  noise_floor: 0.0

# the end
"""


def write(folder: Path, text: str) -> Path:
    path = folder / "toy.yaml"
    path.write_text(text)
    return path


def test_a_spec_written_by_hand_is_read(tmp_path: Path) -> None:
    spec = load_spec(write(tmp_path, SMALL))
    cutoff, shape, octave, depth = spec.knobs
    assert spec.plugin == ("Toy.vst3", "toy.so")
    assert spec.setting == Setting(first=(2, 40), settle=0.1)
    assert isinstance(cutoff.parameter, Continuous)
    assert cutoff.parameter.default == pytest.approx(0.9, abs=1e-6)
    assert cutoff.marginal.constant == pytest.approx(0.1, abs=1e-6)
    assert isinstance(shape.parameter, Categorical)
    assert shape.parameter.choices == ("Off", "Saw", "4'", "1:30", "100000")
    assert shape.positions == (0, 0.25, 0.5, 0.75, 1)
    assert octave.normalised(-1) == 0.1
    assert octave.value(0.8) == 1
    assert depth.host_name == ""
    assert spec.fixed == (Fixed(40, 1.0, "Retrigger"),)
    first, second = spec.activities[0].alternatives
    assert first == (Condition("depth"), Condition("shape", (1.0, 0.0)))
    assert second == (Either((Condition("octave"), Condition("shape", unless=(0.0,)))),)
    assert spec.symmetries == (
        Symmetry("swap", ("cutoff", "depth"), ("depth", "cutoff"), (Condition("octave", (0.0,)),)),
    )
    assert set(spec.published) == {"cutoff", "octave", "shape"}
    assert spec.published["cutoff"].low == pytest.approx(0.25, abs=1e-6)
    assert (spec.published["octave"].weights, spec.published["shape"]) == ((1.0, 0.0, 1.0), Marginal())
    assert (spec.space.decode(spec.space.encode(spec.space.default)) == spec.space.default).all()


MISTAKES = [
    ("cutoff: {index: 3,", "cutoff: {", "toy.yaml: cutoff: 'index' is missing."),
    ("index: 3,", "index: x,", "toy.yaml: cutoff: index: here is a whole number expected"),
    ("index: 3,", "index: 31,", "control 31 of the plug-in is set by two entries"),
    ("unit: Hz", "units: Hz", "toy.yaml: cutoff: 'units' is unknown here: choose from index, host"),
    ("default: 0.9", "default: 1.9", "toy.yaml: cutoff: default: 1.9 lies outside 0 to 1"),
    ("default: Saw", "default: Pulse", "toy.yaml: shape: default: 'Pulse' is none of the choices Off, Saw"),
    ("Off, Saw, 4'", "Off, Off, 4'", "toy.yaml: shape: choices: choices are a list of words that differ"),
    ("[1, 2, 1, 1, 1]", "[1, 2, 1]", "toy.yaml: shape: takes one weight for each of its values"),
    ("[0.1, 0.5, 0.9]", "[0.1, 0.5]", "toy.yaml: octave: takes one position from 0 to 1 for each of its values"),
    ("[0.1, 0.5, 0.9]", "[0.1, 0.5, 1.9]", "toy.yaml: octave: takes one position from 0 to 1"),
    ("  depth: {index: 31}", "  Depth: {index: 31}", "toy.yaml: Depth: a name has small letters"),
    ("  depth: {index: 31}", "  any: {index: 31}", "toy.yaml: any: this word has another meaning"),
    ("  depth: {index: 31}", "  shape: {index: 31}", "toy.yaml: line 12: 'shape' appears twice"),
    ("[shape, 40]", "[shaping, 40]", "toy.yaml: setting: first: there is no parameter called 'shaping'"),
    ("[shape, 40]", "[shape, 41]", "toy.yaml: control 41 is to be set first"),
    ("probability: 0.3", "probability: 0", "toy.yaml: cutoff: draw: a constant and its probability come together"),
    ("  octave: {weights", "  octav: {weights", "toy.yaml: published: there is no parameter called 'octav'"),
    ("cutoff: {low: 0.25}", "cutoff: {low: 2.5}", "toy.yaml: published: cutoff: low: 2.5 lies outside 0 to 1"),
    ("cutoff: {low: 0.25}", "cutoff: 0.25", "toy.yaml: published: cutoff: here is a mapping of names to values"),
    ("[1, 0, 1]", "[1, 0]", "toy.yaml: published: octave: takes one weight for each of its values"),
    ("[cutoff], when", "[cutof], when", "toy.yaml: unknown parameters: cutof"),
    ("{shape: [Saw, Off]}", "{shape: Saw}", "toy.yaml: activities: when: shape: here is a list expected, not 'Saw'"),
    ("depth: cutoff}", "depth: octave}", "toy.yaml: symmetries: 'swap' is no permutation"),
    ("value: 1}", "value: 2}", "toy.yaml: fixed: control 40 is set to a normalised value from 0 to 1, not 2"),
    ("title: The toy", "", "toy.yaml: 'title' is missing"),
    ("gain: 0.5", "gain: loud", "toy.yaml: gain: here is a number expected, not 'loud'"),
    ("gain: 0.5", "gain: [0.5", "toy.yaml: line"),
    ("gain: 0.5", "gain: .nan", "toy.yaml: gain: here is a number expected"),
    ("gain: 0.5", "gian: 0.5", "toy.yaml: 'gian' is unknown here"),
]


@pytest.mark.parametrize(("right", "wrong", "message"), MISTAKES)
def test_a_mistake_is_told_with_its_place(tmp_path: Path, right: str, wrong: str, message: str) -> None:
    assert SMALL.count(right) == 1
    with pytest.raises(UserError) as caught:
        load_spec(write(tmp_path, SMALL.replace(right, wrong)))
    assert message in str(caught.value)
    assert str(caught.value).endswith(".")


@pytest.mark.parametrize("content", [b"", b"[1, 2]", b"\xff\xfe\x00", b"\x00", b"name: toy", b"{a: {"])
def test_a_file_that_is_no_spec_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "toy.yaml"
    path.write_bytes(content)
    with pytest.raises(UserError, match=r"toy\.yaml"):
        load_spec(path)
    with pytest.raises(UserError, match="could not be read"):
        load_spec(tmp_path / "missing.yaml")


def test_figures_are_replaced_and_all_else_stays(tmp_path: Path) -> None:
    path = write(tmp_path, SMALL)
    before = load_spec(path)
    save_figures(path, {"noise_floor": 0.25, "renders_per_second": 12.5, "when": "Off"})
    assert path.read_text() == SMALL.replace(
        "  noise_floor: 0.0\n", "  noise_floor: 0.25\n  renders_per_second: 12.5\n  when: 'Off'\n"
    )
    figures = {"noise_floor": 0.25, "renders_per_second": 12.5, "when": "Off"}
    assert load_spec(path) == replace(before, figures=figures)
    save_figures(path, {})
    save_figures(path, figures)
    assert load_spec(path) == replace(before, figures=figures)
    assert "# comments are welcome" in path.read_text()
    assert "# the end" in path.read_text()


def test_names_come_without_reading(tmp_path: Path) -> None:
    (tmp_path / "b.yaml").write_text("{{{")
    (tmp_path / "a.yaml").write_text("")
    (tmp_path / "c.txt").write_text("")
    assert names_in(tmp_path) == ["a", "b"]


fractions = st.floats(0, 1)
words = st.text(st.characters(codec="utf-8", exclude_categories=("Cs", "Cc")), max_size=12)
strange = st.sampled_from(["Off", "no", "1e5", "1:30", "- a", "a: b", "[", "{x}", "#", "~", "", "null", "'", '"', "é"])
texts = st.one_of(words, strange, st.just("two\nlines: yes\n  # indented\n"))


@st.composite
def knobs(draw: Any, name: str, index: int) -> Knob:
    host_name, label, unit = draw(texts), draw(texts), draw(texts)
    kind = draw(st.sampled_from(["continuous", "discrete", "categorical"]))
    if kind == "continuous":
        low, high = sorted(draw(st.tuples(st.integers(0, 100), st.integers(0, 100))))
        bare = Continuous(name, low / 100, high / 100 if high > low else low / 100 + 0.0, 0.0, unit, label)
        low, high, default = bare.low, bare.high, on_grid(bare, draw(fractions))
        parameter = replace(bare, default=default)
        constant = on_grid(bare, draw(fractions))
        rules = [Marginal(), Marginal(low=low, constant=constant, probability=0.25)]
        return Knob(parameter, index, host_name, (), draw(st.sampled_from(rules)))
    count = draw(st.integers(1, 5))
    positions = tuple(draw(st.lists(fractions, min_size=count, max_size=count))) if draw(st.booleans()) else ()
    weights = tuple(draw(st.lists(st.floats(0.1, 9), min_size=count, max_size=count)))
    place = draw(st.integers(0, count - 1))
    if kind == "discrete":
        low = draw(st.integers(-5, 5))
        parameter = Discrete(name, low, low + count - 1, low + place, unit, label, draw(st.integers(-2, 2)))
    else:
        low = 0
        choices = draw(st.lists(texts, min_size=count, max_size=count, unique=True))
        parameter = Categorical(name, tuple(choices), place, label)
    rules = [Marginal(), Marginal(weights=weights), Marginal(constant=low + place, probability=1.0)]
    return Knob(parameter, index, host_name, positions, draw(st.sampled_from(rules)))


def rules(draw: Any, parameter: Parameter) -> Marginal:
    """A rule that keeps to the parameter's range."""
    value = parameter.low if draw(st.booleans()) else parameter.high
    possible = [Marginal(), Marginal(low=value), Marginal(constant=value, probability=0.5)]
    if not isinstance(parameter, Continuous):
        count = parameter.high - parameter.low + 1
        possible.append(Marginal(weights=tuple(draw(st.lists(st.floats(0.1, 9), min_size=count, max_size=count)))))
    return draw(st.sampled_from(possible))


@st.composite
def specs(draw: Any) -> PluginSpec:
    count = draw(st.integers(1, 6))
    names = [f"p{i}" for i in range(count)]
    places = draw(st.lists(st.integers(0, 900), min_size=count + 2, max_size=count + 2, unique=True))
    made = tuple(draw(knobs(name, index)) for name, index in zip(names, places, strict=False))
    fixed = tuple(Fixed(index, draw(fractions), draw(texts)) for index in places[count:])
    some = st.lists(st.sampled_from(names), min_size=1, max_size=3, unique=True).map(tuple)
    values = draw(st.lists(st.sampled_from([made[0].parameter.low, made[0].parameter.high]), max_size=2))
    listed = tuple(float(value) for value in values)
    conditions = [Condition("p0"), Condition("p0", listed), Condition("p0", unless=listed)]
    clauses = st.lists(st.sampled_from([*conditions, Either(tuple(conditions[:2])), Either(())]), max_size=3).map(tuple)
    activity = Activity(draw(some), tuple(draw(st.lists(clauses, max_size=3))))
    order = tuple(draw(st.permutations(names)))
    figures = draw(st.dictionaries(words, st.one_of(fractions, texts), max_size=3))
    reset, reload, restore = draw(st.tuples(st.booleans(), st.booleans(), st.booleans()))
    first, settle, flush, lifetime = places[: count + 1], draw(fractions), draw(fractions), draw(st.integers(0, 9))
    published = draw(st.lists(st.sampled_from(made), max_size=3, unique_by=lambda knob: knob.index))
    return PluginSpec(
        name="toy",
        title=draw(texts),
        plugin=tuple(draw(st.lists(texts, max_size=2))),
        variable=draw(texts),
        knobs=made,
        fixed=fixed,
        setting=Setting(tuple(first), settle, flush, reset, reload, restore, lifetime),
        gain=draw(fractions),
        most_silent=draw(fractions),
        environment=draw(st.dictionaries(texts, texts, max_size=2)),
        blocks=(Block("b", draw(texts), draw(some)), Block("Off", "k", draw(some), draw(texts))),
        activities=(activity,),
        symmetries=(Symmetry(draw(texts), order, tuple(names), (draw(st.sampled_from(conditions)),)),),
        instructions=tuple(draw(st.lists(texts, max_size=3))),
        figures=figures,
        notes=draw(texts),
        published={knob.parameter.name: rules(draw, knob.parameter) for knob in published},
    )


@settings(max_examples=150, deadline=None, derandomize=True)
@given(specs())
def test_every_spec_comes_back_from_its_file(spec: PluginSpec) -> None:
    with tempfile.TemporaryDirectory() as folder:
        save_spec(spec, Path(folder) / "toy.yaml")
        assert load_spec(Path(folder) / "toy.yaml") == spec


def test_a_parameter_takes_one_short_line(tmp_path: Path) -> None:
    spec = load_spec(write(tmp_path, SMALL))
    save_spec(spec, tmp_path / "again.yaml")
    lines = (tmp_path / "again.yaml").read_text().splitlines()
    assert "  depth: {index: 31}" in lines
    assert any(
        line.startswith("  cutoff: {index: 3, host: Cutoff Freq, default: 0.9, unit: Hz, draw:") for line in lines
    )


def test_published_rules_take_the_place_of_the_default_ones(tmp_path: Path) -> None:
    spec = load_spec(write(tmp_path, SMALL))
    default, published = (prior.sample(np.random.default_rng(5), 400) for prior in (spec.prior, spec.published_prior))
    assert np.mean(default[:, 0] == spec.knobs[0].marginal.constant) == pytest.approx(0.3, abs=0.07)
    assert published[:, 0].min() >= 0.25
    assert set(default[:, 2]) == {-1, 0, 1}
    assert set(published[:, 2]) == {-1, 1}
    np.testing.assert_array_equal(default[:, 3], published[:, 3])


def test_a_published_rule_of_no_parameter_is_a_programming_error(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="'cutof', which is no parameter"):
        replace(load_spec(write(tmp_path, SMALL)), published={"cutof": Marginal()})


def test_what_a_file_cannot_hold_is_refused(tmp_path: Path) -> None:
    spec = load_spec(write(tmp_path, SMALL))
    twice = (Block("b", "k", ("depth",)), Block("b", "k", ("cutoff",)))
    for bad in (replace(spec, blocks=twice), replace(spec, gain=float("nan")), replace(spec, name="A B")):
        with pytest.raises(ValueError, match=r"share a name|is wrong"):
            save_spec(bad, tmp_path / "bad.yaml")
    assert not (tmp_path / "bad.yaml").exists()
