from __future__ import annotations

import io

import numpy as np
import pytest
import shard_sets
from PIL import Image

from wav2patch.datasets.shards.holdings import Holdings
from wav2patch.datasets.shards.layout import NOTE_COLUMNS
from wav2patch.datasets.statistics.measure import Statistics
from wav2patch.datasets.statistics.moments import Moments
from wav2patch.datasets.statistics.parameter_axes import axes_of_space, count_parameters
from wav2patch.datasets.statistics.parameter_picture import cells_of
from wav2patch.datasets.statistics.picture import draw_statistics
from wav2patch.datasets.statistics.scales import LOUDNESS, PEAK, note_scales
from wav2patch.datasets.statistics.sheet import ALARM, BAR, WARNING, shorten
from wav2patch.datasets.statistics.summary import Summary
from wav2patch.parameters import Categorical, Continuous, Discrete, ParameterSpace


def space(count: int) -> ParameterSpace:
    kinds = (
        lambda name: Continuous(name, 0.0, 2.0, 1.0, "s"),
        lambda name: Categorical(name, ("sine", "saw", "noise")),
        lambda name: Discrete(name, -7, 7),
    )
    return ParameterSpace(tuple(kinds[i % 3](f"parameter_{i}_$of{{many") for i in range(count)))


def found_of(count: int, features: dict[str, np.ndarray], *, peaks: bool = True, rows: int = 40) -> Statistics:
    rng = np.random.default_rng([7, count])
    made = space(count)
    patches = rng.uniform(made.low, made.high, size=(rows, count))
    patches[:, 0] = 0.5
    patches[1:, 3] = 0.5
    encodings = made.encode(made.snap(patches))
    notes = np.column_stack([rng.integers(30, 90, rows), np.full(rows, 100), np.zeros(rows), rng.uniform(0, 9, rows)])
    loudness = rng.normal(-20, 8, rows)
    loudness[:3] = -70
    axes = axes_of_space(made)
    scales = dict(zip(NOTE_COLUMNS, zip(note_scales(4.0), notes.T, strict=True), strict=True))
    scales["loudness"] = (LOUDNESS, loudness)
    if peaks:
        scales["peak"] = (PEAK, loudness + 15)
    counts = {name: scale.count(values) for name, (scale, values) in scales.items()}
    moments = {"parameters": encodings, "notes": notes, "loudness": loudness, "peak": loudness + 15}
    summary = Summary(
        rows,
        {name: Moments.of(values) for name, values in moments.items()}
        | {f"features/{name}": Moments.of(values) for name, values in features.items()},
        counts | {"parameters": count_parameters(axes, encodings)},
        5,
    )
    held = Holdings(2, rows, {"too quiet": 5}, 10_000, {"audio": 9_000}, {"audio": 20_000})
    return Statistics("a set", "all", shard_sets.make_recipe(), axes, summary, held, 1.0)


def mel(channels: int) -> np.ndarray:
    rows = np.random.default_rng(3).normal(-40, 10, size=(40, channels, 16, 21))
    rows[:, :, 3] = -80
    return rows


def colours(png: bytes) -> set[str]:
    image = np.asarray(Image.open(io.BytesIO(png)).convert("RGB"))
    return {f"#{red:02x}{green:02x}{blue:02x}" for red, green, blue in np.unique(image.reshape(-1, 3), axis=0)}


@pytest.mark.parametrize(
    ("count", "features"),
    [
        (7, {}),
        (145, {"log_mel": mel(1)}),
        (600, {"log_mel": mel(2), "pooled": mel(1)[:, 0, 0], "one": mel(1)[:, 0, :1, :1], "deep": mel(2)[:, None]}),
    ],
    ids=["few", "dexed", "many"],
)
def test_there_is_a_picture_of_anything(count: int, features: dict[str, np.ndarray]) -> None:
    png = draw_statistics(found_of(count, features))
    image = Image.open(io.BytesIO(png))
    assert image.width == 1920
    # Whatever there is, it lies on the sheet: below it is a margin, of an inch or so and not a hole.
    pixels = np.asarray(image.convert("L"))
    assert (pixels[-8:] == 255).all()
    assert image.height - (pixels < 255).any(axis=1).nonzero()[0][-1] < 140


def test_what_does_not_vary_stands_out() -> None:
    found = found_of(7, {})
    cells = cells_of(found)
    assert [cell.colour in (ALARM, WARNING) for cell in cells] == [True, False, False, True, False, False, False]
    assert cells[0].constant
    assert cells[0].note == "always 0.5"
    assert cells[3].note.endswith("98%")
    assert {ALARM, WARNING, BAR} <= colours(draw_statistics(found))


def test_the_picture_depends_on_the_statistics_alone() -> None:
    one, same, other = (draw_statistics(found_of(count, {})) for count in (7, 7, 8))
    assert one == same != other


def test_clips_that_were_not_read_leave_no_gap_and_no_error() -> None:
    found = found_of(7, {}, peaks=False)
    assert found.beyond_full_scale is None
    assert draw_statistics(found).startswith(b"\x89PNG")


def test_long_names_keep_both_ends() -> None:
    assert shorten("modulation_matrix_slot_11", 25) == "modulation_matrix_slot_11"
    short = shorten("a_modulation_matrix_slot_11_amount", 20)
    assert len(short) == 20
    assert short.startswith("a_modulati")
    assert short.endswith("1_amount")
