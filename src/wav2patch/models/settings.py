"""What settings of networks have to be."""

from __future__ import annotations


def need_positive(**settings: int) -> None:
    """Raises a ValueError that names the first setting below 1."""
    for name, value in settings.items():
        if value < 1:
            raise ValueError(f"{name} is {value}, and has to be at least 1")
