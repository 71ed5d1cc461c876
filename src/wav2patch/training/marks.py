"""What tells one data set from another, in a few letters that a checkpoint can hold."""

from __future__ import annotations

import dataclasses
import hashlib
import json

from wav2patch.datasets.recipes.recipe import Recipe
from wav2patch.datasets.views.view import View


def recipe_mark(recipe: Recipe) -> str:
    """The same for data sets with the same rows, however many of them and whatever the version that made them."""
    alike = dataclasses.replace(recipe, package="", count=0, shard_rows=0)
    return _digest(alike.to_json())


def view_mark(view: View) -> str:
    """The same for views of the same rows in the same order, wherever they lie."""
    places = [[path.rpartition("/")[2], first, rows] for path, first, rows in view.extents]
    return _digest(recipe_mark(view.recipe) + json.dumps(places))


def _digest(text: str) -> str:
    return hashlib.blake2s(text.encode()).hexdigest()[:12]
