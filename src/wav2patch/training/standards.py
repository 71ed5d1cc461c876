"""What standardises features: the statistics of a training view."""

from __future__ import annotations

from collections.abc import Iterable

from wav2patch.datasets.shards.layout import FEATURES
from wav2patch.datasets.statistics.files import load_standard, statistics_name
from wav2patch.datasets.views.view import View
from wav2patch.errors import UserError
from wav2patch.training.device_features import Standardize


def view_standards(view: View | None, features: Iterable[str], wanted: bool | None) -> dict[str, Standardize]:
    """Modules that standardise features, by their names.

    Args:
        view: That was measured by `wav2patch data stats`; None if there is none.
        features: Names of features.
        wanted: Whether they are to be standardised; None for those of which there are statistics.

    Raises:
        UserError: They are wanted, and there are no statistics.
    """
    if wanted is False:
        return {}
    if view is None or not view.storage.exists(name := statistics_name(view, "npz")):
        if wanted:
            place = view.address if view is not None else "of it"
            raise UserError(
                f"features are standardised by statistics of the training view: run `wav2patch data stats {place}`."
            )
        return {}
    chosen = [one for one in features if wanted or FEATURES + one in view.fields]
    found = {one: load_standard(view.storage, name, one) for one in chosen}
    return {name: Standardize(one.mean, one.scale) for name, one in found.items()}
