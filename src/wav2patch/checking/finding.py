"""What a check says: findings for people, figures for the record."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

Figures = Mapping[str, float]


@dataclass(frozen=True)
class Finding:
    """One line of the verdict.

    Attributes:
        name: What was looked at.
        holds: Whether the contract is kept; None where the finding is a figure and no promise.
        sentence: What was found, with its figures.
        figures: For the record, by name.
    """

    name: str
    holds: bool | None
    sentence: str
    figures: Figures = field(default_factory=dict)


@dataclass(frozen=True)
class Verdict:
    """All findings on one synth."""

    synth: str
    findings: Sequence[Finding]

    @property
    def holds(self) -> bool:
        """Whether nothing was found that breaks the contract."""
        return all(finding.holds is not False for finding in self.findings)

    @property
    def figures(self) -> dict[str, float]:
        """Of all findings, rounded to four digits."""
        return {k: float(f"{v:.4g}") for finding in self.findings for k, v in finding.figures.items()}


def quantile(values: Sequence[float], share: float) -> float:
    """The value that this share of them does not exceed, itself one of them; 0 without any."""
    return sorted(values)[min(int(share * len(values)), len(values) - 1)] if values else 0.0


def decibels(value: float) -> str:
    """A distance as a sentence gives it."""
    return f"{value:.2f} dB" if value >= 0.005 or value == 0 else f"{value:.0e} dB"
