"""Searching settings with Optuna: trials that can be stopped, gone on with, and repeated."""

from __future__ import annotations

import logging
import math
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import lightning
import numpy as np
import optuna
from lightning.pytorch.callbacks import Callback
from optuna.exceptions import ExperimentalWarning
from optuna.pruners import BasePruner, HyperbandPruner, MedianPruner, NopPruner, SuccessiveHalvingPruner
from optuna.samplers import BaseSampler, QMCSampler, RandomSampler, TPESampler
from optuna.storages import RDBStorage
from optuna.study import Study, StudyDirection
from optuna.trial import FrozenTrial, Trial, TrialState

from wav2patch.errors import UserError
from wav2patch.training.run import RunResult, fit
from wav2patch.training.search_space import Dimension, overrides
from wav2patch.training.settings import RunSettings

Sampler = Literal["tpe", "qmc", "sobol_tpe", "random"]
Pruner = Literal["none", "median", "asha", "hyperband"]
Direction = Literal["minimize", "maximize"]

_ENDED = (TrialState.COMPLETE, TrialState.PRUNED, TrialState.FAIL)


@dataclass(frozen=True)
class Search:
    """What is searched, and how.

    Attributes:
        study: The file that remembers trials.
        space: Dimensions of the space.
        trials: How many there are to be, those included that the file has.
        sampler: ``tpe``, ``qmc`` (scrambled Sobol), ``random``, or ``sobol_tpe``: Sobol for the first trials, then
            a TPE that looks at settings together, in groups (Combes et al., JAES 2025).
        pruner: ``none``, ``median``, ``asha`` or ``hyperband``; ends trials that promise little.
        metric: Figure of the validation.
        startup: Trials before TPE learns, and before the median prunes.
        seed: Of the sampler and of the trials.
        direction: Of the figure, ``minimize`` or ``maximize``.
        fixed: Settings that make all trials what they are, in words; another search has others.
    """

    study: Path
    space: tuple[Dimension, ...]
    trials: int = 20
    sampler: Sampler = "tpe"
    pruner: Pruner = "median"
    metric: str = "val/loss"
    startup: int = 6
    seed: int = 0
    direction: Direction = "minimize"
    fixed: tuple[str, ...] = ()


def search(
    wanted: Search, settings_of: Callable[[list[str], int, int], RunSettings], report: Callable[[FrozenTrial], None]
) -> Study:
    """Run trials until there are as many as wanted.

    Trial i gets the same values whether it is run after the others or after a stop, as a sampler is made anew for
    each, from (seed, i). A trial that was killed counts as failed.

    Args:
        wanted: The search.
        settings_of: Settings of a trial from its overrides, its number and its seed.
        report: Is told of each trial when it ends.

    Raises:
        UserError: The file belongs to another search, or the first trial fails.
    """
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    logging.getLogger("alembic").setLevel(logging.WARNING)
    study = open_study(wanted)
    for left in study.get_trials(deepcopy=False, states=[TrialState.RUNNING]):
        study.tell(left.number, state=TrialState.FAIL)
    while (number := len(study.get_trials(deepcopy=False, states=_ENDED))) < wanted.trials:
        study.sampler = make_sampler(wanted, number)
        _run_trial(study, wanted, settings_of)
        report(study.get_trials(deepcopy=False)[-1])
    return study


def open_study(wanted: Search) -> Study:
    """The study in a file, a new one if there is none.

    Raises:
        UserError: The file is none of a study, or of one with another space, metric or other settings.
    """
    space = [f"{one.path}={one.kind}{list(one.values)}" for one in wanted.space]
    told = {"space": space, "metric": wanted.metric, "direction": wanted.direction, "settings": sorted(wanted.fixed)}
    try:
        wanted.study.parent.mkdir(parents=True, exist_ok=True)
        storage = RDBStorage(f"sqlite:///{wanted.study}")
        study = optuna.create_study(
            study_name="wav2patch", storage=storage, pruner=make_pruner(wanted), direction=wanted.direction,
            load_if_exists=True,
        )  # fmt: skip
        there = {name: study.user_attrs.get(name) for name in told}
    except Exception as error:
        raise UserError(f"{wanted.study} cannot be used as a study: {type(error).__name__}.") from error
    for name, value in told.items():
        if there[name] not in (None, value):
            what = "other settings" if name == "settings" else f"another {name}"
            raise UserError(f"{wanted.study} is a study with {what} ({there[name]}): give another study=….")
        study.set_user_attr(name, value)
    return study


def make_sampler(wanted: Search, number: int) -> BaseSampler:
    """What suggests the values of a trial."""
    seed = trial_seed(wanted.seed, number)
    if wanted.sampler == "qmc" or (wanted.sampler == "sobol_tpe" and number < wanted.startup):
        return _sobol(wanted.seed, RandomSampler(seed=seed))
    if wanted.sampler == "random":
        return RandomSampler(seed=seed)
    together = wanted.sampler == "sobol_tpe"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ExperimentalWarning)
        return TPESampler(seed=seed, n_startup_trials=wanted.startup, multivariate=together, group=together)


def _sobol(seed: int, choosing: BaseSampler) -> BaseSampler:
    """A sequence that knows where it is by the study; what has no order is chosen by another sampler."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ExperimentalWarning)
        return QMCSampler(seed=seed, scramble=True, independent_sampler=choosing, warn_independent_sampling=False)


def make_pruner(wanted: Search) -> BasePruner:
    """What ends trials that promise little."""
    if wanted.pruner == "median":
        return MedianPruner(n_startup_trials=wanted.startup)
    if wanted.pruner == "asha":
        return SuccessiveHalvingPruner()
    return HyperbandPruner() if wanted.pruner == "hyperband" else NopPruner()


def trial_seed(seed: int, number: int) -> int:
    """The seed of a trial, a function of the search's and of its number."""
    return int(np.random.SeedSequence([seed, number]).generate_state(1)[0])


class Pruning(Callback):
    """Tells a trial of each validation, and ends the run if it promises little.

    Args:
        trial: Optuna's.
        metric: Figure that is told.
    """

    def __init__(self, trial: Trial, metric: str) -> None:
        self.trial, self.metric = trial, metric

    def on_validation_end(self, trainer: lightning.Trainer, pl_module: lightning.LightningModule) -> None:
        """Tell, and perhaps end.

        Raises:
            TrialPruned: The run is to end.
        """
        value = trainer.callback_metrics.get(self.metric)
        if value is None or trainer.sanity_checking:
            return
        self.trial.report(float(value), trainer.global_step)
        if self.trial.should_prune():
            raise optuna.TrialPruned


def _run_trial(study: Study, wanted: Search, settings_of: Callable[[list[str], int, int], RunSettings]) -> None:
    trial = study.ask()
    chosen = overrides(wanted.space, trial)
    try:
        settings = settings_of(chosen, trial.number, trial_seed(wanted.seed, trial.number))
        value = _figure(fit(settings, [Pruning(trial, wanted.metric)]), wanted.metric)
    except optuna.TrialPruned:
        study.tell(trial, state=TrialState.PRUNED)
    except UserError as error:
        trial.set_user_attr("error", str(error))
        study.tell(trial, state=TrialState.FAIL)
        # What is wrong with the first is most likely wrong with all; later on it is the values' fault.
        if trial.number == 0:
            raise
    else:
        study.tell(trial, value)


def _figure(result: RunResult, metric: str) -> float:
    value = result.metrics.get(metric)
    if value is None:
        known = ", ".join(name for name in result.metrics if name.startswith("val/")) or "none"
        raise UserError(f"there is no figure {metric!r} to search by; there are {known}.")
    if not math.isfinite(value):
        raise UserError(f"{metric} is no finite number.")
    return value


def best_overrides(study: Study) -> dict[str, Any] | None:
    """The values of the best trial by their paths; None without one."""
    done = study.get_trials(deepcopy=False, states=[TrialState.COMPLETE])
    return dict(study.best_trial.params) if done else None


def table(study: Study) -> Sequence[FrozenTrial]:
    """Trials that ended, the best first, then those that were pruned, then those that failed."""
    rank = {TrialState.COMPLETE: 0, TrialState.PRUNED: 1, TrialState.FAIL: 2}
    sign = -1.0 if study.direction == StudyDirection.MAXIMIZE else 1.0
    ended = study.get_trials(deepcopy=False, states=_ENDED)
    return sorted(ended, key=lambda one: (rank[one.state], math.inf if one.value is None else sign * one.value))
