"""What a user says about a data set that is to be made; a module that waits for no import."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated


@dataclass(frozen=True)
class Wishes:
    """What a user says about a data set; `Recipe` is what comes of it."""

    synth: Annotated[str, "A name of `wav2patch synths list`, or a spec file."] = "dexed"
    count: Annotated[int, "Rows of the whole set; 100k and 2M are understood."] = 10_000
    seed: Annotated[int, "Row i is a function of (seed, i)."] = 0
    prior: Annotated[
        str,
        "Where patches come from: synth, published, uniform, fitted:FILE.npz, presets:PATH, mutations:PATH, "
        "crossovers:PATH, or a mixture such as '0.6 synth + 0.4 mutations:~/dx7'.",
    ] = "synth"
    notes: Annotated[
        str,
        "What is played: a key such as C4, 'fixed pitch=60 velocity=100 duration=3', paper, or wide; auto is C4 held "
        "for three quarters of a clip.",
    ] = "auto"
    length: Annotated[float, "Seconds of every clip."] = 4.0
    sample_rate: Annotated[int, "In Hz."] = 44_100
    gate: Annotated[
        str, "Least loudness in LUFS (ITU-R BS.1770), or none; auto is -55, and none for research synths."
    ] = "auto"
    audio: Annotated[str, "How clips are stored: float16, or none to keep features only."] = "float16"
    features: Annotated[tuple[str, ...], "Features to store, with commas; none for audio only."] = ("log_mel",)
    shard_rows: Annotated[
        int | None,
        "Rows of a file; what a kill costs at most. By default 1000, or more so that 200 files hold the set.",
    ] = None
