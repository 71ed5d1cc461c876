"""A parameter space as a table."""

from __future__ import annotations

from wav2patch.evaluation.space_table import HEAD, draw_space, space_rows
from wav2patch.parameters import Categorical, Continuous, Discrete, ParameterSpace
from wav2patch.structure import Activity, Condition, Either
from wav2patch.synths.catalogue import load_synth

SPACE = ParameterSpace(
    (
        Continuous("cutoff_1", 20.0, 20_000.0, 440.0, "Hz"),
        Discrete("tune", 0, 14, 7, "steps", offset=-7),
        Categorical("mode", ("off", "low|high", "band", "notch", "comb"), 1),
        Categorical("unused", ("a", "b")),
        Continuous("depth"),
    ),
    activities=(
        Activity(("cutoff_1", "tune"), ((Condition("mode", unless=(0.0,)),),)),
        Activity(("tune",), ((Condition("depth"), Either((Condition("mode", (1.0, 2.0, 3.0)), Condition("depth")))),)),
        Activity(("depth",), ((Condition("tune", (3.0,)),), (Condition("mode", (0.0, 4.0)), Condition("cutoff_1")))),
        Activity(("unused",), ()),
    ),
)


def test_every_parameter_is_a_row_of_words() -> None:
    assert space_rows(SPACE) == [
        ["cutoff_1", "continuous", "20 … 20000", "Hz", "440", "mode is not off"],
        ["tune", "discrete", "-7 … +7", "steps", "0",
         "mode is not off and depth > 0 and (mode is not off/comb or depth > 0)"],
        ["mode", "categorical", "off, low|high, band, notch, comb", "", "low|high", ""],
        ["unused", "categorical", "a, b", "", "a", "never"],
        ["depth", "continuous", "0 … 1", "", "0", "tune is -4 steps or (mode is off/comb and cutoff_1 > 20 Hz)"],
    ]  # fmt: skip


def test_markdown_and_latex_have_all_cells_in_their_place() -> None:
    lines = draw_space(SPACE, "markdown").splitlines()
    assert len(lines) == 2 + len(SPACE)
    assert {line.replace("\\|", "").count("|") for line in lines} == {len(HEAD) + 1}
    text = draw_space(SPACE, "latex")
    assert text.startswith(r"\begin{longtable}{llllll}")
    assert r"cutoff\_1 & continuous & 20 \dots{} 20000 & Hz" in text
    assert r"low$|$high" in text
    assert {line.count(" & ") for line in text.splitlines() if line.endswith(r"\\")} == {len(HEAD) - 1}


def test_real_spaces_are_drawn_whole() -> None:
    space = load_synth("dexed").space
    rows = space_rows(space)
    assert [row[0] for row in rows] == list(space.names)
    told = {row[0]: row[-1] for row in rows}
    assert told["oscillator_sync"] == "never"
    assert told["lfo_pitch_depth"] == "lfo_pitch_sensitivity > 0"
    # Operator 1 is heard in every algorithm, so that nothing is said of that.
    assert told["op1_left_depth"] == ""
    assert told["op1_coarse"] == "op1_output_level > 0 or op1_left_depth > 0 or op1_right_depth > 0"
    assert told["pitch_eg_rate_1"].startswith("pitch_eg_level_1 is not 50 or ")
