"""`wav2patch match`: sounds in, presets out."""

from __future__ import annotations

import shlex
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from wav2patch.cli.console import fail, note_aside, print_json, printable
from wav2patch.cli.progress import first_interrupt_only, search_progress
from wav2patch.cli.sounds import own_folders
from wav2patch.cli.summary import summarise, summarise_ranking
from wav2patch.errors import UserError

if TYPE_CHECKING:
    from wav2patch.matching.proposers import Proposer
    from wav2patch.matching.result import Match
    from wav2patch.priors import Prior
    from wav2patch.synths.base import Synth


def command(
    sounds: Annotated[
        list[Path], typer.Argument(metavar="SOUND", help="Recordings of one note: wav, flac, ogg, mp3, aiff.")
    ],
    synth: Annotated[
        str,
        typer.Option(help="The synth to match on (see `wav2patch synths list`), several, as in dexed,vital, or all."),
    ] = "dexed",
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
    base: Annotated[
        Path | None,
        typer.Option(metavar="PRESET", help="Keep this preset's wavetables, samples and macros; change the rest."),
    ] = None,
    prior: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Draw from statistics that `wav2patch prior fit` made.")
    ] = None,
    proposer: Annotated[
        list[str] | None,
        typer.Option(
            metavar="MODEL",
            help="Start from what a trained model proposes: its folder, dexed, proxy, or none; may be repeated.  "
            "\\[default: the models that come along]",
        ),
    ] = None,
    seed: Annotated[int, typer.Option(min=0, help="Another seed finds other patches.")] = 0,
    workers: Annotated[int | None, typer.Option(min=1, help="Renders side by side.  \\[default: one a core]")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object and nothing else.")] = False,
) -> None:
    """Find the patches that make a sound, and write them as preset files.

    For every SOUND, DIR/<sound>/ then holds the candidates' presets and audio, match.json, and report.html with
    everything to see and hear. Ctrl-C ends the search early and keeps the best found so far.

    On several synths, each gets the whole budget and a folder DIR/<sound>/<synth>/; DIR/<sound>/report.html and
    synths.json say which comes closest.

    Examples:
      wav2patch match bass.wav

      wav2patch match bell.flac --budget 3m --presets ~/dx7-banks

      wav2patch match lead.wav --note A3 --renders 6000 --seed 1

      wav2patch match pad.wav --synth all --budget 2m

      wav2patch match pluck.wav --proposer models/my-dexed-flow
    """
    from wav2patch.matching.budget import parse_duration

    engines, failed = _synths(synth, base)
    options: dict[str, Any] = {
        "candidates": candidates,
        "seconds": None if budget is None else parse_duration(budget),
        "renders": renders,
        "presets": presets or [],
        "prior": None if prior is None else _prior(prior, engines),
        "proposers": _proposers(proposer, engines),
        "seed": seed,
        "workers": workers,
    }
    heard = {"note": note, "velocity": velocity, "hold": hold}
    results: list[tuple[Match, Path]] = []
    for sound, folder in own_folders(sounds, out_folder):
        found, complete = _match_on_all(sound, engines, folder, heard, options, quiet=as_json)
        results += found
        failed = failed or not complete
        if any(match.stopped for match, _ in found):
            break
    if as_json:
        from wav2patch.matching.store import as_dictionary

        print_json({"matches": [{"folder": printable(f), **as_dictionary(found)} for found, f in results]})
    if failed:
        raise typer.Exit(2)


def _synths(wanted: str, base: Path | None) -> tuple[list[Synth], bool]:
    """The synths that are meant, and whether one that was asked for by name cannot be had."""
    from wav2patch.synths.catalogue import instruments, load_synth

    if base is not None and (wanted == "all" or "," in wanted):
        raise UserError("a --base belongs to one synth: name that one with --synth.")
    if wanted == "all":
        engines = [load_synth(name) for name in instruments()]
        for engine in engines:
            if reason := engine.missing():
                note_aside(f"{engine.name} is left out: {reason}")
        return [engine for engine in engines if not engine.missing()], False
    names = list(dict.fromkeys(name.strip() for name in wanted.split(",") if name.strip()))
    if len(names) == 1:
        return [load_synth(names[0], base=base)], False
    engines = [load_synth(name) for name in names]
    lacking = [reason for engine in engines if (reason := engine.missing())]
    for reason in lacking:
        fail(reason)
    return [engine for engine in engines if not engine.missing()], bool(lacking)


def _prior(path: Path, engines: list[Synth]) -> Prior:
    from wav2patch.priors import load_prior

    if len(engines) != 1:
        raise UserError("a --prior belongs to one synth: name that one with --synth.")
    return load_prior(engines[0].space, path)


def _proposers(wanted: list[str] | None, engines: list[Synth]) -> list[Proposer] | None:
    """The models that are asked for, loaded; None for what is the default."""
    from wav2patch.matching.learned import LearnedProposer

    if not wanted:
        return None
    if wanted == ["none"]:
        return []
    if len(engines) != 1:
        raise UserError("a --proposer belongs to one synth: name that one with --synth.")
    if "none" in wanted:
        raise UserError("--proposer none goes with no other --proposer.")
    return [LearnedProposer(Path(one).expanduser(), engines[0]) for one in dict.fromkeys(wanted)]


def _match_on_all(
    sound: Path, engines: list[Synth], folder: Path, heard: dict[str, Any], options: dict[str, Any], *, quiet: bool
) -> tuple[list[tuple[Match, Path]], bool]:
    """The matches of one sound with their folders, and whether every synth gave one."""
    results: list[tuple[Match, Path]] = []
    for engine in engines:
        own = folder if len(engines) == 1 else folder / engine.name
        try:
            found = _match_one(sound, engine, own, heard, options)
        except UserError as error:
            fail(str(error))
            continue
        results.append((found, own))
        if not quiet:
            summarise(found, own)
        if found.stopped:
            break
    if len(engines) > 1 and results:
        _rank(results, folder, quiet=quiet)
    return results, len(results) == len(engines)


def _rank(results: list[tuple[Match, Path]], folder: Path, *, quiet: bool) -> None:
    from wav2patch.matching.ranking import save_ranking
    from wav2patch.report.ranking import write_ranking

    matches = [found for found, _ in results]
    folders = {found.synth.name: own for found, own in results}
    save_ranking(matches, folders, folder)
    links = {name: f"{own.name}/report.html" for name, own in folders.items()}
    write_ranking(matches, links, folder / "report.html")
    if not quiet:
        summarise_ranking(matches, folder / "report.html")


def _match_one(sound: Path, synth: Synth, folder: Path, heard: dict[str, Any], options: dict[str, Any]) -> Match:
    from wav2patch.audio.target import listen
    from wav2patch.files import check_folder
    from wav2patch.matching.match import match
    from wav2patch.matching.store import save_match
    from wav2patch.report.page import write_report

    target = listen(sound, **heard)
    # Before the search and not after it: a minute's work should not end at a folder that cannot be written.
    check_folder(folder)
    with first_interrupt_only(), search_progress(f"{sound.name} on {synth.title}") as report:
        found = match(target, synth, report=report, **options)
        save_match(found, folder)
        write_report(found, folder / "report.html", command=printable(shlex.join(["wav2patch", *sys.argv[1:]])))
    return found
