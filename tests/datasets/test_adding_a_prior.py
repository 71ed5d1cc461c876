"""The prior that docs/adding.md shows how to add, added."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from wav2patch.datasets.recipes import prior_kinds
from wav2patch.datasets.recipes.prior_words import build_prior, describe_prior
from wav2patch.errors import UserError
from wav2patch.priors import draw
from wav2patch.synths.base import Synth


@pytest.fixture(autouse=True)
def added(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    section = (project / "docs" / "adding.md").read_text("utf-8").partition("## A prior\n")[2].partition("\n## ")[0]
    code, line = re.findall(r"```python\n(.*?)```", section, re.DOTALL)
    # Dataclasses look for the module that they are written in.
    names: dict[str, Any] = {"__name__": prior_kinds.__name__, "Kind": prior_kinds.Kind}
    exec(code, names)
    kinds = eval("{" + line + "}", names)
    monkeypatch.setattr(prior_kinds, "KINDS", {**prior_kinds.KINDS, **kinds})


def test_the_prior_is_drawn_from_by_its_words(dexed: Synth) -> None:
    description = describe_prior("0.2 sparse(share=0.1) + 0.8 sparse", dexed)
    assert description.words == "0.2 sparse(share=0.1) + 0.8 sparse(share=0.2)"
    prior = build_prior(description, dexed)
    patches = np.stack([draw(prior, 1, i) for i in range(400)])
    dexed.space.validate(patches)
    assert_array_equal(dexed.space.decode(dexed.space.encode(patches)), patches)
    assert 0.02 < (patches != dexed.space.default).mean() < 0.18


def test_its_options_are_checked_and_it_is_listed(dexed: Synth) -> None:
    with pytest.raises(UserError, match="share is a number from 0 to 1, not '2'"):
        describe_prior("sparse(share=2)", dexed)
    with pytest.raises(UserError, match="sparse takes no path"):
        describe_prior("sparse:here", dexed)
    with pytest.raises(UserError, match=r"choose from .*, sparse"):
        describe_prior("spares", dexed)
