"""The picture of a data set: all of its statistics on one sheet."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from wav2patch.datasets.shards.layout import FEATURES, NOTE_COLUMNS
from wav2patch.datasets.statistics.feature_picture import draw_feature, feature_height
from wav2patch.datasets.statistics.measure import NEARLY_SILENT, Statistics
from wav2patch.datasets.statistics.parameter_picture import cells_of, draw_parameters, parameters_height
from wav2patch.datasets.statistics.scales import LOUDNESS, PEAK, Scale, note_scales
from wav2patch.datasets.statistics.sheet import ALARM, BAR, FAINT, MARGIN, WARNING, WIDTH, Sheet, bars, title

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_HEAD, _CHARTS = 1.15, 2.45


def draw_statistics(found: Statistics) -> bytes:
    """The sheet as a PNG file: where the rows come from, how loud they are, notes, features, parameters."""
    cells = cells_of(found)
    features = sum(feature_height(one) for one in found.features.values())
    sheet = Sheet(0.5 + _HEAD + _CHARTS + features + parameters_height(cells))
    _draw_head(sheet, found)
    _draw_charts(sheet, found)
    for name, one in found.features.items():
        draw_feature(sheet, name.removeprefix(FEATURES), one, found.recipe.length)
    draw_parameters(sheet, cells)
    return sheet.png()


def _draw_head(sheet: Sheet, found: Statistics) -> None:
    recipe, held = found.recipe, found.holdings
    top = sheet.top
    sheet.write(f"{found.view}: {found.rows:,} rows of {recipe.synth}", size=14, bold=True)
    channels = {1: "mono", 2: "stereo"}.get(recipe.channels, f"{recipe.channels} channels")
    sheet.write(
        f"{recipe.length:g} s, {recipe.sample_rate} Hz, {channels}   ·   prior: {recipe.prior}   ·   "
        f"notes: {recipe.notes}   ·   seed {recipe.seed}"
    )
    shrunk = sum(held.plain.values()) / max(sum(held.stored.values()), 1)
    sheet.write(
        f"{held.shards} shards, {held.file_bytes / 1e6:,.0f} MB, {held.file_bytes / held.rows / 1e3:,.0f} kB a row, "
        f"compressed to 1/{shrunk:.1f}   ·   {rejections(found)}"
    )
    for words, colour in _levels(found):
        sheet.write(words, colour=colour)
    sheet.top = top + _HEAD


def rejections(found: Statistics) -> str:
    """How many draws were rejected on the way to the rows, and why."""
    rejected = found.summary.rejected
    if not rejected:
        return "no draw was rejected"
    reasons = ", ".join(f"{count:,} {reason}" for reason, count in sorted(found.holdings.rejected.items()))
    return f"{rejected:,} of {found.rows + rejected:,} draws rejected (in these shards {reasons})"


def _levels(found: Statistics) -> list[tuple[str, str]]:
    share = found.nearly_silent / found.rows
    told = f"{share:.1%} of the clips are up to {NEARLY_SILENT:g} LUFS, {found.silent} are silent"
    lines = [(told, ALARM if share > 0.05 else FAINT)]
    if found.beyond_full_scale is not None:
        share = found.beyond_full_scale / found.rows
        lines.append((f"{share:.1%} of the clips go beyond full scale", WARNING if share > 0.1 else FAINT))
    return lines


def _draw_charts(sheet: Sheet, found: Statistics) -> None:
    charts: list[tuple[Scale, str]] = [(LOUDNESS, "loudness in LUFS")]
    if "peak" in found.summary.counts:
        charts.append((PEAK, "peak in dB of full scale"))
    shown = ("pitch", "velocity", "onset in s", "duration in s")
    charts += list(zip(note_scales(found.recipe.length), shown, strict=True))
    width = (WIDTH - 2 * MARGIN + 0.35) / len(charts)
    for i, (scale, words) in enumerate(charts):
        axes = sheet.axes(MARGIN + 0.2 + i * width, width - 0.55, _CHARTS - 0.9, below=0.2)
        _draw_scale(axes, scale, found.summary.counts[scale.name], words, _single(found, scale.name))
    sheet.top += _CHARTS


def _draw_scale(axes: Axes, scale: Scale, counts: NDArray[np.int64], words: str, single: float | None) -> None:

    if single is not None:
        title(axes, words)
        axes.text(0.5, 0.5, f"always {single:g}", ha="center", va="center", size=10, transform=axes.transAxes)
        axes.axis("off")
        return
    # What lies outside is drawn at the ends, and named.
    inside = counts[1:-1].copy()
    inside[[0, -1]] += counts[[0, -1]]
    bars(axes, scale.edges, inside, BAR)
    title(axes, words + _outside(scale, counts))


def _outside(scale: Scale, counts: Sequence[int] | NDArray[np.int64]) -> str:
    ends = (("up to", scale.low, counts[0]), ("above", scale.high, counts[-1]))
    return "".join(f"  ({count} {where} {edge:g})" for where, edge, count in ends if count and scale is not LOUDNESS)


def _single(found: Statistics, name: str) -> float | None:
    """The one value that there is."""
    if name in NOTE_COLUMNS:
        moments, place = found.summary.moments["notes"], NOTE_COLUMNS.index(name)
        return float(moments.low[place]) if moments.constant[place] else None
    moments = found.summary.moments[name]
    return float(moments.low) if moments.constant else None
