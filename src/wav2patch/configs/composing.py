"""From the words of a command line to settings, by Hydra: experiments, overrides, interpolation, sweeps."""

from __future__ import annotations

import contextlib
import hashlib
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml
from hydra import compose, initialize_config_module
from hydra.core.config_store import ConfigStore
from hydra.core.global_hydra import GlobalHydra
from hydra.core.hydra_config import HydraConfig
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.errors import HydraException
from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException

from wav2patch.configs.experiments import check_experiment, experiment_names, load_families
from wav2patch.errors import UserError
from wav2patch.training.reading_settings import read_settings
from wav2patch.training.run_folder import is_free
from wav2patch.training.settings import RunSettings

_MAIN = "train"
_QUIET = ("hydra/job_logging=none", "hydra/hydra_logging=none")
_LONGEST = 80


def compose_settings(words: Sequence[str]) -> RunSettings:
    """The settings of one run.

    Args:
        words: ``experiment=kosc/mse data.k=8``, in Hydra's grammar; ``settings=FILE.yaml`` lays a file over the
            experiment, such as the ``config.yaml`` of another run.

    Raises:
        UserError: A word cannot be read, or there is no such experiment or setting.
    """
    with _hydra(), _plainly():
        prepared = _prepared(words)
        config = compose(_MAIN, overrides=prepared)
        return _settings(config, prepared)


def sweep(words: Sequence[str], job: Callable[[RunSettings, list[str]], Any]) -> list[Any]:
    """Run a job for every combination of values, by Hydra's sweeper and launcher.

    Args:
        words: As in `compose_settings`; values with commas between them are tried in turn.
        job: Gets the settings of each, and the words that make them.

    Returns:
        What the jobs gave, in order; of one that failed the `UserError`, as the others are run all the same.

    Raises:
        UserError: See `compose_settings`.
    """

    def task(config: DictConfig) -> Any:
        chosen = list(HydraConfig.get().overrides.task)
        content = OmegaConf.masked_copy(config, [str(key) for key in config if key != "hydra"])
        try:
            with _plainly():
                return job(_settings(content, chosen), chosen)
        except UserError as error:
            return error

    with _hydra() as hydra, _plainly():
        found = hydra.multirun(
            config_name=_MAIN, task_function=task, overrides=[*_QUIET, *_prepared(words)], with_log_configuration=False
        )
    return [one.return_value for batch in found or [] for one in batch]


def run_name(words: Sequence[str]) -> str:
    """A folder's name for a run, made of what sets it apart from others of its experiment."""
    told = []
    for word in words:
        key, _, value = word.lstrip("+").partition("=")
        if not (key in ("experiment", "settings") or is_free(key) or key.startswith("hydra")):
            told.append(f"{key}={value}")
        elif key == "settings":
            told.append(value.rpartition("/")[2])
    name = re.sub(r"[^\w.=,+-]+", "-", ",".join(sorted(told))) or "default"
    if len(name) <= _LONGEST:
        return name
    return f"{name[: _LONGEST - 9]}-{hashlib.blake2s(name.encode(), digest_size=4).hexdigest()}"


def _settings(config: DictConfig, words: Sequence[str]) -> RunSettings:
    values: Any = OmegaConf.to_container(config, resolve=True)
    values["inverter"] = _without_nothing(values.get("inverter", {})) or {"kind": "flow_matching"}
    values.setdefault("name", run_name(words))
    return read_settings(values)


def _without_nothing(value: Any) -> Any:
    """Null takes a setting of the method back to its default."""
    if not isinstance(value, Mapping):
        return value
    return {key: _without_nothing(one) for key, one in value.items() if one is not None}


@contextlib.contextmanager
def _hydra() -> Iterator[Any]:
    with initialize_config_module("wav2patch.configs", version_base="1.3", job_name=_MAIN):
        _store_experiments()
        yield GlobalHydra.instance().hydra


def _store_experiments() -> None:
    store = ConfigStore.instance()
    if "experiment" in store.repo:
        return
    for family in load_families():
        for task, of_task in family.tasks.items():
            for method, of_method in family.methods.items():
                node: Any = {"experiment": f"{task}/{method}"}
                for layer in (family.base, of_task, of_method):
                    node = laid_over(node, layer)
                store.store(method, node, group=f"experiment/{task}", package="_global_")


def laid_over(below: Mapping[str, Any], above: Mapping[str, Any]) -> dict[str, Any]:
    """Nested settings, those of `above` where both have one."""
    nested = [key for key in below if isinstance(below[key], Mapping) and isinstance(above.get(key), Mapping)]
    return {**below, **above, **{key: laid_over(below[key], above[key]) for key in nested}}


def _prepared(words: Sequence[str]) -> list[str]:
    """Words as Hydra takes them: settings need not be in a file to be overridden, and texts need no second quotes."""
    prepared, files = [], []
    for word in words:
        if "=" not in word and not word.startswith("~"):
            raise UserError(f"settings are given as key=value, such as experiment=kosc/mse, not {word!r}.")
        key, _, value = word.partition("=")
        if key == "settings":
            files.append(Path(value).expanduser())
        elif key == "experiment":
            prepared.append(word)
        else:
            prepared.append(_readable(word if key[:1] in "+~" or _of_hydra(key) else f"++{word}"))
    for file in files:
        prepared = _with_file(file, prepared)
    _check_experiments(prepared)
    return prepared


def _of_hydra(key: str) -> bool:
    return key.startswith(("hydra.", "hydra/")) or "/" in key or "@" in key


def _readable(word: str) -> str:
    parser = OverridesParser.create()
    key, _, value = word.partition("=")
    quoted = "{}='{}'".format(key, value.replace("\\", "\\\\").replace("'", "\\'"))
    for one in (word, quoted):
        with contextlib.suppress(HydraException):
            parser.parse_override(one)
            return one
    raise UserError(f"{word.lstrip('+')!r} cannot be read: settings are key=value.")


def _with_file(file: Path, words: list[str]) -> list[str]:
    """The words with a file's settings between the experiment and the overrides."""
    try:
        content = yaml.safe_load(file.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise UserError(f"{file} holds no settings: it is missing, or no YAML.") from error
    if not isinstance(content, dict):
        raise UserError(f"{file} holds no settings.")
    experiment = content.pop("experiment", None)
    name = hashlib.blake2s(str(file.resolve()).encode(), digest_size=6).hexdigest()
    kept = {key: value for key, value in content.items() if key not in ("name", "out", "resume")}
    ConfigStore.instance().store(name, kept, group="settings", package="_global_")
    chosen = [] if experiment in (None, "own") or any(one.startswith("experiment=") for one in words) else [experiment]
    return [*(f"experiment={one}" for one in chosen), f"+settings={name}", *words]


def _check_experiments(words: Sequence[str]) -> None:
    if any(one.startswith("hydra.searchpath=") for one in words):
        return  # the user's own experiments: Hydra says what there is
    for word in words:
        key, _, value = word.partition("=")
        if key == "experiment" and value not in ("null", ""):
            for name in value.split(","):
                check_experiment(name.strip(), experiment_names())


@contextlib.contextmanager
def _plainly() -> Iterator[None]:
    """Hydra's and OmegaConf's complaints as one sentence."""
    try:
        yield
    except (HydraException, OmegaConfBaseException) as error:
        said = " ".join(str(error).split("\n")[0].split()).rstrip(".")
        if said.startswith("Ambiguous value"):
            raise UserError("a setting has several values: -m runs each of them, and quotes make them one.") from error
        raise UserError(f"the settings do not fit together: {said}.") from error
