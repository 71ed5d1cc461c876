"""The parameter space of a DX7 voice: 145 values, in the order and the units of its front panel.

Source: Yamaha DX7 MIDI data format (voice parameters 0–144); the operators' wiring comes from the engine's own
table of the 32 algorithms.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cache
from itertools import permutations

import dexed

from wav2patch.parameters import Categorical, Discrete, Parameter, ParameterSpace
from wav2patch.structure import Activity, Block, Condition, Either, Symmetry

OPERATORS = range(1, 7)
CURVES = ("-linear", "-exponential", "+exponential", "+linear")
LFO_WAVES = ("triangle", "saw down", "saw up", "square", "sine", "sample & hold")
FLAT_PITCH = 50

_OPERATOR_FIELDS = (
    *(f"eg_rate_{i}" for i in range(1, 5)),
    *(f"eg_level_{i}" for i in range(1, 5)),
    *("breakpoint", "left_depth", "right_depth", "left_curve", "right_curve"),
    *("rate_scaling", "amp_mod_sensitivity", "velocity_sensitivity", "output_level"),
    *("frequency_mode", "coarse", "fine", "detune"),
)


@cache
def dx7_space() -> ParameterSpace:
    """The space of a DX7 voice: operators 1–6, pitch envelope, algorithm, LFO, transpose."""
    parameters = [parameter for k in OPERATORS for parameter in _operator(k)]
    parameters += [*_pitch_envelope(), *_voice()]
    return ParameterSpace(
        tuple(parameters),
        blocks=tuple(_blocks()),
        activities=(*_operator_activities(), *_local_activities()),
        symmetries=tuple(_symmetries()),
    )


def operator_fields(k: int) -> tuple[str, ...]:
    """Names of the 21 parameters of operator k = 1…6, in the order of the voice's bytes."""
    return tuple(f"op{k}_{field}" for field in _OPERATOR_FIELDS)


def _operator(k: int) -> Iterator[Parameter]:
    def label(text: str) -> str:
        return f"Operator {k} {text}"

    yield from (Discrete(f"op{k}_eg_rate_{i}", 0, 99, 99, label=label(f"envelope rate {i}")) for i in range(1, 5))
    for i, default in enumerate((99, 99, 99, 0), start=1):
        yield Discrete(f"op{k}_eg_level_{i}", 0, 99, default, label=label(f"envelope level {i}"))
    yield Discrete(f"op{k}_breakpoint", 0, 99, 39, label=label("scaling break point"))
    yield Discrete(f"op{k}_left_depth", 0, 99, label=label("scaling depth, left"))
    yield Discrete(f"op{k}_right_depth", 0, 99, label=label("scaling depth, right"))
    yield Categorical(f"op{k}_left_curve", CURVES, label=label("scaling curve, left"))
    yield Categorical(f"op{k}_right_curve", CURVES, label=label("scaling curve, right"))
    yield Discrete(f"op{k}_rate_scaling", 0, 7, label=label("rate scaling"))
    yield Discrete(f"op{k}_amp_mod_sensitivity", 0, 3, label=label("amplitude modulation sensitivity"))
    yield Discrete(f"op{k}_velocity_sensitivity", 0, 7, label=label("velocity sensitivity"))
    yield Discrete(f"op{k}_output_level", 0, 99, 99 if k == 1 else 0, label=label("output level"))
    yield Categorical(f"op{k}_frequency_mode", ("ratio", "fixed"), label=label("frequency mode"))
    yield Discrete(f"op{k}_coarse", 0, 31, 1, label=label("frequency, coarse"))
    yield Discrete(f"op{k}_fine", 0, 99, label=label("frequency, fine"))
    yield Discrete(f"op{k}_detune", 0, 14, 7, label=label("detune"), offset=-7)


def _pitch_envelope() -> Iterator[Parameter]:
    for i in range(1, 5):
        yield Discrete(f"pitch_eg_rate_{i}", 0, 99, 99, label=f"Pitch envelope rate {i}")
    for i in range(1, 5):
        yield Discrete(f"pitch_eg_level_{i}", 0, 99, FLAT_PITCH, label=f"Pitch envelope level {i}")


def _voice() -> Iterator[Parameter]:
    yield Categorical("algorithm", tuple(str(i) for i in range(1, 33)), label="Algorithm")
    yield Discrete("feedback", 0, 7, label="Feedback")
    yield Categorical("oscillator_sync", ("off", "on"), 1, label="Oscillator key sync")
    yield Discrete("lfo_speed", 0, 99, 35, label="LFO speed")
    yield Discrete("lfo_delay", 0, 99, label="LFO delay")
    yield Discrete("lfo_pitch_depth", 0, 99, label="LFO pitch modulation depth")
    yield Discrete("lfo_amp_depth", 0, 99, label="LFO amplitude modulation depth")
    yield Categorical("lfo_sync", ("off", "on"), label="LFO key sync")
    yield Categorical("lfo_wave", LFO_WAVES, label="LFO wave")
    yield Discrete("lfo_pitch_sensitivity", 0, 7, label="Pitch modulation sensitivity")
    yield Discrete("transpose", 0, 48, 24, unit="semitones", label="Transpose", offset=-24)


_LFO = (
    "lfo_speed",
    "lfo_delay",
    "lfo_pitch_depth",
    "lfo_amp_depth",
    "lfo_sync",
    "lfo_wave",
    "lfo_pitch_sensitivity",
)


def _blocks() -> Iterator[Block]:
    for k in OPERATORS:
        fields = operator_fields(k)
        yield Block(f"op{k}", "operator", fields)
        yield Block(f"op{k}_envelope", "envelope", fields[:8], f"op{k}")
        yield Block(f"op{k}_scaling", "scaling", fields[8:14], f"op{k}")
        yield Block(f"op{k}_sensitivity", "sensitivity", fields[14:16], f"op{k}")
        yield Block(f"op{k}_level", "level", fields[16:17], f"op{k}")
        yield Block(f"op{k}_frequency", "frequency", fields[17:], f"op{k}")
    rates, levels = ([f"pitch_eg_{kind}_{i}" for i in range(1, 5)] for kind in ("rate", "level"))
    yield Block("pitch_envelope", "pitch_envelope", (*rates, *levels))
    yield Block("lfo", "lfo", _LFO)
    yield Block("routing", "routing", ("algorithm", "feedback"))
    yield Block("voice", "voice", ("oscillator_sync", "transpose"))


def _operator_activities() -> Iterator[Activity]:
    """An operator is heard where it and every operator on some way to the output are turned up."""
    for k in OPERATORS:
        ways: dict[tuple[int, ...], list[float]] = {}
        looped = tuple(float(algorithm) for algorithm in range(32) if k in _loop(algorithm))
        for algorithm in set(range(32)) - set(looped):
            for way in _ways_out(algorithm, k):
                ways.setdefault(tuple(sorted(set(way) - {k})), []).append(float(algorithm))
        always: tuple[tuple[Condition, ...], ...] = ((Condition("algorithm", looped),),) if looped else ()
        yield Activity(operator_fields(k), (*(_open_way(way, a) for way, a in ways.items()), *always))
        # What turns the operator itself up stays active at 0: raising it is heard.
        rest = tuple(name for name in operator_fields(k) if name not in _turned_up(k))
        yield Activity(rest, ((Either(tuple(Condition(name) for name in _turned_up(k))),), *always))


def _open_way(way: Sequence[int], algorithms: Sequence[float]) -> tuple[Condition | Either, ...]:
    levels = (Either(tuple(Condition(name) for name in _turned_up(j))) for j in way)
    return (Condition("algorithm", tuple(algorithms)), *levels)


def _loop(algorithm: int) -> range:
    """Operators on a feedback loop through more than one; the engine works such a loop out as one.

    They are heard whether or not the others of the loop are turned up.
    """
    source, target = dexed.get_feedback_edge(algorithm)
    return range(source + 1, target + 2) if source != target else range(0)


def _turned_up(k: int) -> tuple[str, ...]:
    # Keyboard scaling can lift an operator whose output level is 0.
    return (f"op{k}_output_level", f"op{k}_left_depth", f"op{k}_right_depth")


def _local_activities() -> Iterator[Activity]:
    for k in OPERATORS:
        for side in ("left", "right"):
            yield Activity((f"op{k}_{side}_curve",), ((Condition(f"op{k}_{side}_depth"),),))
        depths = ((Condition(f"op{k}_left_depth"),), (Condition(f"op{k}_right_depth"),))
        yield Activity((f"op{k}_breakpoint",), depths)
    vibrato = (Condition("lfo_pitch_depth"), Condition("lfo_pitch_sensitivity"))
    tremolos = [(Condition("lfo_amp_depth"), Condition(f"op{k}_amp_mod_sensitivity")) for k in OPERATORS]
    yield Activity(("lfo_speed", "lfo_delay", "lfo_sync", "lfo_wave"), (vibrato, *tremolos))
    # A note from rest starts every oscillator at phase 0, synced or not.
    yield Activity(("oscillator_sync",), ())
    # Only one of the two: were each inactive at the other's 0, both could be turned up unnoticed.
    yield Activity(("lfo_pitch_depth",), ((Condition("lfo_pitch_sensitivity"),),))
    yield Activity(("lfo_amp_depth",), tuple((tremolo[1],) for tremolo in tremolos))
    bent = tuple(float(level) for level in range(100) if level != FLAT_PITCH)
    moves = tuple((Condition(f"pitch_eg_level_{i}", bent),) for i in range(1, 5))
    yield Activity(tuple(f"pitch_eg_rate_{i}" for i in range(1, 5)), moves)


def _ways_out(algorithm: int, k: int) -> Iterator[tuple[int, ...]]:
    if k - 1 in dexed.get_carriers(algorithm):
        yield (k,)
    matrix = dexed.get_mod_matrix(algorithm)
    for target in OPERATORS:
        if matrix[target - 1, k - 1]:
            yield from ((k, *way) for way in _ways_out(algorithm, target))


def _symmetries() -> Iterator[Symmetry]:
    """Exchanges of operators (or of whole stacks) that leave an algorithm's wiring as it is."""
    found: dict[tuple[int, ...], list[float]] = {}
    for algorithm in range(32):
        for order in _wirings(algorithm):
            found.setdefault(order, []).append(float(algorithm))
    for order, algorithms in found.items():
        moved = [k for k in OPERATORS if order[k - 1] != k]
        targets = tuple(name for k in moved for name in operator_fields(k))
        sources = tuple(name for k in moved for name in operator_fields(order[k - 1]))
        name = "operators " + ", ".join(f"{k}←{order[k - 1]}" for k in moved)
        yield Symmetry(name, targets, sources, (Condition("algorithm", tuple(algorithms)),))


def _wirings(algorithm: int) -> Iterator[tuple[int, ...]]:
    matrix, carriers = dexed.get_mod_matrix(algorithm), set(dexed.get_carriers(algorithm))
    edges = {(i, j) for i in range(6) for j in range(6) if matrix[i, j]}
    feedback = dexed.get_feedback_edge(algorithm)
    for order in _feasible(carriers):
        same_feedback = (order[feedback[0]], order[feedback[1]]) == tuple(feedback)
        if same_feedback and {(order[i], order[j]) for i, j in edges} == edges and order != tuple(range(6)):
            yield tuple(k + 1 for k in order)


def _feasible(carriers: set[int]) -> Iterator[Sequence[int]]:
    for order in permutations(range(6)):
        if {order[k] for k in carriers} == carriers:
            yield order
