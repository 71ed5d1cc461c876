import importlib

import wav2patch


def test_the_public_names_are_these() -> None:
    assert wav2patch.__all__ == [
        "Categorical", "Continuous", "Discrete", "Match", "Note", "ParameterSpace", "Synth", "Target", "UserError",
        "compare", "listen", "load_synth", "match", "save_match",
    ]  # fmt: skip


def test_every_public_name_leads_somewhere() -> None:
    for name in wav2patch.__all__:
        assert getattr(importlib.import_module("wav2patch"), name).__doc__
