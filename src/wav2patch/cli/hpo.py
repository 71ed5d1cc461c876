"""`wav2patch hpo`: the settings of an experiment that give the best figures."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from optuna.study import Study
    from optuna.trial import FrozenTrial


@dataclasses.dataclass(frozen=True)
class Searching:
    """Settings of `wav2patch hpo`, beside those of the runs."""

    study: Annotated[str, "File that remembers trials (SQLite); the same command goes on with it."] = "study.db"
    trials: Annotated[int, "How many there are to be, those that the file has included."] = 20
    sampler: Annotated[str, "tpe, qmc, random, or sobol_tpe, which is what was published for proxies."] = "tpe"
    pruner: Annotated[str, "Ends trials that promise little: median, asha, hyperband or none."] = "median"
    metric: Annotated[str, "Figure of the validation."] = "val/loss"
    direction: Annotated[str, "Of the figure, minimize or maximize."] = "minimize"
    startup: Annotated[int, "Trials before TPE learns and before the median prunes."] = 6
    ranges: Annotated[str, "published takes those that the experiment's paper searched; others are added."] = "none"


def command(
    settings: Annotated[
        list[str],
        typer.Argument(metavar="KEY=VALUE…", help="An experiment, ranges of its settings, and settings of the search."),
    ],
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object and nothing else.")] = False,
) -> None:
    """Search the settings of an experiment with Optuna.

    A range is log(LOW,HIGH), float(LOW,HIGH), int(LOW,HIGH), logint(LOW,HIGH) or choice(A,B,…); every other setting
    is one of `wav2patch train`. The seed of trial i is a function of seed=… and i. The best settings are written
    beside the study, STUDY.best.yaml, and `wav2patch train settings=STUDY.best.yaml` takes them. One process a study.

    Examples:
      wav2patch hpo experiment=kosc/mse "module.learning_rate=log(1e-5,1e-2)" trainer.max_steps=2000 study=mse.db

      wav2patch hpo experiment=dexed/flow data.folder=dexed-100k "inverter.width=choice(128,256)"
      "inverter.field.layers=int(2,8)" trainer.max_steps=5000 trials=40 pruner=hyperband study=flow.db

      wav2patch hpo experiment=dexed_proxy/hn_oh data.folder=proxies ranges=published sampler=sobol_tpe startup=128
      trials=203 metric=val/mrr direction=maximize pruner=none trainer.max_steps=2000 study=hn.db
    """
    from wav2patch.cli.console import print_json
    from wav2patch.cli.keys import read_keys
    from wav2patch.cli.train import training_ready

    own = {one.name for one in dataclasses.fields(Searching)}
    wanted = read_keys(Searching, [word for word in settings if word.partition("=")[0] in own])
    others = _with_published(wanted, [word for word in settings if word.partition("=")[0] not in own])
    with training_ready():
        _check_choices(wanted)
        study = _search(wanted, others)
    best = _keep_best(study, wanted, others)
    if as_json:
        print_json({"study": wanted.study, "best": best, "trials": [_as_dict(one) for one in study.trials]})
    else:
        _print(study, best)


def _search(wanted: Searching, words: list[str]) -> Study:
    from wav2patch.cli.console import note_aside
    from wav2patch.configs.composing import compose_settings
    from wav2patch.errors import UserError
    from wav2patch.training.processes import quiet_lightning
    from wav2patch.training.reading_settings import check_path
    from wav2patch.training.search import Search, search
    from wav2patch.training.search_space import FORMS, is_dimension, parse_dimension
    from wav2patch.training.settings import RunSettings

    space = tuple(parse_dimension(word) for word in words if is_dimension(word))
    if not space:
        raise UserError(f"nothing is to be searched: give a setting a range, such as {FORMS}.")
    fixed = [word for word in words if not is_dimension(word)]
    base = compose_settings(fixed)
    for one in space:
        check_path(one.setting)
    file = Path(wanted.study).expanduser()
    where = Path(base.out) / "hpo" / file.stem

    def settings_of(overrides: list[str], number: int, seed: int) -> RunSettings:
        chosen = compose_settings([*fixed, *overrides])
        return dataclasses.replace(chosen, seed=seed, out=str(where), name=f"trial-{number:04d}", resume="none")

    def report(trial: FrozenTrial) -> None:
        note_aside(f"trial {trial.number}: {_outcome(trial)} with {_words(trial.params)}")

    plan = Search(
        file, space, wanted.trials, wanted.sampler, wanted.pruner, wanted.metric, wanted.startup, base.seed,  # type: ignore[arg-type]
        wanted.direction, _telling(fixed),  # type: ignore[arg-type]
    )  # fmt: skip
    with quiet_lightning():
        return search(plan, settings_of, report)


def _telling(words: list[str]) -> tuple[str, ...]:
    """The words that make a run what it is: not where it lies, on what it runs, or for how long."""
    from wav2patch.training.run_folder import is_free

    return tuple(word for word in words if not is_free(word.partition("=")[0]))


def _check_choices(wanted: Searching) -> None:
    from typing import get_args

    from wav2patch.errors import UserError
    from wav2patch.training.search import Direction, Pruner, Sampler

    known = {"sampler": get_args(Sampler), "pruner": get_args(Pruner), "direction": get_args(Direction)}
    for name, kinds in {**known, "ranges": ("none", "published")}.items():
        if getattr(wanted, name) not in kinds:
            raise UserError(f"{name} is {', '.join(kinds[:-1])} or {kinds[-1]}, not {getattr(wanted, name)!r}.")
    if wanted.trials < 1:
        raise UserError(f"trials is 1 or more, not {wanted.trials}.")


def _with_published(wanted: Searching, words: list[str]) -> list[str]:
    """Words, with the published ranges of settings that they say nothing of."""
    if wanted.ranges != "published":
        return words
    from wav2patch.configs.experiments import published_ranges

    told = {word.partition("=")[0]: word.partition("=")[2] for word in words}
    ranges = published_ranges(told.get("experiment", ""))
    return [*words, *(one for one in ranges if one.partition("=")[0] not in told)]


def _keep_best(study: Study, wanted: Searching, words: list[str]) -> dict[str, Any] | None:
    """Write the best settings where `train settings=…` finds them."""
    import yaml

    from wav2patch.files import write_text
    from wav2patch.training.search import best_overrides
    from wav2patch.training.search_space import is_dimension, nested

    best = best_overrides(study)
    if best is None:
        return None
    fixed = [word.partition("=") for word in _telling([word for word in words if not is_dimension(word)])]
    content = {**{path: yaml.safe_load(value) for path, _, value in fixed}, **best}
    write_text(_best_file(wanted), yaml.safe_dump(nested(content), sort_keys=False))
    return best


def _best_file(wanted: Searching) -> Path:
    return Path(wanted.study).expanduser().with_suffix(".best.yaml")


def _as_dict(trial: FrozenTrial) -> dict[str, Any]:
    return {"number": trial.number, "state": trial.state.name.lower(), "value": trial.value, "settings": trial.params}


def _outcome(trial: FrozenTrial) -> str:
    if trial.value is not None and trial.state.name == "COMPLETE":
        return f"{trial.value:.5g}"
    return {"PRUNED": "ended early", "FAIL": f"failed: {trial.user_attrs.get('error', 'it was stopped')}"}[
        trial.state.name
    ]


def _words(settings: dict[str, Any]) -> str:
    shown = {path: f"{value:.4g}" if isinstance(value, float) else str(value) for path, value in settings.items()}
    return " ".join(f"{path}={value}" for path, value in shown.items())


def _print(study: Study, best: dict[str, Any] | None) -> None:
    from rich.table import Table

    from wav2patch.cli.console import out, printable
    from wav2patch.training.search import table

    shown = Table(box=None, pad_edge=False)
    for column in ("trial", "figure", "settings"):
        shown.add_column(column)
    for trial in table(study)[:20]:
        shown.add_row(str(trial.number), printable(_outcome(trial)), printable(_words(trial.params)))
    console = out()
    console.print(shown)
    if best is not None:
        console.print(f"best: {printable(_words(best))}", style="bold")
