import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_array_equal

from wav2patch.errors import UserError
from wav2patch.parameters import Categorical, Continuous, Discrete, Parameter, ParameterSpace, Patch
from wav2patch.structure import Activity, Block, Condition, Either, Symmetry

NAMES = st.lists(st.text("abcdefgh", min_size=1, max_size=4), min_size=1, max_size=8, unique=True)


@st.composite
def spaces(draw: st.DrawFn) -> ParameterSpace:
    return ParameterSpace(tuple(draw(parameters(name)) for name in draw(NAMES)))


@st.composite
def parameters(draw: st.DrawFn, name: str) -> Parameter:
    kind = draw(st.sampled_from(["continuous", "discrete", "categorical"]))
    if kind == "categorical":
        return Categorical(name, tuple("abcdefgh"[: draw(st.integers(2, 8))]))
    low = draw(st.integers(-100, 100))
    high = low + draw(st.integers(1, 200))
    return Continuous(name, low, high, low) if kind == "continuous" else Discrete(name, low, high, low)


def some_patches(space: ParameterSpace, seed: int, count: int = 5) -> Patch:
    generator = np.random.default_rng(seed)
    return space.snap(space.low + generator.random((count, len(space))) * (space.high - space.low))


@given(spaces(), st.integers(0, 2**32))
@settings(deadline=None)
def test_decoding_an_encoding_gives_the_patch_back(space: ParameterSpace, seed: int) -> None:
    patches = some_patches(space, seed)
    encoded = space.encode(patches)
    assert encoded.shape == (5, space.width)
    assert encoded.dtype == np.float32
    assert ((encoded >= 0) & (encoded <= 1)).all()
    decoded = space.decode(encoded)
    exact = ~space.is_continuous
    assert_array_equal(decoded[:, exact], patches[:, exact])
    np.testing.assert_allclose(decoded, patches, atol=1e-4)


@given(spaces(), st.integers(0, 2**32), st.floats(0.1, 100))
@settings(deadline=None)
def test_any_finite_vector_decodes_to_a_valid_patch(space: ParameterSpace, seed: int, scale: float) -> None:
    vectors = scale * np.random.default_rng(seed).standard_normal((4, space.width))
    space.validate(space.decode(vectors))


def test_discrete_values_are_rounded_and_not_truncated() -> None:
    space = ParameterSpace((Discrete("pitch", 48, 72, 60),))
    just_below = (59.999 - 48) / 24
    assert space.decode([just_below])[0] == 60


def test_overshooting_choices_do_not_tie() -> None:
    space = ParameterSpace((Categorical("wave", ("sine", "square", "saw")),))
    assert space.decode([1.2, 1.1, 3.0])[0] == 2


@given(spaces(), st.integers(0, 2**32))
@settings(deadline=None)
def test_names_and_choices_read_back(space: ParameterSpace, seed: int) -> None:
    patch = some_patches(space, seed)[0]
    assert_array_equal(space.from_named(space.named(patch)), patch)


BAD = [
    ("level", 100.0, "level is a whole number from 0 to 99, not 100"),
    ("level", 1.5, "level is a whole number from 0 to 99, not 1.5"),
    ("cutoff", -0.1, "cutoff is from 0.0 to 1.0, not -0.1"),
    ("cutoff", float("nan"), "cutoff is from 0.0 to 1.0, not nan"),
    ("wave", 3.0, "wave is a whole number from 0 to 1, not 3"),
]


@pytest.mark.parametrize(("name", "value", "sentence"), BAD)
def test_a_bad_value_is_refused_by_name(name: str, value: float, sentence: str) -> None:
    space = ParameterSpace((Discrete("level", 0, 99), Continuous("cutoff"), Categorical("wave", ("sine", "saw"))))
    patch = space.default.copy()
    patch[space.index(name)] = value
    with pytest.raises(UserError, match=sentence):
        space.encode(patch)


def test_unknown_names_and_choices_are_refused() -> None:
    space = ParameterSpace((Categorical("wave", ("sine", "saw")), Discrete("level", 0, 9)))
    with pytest.raises(UserError, match="no parameter called 'wavee'"):
        space.from_named({"wavee": "sine"})
    with pytest.raises(UserError, match="wave is one of sine, saw, not 'square'"):
        space.from_named({"wave": "square"})
    with pytest.raises(UserError, match="level takes a number"):
        space.from_named({"level": "loud"})


@pytest.mark.parametrize(
    "broken",
    [
        {"parameters": (Discrete("a", 0, 1), Discrete("a", 0, 1))},
        {"parameters": (Discrete("a", 0, 1),), "blocks": (Block("x", "x", ("b",)),)},
        {"parameters": (Discrete("a", 0, 1),), "activities": (Activity(("a",), ((Condition("b"),),)),)},
        {"parameters": (Discrete("a", 0, 1),), "symmetries": (Symmetry("s", ("a",), ("b",)),)},
    ],
)
def test_an_inconsistent_space_is_refused(broken: dict) -> None:
    with pytest.raises(ValueError, match=r"share a name|unknown parameters: b"):
        ParameterSpace(**broken)


def two_oscillators() -> ParameterSpace:
    fields = [(f"level{k}", f"wave{k}") for k in (1, 2)]
    return ParameterSpace(
        (
            *(p for level, wave in fields for p in (Discrete(level, 0, 9), Categorical(wave, ("sine", "saw")))),
            Categorical("mode", ("one", "both", "off")),
        ),
        activities=(
            Activity(fields[0], ((Condition("mode", (0.0, 1.0)),),)),
            Activity(fields[1], ((Condition("mode", (1.0,)),),)),
            Activity(("wave1",), ((Either((Condition("level1"), Condition("level2"))),),)),
            Activity(("wave2",), ((Condition("level2"),), (Condition("level1", (9.0,)),))),
        ),
        symmetries=(
            Symmetry("swap", (*fields[0], *fields[1]), (*fields[1], *fields[0]), (Condition("mode", (1.0,)),)),
        ),
    )


@pytest.mark.parametrize(
    ("patch", "heard"),
    [
        ([0, 0, 0, 0, 0], [1, 0, 0, 0, 1]),  # level1 alone; its wave is heard only once a level is up
        ([3, 0, 0, 0, 0], [1, 1, 0, 0, 1]),
        ([0, 0, 3, 0, 1], [1, 1, 1, 1, 1]),
        ([9, 0, 0, 0, 1], [1, 1, 1, 1, 1]),
        ([8, 0, 0, 0, 1], [1, 1, 1, 0, 1]),
        ([9, 0, 9, 0, 2], [0, 0, 0, 0, 1]),
    ],
)
def test_activity_follows_its_conditions(patch: list[int], heard: list[int]) -> None:
    space = two_oscillators()
    assert space.active(patch).astype(int).tolist() == heard
    assert space.active([patch, patch]).astype(int).tolist() == [heard, heard]


def test_a_symmetry_permutes_only_where_its_conditions_hold() -> None:
    space = two_oscillators()
    both, one = [1, 0, 2, 1, 1], [1, 0, 2, 1, 0]
    permuted = space.permute([both, one], space.symmetries[0])
    assert permuted.tolist() == [[2, 1, 1, 0, 1], one]


def test_the_digest_changes_with_the_meaning_of_an_encoding() -> None:
    digests = {
        ParameterSpace((parameter,)).digest
        for parameter in (
            Discrete("a", 0, 9),
            Discrete("a", 0, 10),
            Discrete("b", 0, 9),
            Continuous("a", 0, 9),
            Categorical("a", ("0", "9")),
        )
    }
    assert len(digests) == 5
    assert ParameterSpace((Discrete("a", 0, 9),)).digest == ParameterSpace((Discrete("a", 0, 9),)).digest


@pytest.mark.parametrize(
    ("parameter", "value", "text"),
    [
        (Discrete("detune", 0, 14, 7, offset=-7), 10, "+3"),
        (Discrete("detune", 0, 14, 7, offset=-7), 7, "0"),
        (Discrete("transpose", 0, 48, 24, unit="semitones", offset=-24), 12, "-12 semitones"),
        (Categorical("wave", ("sine", "saw")), 1, "saw"),
        (Continuous("cutoff", 20, 20000, unit="Hz"), 440.0, "440 Hz"),
    ],
)
def test_values_read_as_on_the_panel(parameter: Parameter, value: float, text: str) -> None:
    assert parameter.text(value) == text


def test_a_condition_may_exclude_values() -> None:
    bipolar = Activity(("rate",), ((Condition("depth", unless=(0.0,)),),))
    space = ParameterSpace((Continuous("depth", -1, 1), Continuous("rate")), activities=(bipolar,))
    heard = space.active([[0.0, 0.5], [-0.5, 0.5], [1.0, 0.5]])
    assert_array_equal(heard[:, 1], [False, True, True])


@pytest.mark.parametrize(("low", "high"), [(0.09, 0.41), (0.0, 0.1), (-0.3, 0.7), (1e-3, 12.7), (-1e6, 3.3)])
def test_both_ends_of_a_range_are_on_the_grid(low: float, high: float) -> None:
    space = ParameterSpace((Continuous("p", low, high, low),))
    for end in (low, high):
        assert space.snap([end]).tolist() == space.decode(space.encode([end])).tolist() == [end]
