from collections.abc import Callable

import pytest

from wav2patch.drafting.kinds import Described, asked_positions, numbers_in, shape, stepped
from wav2patch.parameters import Categorical, Continuous, Discrete


def described(text: Callable[[float], str], default: float = 0.0, steps: int = 0, name: str = "Thing") -> Described:
    positions = asked_positions(steps)
    return Described(0, name, "", default, positions, tuple(text(p) for p in positions))


def test_words_are_choices_with_their_positions() -> None:
    found = shape(described(lambda p: ("LP", "BP", "HP")[min(int(p * 3), 2)], default=0.5), "filter")
    assert found.parameter == Categorical("filter", ("LP", "BP", "HP"), 1, "Thing")
    assert found.positions[0] == 0
    assert found.positions[1] == 0.5
    assert found.positions[2] == 1
    assert found.told


def test_two_words_or_bits_are_a_switch() -> None:
    assert shape(described(lambda p: str(round(p)), steps=2), "sync").parameter == Categorical(
        "sync", ("Off", "On"), 0, "Thing"
    )
    found = shape(described(lambda p: "yes" if p >= 0.5 else "no", default=1.0), "sync")
    assert found.parameter == Categorical("sync", ("no", "yes"), 1, "Thing")
    assert found.positions == (0.0, 1.0)


def test_whole_numbers_are_a_grid_unless_their_name_says_choice() -> None:
    text = lambda p: f"{round(p * 24) - 12} st"  # noqa: E731
    found = shape(described(text, default=0.5, steps=25), "pitch")
    assert found.parameter == Discrete("pitch", -12, 12, 0, "st", "Thing")
    assert len(found.positions) == 25
    assert isinstance(shape(described(lambda p: str(round(p * 4)), steps=5), "waveform").parameter, Categorical)


def test_numbers_that_are_not_one_apart_are_choices() -> None:
    octaves = ("0.25", "0.5", "1", "2", "4")
    found = shape(described(lambda p: octaves[round(p * 4)], default=0.5, steps=5), "range")
    assert found.parameter == Categorical("range", octaves, 2, "Thing")


def test_many_numbers_are_continuous_and_tell_their_range() -> None:
    found = shape(described(lambda p: f"{20 * 1000**p:.1f} Hz", default=0.25), "cutoff")
    assert isinstance(found.parameter, Continuous)
    assert found.told
    assert found.parameter.label == "Thing (20 to 2e+04 Hz)"
    assert found.parameter.default == pytest.approx(0.25, abs=1e-6)


@pytest.mark.parametrize("text", [lambda p: f"{p:.4f}", lambda p: "0.30", lambda p: ""])
def test_texts_that_tell_nothing_leave_it_to_the_ear(text: Callable[[float], str]) -> None:
    found = shape(described(text, default=0.3), "mystery")
    assert isinstance(found.parameter, Continuous)
    assert not found.told


def test_a_wheel_of_texts_that_repeat_is_not_taken_for_choices() -> None:
    found = shape(described(lambda p: ("a", "b")[int(p * 20) % 2]), "phase")
    assert isinstance(found.parameter, Continuous)


def test_steps_found_by_ear() -> None:
    two = stepped("osc1_saw", "Osc1Saw", [(0.0, 0.48), (0.5, 1.0)], 1.0)
    assert two.parameter == Categorical("osc1_saw", ("Off", "On"), 1, "Osc1Saw")
    assert two.positions == (0.0, 1.0)
    thirds = [(0.0, 0.3), (0.35, 0.65), (0.7, 1.0)]
    many = stepped("octave", "", thirds, 0.4)
    assert many.parameter == Discrete("octave", 0, 2, 1)
    assert many.positions == (0.0, 0.4, 1.0)
    assert isinstance(stepped("lfo_wave", "", thirds, 0.4).parameter, Categorical)


@pytest.mark.parametrize(
    ("texts", "numbers", "unit"),
    [
        (["1 Hz", "2.5 Hz"], [1, 2.5], "Hz"),
        (["900 Hz", "1.2 kHz"], [900, 1200], "Hz"),
        (["-6,5 dB", "−3 dB"], [-6.5, -3], "dB"),
        (["1", "x"], [], ""),
        (["1 ms", "1 s"], [], ""),
    ],
)
def test_numbers_in_texts(texts: list[str], numbers: list[float], unit: str) -> None:
    assert numbers_in(texts) == (numbers, unit)
