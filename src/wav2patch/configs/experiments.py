"""The experiments: every task of a family with every method of it. Nothing here waits for Hydra or PyTorch."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from importlib import resources
from typing import Any

import yaml

from wav2patch.errors import UserError

FAMILIES = ("research", "surge", "instruments", "proxies", "estimators", "inversynth", "pretrain")
"""The files; each has a base, tasks and methods, which are laid over each other in this order."""


@dataclass(frozen=True)
class Family:
    """Experiments that belong together.

    Attributes:
        name: Of the file.
        base: Settings of all of them.
        tasks: Settings by task.
        methods: Settings by method.
        chains: Methods that are run one after the other, by the name of all of them; each chain's begin from what the
            one before has learnt.
        ranges: What was searched for each method when it was published, in the words of `wav2patch hpo`; those of
            ``all`` go for every method that has ranges.
    """

    name: str
    base: Mapping[str, Any]
    tasks: Mapping[str, Mapping[str, Any]]
    methods: Mapping[str, Mapping[str, Any]]
    chains: Mapping[str, Sequence[Sequence[str]]] = field(default_factory=dict)
    ranges: Mapping[str, Sequence[str]] = field(default_factory=dict)


def load_families() -> tuple[Family, ...]:
    """All experiments, in the order of the files."""
    return tuple(_load(name) for name in FAMILIES)


def experiment_names() -> list[str]:
    """``"kosc/flow_mlp"`` and so on."""
    return [f"{task}/{method}" for one in load_families() for task in one.tasks for method in one.methods]


def chains_of(name: str) -> list[list[str]]:
    """The experiments that ``"pretrain/all"`` stands for, chain by chain; none where it is an experiment's own name."""
    task, _, chain = name.partition("/")
    found = [one.chains[chain] for one in load_families() if task in one.tasks and chain in one.chains]
    return [[f"{task}/{method}" for method in methods] for chains in found for methods in chains]


def published_ranges(experiment: str) -> list[str]:
    """What was searched for an experiment when it was published, such as ``"module.learning_rate=log(1e-4,2e-2)"``.

    Raises:
        UserError: Nothing is known of that.
    """
    task, _, method = experiment.partition("/")
    for one in load_families():
        if task in one.tasks and method in one.ranges:
            words = [*one.ranges.get("all", ()), *one.ranges[method]]
            return list({word.partition("=")[0]: word for word in words}.values())
    known = [f"{next(iter(one.tasks))}/{method}" for one in load_families() for method in one.ranges if method != "all"]
    raise UserError(
        f"no ranges were published for {experiment or 'no experiment'}: there are some for {', '.join(known)}."
    )


def check_experiment(name: str, known: Iterable[str]) -> None:
    """Make sure that there is an experiment of this name.

    Raises:
        UserError: There is none; the sentence has those that are meant most likely.
    """
    names = list(known)
    if name in names:
        return
    if near := difflib.get_close_matches(name, names, 1, 0.8):
        raise UserError(f"there is no experiment {name!r}: is {near[0]} meant?")
    tasks = list(dict.fromkeys(one.partition("/")[0] for one in names))
    meant = difflib.get_close_matches(name.partition("/")[0], tasks, 1, 0.7)
    choice = [one for one in names if one.startswith(f"{meant[0]}/")] if meant else [f"{one}/…" for one in tasks]
    raise UserError(f"there is no experiment {name!r}: choose from {', '.join(choice)}.")


def _load(name: str) -> Family:
    text = resources.files("wav2patch.configs").joinpath(f"{name}.yaml").read_text(encoding="utf-8")
    content = yaml.safe_load(text)
    more = {key: content.get(key, {}) for key in ("chains", "ranges")}
    return Family(name, content["base"], content["tasks"], content["methods"], **more)
