r"""Categorical parameters in a flow: logits trained by cross-entropy against regressed velocities of one-hots.

    python benchmarks/choices.py --out results        # about four minutes on one core

A problem whose answer is known: one of `--choices` classes is drawn, a point of eight numbers is heard, that of the
class with Gaussian noise, and beside the class there are three knobs that the class sets. The probability of each class
given the point follows from Bayes' rule. Both variants have the same network, steps and seeds; told are the total
variation between sampled and true frequencies (guidance 1), and how often the likeliest class is drawn as guidance
grows.
"""

from __future__ import annotations

import argparse
import os
from pathlib import Path

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


def train(problem: Problem, categoricals: str, options: argparse.Namespace) -> FlowMatching:
    """A small flow."""
    torch.manual_seed(options.seed)
    flow = FlowMatching(
        problem.layout,
        (WIDTH,),
        note=False,
        width=64,
        encoder={"name": "mlp", "hidden": 64, "blocks": 2, "heard": "plain"},
        field={"name": "mlp", "width": 96, "blocks": 4},
        categoricals=categoricals,  # type: ignore[arg-type]
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


def main() -> None:
    """Train and test both at several sizes."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=Path("results"))
    parser.add_argument("--choices", type=int, nargs="+", default=[4, 32])
    parser.add_argument("--steps", type=int, default=3_000)
    parser.add_argument("--batch", type=int, default=256)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    torch.set_num_threads(1)
    head = "| classes | variant | total variation ↓ | knobs off by ↓ | likeliest drawn, guidance 1 | 2 | 3 |"
    lines = [head, "|---:|---|---:|---:|---:|---:|---:|"]
    for choices in options.choices:
        problem = Problem(choices, options.seed)
        best = floor(problem)
        lines.append(f"| {choices} | the truth | {best[0]:.3f} | 0 | {best[1]:.1%} | | |")
        for variant in ("endpoint", "one_hot"):
            flow = train(problem, variant, options)
            found = [test(problem, flow, guidance) for guidance in GUIDANCES]
            told = " | ".join(f"{one[1]:.1%}" for one in found)
            lines.append(f"| {choices} | {variant} | {found[0][0]:.3f} | {found[0][2]:.3f} | {told} |")
            print(lines[-1], flush=True)
    text = "\n".join(lines) + "\n"
    write_text(options.out / "choices.md", text)
    print(text)


if __name__ == "__main__":
    main()
