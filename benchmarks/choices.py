r"""Categorical parameters in a flow: logits trained by cross-entropy against regressed velocities of one-hots.

    python benchmarks/choices.py --out results        # about four minutes on one core

A problem whose answer is known: one of `--choices` classes is drawn, a point of eight numbers is heard, that of the
class with Gaussian noise, and beside the class there are three knobs that the class sets. The probability of each class
given the point follows from Bayes' rule. Both variants have the same network, steps and seeds; told are the total
variation between sampled and true frequencies (guidance 1), and how often the likeliest class is drawn as guidance
grows.

With `--discretes` the classes set three parameters of 100 values beside: ``mass`` is the class's value in 70% of
rows and else anything, ``pair`` one of two values that are ten apart, ``wide`` a rounded Gaussian, and flows are
compared that treat them differently (about six minutes on one core).
"""

from __future__ import annotations

import argparse
import os
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
import torch
from torch import Tensor

from wav2patch.files import write_text
from wav2patch.models.inverters.base import Examples
from wav2patch.models.inverters.flow_matching import FlowMatching
from wav2patch.models.layout import Layout
from wav2patch.models.noise import Noise

WIDTH, SPREAD, TESTED, DRAWS = 8, 0.55, 200, 200
GUIDANCES = (1.0, 2.0, 3.0)


VALUES = 100
DISCRETE = ("mass", "pair", "wide")


class Problem:
    """Classes, where they lie, and what knobs they have."""

    def __init__(self, choices: int, seed: int) -> None:
        generator = np.random.default_rng([seed, choices])
        self.choices = choices
        self.places = torch.from_numpy(generator.normal(size=(choices, WIDTH)) / 2).float()
        self.knobs = torch.from_numpy(generator.uniform(-0.8, 0.8, size=(choices, 3))).float()
        names = ("knob 1", "knob 2", "knob 3", "class")
        self.layout = Layout(names, ("continuous",) * 3 + ("categorical",), (0, 0, 0, choices))

    def draw(self, rows: Tensor) -> Examples:
        """Examples, each a function of its row."""
        noise = Noise(1, 0, rows)
        chosen = (noise.uniform("class", 1)[:, 0] * self.choices).long()
        heard = self.places[chosen] + SPREAD * noise.normal("heard", WIDTH)
        one_hot = 2.0 * torch.nn.functional.one_hot(chosen, self.choices) - 1.0
        return Examples(heard, None, torch.cat([self.knobs[chosen], one_hot.float()], dim=1))

    def truth(self, heard: Tensor) -> Tensor:
        """Probabilities ``(n, choices)`` of the classes."""
        return torch.softmax(-torch.cdist(heard, self.places).square() / (2 * SPREAD**2), dim=1)


class Masses(Problem):
    """A class, its knobs and three discrete parameters, two of which have single values with mass."""

    def __init__(self, choices: int, seed: int) -> None:
        super().__init__(choices, seed)
        generator = np.random.default_rng([seed, choices, 1])
        self.mass, self.pair = (torch.from_numpy(generator.integers(5, 85, size=choices)) for _ in range(2))
        self.centre = torch.from_numpy(generator.integers(25, 75, size=choices)).float()
        known = self.layout
        self.layout = Layout(
            (*known.names, *DISCRETE), (*known.kinds, *("discrete",) * 3), (*known.sizes, *(VALUES,) * 3)
        )

    def draw(self, rows: Tensor) -> Examples:
        """See `Problem.draw`."""
        known, noise = super().draw(rows), Noise(2, 0, rows)
        chosen = known.vectors[:, 3:].argmax(dim=1)
        there, other, second = noise.uniform("values", 3).unbind(dim=1)
        mass = torch.where(there < 0.7, self.mass[chosen], (other * VALUES).long())
        pair = self.pair[chosen] + 10 * (second < 0.5)
        wide = (self.centre[chosen] + 8.0 * noise.normal("wide", 1)[:, 0]).round().clamp(0, VALUES - 1)
        values = torch.stack([mass, pair, wide], dim=1).float() / (VALUES - 1) * 2.0 - 1.0
        return known.replace(vectors=torch.cat([known.vectors, values], dim=1))

    def tables(self) -> tuple[Tensor, Tensor, Tensor]:
        """Probabilities ``(classes, VALUES)`` of each parameter's values given the class."""
        one_hots = torch.eye(VALUES)
        mass = 0.3 / VALUES + 0.7 * one_hots[self.mass]
        pair = 0.5 * one_hots[self.pair] + 0.5 * one_hots[self.pair + 10]
        edges = torch.arange(VALUES + 1) - 0.5
        edges[0], edges[-1] = -torch.inf, torch.inf
        wide = torch.special.ndtr((edges - self.centre[:, None]) / 8.0).diff(dim=1)
        return mass, pair, wide


class Unaided(FlowMatching):
    """Whose network has to find out itself what a point says of the value it comes from."""

    def _log_probabilities(self, output: Tensor, x: Tensor, t: Tensor) -> Tensor:
        return self.endpoints.choices.log_probabilities(output)


class BySize(FlowMatching):
    """Whose cross-entropies are parts of what knowing nothing costs, log of the number of answers."""

    def _entropies(self, table: Tensor, answers: Tensor) -> Tensor:
        return super()._entropies(table, answers) / self.endpoints.choices.there.sum(dim=1).log()


VARIANTS = {
    "grid": (FlowMatching, "grid"),
    "grid, without Bayes' rule": (Unaided, "grid"),
    "grid, over log size": (BySize, "grid"),
    "spread": (FlowMatching, "spread"),
}


def train(
    problem: Problem, options: argparse.Namespace, kind: type[FlowMatching] = FlowMatching, **settings: Any
) -> FlowMatching:
    """A small flow."""
    torch.manual_seed(options.seed)
    flow = kind(
        problem.layout,
        (WIDTH,),
        note=False,
        width=64,
        encoder={"name": "mlp", "hidden": 64, "blocks": 2, "heard": "plain"},
        field={"name": "mlp", "width": 96, "blocks": 4},
        **settings,
    )
    optimizer = torch.optim.Adam(flow.parameters(), 2e-3)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, options.steps)
    for step in range(options.steps):
        rows = torch.arange(step * options.batch, (step + 1) * options.batch)
        optimizer.zero_grad()
        flow.loss(problem.draw(rows), Noise(options.seed, 0, rows))["loss"].backward()
        optimizer.step()
        schedule.step()
    return flow.eval()


def test(problem: Problem, flow: FlowMatching, guidance: float) -> tuple[float, float, float]:
    """Total variation, how often the likeliest class is drawn, and how far off the drawn class's knobs are."""
    heard = problem.draw(torch.arange(1 << 40, (1 << 40) + TESTED)).features
    truth, flow.guidance = problem.truth(heard), guidance
    drawn = flow.propose_batch(heard, None, DRAWS, torch.Generator().manual_seed(0))
    chosen = drawn[..., 3:].argmax(dim=-1)
    found = torch.nn.functional.one_hot(chosen, problem.choices).float().mean(dim=1)
    likeliest = (chosen == truth.argmax(dim=1, keepdim=True)).float().mean()
    wrong = (drawn[..., :3] - problem.knobs[chosen]).abs().mean()
    return float((found - truth).abs().sum(dim=1).mean() / 2), float(likeliest), float(wrong)


def floor(problem: Problem) -> tuple[float, float]:
    """The same of draws from the true probabilities."""
    heard = problem.draw(torch.arange(1 << 40, (1 << 40) + TESTED)).features
    truth = problem.truth(heard)
    drawn = torch.multinomial(truth, DRAWS, replacement=True, generator=torch.Generator().manual_seed(0))
    found = torch.nn.functional.one_hot(drawn, problem.choices).float().mean(dim=1)
    likeliest = (drawn == truth.argmax(dim=1, keepdim=True)).float().mean()
    return float((found - truth).abs().sum(dim=1).mean() / 2), float(likeliest)


def test_values(problem: Masses, drawn: Tensor, truth: Tensor) -> list[float]:
    """Total variation of each discrete parameter, and how often `mass` and `pair` are values of the drawn class."""
    chosen = drawn[..., 3 : 3 + problem.choices].argmax(dim=-1)
    values = ((drawn[..., -3:].clamp(-1.0, 1.0) + 1.0) / 2.0 * (VALUES - 1)).round().long()
    found = torch.nn.functional.one_hot(values, VALUES).float().mean(dim=1)
    far = [float((found[:, i] - truth @ one).abs().sum(dim=1).mean() / 2) for i, one in enumerate(problem.tables())]
    beyond = values[..., 1] - problem.pair[chosen]
    right = (values[..., 0] == problem.mass[chosen], (beyond == 0) | (beyond == 10))
    return [*far, *(float(one.float().mean()) for one in right)]


def true_values(problem: Masses, truth: Tensor) -> Tensor:
    """Draws ``(n, DRAWS, D)`` of the true probabilities."""
    generator = torch.Generator().manual_seed(0)
    classes = torch.multinomial(truth, DRAWS, replacement=True, generator=generator)
    values = [torch.multinomial(one[classes.flatten()], 1, generator=generator) for one in problem.tables()]
    scaled = torch.cat(values, dim=1).unflatten(0, classes.shape).float() / (VALUES - 1) * 2.0 - 1.0
    one_hots = torch.nn.functional.one_hot(classes, problem.choices).float()
    return torch.cat([torch.zeros(*classes.shape, 3), one_hots, scaled], dim=-1)


def compare_discretes(options: argparse.Namespace) -> str:
    """A table of ways to treat discrete parameters."""
    problem = Masses(8, options.seed)
    heard = problem.draw(torch.arange(1 << 40, (1 << 40) + TESTED)).features
    truth = problem.truth(heard)
    lines = [
        "| variant | mass ↓ | pair ↓ | wide ↓ | on the class's mass | on the class's pair |",
        "|---|" + "---:|" * 5,
    ]

    def tell(name: str, drawn: Tensor) -> None:
        *far, mass, pair = test_values(problem, drawn, truth)
        lines.append(f"| {name} | {' | '.join(f'{one:.3f}' for one in far)} | {mass:.1%} | {pair:.1%} |")
        print(lines[-1], flush=True)

    tell("the truth", true_values(problem, truth))
    for name, (kind, discretes) in VARIANTS.items():
        flow = train(problem, options, kind, discretes=discretes)
        for guidance in (1.0, 2.0):
            flow.guidance = guidance
            drawn = flow.propose_batch(heard, None, DRAWS, torch.Generator().manual_seed(0))
            tell(f"{name}, guidance {guidance:g}", drawn)
    return "\n".join(lines) + "\n"


def main() -> None:
    """Train and test both at several sizes."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=Path("results"))
    parser.add_argument("--choices", type=int, nargs="+", default=[4, 32])
    parser.add_argument("--discretes", action="store_true", help="compare ways to treat discrete parameters")
    parser.add_argument("--steps", type=int, default=3_000)
    parser.add_argument("--batch", type=int, default=256)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    torch.set_num_threads(1)
    if options.discretes:
        write_text(options.out / "discretes.md", compare_discretes(options))
        return
    head = "| classes | variant | total variation ↓ | knobs off by ↓ | likeliest drawn, guidance 1 | 2 | 3 |"
    lines = [head, "|---:|---|---:|---:|---:|---:|---:|"]
    for choices in options.choices:
        problem = Problem(choices, options.seed)
        best = floor(problem)
        lines.append(f"| {choices} | the truth | {best[0]:.3f} | 0 | {best[1]:.1%} | | |")
        for variant in ("endpoint", "one_hot"):
            flow = train(problem, options, categoricals=variant)
            found = [test(problem, flow, guidance) for guidance in GUIDANCES]
            told = " | ".join(f"{one[1]:.1%}" for one in found)
            lines.append(f"| {choices} | {variant} | {found[0][0]:.3f} | {found[0][2]:.3f} | {told} |")
            print(lines[-1], flush=True)
    text = "\n".join(lines) + "\n"
    write_text(options.out / "choices.md", text)
    print(text)


if __name__ == "__main__":
    main()
