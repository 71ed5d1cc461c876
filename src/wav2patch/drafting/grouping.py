"""Which parameters belong together, by their names: oscillators 1 and 2, envelopes, what begins alike."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from itertools import combinations

from wav2patch.parameters import Categorical, Parameter
from wav2patch.structure import Block

_SECTIONS = (
    *("osc", "oscillator", "filter", "flt", "vcf", "amp", "vca", "lfo", "env", "envelope", "reverb", "delay", "echo"),
    *("chorus", "phaser", "flanger", "eq", "noise", "unison", "mod", "matrix", "dist", "distortion", "drive", "pan"),
    *("ring", "sync", "pulse", "pw", "velocity", "vel", "mix", "detune", "pitch", "sub", "fx"),
)
_STAGES = ("attack", "decay", "sustain", "release")
_NUMBERED = re.compile(r"(?<![0-9])(\d{1,2})(?![0-9])")
_LETTERED = re.compile(r"(?:^|(?<=_))([ab])(?=_|$)")


def find_blocks(parameters: Sequence[Parameter]) -> tuple[Block, ...]:
    """Blocks that hold every parameter once; those of one kind have the same layout.

    Numbered families come first (``osc1_saw`` and ``osc2_saw``; also lettered ones, A and B), then envelopes by the
    names of their stages, then what begins with the same section's name, then single parameters.
    """
    by_name = {parameter.name: parameter for parameter in parameters}
    free = dict(by_name)
    blocks: list[Block] = []
    for find in (_numbered, _envelopes, _sections):
        for block in find(free):
            blocks.append(block)
            for name in block.parameters:
                del free[name]
    blocks += [Block(name, name, (name,)) for name in free]
    order = {name: i for i, name in enumerate(by_name)}
    return _told_apart(sorted(blocks, key=lambda block: order[block.parameters[0]]), by_name)


def _told_apart(blocks: Sequence[Block], parameters: Mapping[str, Parameter]) -> tuple[Block, ...]:
    """The blocks under names of their own; one whose layout is not that of the others of its kind gets a kind too."""
    names: dict[str, int] = {}
    layouts: dict[str, Block] = {}
    result = []
    for block in blocks:
        count = names[block.name] = names.get(block.name, 0) + 1
        name = block.name if count == 1 else f"{block.name}_{count}"
        fits = _fits(block, layouts.setdefault(block.kind, block), parameters)
        result.append(Block(name, block.kind if fits else f"{block.kind} of {name}", block.parameters))
    return tuple(result)


def _fits(one: Block, other: Block, parameters: Mapping[str, Parameter]) -> bool:
    """Whether the values of one block may be those of the other."""
    same = len(one.parameters) == len(other.parameters)
    pairs = zip(one.parameters, other.parameters, strict=False)
    return same and all(_same([parameters[a], parameters[b]]) for a, b in pairs)


def _numbered(parameters: Mapping[str, Parameter]) -> list[Block]:
    """Families whose names differ in one number or letter."""
    families: dict[str, dict[str, dict[str, str]]] = {}
    for name in parameters:
        for pattern in (_NUMBERED, _LETTERED):
            for match in pattern.finditer(name):
                before, after = name[: match.start()], name[match.end() :]
                # What stands before the number names the family: osc1_saw; a number in front is rare.
                family, field = (before.strip("_") or after.strip("_")), f"{before}#{after}"
                families.setdefault(family, {}).setdefault(field, {})[match.group(1)] = name
    blocks: list[Block] = []
    used: set[str] = set()
    for family, fields in sorted(families.items(), key=lambda item: -_weight(item[1])):
        free = {f: {n: name for n, name in members.items() if name not in used} for f, members in fields.items()}
        for block in _best(family, free, parameters):
            blocks.append(block)
            used.update(block.parameters)
    return blocks


def _weight(fields: Mapping[str, Mapping[str, str]]) -> int:
    return sum(len(members) for members in fields.values() if len(members) > 1)


def _best(family: str, fields: Mapping[str, Mapping[str, str]], parameters: Mapping[str, Parameter]) -> list[Block]:
    """The members and fields that make the largest table without holes, each field of one kind in all members."""
    candidates = {frozenset(members) for members in fields.values() if len(members) > 1}
    candidates |= {a & b for a, b in combinations(candidates, 2) if len(a & b) > 1}
    best: tuple[list[str], list[str]] = ([], [])
    for numbers in sorted((sorted(c, key=_order) for c in candidates), key=lambda c: (-len(c), c)):
        kept = [f for f, m in fields.items() if set(numbers) <= set(m) and _same([parameters[m[n]] for n in numbers])]
        best = max(best, (numbers, kept), key=_size)
    numbers, kept = best
    return [Block(f"{family}_{n}", family, tuple(fields[f][n] for f in kept)) for n in numbers] if kept else []


def _size(table: tuple[list[str], list[str]]) -> tuple[int, int]:
    numbers, fields = table
    return (len(numbers) - 1) * len(fields), len(fields)


def _order(number: str) -> tuple[int, str]:
    return (int(number), "") if number.isdigit() else (0, number)


def _same(parameters: Sequence[Parameter]) -> bool:
    """Whether values of one parameter fit all the others."""
    first = parameters[0]
    return all(
        type(p) is type(first)
        and (p.low, p.high) == (first.low, first.high)
        and (not isinstance(p, Categorical) or not isinstance(first, Categorical) or p.choices == first.choices)
        for p in parameters
    )


def _envelopes(parameters: Mapping[str, Parameter]) -> list[Block]:
    """Envelopes: names that are alike but for attack, decay, sustain and release."""
    found: dict[str, dict[str, str]] = {}
    for name in parameters:
        for stage in _STAGES:
            if name.count(stage) == 1:
                found.setdefault(name.replace(stage, "#").strip("_"), {})[stage] = name
    blocks = []
    for rest, stages in found.items():
        if len(stages) >= 3:
            names = tuple(stages[stage] for stage in _STAGES if stage in stages)
            owner = re.sub(r"_+", "_", rest.replace("#", "")).strip("_")
            kind = "envelope of " + "".join(stage[0] for stage in _STAGES if stage in stages)
            blocks.append(Block(f"{owner}_envelope" if owner else "envelope", kind, names))
    return blocks


def _sections(parameters: Mapping[str, Parameter]) -> list[Block]:
    """Parameters that begin with the name of the same part of a synth, two or more."""
    found: dict[str, list[str]] = {}
    for name in parameters:
        if section := max((s for s in _SECTIONS if name.startswith(s)), key=len, default=""):
            found.setdefault(section, []).append(name)
    return [Block(section, section, tuple(names)) for section, names in found.items() if len(names) > 1]
