"""Tables, values and pictures of an evaluation whose numbers are known."""

from __future__ import annotations

import csv
import io
import json
import math
from pathlib import Path

import numpy as np
import pytest
from numpy.testing import assert_allclose

from wav2patch.evaluation import table, text_tables
from wav2patch.evaluation.columns import PANEL_COLUMNS
from wav2patch.evaluation.files import write_evaluation
from wav2patch.evaluation.intervals import Estimate, mean_estimate
from wav2patch.evaluation.parameter_scores import ParameterScorer
from wav2patch.evaluation.pictures import draw_row
from wav2patch.evaluation.results import Evaluation, MethodResults
from wav2patch.parameters import Categorical, Continuous, Discrete, ParameterSpace
from wav2patch.structure import Activity, Condition

SPACE = ParameterSpace(
    (Continuous("level"), Discrete("tune", 0, 4), Categorical("wave", ("sine", "saw"))),
    activities=(Activity(("tune",), ((Condition("level"),),)),),
)
TRUTH = np.array([[0.0, 2.0, 1.0], [1.0, 0.0, 0.0], [0.5, 4.0, 0.0]])
GUESS = np.array([[0.5, 3.0, 1.0], [1.0, 0.0, 1.0], [0.25, 1.0, 0.0]])


def method(patches: np.ndarray, sounds: dict[str, list[float]], failures: dict[int, str]) -> MethodResults:
    scorer = ParameterScorer(SPACE)
    values = {one.name: np.array(sounds.get(one.name, [1.0, 2.0, 3.0])) for one in PANEL_COLUMNS}
    values |= scorer(TRUTH, patches)
    broken = len(failures)
    return MethodResults(patches, (None,) * 3, values, scorer.by_parameter(TRUTH, patches), failures, 3, broken)


@pytest.fixture
def evaluation() -> Evaluation:
    signed = {"loudness": [-3.0, 3.0, math.nan], "f0": [math.nan] * 3, "mss": [1.0, 2.0, math.nan]}
    methods = {
        "truth": method(TRUTH, {"mss": [0.0, 0.0, 0.0]}, {}),
        "run_1 | 50%": method(GUESS, signed, {2: "RuntimeError: crashed"}),
    }
    columns = (*PANEL_COLUMNS, *ParameterScorer(SPACE).columns)
    indices = np.array([7, 9, 12])
    return Evaluation("set/test.h5", "toy", SPACE, 4, 2, PANEL_COLUMNS[0], columns, indices, TRUTH, methods, 0.7)


def test_parameters_are_measured_in_the_papers_scale(evaluation: Evaluation) -> None:
    values = evaluation.methods["run_1 | 50%"].values
    # Columns: level, tune, and two of wave. In [−1, 1]: (1, 0.5, 0, 0), (0, 0, 2, 2), (0.5, 1.5, 0, 0).
    assert_allclose(values["mse"], [1.25 / 4, 8 / 4, 2.5 / 4])
    assert_allclose(values["mae"], [1.5 / 4, 1.0, 2.0 / 4])
    assert_allclose(values["choices"], [1, 0, 1])
    assert_allclose(values["steps_exact"], [0, 1, 0])
    assert_allclose(values["steps_near"], [1, 1, 0])
    # At level 0 the tuning cannot be heard.
    assert_allclose(values["audible_mse"], [1.0 / 3, 8 / 4, 2.5 / 4])
    assert_allclose(values["audible_steps_exact"], [np.nan, 1, 0])


def test_parameters_are_told_by_name(evaluation: Evaluation) -> None:
    lines = [one for one in evaluation.parameters() if one["method"] != "truth"]
    assert [(one["parameter"], one["kind"]) for one in lines] == [
        ("level", "continuous"), ("tune", "discrete"), ("wave", "categorical")
    ]  # fmt: skip
    assert_allclose([one["mean"] for one in lines], [0.5, 2.0 / 3, 2 / 3])
    assert [one["audible_rows"] for one in lines] == [3, 2, 3]
    assert_allclose(lines[1]["audible"], 0.75)
    assert lines[2]["measure"] == "accuracy"


def test_cells_have_two_figures_of_the_interval() -> None:
    def of(value: float, half: float) -> str:
        return table.cell(Estimate(value, value - half, value + half, 9))

    assert of(3.1812, 0.0617) == "3.181 ± 0.062"
    assert of(166.2, 42.3) == "166 ± 42"
    assert of(1.0, 0.0) == "1.00 ± 0.00"
    assert of(1.784e-5, 1.9e-5) == "1.8e-05 ± 2e-05"
    assert table.cell(mean_estimate(np.array([2.5]))) == "2.5"
    assert table.cell(mean_estimate(np.array([]))) == "–"


def test_signed_metrics_are_shown_by_their_size(evaluation: Evaluation) -> None:
    column = next(one for one in PANEL_COLUMNS if one.name == "loudness")
    assert column.heading == "|loudness| (LU) ↓"
    assert evaluation.mean("run_1 | 50%", column) == Estimate(3.0, 3.0, 3.0, 2)
    assert evaluation.items()[0]["methods"]["run_1 | 50%"]["loudness"] == -3.0


def test_markdown_says_what_was_measured_and_what_failed(evaluation: Evaluation) -> None:
    text = table.to_markdown(evaluation)
    assert "# toy: 3 rows of set/test.h5" in text
    assert "Best of 2 proposals, chosen by Distance to the target" in text
    assert "Two renders of one patch differ by 0.7 dB" in text
    assert "could not be rendered: 1 of run_1 | 50%" in text
    row = next(line for line in text.splitlines() if line.startswith("| run_1"))
    assert row.startswith("| run_1 \\| 50% | 2.0 ± 2.5 | 1.5 ± 6.4 |")
    assert row.endswith("| – | 1 |")


def test_latex_escapes_what_means_something_there(evaluation: Evaluation) -> None:
    text = table.to_latex(evaluation)
    assert r"run\_1 $|$ 50\% & 2.0 $\pm$ 2.5" in text
    assert r"mss (dB) $\downarrow$" in text
    assert text.count(r"\begin{tabular}") == text.count(r"\end{tabular}") == 2
    assert "↓" not in "".join(line for line in text.splitlines() if not line.startswith("%"))
    assert text_tables.latex(["a\\b"], [["~^{}&"]]).splitlines()[2] == r"a\textbackslash{}b \\"


def test_csv_can_be_read_back(evaluation: Evaluation) -> None:
    lines = list(csv.DictReader(io.StringIO(table.to_csv(evaluation))))
    assert len(lines) == len(evaluation.columns) * 2
    line = next(one for one in lines if one["method"] == "run_1 | 50%" and one["metric"] == "mse")
    assert_allclose(float(line["mean"]), evaluation.methods["run_1 | 50%"].values["mse"].mean())
    assert line["mean_rows"] == "3"
    missing = next(one for one in lines if one["method"] == "run_1 | 50%" and one["metric"] == "f0")
    assert (missing["mean"], missing["mean_rows"]) == ("", "0")


def test_every_figure_can_be_worked_out_from_the_items(evaluation: Evaluation) -> None:
    content = json.loads(table.to_json(evaluation))
    assert [item["row"] for item in content["items"]] == [0, 1, 2]
    assert [item["index"] for item in content["items"]] == [7, 9, 12]
    for name, found in content["methods"].items():
        for column in evaluation.columns:
            values = [item["methods"][name][column.name] for item in content["items"]]
            known = np.array([abs(v) if column.signed else v for v in values if v is not None])
            figures = found["metrics"][column.name]
            assert figures["mean_rows"] == len(known)
            if len(known):
                assert_allclose(figures["mean"], known.mean(), atol=1e-12)
                assert_allclose(figures["median"], np.median(known), atol=1e-12)
    assert content["methods"]["run_1 | 50%"]["failed"] == 1


def test_files_are_whole_and_the_same_again(evaluation: Evaluation, tmp_path: Path) -> None:
    paths = write_evaluation(evaluation, tmp_path / "a")
    again = write_evaluation(evaluation, tmp_path / "b")
    for one, other in zip(paths, again, strict=True):
        assert one.read_bytes() == other.read_bytes(), one.name
    with np.load(tmp_path / "a" / "patches.npz", allow_pickle=False) as file:
        assert file["methods"].tolist() == ["truth", "run_1 | 50%"]
        assert np.array_equal(file["method_1"], GUESS)
        assert np.array_equal(file["truth"], TRUTH)
        assert file["index"].tolist() == [7, 9, 12]
    assert (tmp_path / "a" / "boxes.png").read_bytes().startswith(b"\x89PNG")


@pytest.mark.parametrize("samples", [1_024, 22_050])
@pytest.mark.parametrize("level", [0.0, 0.5])
def test_rows_are_drawn_short_or_long_silent_or_not(samples: int, level: float) -> None:
    sound = level * np.sin(np.arange(samples) / 9.0)[None].astype(np.float32)
    picture = draw_row({"target": sound, "match": 0.5 * sound}, 44_100, "a row")
    assert picture.startswith(b"\x89PNG")
    assert len(picture) > 4_000


@pytest.mark.parametrize(
    ("value", "half", "shown"),
    [
        (3.1834, 0.0612, "3.183 ± 0.061"),
        (0.66712, 0.0008, "0.66712 ± 0.00080"),
        (12.14637, 0.0006, "12.14637 ± 0.00060"),
        (8.5e-6, 1.2e-4, "8.5e-06 ± 0.0001"),
        (0.999999999986, 3.4e-12, "1.000000 ± 3e-12"),
        (2.0, 0.0, "2.00 ± 0.00"),
        (2.3456, math.nan, "2.35"),
        (math.nan, math.nan, "–"),
    ],
)
def test_a_mean_has_the_places_of_its_interval(value: float, half: float, shown: str) -> None:
    assert table.cell(Estimate(value, value - half, value + half, 9)) == shown
