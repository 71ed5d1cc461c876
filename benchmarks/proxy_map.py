r"""A map of what proxies expect and what is heard, by UMAP: do patches lie where their sounds do?

    pip install umap-learn
    python benchmarks/proxy_map.py proxies/test.h5 --out results --proxy hn_oh=RUN/checkpoints/last.ckpt --proxy …

Embeddings of the view's sounds are laid out in two dimensions (McInnes et al., 2018), as Combes et al. (JAES 2025) do;
those that each proxy expects of the patches are placed among them. Points have the colour of a parameter, `--label`:
by its choices, or its value. Written is `proxy_map.png`.
"""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.colors import ListedColormap
from matplotlib.figure import Figure
from numpy.typing import NDArray

from proxies import expected_of, proxy_of, read
from wav2patch.datasets.views.view import open_view
from wav2patch.files import atomic_path
from wav2patch.parameters import ParameterSpace
from wav2patch.synths.catalogue import load_synth

FEW = 10
"""Choices that have colours of their own."""


def lay_out(
    heard: NDArray[np.float64], expected: Mapping[str, NDArray[np.float64]], neighbours: int
) -> dict[str, NDArray[np.float32]]:
    """Places ``(n, 2)`` of sounds, and of what proxies expect on the same map."""
    try:
        from umap import UMAP  # noqa: PLC0415 - no other benchmark needs it
    except ImportError as error:
        raise SystemExit("this map takes UMAP: pip install umap-learn") from error
    # One thread and a seed: the same map every time.
    mapping = UMAP(n_neighbors=neighbours, random_state=0, n_jobs=1).fit(heard)
    places = {"sounds": mapping.embedding_}
    return places | {name: mapping.transform(one) for name, one in expected.items()}


def draw(places: Mapping[str, NDArray[np.float32]], values: NDArray[np.float64], said: Sequence[str], what: str,
         path: Path) -> None:  # fmt: skip
    """A panel each, all with the same limits."""
    across = min(3, len(places))
    down = -(-len(places) // across)
    figure = Figure(figsize=(3.4 * across, 3.4 * down), dpi=120, layout="constrained")
    grid = figure.subplots(down, across, squeeze=False, sharex=True, sharey=True)
    panels: list[Axes] = [axes for row in grid for axes in row]
    colours = ListedColormap(colormaps["tab10"](np.arange(len(said)))) if said else colormaps["viridis"]
    limits = {"vmin": -0.5, "vmax": len(said) - 0.5} if said else {}
    for axes in panels:
        axes.set_axis_off()
    points = None
    for axes, (name, two) in zip(panels, places.items(), strict=False):
        points = axes.scatter(*two.T, c=values, cmap=colours, s=3, linewidths=0, alpha=0.7, **limits)
        axes.set_title(name, size=9)
    assert points is not None
    bar = figure.colorbar(points, ax=panels, shrink=0.6, label=what)
    if said:
        bar.set_ticks(list(range(len(said))), labels=list(said))
    bar.ax.tick_params(labelsize=7)
    with atomic_path(path) as temporary:
        figure.savefig(temporary, format="png", metadata={"Software": None})


def label_of(space: ParameterSpace, encodings: NDArray[np.float32], name: str) -> tuple[NDArray[np.float64], list[str]]:
    """Numbers that are drawn as colours, and the choices they stand for, where these are few."""
    if name not in space.names:
        raise SystemExit(f"there is no parameter {name!r}: `wav2patch parameters table` lists them.")
    values = space.decode(encodings)[:, space.names.index(name)]
    different = np.unique(values)
    if len(different) > FEW:
        return values, []
    texts = [str(space.named(patch)[name]) for patch in _with(space, name, different)]
    return np.searchsorted(different, values).astype(np.float64), texts


def _with(space: ParameterSpace, name: str, values: NDArray[np.float64]) -> NDArray[np.float64]:
    patches = np.repeat(space.default[None], len(values), axis=0)
    patches[:, space.names.index(name)] = values
    return patches


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("view", help="test view with the embedding")
    parser.add_argument("--proxy", action="append", required=True, help="NAME=CHECKPOINT; may be given several times")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--feature", default="mel128", help="the embedding")
    parser.add_argument("--label", default="algorithm", help="a parameter")
    parser.add_argument("--rows", type=int, default=4_000)
    parser.add_argument("--neighbours", type=int, default=30)
    options = parser.parse_args()
    view = open_view(options.view)
    encodings, heard = read(view, options.feature, options.rows)
    named = dict(one.split("=", 1) for one in options.proxy)
    expected = {name: expected_of(proxy_of(Path(path)), encodings) for name, path in named.items()}
    values, said = label_of(load_synth(view.recipe.synth).space, encodings, options.label)
    options.out.mkdir(parents=True, exist_ok=True)
    draw(lay_out(heard, expected, options.neighbours), values, said, options.label, options.out / "proxy_map.png")
    print(f"written: {options.out / 'proxy_map.png'}")


if __name__ == "__main__":
    main()
