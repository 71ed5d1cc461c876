"""Experiments that are run one after the other, each beginning from what the one before has learnt."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TypeVar

from wav2patch.configs.composing import compose_settings, run_name
from wav2patch.configs.experiments import chains_of
from wav2patch.errors import UserError
from wav2patch.training.run_folder import run_folder
from wav2patch.training.settings import RunSettings

T = TypeVar("T")


def run_chains(words: Sequence[str], job: Callable[[RunSettings, list[str]], T]) -> list[T] | None:
    """Run all experiments of a chain, if that is what words ask for.

    Runs have one name in their own experiments' folders, so that the same words go on where they were stopped.

    Args:
        words: As `compose_settings` takes them.
        job: Gets the settings of each run, and the words that make them.

    Returns:
        What the jobs gave, in order; None where words ask for a single run.

    Raises:
        UserError: See `compose_settings`; or what all runs begin from is given.
    """
    name = next((word.partition("=")[2] for word in words if word.startswith("experiment=")), "")
    chains = chains_of(name)
    if not chains:
        return None
    others = [word for word in words if not word.startswith("experiment=")]
    if any(word.startswith("init=") for word in others):
        raise UserError(f"{name} runs several experiments, which begin from each other: give init to one of them.")
    named = [] if any(word.startswith("name=") for word in others) else [f"name='{run_name(others)}'"]
    results = []
    for chain in chains:
        before: Path | None = None
        for experiment in chain:
            begun = [] if before is None else [f"init='{before}'"]
            told = [f"experiment={experiment}", *others, *named, *begun]
            settings = compose_settings(told)
            results.append(job(settings, told))
            before = run_folder(settings).last
    return results
