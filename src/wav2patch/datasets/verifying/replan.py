"""The plan of a data set on a machine that may lack some of it: what can be drawn again here, and rendered."""

from __future__ import annotations

from dataclasses import dataclass

from wav2patch.datasets.recipes.feature_words import quick_features
from wav2patch.datasets.recipes.plan import Plan, load_prior_of
from wav2patch.datasets.recipes.recipe import MANIFEST, PRIOR_FILE, read_manifest
from wav2patch.datasets.storage.base import Storage
from wav2patch.datasets.views.places import data_set_of, load_known_synth
from wav2patch.datasets.views.view import View
from wav2patch.errors import UserError
from wav2patch.note_rules import parse_notes
from wav2patch.parameters import ParameterSpace


@dataclass(frozen=True)
class Replan:
    """What is known here of how the rows of a data set came about.

    Attributes:
        space: Of the synth, if this installation knows the same.
        plan: For drawing again, and for rendering if `no_renders` is empty.
        no_draws: Why there is no plan, a sentence.
        no_renders: Why nothing can be rendered, a sentence.
        bad: Files of the set that are damaged: where, what is wrong, and the cure.
    """

    space: ParameterSpace | None = None
    plan: Plan | None = None
    no_draws: str = ""
    no_renders: str = ""
    bad: tuple[tuple[str, str, str], ...] = ()


def replan(view: View) -> Replan:
    """Look for everything that the rows of a view were made with."""
    data_set, recipe = data_set_of(view), view.recipe
    if bad := _manifest_fault(view, data_set):
        return Replan(no_draws=bad[1], no_renders=bad[1], bad=(bad,))
    synth = load_known_synth(recipe, data_set)
    if synth is None:
        why = f"this version of wav2patch knows {recipe.synth} otherwise than the one that made the set, or not at all."
        return Replan(no_draws=why, no_renders=why)
    try:
        prior = load_prior_of(recipe, data_set, synth)
    except UserError as error:
        what, cure = str(error), "bring it back from where the set was made."
        return Replan(synth.space, None, what, what, ((f"{data_set.address}/{PRIOR_FILE}", what, cure),))
    plan = Plan(recipe, synth, prior, parse_notes(recipe.notes), quick_features(recipe.features))
    return Replan(synth.space, plan, no_renders=synth.missing() or "")


def _manifest_fault(view: View, data_set: Storage) -> tuple[str, str, str] | None:
    where = f"{data_set.address}/{MANIFEST}"
    cure = "bring it back; every shard of the set holds the same text."
    if not data_set.exists(MANIFEST):
        return where, f"there is no {where}.", cure
    try:
        recipe = read_manifest(data_set)
    except UserError as error:
        return where, str(error), cure
    if difference := recipe.difference(view.recipe):
        return where, f"{where} is of another set than {view.address} ({difference}).", "make the view again."
    return None
