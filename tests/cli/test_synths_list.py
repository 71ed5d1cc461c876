"""`wav2patch synths list`."""

import json

from commands import run

from wav2patch.synths.catalogue import SYNTHS, load_synth


def test_every_synth_is_listed() -> None:
    shown = run("synths", "list").out
    listed = {row["name"]: row for row in json.loads(run("synths", "list", "--json").out)["synths"]}
    assert set(listed) == set(SYNTHS)
    for name in SYNTHS:
        engine = load_synth(name)
        assert name in shown
        row = listed[name]
        assert row["title"] == engine.title
        assert row["parameters"] == len(engine.space)
        assert row["presets"] == engine.preset_suffix
        assert row["ready"] == (engine.missing() is None)
