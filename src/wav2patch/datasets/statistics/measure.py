"""Statistics of a view in one pass: what its features are standardised by, and what its rows are like."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from wav2patch.datasets.crew import in_order
from wav2patch.datasets.recipes.recipe import Recipe
from wav2patch.datasets.shards.holdings import Holdings, weigh
from wav2patch.datasets.shards.layout import AUDIO, FEATURES
from wav2patch.datasets.shards.open_shards import OpenShards
from wav2patch.datasets.statistics.moments import Moments
from wav2patch.datasets.statistics.parameter_axes import ParameterAxis, axes_of_names, axes_of_space, split_counts
from wav2patch.datasets.statistics.scales import LOUDNESS, PEAK
from wav2patch.datasets.statistics.summary import Summarise, Summary, blocks
from wav2patch.datasets.views.places import data_set_of, load_known_synth
from wav2patch.datasets.views.view import View
from wav2patch.rendering.choose import available_cores

NEARLY_SILENT = -55.0
"""LUFS below which a clip counts as nearly silent: the papers' gate."""

# Rows that are worth starting a process for.
_ROWS_A_WORKER = 5_000


@dataclass(frozen=True, eq=False)
class Statistics:
    """What was measured of a view.

    Attributes:
        view: Its address.
        name: Its name.
        recipe: Of its data set.
        axes: Its parameters.
        summary: Of its rows.
        holdings: Of the shards that it cuts from.
        seconds: That it took.
    """

    view: str
    name: str
    recipe: Recipe
    axes: tuple[ParameterAxis, ...]
    summary: Summary
    holdings: Holdings
    seconds: float

    @property
    def rows(self) -> int:
        """Of the view."""
        return self.summary.rows

    @cached_property
    def features(self) -> Mapping[str, Moments]:
        """By field, ``"features/NAME"``."""
        return {name: one for name, one in self.summary.moments.items() if name.startswith(FEATURES)}

    @cached_property
    def parameters(self) -> list[tuple[ParameterAxis, NDArray[np.int64]]]:
        """Each with its histogram."""
        return list(zip(self.axes, split_counts(self.axes, self.summary.counts["parameters"]), strict=True))

    @property
    def silent(self) -> int:
        """Rows that are silent to BS.1770."""
        return int(self.summary.counts["loudness"][0])

    @property
    def nearly_silent(self) -> int:
        """Rows up to `NEARLY_SILENT`, the silent ones among them."""
        counts = self.summary.counts["loudness"]
        return int(counts[: np.searchsorted(LOUDNESS.edges, NEARLY_SILENT) + 1].sum())

    @property
    def beyond_full_scale(self) -> int | None:
        """Rows with a sample beyond full scale; None if clips were not read."""
        peaks = self.summary.counts.get("peak")
        return None if peaks is None else int(peaks[np.searchsorted(PEAK.edges, 0.0) + 1 :].sum())

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Of every feature ``features/NAME/mean``, ``…/std``, ``…/min`` and ``…/max``, float64 of the row's shape."""
        found: dict[str, NDArray[Any]] = {"rows": np.array(self.rows), "recipe": np.array(self.recipe.to_json())}
        for name, one in self.features.items():
            found |= {f"{name}/mean": one.mean, f"{name}/std": one.std, f"{name}/min": one.low, f"{name}/max": one.high}
        return found


def measure(
    view: View,
    *,
    clips: bool = True,
    workers: int | None = None,
    report: Callable[[int, int], None] = lambda done, of: None,
) -> Statistics:
    """Read a view once, from its first row to its last.

    Args:
        view: What is measured.
        clips: Whether audio is read too, for its peaks; it takes most of the time.
        workers: Processes; by default one a core, as far as there are rows for them. The result does not depend on it.
        report: Is told how many rows are done, of how many.

    Raises:
        UserError: A file is missing or damaged, or a value is not a finite number.
    """
    started = time.perf_counter()
    view.check()
    synth = load_known_synth(view.recipe, data_set_of(view))
    axes = axes_of_space(synth.space) if synth else axes_of_names(view.recipe.parameters)
    count = workers or max(min(available_cores(), len(view) // _ROWS_A_WORKER), 1)
    summary: Summary | None = None
    for part in in_order(Summarise(view, axes, clips and AUDIO in view.fields), blocks(len(view)), count):
        summary = summary.merge(part) if summary else part
        report(summary.rows, len(view))
    assert summary is not None
    holdings = weigh(OpenShards(view.storage, view.recipe), view.paths)
    return Statistics(view.address, view.name, view.recipe, axes, summary, holdings, time.perf_counter() - started)
