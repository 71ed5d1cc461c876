"""`wav2patch match`: sounds in, presets out."""

from __future__ import annotations

import contextlib
import shlex
import signal
import sys
from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from wav2patch.cli.console import fail, out, print_json, printable, progress_console
from wav2patch.errors import UserError

if TYPE_CHECKING:
    from wav2patch.matching.evaluator import Progress
    from wav2patch.matching.result import Match
    from wav2patch.synths.base import Synth


def command(
    sounds: Annotated[
        list[Path], typer.Argument(metavar="SOUND", help="Recordings of one note: wav, flac, ogg, mp3, aiff.")
    ],
    synth: Annotated[str, typer.Option(help="The synth to match on: see `wav2patch synths list`.")] = "dexed",
    out_folder: Annotated[Path, typer.Option("--out", metavar="DIR", help="Each sound gets a folder in here.")] = Path(
        "matches"
    ),
    candidates: Annotated[int, typer.Option(min=1, max=32, help="How many different patches to find.")] = 3,
    budget: Annotated[
        str | None, typer.Option(metavar="TIME", help="How long to search: 30s, 5m.  \\[default: 60s]")
    ] = None,
    renders: Annotated[
        int | None, typer.Option(min=1, help="Search for so many renders; without --budget, repeatable exactly.")
    ] = None,
    note: Annotated[str, typer.Option(help="The note that is played: auto, 60 or C4.")] = "auto",
    velocity: Annotated[int, typer.Option(min=1, max=127, help="How hard the key is struck.")] = 100,
    hold: Annotated[
        float | None, typer.Option(metavar="SECONDS", help="How long the key is held.  \\[default: as heard]")
    ] = None,
    presets: Annotated[
        list[Path] | None, typer.Option(metavar="FOLDER", help="Start from your own presets too; may be repeated.")
    ] = None,
    prior: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Draw from statistics that `wav2patch prior fit` made.")
    ] = None,
    seed: Annotated[int, typer.Option(min=0, help="Another seed finds other patches.")] = 0,
    workers: Annotated[int | None, typer.Option(min=1, help="Renders side by side.  \\[default: one a core]")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object and nothing else.")] = False,
) -> None:
    """Find the patches that make a sound, and write them as preset files.

    For every SOUND, DIR/<sound>/ then holds the candidates' presets and audio, match.json, and report.html with
    everything to see and hear. Ctrl-C ends the search early and keeps the best found so far.

    Examples:
      wav2patch match bass.wav

      wav2patch match bell.flac --budget 3m --presets ~/dx7-banks

      wav2patch match lead.wav --note A3 --renders 6000 --seed 1
    """
    from wav2patch.matching.budget import parse_duration
    from wav2patch.priors import load_prior
    from wav2patch.synths.catalogue import load_synth

    engine = load_synth(synth)
    options = {
        "candidates": candidates,
        "seconds": None if budget is None else parse_duration(budget),
        "renders": renders,
        "presets": presets or [],
        "prior": None if prior is None else load_prior(engine.space, prior),
        "seed": seed,
        "workers": workers,
    }
    heard = {"note": note, "velocity": velocity, "hold": hold}
    results, failed = [], False
    for sound, folder in _folders(sounds, out_folder):
        try:
            found = _match_one(sound, engine, folder, heard, options)
        except UserError as error:
            fail(str(error))
            failed = True
            continue
        results.append((found, folder))
        if not as_json:
            _summarise(found, folder)
        if found.stopped:
            break
    if as_json:
        from wav2patch.matching.store import as_dictionary

        print_json({"matches": [{"folder": printable(f), **as_dictionary(found)} for found, f in results]})
    if failed:
        raise typer.Exit(2)


def _folders(sounds: list[Path], out_folder: Path) -> list[tuple[Path, Path]]:
    """Every different sound with a folder of its own: its stem, its name, or its name with a number."""
    different = list({sound.resolve(): sound for sound in sounds}.values())
    stems = [sound.stem for sound in different]
    taken: dict[str, Path] = {}
    for sound in different:
        name = sound.stem if stems.count(sound.stem) == 1 else sound.name
        numbered = (f"{name}-{i}" for i in count(2))
        while name in taken:
            name = next(numbered)
        taken[name] = sound
    return [(sound, out_folder / name) for name, sound in taken.items()]


def _match_one(sound: Path, synth: Synth, folder: Path, heard: dict[str, Any], options: dict[str, Any]) -> Match:
    from wav2patch.audio.target import listen
    from wav2patch.files import check_folder
    from wav2patch.matching.match import match
    from wav2patch.matching.store import save_match
    from wav2patch.report.page import write_report

    target = listen(sound, **heard)
    # Before the search and not after it: a minute's work should not end at a folder that cannot be written.
    check_folder(folder)
    with _first_interrupt_only(), _progress(sound.name) as report:
        found = match(target, synth, report=report, **options)
        save_match(found, folder)
        write_report(found, folder / "report.html", command=printable(shlex.join(["wav2patch", *sys.argv[1:]])))
    return found


@contextlib.contextmanager
def _first_interrupt_only() -> Iterator[None]:
    """Ctrl-C ends the search; a second one must not end the writing of what it found."""

    def stop(number: int, frame: object) -> None:
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        print("stopping: writing the best found so far …", file=sys.stderr)
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGINT, stop)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


@contextlib.contextmanager
def _progress(name: str) -> Iterator[Callable[[Progress], None]]:
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

    columns = (
        TextColumn("{task.description}", style="bold", markup=False),
        BarColumn(),
        TimeElapsedColumn(),
        TextColumn("{task.fields[renders]:>6} renders   best {task.fields[best]}"),
    )
    console = progress_console()
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as bar:
        task = bar.add_task(printable(name), total=1.0, renders=0, best="…")

        def report(progress: Any) -> None:
            best = f"{progress.best:.2f} dB"
            bar.update(task, completed=progress.fraction, renders=progress.renders, best=best)

        yield report


def _summarise(found: Match, folder: Path) -> None:
    from rich.table import Table

    from wav2patch.matching.candidates import pitch_is_right
    from wav2patch.matching.store import preset_path
    from wav2patch.notes import pitch_name

    console, note = out(), found.sound.note
    pitch = f"{pitch_name(note.pitch)}" if found.target.frequency else f"{pitch_name(note.pitch)} (no pitch heard)"
    name = printable(Path(found.target.source).name)
    console.print(f"{name}: {pitch}, held {note.duration:.2f} s, on {found.synth.title}", style="bold")
    for remark in found.target.remarks:
        console.print(f"  • {remark}")
    table = Table(box=None, pad_edge=False, show_edge=False)
    for column in ("distance", "pitch", "preset"):
        table.add_column(column)
    for candidate in found.candidates:
        cents = candidate.panel.get("f0")
        heard = "–" if cents is None else f"{round(cents):+d} cents"
        wrong = "" if pitch_is_right(found.target.frequency, candidate.frequency) else " (out of tune: put back)"
        table.add_row(f"{candidate.distance:.2f} dB", heard + wrong, printable(preset_path(found, candidate, folder)))
    console.print(table)
    early = ", stopped by you" if found.stopped else ""
    presets = f", {found.rendered['presets']} of them your presets" if found.rendered.get("presets") else ""
    console.print(f"{found.renders} renders{presets} in {found.seconds:.0f} s{early}.")
    console.print(f"Listen and compare: {printable(folder / 'report.html')}")
