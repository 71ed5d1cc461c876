"""How often the pitch of a note is found: `wav2patch.audio.pitch` against SwiftF0 alone, as a Markdown table.

``python benchmarks/pitch_accuracy.py /usr/share/sounds/sf2/FluidR3_GM.sf2 [--fluidsynth PATH] [--fit]``

Every sixth note from C1 (24) to C7 (96) of the sound font's pitched programs, its unpitched drums, draws of the
DX7 prior, synthetic tones from 30 Hz to 4 kHz, and noise. A hit is an answer within 20 cents (for what has no
pitch: no answer), an octave error is a whole number of octaves away within 60 cents.

The truth is the key, but for the programs in `pitch_sounds.SOUNDS_AT`, whose fundamental is another by their spectrum:
organs with a 16-foot stop sound an octave below the key, guitar harmonics two above.

``--fit`` prints weights for `pitch.CHOICE`, fitted to the sounds with an even index (General MIDI program or row);
the last rows of the table count even and odd ones apart. `pitch.VOICING`, three weights and a constant, was fitted to
even and odd ones alike, so that the rows without pitch are no measure of how it does on other noises.
"""

from __future__ import annotations

import argparse
import itertools
import time
from collections import defaultdict
from collections.abc import Callable, Iterable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize

from pitch_sounds import RATE, SEVERAL, Sound, dx7_voices, noises, sound_font, tones
from wav2patch.audio import network
from wav2patch.audio.pitch import cents, find_candidates, find_pitch

Finder = Callable[[NDArray[np.float32]], float | None]
Verdicts = dict[str, dict[str, list[int]]]
HIT, OCTAVE, OTHER, NONE = range(4)


def ours(audio: NDArray[np.float32]) -> float | None:
    return find_pitch(audio, RATE).frequency


def swift_f0(audio: NDArray[np.float32]) -> float | None:
    """Median of the frames that the network calls voiced: its own recommended threshold is 0.5."""
    result = network.detector().detect(audio, RATE)
    voiced = result.pitch_hz[result.confidence >= 0.5]
    return float(np.median(voiced)) if len(voiced) else None


def verdict(answer: float | None, truth: float | None) -> int:
    if answer is None:
        return HIT if truth is None else NONE
    if truth is None:
        return OTHER
    deviation = cents(answer, truth)
    if abs(deviation) <= 20.0:
        return HIT
    octaves = round(deviation / 1200.0)
    return OCTAVE if octaves and abs(deviation - 1200.0 * octaves) < 60.0 else OTHER


def score(
    sounds: Iterable[Sound], finders: dict[str, Finder]
) -> tuple[dict[str, dict[str, list[int]]], dict[str, float]]:
    """Verdicts by group and finder, and milliseconds a note by finder."""
    verdicts: Verdicts = defaultdict(lambda: defaultdict(list))
    spent = dict.fromkeys(finders, 0.0)
    count = 0
    for sound in sounds:
        count += 1
        half = "all, even index" if sound.index % 2 == 0 else "all, odd index"
        for name, find in finders.items():
            start = time.perf_counter()
            answer = find(sound.audio)
            spent[name] += time.perf_counter() - start
            for group in (sound.group, half):
                verdicts[group][name].append(verdict(answer, sound.truth))
    return verdicts, {name: 1000.0 * seconds / count for name, seconds in spent.items()}


def table(verdicts: Verdicts, names: Iterable[str]) -> str:
    head = ["sounds", "notes", *(f"{name}: {what}" for name in names for what in ("hit", "octave", "other", "none"))]
    lines = [f"| {' | '.join(head)} |", f"|---|{'---:|' * (len(head) - 1)}"]
    for group, found in sorted(verdicts.items(), key=lambda item: item[0].startswith("all")):
        cells = [group, str(len(next(iter(found.values()))))]
        for name in names:
            counts = np.bincount(found[name], minlength=4)
            cells += [f"{100.0 * share:.1f} %" for share in counts / counts.sum()]
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


def fit(sounds: Iterable[Sound]) -> NDArray[np.float64]:
    """Weights of a conditional logit model: how likely each candidate is the truth, given all of them."""
    choices = []
    for sound in sounds:
        if sound.truth is None or sound.index % 2 or sound.group == SEVERAL:
            continue
        if (found := find_candidates(sound.audio, RATE)) is None:
            continue
        right = np.abs(1200.0 * np.log2(found.frequency / sound.truth)) < 45.0
        if right.any():
            choices.append((found.evidence, right))
    scale = np.concatenate([evidence for evidence, _ in choices]).std(axis=0)

    def loss(weights: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        value, slope = 1e-3 * float(weights @ weights), 2e-3 * weights
        for evidence, right in choices:
            scores = evidence / scale @ weights
            share = np.exp(scores - scores.max())
            share /= share.sum()
            hit = float(share[right].sum()) + 1e-12
            value -= np.log(hit) / len(choices)
            slope = slope - (share * right / hit - share) @ (evidence / scale) / len(choices)
        return value, slope

    return minimize(loss, np.zeros(len(scale)), jac=True, method="L-BFGS-B").x / scale


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("font", type=Path, help="a General MIDI sound font")
    parser.add_argument("--fluidsynth", default="fluidsynth", help="the fluidsynth program")
    parser.add_argument("--fit", action="store_true", help="fit the weights instead of measuring")
    options = parser.parse_args()
    sounds = itertools.chain(sound_font(options.fluidsynth, options.font), dx7_voices(400), tones(440), noises(100))
    if options.fit:
        print("CHOICE =", tuple(float(f"{weight:.3g}") for weight in fit(sounds)))
        return
    finders: dict[str, Finder] = {"SwiftF0": swift_f0, "wav2patch": ours}
    for find in finders.values():
        find(np.ones(RATE, np.float32))  # the network is loaded at its first use
    verdicts, spent = score(sounds, finders)
    print(table(verdicts, finders))
    print("\nMilliseconds a note:", ", ".join(f"{name} {duration:.1f}" for name, duration in spent.items()))


if __name__ == "__main__":
    main()
