"""FM in three algorithms, whose symmetries lie in how operators are wired."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from wav2patch.parameters import ParameterSpace
from wav2patch.structure import Activity, Block, Condition, Symmetry
from wav2patch.synths.tensor.controls import Scaled
from wav2patch.synths.tensor.synth import TensorSynth

if TYPE_CHECKING:
    from torch import Tensor

TOP = 5512.5
"""Highest frequency, π/4 radians a sample at 44.1 kHz, in Hz."""


@dataclass(frozen=True)
class Wiring:
    """An algorithm.

    Attributes:
        formula: As people write it.
        modulators: Operators that modulate, and the carrier each of them does.
        order: All operators, as the parameters are laid out.
        groups: Operators that share the frequency range where symmetry is broken, in the order of their bands.
        exchanges: Operators that may change places with those named beside them, and one whose silence it takes.
    """

    formula: str
    modulators: dict[str, str]
    order: tuple[str, ...]
    groups: tuple[tuple[str, ...], ...]
    exchanges: tuple[tuple[tuple[str, ...], tuple[str, ...], str | None], ...]


ALGORITHMS = {
    "conditional": Wiring(
        "(M1→C1)+C2",
        {"m1": "c1"},
        ("m1", "c2", "c1"),
        (("m1", "c2"), ("c1",)),
        ((("c1",), ("c2",), "m1"),),
    ),
    "mixed": Wiring(
        "(M1→C1)+(M2→C2)",
        {"m1": "c1", "m2": "c2"},
        ("m1", "m2", "c1", "c2"),
        (("m1", "m2"), ("c1", "c2")),
        ((("m1", "c1"), ("m2", "c2"), None),),
    ),
    "hierarchical": Wiring(
        "((M1+M2)→C1)+((M3+M4)→C2)",
        {"m1": "c1", "m2": "c1", "m3": "c2", "m4": "c2"},
        ("m1", "m2", "m3", "m4", "c1", "c2"),
        (("m1", "m2", "m3", "m4"), ("c1", "c2")),
        (
            (("m1",), ("m2",), None),
            (("m3",), ("m4",), None),
            (("m1", "m2", "c1"), ("m3", "m4", "c2"), None),
        ),
    ),
}


class Fm(TensorSynth):
    """An FM synth; see `signals.fm.fm` for its sound and for what the original probably did not intend.

    Args:
        algorithm: ``conditional``, ``mixed`` or ``hierarchical``.
        symmetric: Whether all operators have the whole frequency range.
        shifted: Whether frequencies are low in training and high in the test; the original has this for k-sin only.
        corrected: Do as seems intended instead of as the original does.

    Raises:
        ValueError: There is no such algorithm, or frequencies are to be shifted within bands.
    """

    def __init__(
        self, algorithm: str, *, symmetric: bool = True, shifted: bool = False, corrected: bool = False
    ) -> None:
        if algorithm not in ALGORITHMS:
            raise ValueError(f"there is no FM algorithm {algorithm!r}: choose from {', '.join(ALGORITHMS)}")
        if shifted and not symmetric:
            raise ValueError("frequencies are shifted in the symmetric variant only")
        self.algorithm, self.symmetric, self.corrected = algorithm, symmetric, corrected
        wiring = ALGORITHMS[algorithm]
        variant = "_asymmetric" * (not symmetric) + "_shifted" * shifted + "_corrected" * corrected
        title = f"FM, {wiring.formula} (research)"
        space, count = _space(wiring, symmetric, corrected), len(wiring.order)
        super().__init__(f"fm_{algorithm}{variant}", title, space, count, space.names[:count] if shifted else ())

    def signal(self, patches: Tensor, length: int, *, sample_rate: float, start: int = 0) -> Tensor:
        """See `TensorSynth.signal`."""
        from wav2patch.synths.tensor.signals.fm import fm  # noqa: PLC0415 - imports PyTorch

        return fm(
            patches,
            length,
            algorithm=self.algorithm,
            symmetric=self.symmetric,
            corrected=self.corrected,
            sample_rate=sample_rate,
            start=start,
        )


def _space(wiring: Wiring, symmetric: bool, corrected: bool) -> ParameterSpace:
    """The parameters: all frequencies, then all amplitudes or, for modulators, indices."""
    fields = {name: _fields(name, wiring) for name in wiring.order}
    still = -1.0 if corrected else -0.5
    exchanges = [_exchange(fields, *exchange, still) for exchange in wiring.exchanges] if symmetric else []
    return ParameterSpace(
        tuple(
            [_frequency(name, wiring, symmetric, corrected) for name in wiring.order]
            + [_level(name, wiring, corrected) for name in wiring.order]
        ),
        blocks=tuple(
            Block(name, "modulator" if name in wiring.modulators else "carrier", fields[name]) for name in fields
        ),
        activities=tuple(activity for name in wiring.order for activity in _activities(name, fields, wiring, still)),
        symmetries=tuple(exchanges),
    )


def _fields(name: str, wiring: Wiring) -> tuple[str, str]:
    return f"frequency_{name}", f"{'index' if name in wiring.modulators else 'amplitude'}_{name}"


def _frequency(name: str, wiring: Wiring, symmetric: bool, corrected: bool) -> Scaled:
    """A frequency; where symmetry is broken, the i-th of n has an n-th of the range, raised by i n-ths of the span."""
    low, high = 0.0, TOP
    if not symmetric:
        (group,) = (group for group in wiring.groups if name in group)
        low = group.index(name) / len(group) * (TOP if corrected else 4.0 * TOP)
        high = low + TOP / len(group)
    return Scaled(f"frequency_{name}", -1.0, 1.0, 0.0, "Hz", f"{name.upper()}: frequency", low, high)


def _level(name: str, wiring: Wiring, corrected: bool) -> Scaled:
    field, place = _fields(name, wiring)[1], name.upper()
    if name not in wiring.modulators:
        return Scaled(field, -1.0, 1.0, 0.0, "", f"{place}: amplitude")
    low, high = (0.0, 2.0) if corrected else (-0.5, 1.5)
    return Scaled(field, -1.0, 1.0, 0.0, "rad", f"{place}: modulation index", low, high)


def _activities(name: str, fields: dict[str, tuple[str, str]], wiring: Wiring, still: float) -> list[Activity]:
    """A carrier at amplitude 0 silences its frequency and its modulators; a modulator at index 0 its frequency."""
    frequency, level = fields[name]
    if name not in wiring.modulators:
        return [Activity((frequency,), ((Condition(level),),))]
    carrier = Condition(fields[wiring.modulators[name]][1])
    return [
        Activity((frequency,), ((Condition(level, unless=(still,)), carrier),)),
        Activity((level,), ((carrier,),)),
    ]


def _exchange(
    fields: dict[str, tuple[str, str]],
    first: tuple[str, ...],
    second: tuple[str, ...],
    silent: str | None,
    still: float,
) -> Symmetry:
    one = tuple(field for name in first for field in fields[name])
    other = tuple(field for name in second for field in fields[name])
    when = () if silent is None else (Condition(fields[silent][1], (still,)),)
    return Symmetry(f"exchange {'+'.join(first)} and {'+'.join(second)}", one + other, other + one, when)
