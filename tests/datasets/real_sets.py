"""Small data sets as `wav2patch data generate` makes them, so that their rows come out the same again."""

from __future__ import annotations

import contextlib
from pathlib import Path

from wav2patch.datasets.recipes.plan import make_plan
from wav2patch.datasets.recipes.wishes import Wishes
from wav2patch.datasets.shards.generate import generate
from wav2patch.datasets.storage.base import open_storage
from wav2patch.datasets.views.view import open_view
from wav2patch.datasets.views.view_file import Extent, ViewContent, write_view_file
from wav2patch.rendering.choose import make_renderer
from wav2patch.synths.catalogue import load_synth


def make_real_set(folder: Path, **wishes: object) -> Path:
    """A set of Dexed: two shards of six rows of half a second, in about a second."""
    wanted = Wishes(**{
        "count": 12, "shard_rows": 6, "length": 0.5, "notes": "wide latest=0.1 longest=0.3", "gate": "-40", **wishes
    })  # type: ignore[arg-type]  # fmt: skip
    synth = load_synth(wanted.synth)
    with contextlib.closing(make_renderer(synth, 1)) as renderer:
        generate(make_plan(wanted, synth, renderer), open_storage(folder), renderer)
    return folder


CUT = (Extent("shards/shard-000000.h5", 2, 4), Extent("shards/shard-000001.h5", 0, 2))
"""The last four rows of the first shard, and the first two of the second one."""


def cut_view(folder: Path, name: str = "train", extents: tuple[Extent, ...] = CUT) -> Path:
    """A view of some rows."""
    whole = open_view(folder)
    write_view_file(folder / f"{name}.h5", ViewContent(name, whole.recipe, extents, whole.fields))
    return folder / f"{name}.h5"
