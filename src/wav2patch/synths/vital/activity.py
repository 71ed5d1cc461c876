"""When a parameter of Vital can be heard, and which exchanges leave the sound as it is."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

from wav2patch.structure import Activity, Condition, Either, Symmetry
from wav2patch.synths.vital.names import (
    DISTORTIONS,
    EFFECTS,
    ENVELOPES,
    FILTERS,
    LFOS,
    OSCILLATORS,
    SLOTS,
    SOURCES,
    SWITCHED,
    destinations_of,
    fields,
    free_destinations,
)

Clause = tuple[Condition | Either, ...]

_ON = (1.0,)
_CROSSED = tuple(float(i) for i, name in enumerate(DISTORTIONS) if "other" in name)


def activities() -> Iterator[Activity]:
    """What has to be switched on for what."""
    for part in ("sample", *EFFECTS):
        yield Activity(_without(part, "on"), ((Condition(f"{part}_on", _ON),),))
    for k in OSCILLATORS:
        yield from _oscillator(k)
    for k in FILTERS:
        yield Activity(_without(f"filter_{k}", "on"), tuple(_fed(k)))
    yield Activity(("filter_2_filter_input",), ((Condition("filter_2_on", _ON),),))
    for k in ENVELOPES[1:]:
        yield Activity(fields(f"env_{k}"), tuple(_used(f"env_{k}")))
    for k in LFOS:
        yield Activity(fields(f"lfo_{k}"), tuple(_used(f"lfo_{k}")))
    for k in SLOTS:
        yield from _slot(f"modulation_{k}")


def symmetries() -> Iterator[Symmetry]:
    """Any two neighbouring modulation slots may be exchanged, as the engine gets modulations in an order of ours."""
    for k, other in pairwise(SLOTS):
        one, two = fields(f"modulation_{k}"), fields(f"modulation_{other}")
        yield Symmetry(f"modulations {k}↔{other}", (*one, *two), (*two, *one))


def _without(part: str, field: str) -> tuple[str, ...]:
    return tuple(name for name in fields(part) if name != f"{part}_{field}")


def _oscillator(k: int) -> Iterator[Activity]:
    name = f"osc_{k}"
    on = (Condition(f"{name}_on", _ON),)
    kind = f"{name}_distortion_type"
    yield Activity(tuple(field for field in _without(name, "on") if field != kind), (on,))
    # Who modulates whom says in which order Vital works the oscillators out, those that are off included.
    others = [f"osc_{i}" for i in OSCILLATORS if i != k]
    crossed = ((Condition(f"{i}_on", _ON), Condition(f"{i}_distortion_type", _CROSSED)) for i in others)
    yield Activity((kind,), (on, *crossed))
    for effect in ("spectral_morph", "distortion"):
        yield Activity((f"{name}_{effect}_amount",), ((Condition(f"{name}_{effect}_type", unless=(0.0,)),),))
    yield Activity((f"{name}_unison_detune",), ((Condition(f"{name}_unison_voices"),),))


def _fed(k: int) -> Iterator[Clause]:
    """Filter k is on and something goes into it."""
    on = Condition(f"filter_{k}_on", _ON)
    into, into_first = (float(k - 1), 2.0), (0.0, 2.0)
    for source in (*(f"osc_{i}" for i in OSCILLATORS), "sample"):
        playing = Condition(f"{source}_on", _ON)
        yield (on, playing, Condition(f"{source}_destination", into))
        if k == FILTERS[-1]:
            serial = (Condition("filter_2_filter_input", _ON), Condition("filter_1_on", _ON))
            yield (on, playing, *serial, Condition(f"{source}_destination", into_first))


def _used(source: str) -> Iterator[Clause]:
    """Some slot takes its modulation from `source`."""
    place = float(SOURCES.index(source))
    for k in SLOTS:
        yield (Condition(f"modulation_{k}_source", (place,)), Condition(f"modulation_{k}_amount", unless=(0.0,)))


def _slot(name: str) -> Iterator[Activity]:
    connected = Condition(f"{name}_source", unless=(0.0,))
    turned_up = Condition(f"{name}_amount", unless=(0.0,))
    # The source stays active: choosing one turns a slot on.
    yield Activity((f"{name}_amount", f"{name}_destination"), ((connected,),))
    yield Activity((f"{name}_bipolar",), ((connected, turned_up),))
    yield Activity((f"{name}_amount", f"{name}_bipolar"), tuple(_reached(f"{name}_destination")))


def _reached(destination: str) -> Iterator[Clause]:
    """What the slot modulates is switched on."""
    yield (Condition(destination, free_destinations()),)
    for part in SWITCHED:
        if places := destinations_of(part):
            yield (Condition(destination, places), Condition(f"{part}_on", _ON))
