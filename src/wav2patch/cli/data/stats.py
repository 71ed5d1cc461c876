"""`wav2patch data stats`: what the rows of a data set are like."""

from __future__ import annotations

import dataclasses
import functools
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from wav2patch.datasets.statistics.measure import Statistics


@dataclasses.dataclass(frozen=True)
class Measuring:
    """Settings of `wav2patch data stats`."""

    clips: Annotated[bool, "Whether to read stored audio too, for its peaks: most of the time."] = True
    picture: Annotated[bool, "Whether to draw the picture."] = True
    workers: Annotated[int | None, "Processes; one a core by default, where there are rows enough for them."] = None


def command(
    view: Annotated[str, typer.Argument(metavar="VIEW", help="A view such as train.h5, or the folder of a data set.")],
    settings: Annotated[
        list[str] | None, typer.Argument(metavar="[KEY=VALUE…]", help="Settings; the table below has all.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object and nothing else.")] = False,
) -> None:
    """Measure the features, parameters, notes and levels of all rows, in one pass.

    Beside train.h5 it writes train.stats.npz (mean and standard deviation of every feature bin, as
    features/NAME/mean and …/std), train.stats.json (all the rest) and train.stats.png (a picture of it);
    beside a whole data set stats.npz, stats.json and stats.png. A bin that never varies has a deviation of 0; what
    standardises divides it by 1, so that it becomes 0.

    Examples:
      wav2patch data stats dexed-100k/train.h5

      wav2patch data stats s3://bucket/set/train.h5 clips=no
    """
    from wav2patch.cli.console import print_json
    from wav2patch.cli.data.progress import row_progress
    from wav2patch.cli.keys import read_keys
    from wav2patch.datasets.statistics.files import save_statistics
    from wav2patch.datasets.statistics.measure import measure
    from wav2patch.datasets.statistics.words import describe
    from wav2patch.datasets.views.view import open_view
    from wav2patch.errors import UserError

    wanted = read_keys(Measuring, settings or [])
    if wanted.workers is not None and wanted.workers < 1:
        raise UserError(f"workers is 1 or more, not {wanted.workers}.")
    opened = open_view(view)
    with row_progress() as report:
        told = functools.partial(report, view)
        found = measure(opened, clips=wanted.clips, workers=wanted.workers, report=told)
    names = save_statistics(found, opened, _picture(found) if wanted.picture else None)
    files = [f"{opened.storage.address}/{name}" for name in names]
    if as_json:
        print_json(describe(found) | {"files": files})
    else:
        _print(found, files)


def _picture(found: Statistics) -> bytes:
    from wav2patch.datasets.statistics.picture import draw_statistics

    return draw_statistics(found)


def _print(found: Statistics, files: list[str]) -> None:
    from wav2patch.cli.console import out, printable
    from wav2patch.datasets.statistics.picture import rejections
    from wav2patch.datasets.statistics.words import describe

    content, console = describe(found), out()
    loudness = content["loudness"]
    console.print(f"{printable(found.view)}: {found.rows} rows, {rejections(found)}", style="bold")
    console.print(
        f"loudness {loudness['mean']:.1f} ± {loudness['std']:.1f} LUFS, {loudness['min']:.1f} to "
        f"{loudness['max']:.1f}; {found.nearly_silent} nearly silent, {found.silent} silent"
    )
    if found.beyond_full_scale is not None:
        console.print(f"peak up to {content['peak']['max']:.1f} dB of full scale; {found.beyond_full_scale} go beyond")
    for name, moments in content["features"].items():
        console.print(
            f"{printable(name)}: {moments['mean']:.2f} ± {moments['std']:.2f}, {moments['min']:.1f} to "
            f"{moments['max']:.1f}; {moments['zero_variance']} bins never vary"
        )
    same = [one["name"] for one in content["parameters"] if one["never_varies"]]
    listed = f": {', '.join(same[:8])}{', …' if len(same) > 8 else ''}" if same else ""
    console.print(f"{len(found.axes)} parameters; {len(same)} never vary{printable(listed)}")
    console.print(f"{found.rows / found.seconds:.0f} rows/s → {printable(', '.join(files))}")
