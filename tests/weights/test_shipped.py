"""The models that come with the package: whole, small, described, and worth starting from."""

from __future__ import annotations

from itertools import islice

import numpy as np
import pytest

from wav2patch.audio.target import Target, target_from_audio
from wav2patch.matching.learned import LearnedProposer
from wav2patch.matching.proposers import PriorProposer, Proposer
from wav2patch.metrics.objective import Objective
from wav2patch.notes import Note
from wav2patch.priors import draw
from wav2patch.synths.base import Synth
from wav2patch.synths.catalogue import load_synth
from wav2patch.weights.folder import CARD, open_folder
from wav2patch.weights.shipped import PRETRAINED, shipped_names

MOST_BYTES = 40_000_000
UNSEEN = 77_000_001
"""Another seed than any data set's."""
KEYS, PROPOSED = (43, 52, 60, 67, 76), 8


def test_there_are_models_and_they_are_small() -> None:
    assert shipped_names()
    assert sum(file.stat().st_size for file in PRETRAINED.rglob("*") if file.is_file()) <= MOST_BYTES


@pytest.mark.parametrize("name", shipped_names())
def test_a_shipped_model_fits_its_synth_and_says_what_it_is(name: str) -> None:
    folder = open_folder(PRETRAINED / name)
    assert name.partition("-")[0] == folder.record.synth
    assert folder.record.space == load_synth(folder.record.synth).space.digest
    assert folder.record.note == "given"
    card = (PRETRAINED / name / CARD).read_text(encoding="utf-8")
    for fact in ("| data |", "| steps |", "| hardware |", "| hours |", "## Figures", "## Limits"):
        assert fact in card


def nearest(synth: Synth, target: Target, proposer: Proposer) -> float:
    """Distance in dB of the best of the first proposals."""
    objective = Objective(target.mono, target.sample_rate, target.bandwidth)
    patches = islice(proposer.propose(target, np.random.default_rng([1])), PROPOSED)
    note = Note(target.note.pitch, target.note.velocity, 0.0, target.note.duration)
    sounds = [
        synth.render(patch, note, length=target.length, sample_rate=target.sample_rate).mean(axis=0)
        for patch in patches
    ]
    return min(float(objective(sound)) for sound in sounds)


@pytest.mark.parametrize("name", shipped_names())
def test_a_shipped_model_proposes_better_than_chance(name: str) -> None:
    """On sounds that it has never seen, on several keys."""
    synth = load_synth(open_folder(PRETRAINED / name).record.synth)
    if reason := synth.missing():
        pytest.skip(reason)
    learned, prior = LearnedProposer(name, synth), PriorProposer(synth.prior())
    gains = []
    for i, key in enumerate(KEYS):
        note = Note(key, 100, 0.0, 1.0)
        audio = synth.render(draw(synth.prior(), UNSEEN, i), note, length=2.0, sample_rate=44100)
        target = target_from_audio(audio, 44100, note=str(key), hold=1.0, source=f"unseen {i}.wav")
        gains.append(nearest(synth, target, learned) / nearest(synth, target, prior))
    assert np.mean(gains) < 0.9
